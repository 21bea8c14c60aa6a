"""How large a request may become, before anyone has counted: for holds, and for charging what nobody counted."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from orrery.core.types import Call, Json, Operation, Target, Usage

BYTES_PER_TOKEN_WORST = 2
"""Ordinary text has more than two bytes a token in every common tokenizer: holds made with it rarely fall short."""

PER_TOKEN_TYPICAL = 4
"""Bytes or characters of English per token: OpenAI's own rule of thumb. Used only where no usage came."""

OUTPUT_UNSTATED = 16_384
"""Tokens held for an answer without a stated limit: what current chat models give at most by default."""

COMPLETION_UNSTATED = 16
"""The same for a completion: OpenAI's own limit, which is sent to whoever has another (`wire.completions`)."""

TOKENS_BESIDE = 16
"""Per prompt of a completion, at most: what a chat model puts around it, where it is served as a chat."""

WRITING = frozenset({Operation.CHAT, Operation.COMPLETIONS, Operation.RESPONSES})
"""What is answered with text that was generated, at a price per token, up to a limit."""

MEDIA_TOKENS = {"image_url": 5_000, "input_image": 5_000}
"""A bound per part whose bytes are not text: vision models charge by tiles, at most a few thousand tokens an image."""

MEDIA_BYTES_PER_TOKEN = {"input_audio": 100, "file": 10, "input_file": 10}
"""Encoded bytes per token, roughly, where the amount grows with the content (seconds of sound, pages)."""


def prompt_tokens(call: Call, bytes_per_token: int = BYTES_PER_TOKEN_WORST) -> int:
    """An estimate of the prompt's tokens from its size; images, sound and files count by kind, not by their base64."""
    media_bytes = media_tokens = 0
    if call.body_bytes > 8_192:
        media_bytes, media_tokens = _media(call.body)
    return -(-max(0, call.body_bytes - media_bytes) // bytes_per_token) + media_tokens


def sized(call: Call) -> Call:
    """The call with the size of its body as it stands: for a turn, which has more in it than was posted."""
    return replace(call, body_bytes=len(orjson.dumps(call.body)))


def _media(body: Json) -> tuple[int, int]:
    size = tokens = 0
    for part in _parts(body):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in MEDIA_TOKENS or kind in MEDIA_BYTES_PER_TOKEN:
            part_bytes = _longest_text(part.get(kind, part))  # in a response's items, the part itself holds it
            size += part_bytes
            tokens += MEDIA_TOKENS.get(kind) or part_bytes // MEDIA_BYTES_PER_TOKEN[kind]
    return size, tokens


def _parts(body: Json) -> Iterator[Any]:
    """The content parts of a chat's messages, or of a response's items and of what tools gave back."""
    items = body.get("input")
    for holder in body.get("messages") or (items if isinstance(items, list) else ()):
        for field in ("content", "output"):
            content = holder.get(field) if isinstance(holder, dict) else None
            yield from content if isinstance(content, list) else ()


def _longest_text(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return max((len(v) for v in value.values() if isinstance(v, str)), default=0) if isinstance(value, dict) else 0


def asked_output(call: Call) -> int | None:
    """The caller's own limit on the answer, if it set one."""
    if call.operation is Operation.RESPONSES:
        limit = call.body.get("max_output_tokens")
    elif call.operation is Operation.COMPLETIONS:
        limit = call.body.get("max_tokens")
    else:
        limit = call.body.get("max_completion_tokens") or call.body.get("max_tokens")
    return int(limit) if limit else None


def _prompts(call: Call) -> int:
    """How many prompts are completed: a list of numbers is one, in tokens."""
    given = call.body.get("prompt")
    is_several = call.operation is Operation.COMPLETIONS and isinstance(given, list) and not isinstance(given[0], int)
    return len(given) if is_several and given else 1


def _answers(call: Call) -> int:
    """How many answers are generated: of a completion, also those among which the best is chosen."""
    wanted = int(call.body.get("n") or 1)
    if call.operation is Operation.COMPLETIONS:
        wanted = max(wanted, int(call.body.get("best_of") or 1)) * _prompts(call)
    return wanted


def _unstated_output(call: Call, target: Target) -> int:
    """What an answer without a limit may take: thinking that was asked for comes on top."""
    if call.operation is Operation.COMPLETIONS:
        return COMPLETION_UNSTATED
    thinking = call.body.get("thinking") or {}
    return min(target.max_output or OUTPUT_UNSTATED, OUTPUT_UNSTATED) + int(thinking.get("budget_tokens") or 0)


def worst_usage(call: Call, target: Target, output_tokens: int | None = None) -> Usage:
    """The most that this call should use at this target; `output_tokens` overrides the limit per choice."""
    if target.most is not None:
        return target.most
    prompt, prompts = prompt_tokens(call), _prompts(call)
    if call.operation is Operation.COMPLETIONS:
        prompt += prompts * TOKENS_BESIDE
    if target.context_window:
        prompt = min(prompt, target.context_window * prompts)
    if call.operation not in WRITING:
        return Usage(prompt=prompt)
    per_choice = output_tokens or asked_output(call) or _unstated_output(call, target)
    if target.context_window:
        per_choice = min(per_choice, target.context_window)
    return Usage(prompt=prompt, completion=per_choice * _answers(call))


def counted_usage(call: Call, output_chars: int) -> Usage:
    """What was used as far as we could count it ourselves."""
    return Usage(prompt=prompt_tokens(call, PER_TOKEN_TYPICAL), completion=-(-output_chars // PER_TOKEN_TYPICAL))
