"""Chat and legacy completions of the sandbox, on OpenAI's wire, whole or in chunks."""

import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any

from orrery.edge.sandbox_answer import Piece, answer_to, split, usage_of
from orrery.edge.sandbox_behavior import Refused
from orrery.wire.completions import MAX_TOKENS, prompts_of

type Json = dict[str, Any]


def _head(prefix: str, kind: str) -> Json:
    return {
        "id": f"{prefix}-sandbox{secrets.token_hex(8)}",
        "object": kind,
        "created": int(time.time()),
        "model": "echo",
        "system_fingerprint": "orrery-sandbox",
    }


def chat(asked: Json) -> Json:
    """OpenAI's chat completion."""
    pieces = answer_to(asked)
    answer = pieces[0].whole(pieces)
    choices = [{"index": n, **answer, "logprobs": None} for n in range(asked.get("n") or 1)]
    return {**_head("chatcmpl", "chat.completion"), "choices": choices, "usage": usage_of(asked, pieces)}


def chat_chunks(asked: Json) -> Iterator[Json]:
    """The same in chunks."""
    pieces = answer_to(asked)
    begin = {"role": "assistant", "content": "", "refusal": None}
    steps = [(begin, None), *((piece.delta, piece.finish_reason) for piece in pieces)]
    choices = (
        {"index": n, "delta": delta, "logprobs": None, "finish_reason": reason}
        for delta, reason in steps
        for n in range(asked.get("n") or 1)
    )
    return _chunks(asked, _head("chatcmpl", "chat.completion.chunk"), choices, usage_of(asked, pieces))


def completion(asked: Json) -> Json:
    """OpenAI's legacy completion: of each prompt, its own words again."""
    answers = _answers(asked)
    wanted = asked.get("n") or 1
    choices = [
        {"text": before + _text(pieces), **_ended(number * wanted + n, pieces[-1].finish_reason)}
        for number, (before, pieces) in enumerate(answers)
        for n in range(wanted)
    ]
    return {**_head("cmpl", "text_completion"), "choices": choices, "usage": _usage(asked, answers)}


def completion_chunks(asked: Json) -> Iterator[Json]:
    """The same in chunks."""
    answers = _answers(asked)
    wanted = asked.get("n") or 1
    choices = (
        {"text": text, **_ended(number * wanted + n, reason)}
        for number, (before, pieces) in enumerate(answers)
        for n in range(wanted)
        for text, reason in [*([(before, None)] if before else []), *map(_step, pieces)]
    )
    return _chunks(asked, _head("cmpl", "text_completion"), choices, _usage(asked, answers))


def _chunks(asked: Json, head: Json, choices: Iterator[Json], usage: Json) -> Iterator[Json]:
    """A chunk for each step of a choice; the usage comes last, to who asked for it."""
    wants_usage = (asked.get("stream_options") or {}).get("include_usage")
    for choice in choices:
        yield {**head, "choices": [choice], **({"usage": None} if wants_usage else {})}
    if wants_usage:
        yield {**head, "choices": [], "usage": usage}


def _answers(asked: Json) -> list[tuple[str, Sequence[Piece]]]:
    """For each prompt: what of it stands before the answer, and the answer."""
    for name in ("logprobs", "suffix"):
        if asked.get(name):
            raise Refused(f"The sandbox has no '{name}'.", name)
    limit = asked.get("max_tokens")
    more = {"stop": asked.get("stop"), "max_tokens": MAX_TOKENS if limit is None else limit}
    texts = map(_prompt, prompts_of(asked))
    said = [(text, answer_to({"messages": [{"role": "user", "content": text}], **more})) for text in texts]
    return [(text if asked.get("echo") else "", pieces) for text, pieces in said]


def _prompt(prompt: Any) -> str:
    """A prompt in words: tokens mean nothing here, so there are as many words as tokens."""
    return " ".join(f"<{token}>" for token in prompt) if isinstance(prompt, list) else prompt or ""


def _step(piece: Piece) -> tuple[str, str | None]:
    return piece.delta.get("content", ""), piece.finish_reason


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(_step(piece)[0] for piece in pieces)


def _ended(index: int, reason: str | None) -> Json:
    return {"index": index, "logprobs": None, "finish_reason": reason}


def _usage(asked: Json, answers: Sequence[tuple[str, Sequence[Piece]]]) -> Json:
    prompt = sum(len(split(_prompt(each))) for each in prompts_of(asked))
    said = sum(len(split(_text(pieces))) for _, pieces in answers) * max(asked.get("n") or 1, asked.get("best_of") or 1)
    return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
