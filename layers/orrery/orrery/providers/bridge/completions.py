"""Legacy completions over chat: the prompt is what the user says, and what the assistant says is the completion.

What a chat cannot do is refused. The chat's own adapter does the rest, so every provider that chats completes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson

from orrery.core.dialect import Adapter, Decoder, Encoded, Event, Frame
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.prompts import joined, one_each, text_of
from orrery.wire.chat_parameters import PARAMETERS
from orrery.wire.completions import AS_IN_CHAT, MAX_TOKENS
from orrery.wire.shapes import checking, record

MANNER = frozenset({"reasoning_effort", "top_k", "verbosity"})
"""Parameters of chat that say how a model answers, not with what: they go on, too."""

_CARRIED = AS_IN_CHAT | MANNER | {"stop"}
_OURS = frozenset({"model", "prompt", "max_tokens", "echo", "suffix", "best_of", "logprobs", "messages"})

_check = checking(record({}, {name: PARAMETERS[name] for name in _CARRIED}))

_ENDS = {"length": "length", "content_filter": "content_filter"}
"""OpenAI's words for how a completion ended; all others that chat has are "stop"."""


@lru_cache(maxsize=256)  # adapters are made once each
def over(chat: Adapter) -> Adapter:
    """Completions over a chat adapter."""

    def encode(call: Call, target: Target) -> Encoded:
        encoded = chat.encode(as_chat(call, target.provider), target)
        named = ("max_tokens" if name == "max_completion_tokens" else name for name in encoded.dropped)
        return replace(encoded, dropped=(*named, *_lost(call)))

    def split(call: Call, target: Target) -> Sequence[Call]:
        refuse(call, target.provider)
        return one_each(call, target)

    found = translating(chat)
    return replace(found, path=lambda call, target: chat.path(_asked(call), target), encode=encode, split=split)


def translating(chat: Adapter) -> Adapter:
    """An adapter whose replies are those of the chat adapter, and whose answers are completions of a prompt each."""
    chat_decoder = chat.decoder

    def decode(body: bytes, call: Call) -> Frame:
        return completion(chat.decode(body, _asked(call)))

    def decoder(call: Call) -> Decoder:
        assert chat_decoder is not None
        return _Decoder(chat_decoder(_asked(call)))

    return Adapter(
        path=chat.path,
        encode=chat.encode,
        decode=decode,
        decoder=decoder if chat_decoder else None,
        reader=chat.reader,
        split=one_each,
        join=joined,
    )


def as_chat(call: Call, who: str) -> Call:
    """The chat that stands for a completion of one prompt, at the provider called `who`.

    Its answer is limited as OpenAI limits a completion, where the caller says nothing. Raises `InvalidRequest` for what
    no chat can do.
    """
    refuse(call, who)
    found = _chat_of(call, text_of(call, who))
    _check(found.body)
    return found


def _chat_of(call: Call, text: str) -> Call:
    unfit = _unfit(call)
    body = {name: value for name, value in call.body.items() if name not in _OURS and name not in unfit}
    body |= {
        "model": call.body["model"],
        "messages": [{"role": "user", "content": text}],
        "max_completion_tokens": call.body.get("max_tokens") or MAX_TOKENS,
    }
    return replace(call, operation=Operation.CHAT, body=body)


def _asked(call: Call) -> Call:
    """The chat as its adapter knows it where what was asked is of no matter: when the answer is read."""
    return _chat_of(call, "")


def _unfit(call: Call) -> Sequence[str]:
    """Parameters of chat in a body that is none: tools, formats and such, which a text cannot answer to."""
    return [name for name in call.body if name in PARAMETERS and name not in _CARRIED and name not in _OURS]


def _lost(call: Call) -> tuple[str, ...]:
    return tuple(name for name in _unfit(call) if call.body[name] is not None)


def refuse(call: Call, who: str) -> None:
    """Raises `InvalidRequest` for the first parameter that asks for what no chat can do."""
    body = call.body
    for name, is_asked, why in _REFUSALS:
        if is_asked(body):
            raise InvalidRequest(
                f"{who} serves this model as a chat, which cannot {why}. A model of the completions kind can.",
                param=name,
            )


_REFUSALS: tuple[tuple[str, Callable[[Json], Any], str], ...] = (
    ("echo", lambda body: body.get("echo"), "echo its prompt"),
    ("suffix", lambda body: body.get("suffix"), "complete towards a suffix"),
    ("best_of", lambda body: (body.get("best_of") or 0) > (body.get("n") or 1), "choose the best of several answers"),
    ("logprobs", lambda body: body.get("logprobs") is not None, "tell probabilities as completions do"),
    ("max_tokens", lambda body: body.get("max_tokens") == 0, "answer with nothing"),
)


def completion(frame: Frame) -> Frame:
    """A chat's answer as a completion: its text. Reasoning is counted, and not told."""
    answer = _body(frame.payload)
    choices = [_choice(choice, choice.get("message") or {}) for choice in answer["choices"]]
    return replace(frame, payload={**answer, "object": "text_completion", "choices": choices})


def _choice(choice: Json, said: Json, refused: bool = False) -> Json:
    """A choice's text and end. What was refused was left out: a completion has no place for why."""
    reason = choice.get("finish_reason")
    reason = "content_filter" if reason == "stop" and (refused or said.get("refusal")) else reason
    return {
        "text": str(said.get("content") or ""),
        "index": choice["index"],
        "logprobs": None,
        "finish_reason": None if reason is None else _ENDS.get(reason, "stop"),
    }


def _body(payload: Json | bytes | None) -> Json:
    found: Json = orjson.loads(payload) if isinstance(payload, bytes) else payload or {}
    return found


class _Decoder:
    """A chat's stream as that of a completion, chunk by chunk."""

    def __init__(self, chat: Decoder) -> None:
        self._chat = chat
        self._refused: set[int] = set()

    @property
    def done(self) -> bool:
        return self._chat.done

    def feed(self, event: Event) -> Iterable[Frame]:
        return map(self._chunk, self._chat.feed(event))

    def close(self) -> Iterable[Frame]:
        return map(self._chunk, self._chat.close())

    def _chunk(self, frame: Frame) -> Frame:
        """A chunk of a chat as one of a completion; what says nothing in it (a role, reasoning) is not told."""
        if frame.payload is None:
            return frame
        chunk = _body(frame.payload)
        given = chunk.get("choices") or ()
        choices = [told for choice in given if _speaks(told := self._told(choice))]
        if given and not choices:
            return replace(frame, payload=None)
        return replace(frame, payload={**chunk, "object": "text_completion", "choices": choices})

    def _told(self, choice: Json) -> Json:
        delta, index = choice.get("delta") or {}, choice["index"]
        if delta.get("refusal"):
            self._refused.add(index)
        return _choice(choice, delta, index in self._refused)


def _speaks(choice: Json) -> bool:
    return bool(choice["text"]) or choice["finish_reason"] is not None
