"""Providers that speak OpenAI's chat wire: the body goes on as it came, minus what a row says they refuse.

Each provider is a row of facts (`rows.py`); the behaviour is here, once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery.core.dialect import Adapter, Decoder, Encoded, Event, Frame, Provider
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json, Operation, Target, Usage
from orrery.providers.errors import explain_openai, stream_error
from orrery.providers.likeness import UNLIKE, Likeness
from orrery.providers.signing import bearer
from orrery.wire.chunks import answer_chars, output_chars
from orrery.wire.sse import Reader, is_one_line
from orrery.wire.usage import read_usage


@dataclass(frozen=True, slots=True)
class Row:
    """What is particular about a provider. Every fact has its `source` (URL or title) and the day it was `checked`.

    `drop`: parameters it refuses, removed and named to the caller. `rename`: parameters it knows by another name.
    `stream_usage` False: it refuses `stream_options`, and sends usage unasked. `reasoning_apart`: it counts reasoning
    beside `completion_tokens`, not within. `finish_reasons`: its own words for OpenAI's.
    """

    name: str
    base_url: str
    source: str
    checked: str
    drop: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict)
    needs_key: bool = True
    stream_usage: bool = True
    reasoning_apart: bool = False
    finish_reasons: Mapping[str, str] = field(default_factory=dict)


NOT_OPENAI = frozenset({"cache_control", "thinking", "top_k"})
"""Seed 003's parameters that OpenAI's wire does not have; rows of servers that take one leave it out of `drop`."""

_NO_USAGE = b',"usage":null'
"""What each chunk but the last carries for callers that asked for usage, and none for those that did not.

No JSON string can hold these bytes, since a quotation mark in one has a backslash before it: this is always a key.
"""


def serving(row: Row) -> Provider:
    """The provider that a row describes."""

    def encode(call: Call, target: Target) -> Encoded:
        return encode_chat(call, target, row)

    def decode(body: bytes, call: Call) -> Frame:
        return decode_chat(body, row)

    def decoder(call: Call) -> Decoder:
        return ChatDecoder(call, row)

    chat = Adapter(path=_chat_path, encode=encode, decode=decode, decoder=decoder, reader=Reader)
    return Provider(
        name=row.name,
        base_url=row.base_url,
        sign=bearer,
        adapters={Operation.CHAT: chat},
        explain=explain_openai,
        needs_key=row.needs_key,
    )


def _chat_path(call: Call, target: Target) -> str:
    return "/chat/completions"


def encode_chat(call: Call, target: Target, row: Row) -> Encoded:
    """The caller's own mapping under the target's model name; usage is always asked of a stream."""
    given = call.body
    dropped = tuple(name for name in given if name in row.drop and given[name] is not None)
    body: Json = {name: value for name, value in given.items() if name not in row.drop and name not in row.rename}
    for ours, theirs in row.rename.items():
        if given.get(ours) is not None:
            body[theirs] = given[ours]
    body["model"] = target.model
    if not row.stream_usage:
        body.pop("stream_options", None)  # no loss to the caller: the usage that it asked for comes unasked
    elif call.stream:
        body["stream_options"] = {**(given.get("stream_options") or {}), "include_usage": True}
    return Encoded(body, dropped)


def _object(data: bytes, what: str) -> Json:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        # The cause would carry the whole answer; a traceback of it must reach no log.
        raise UpstreamError(f"the provider sent {what} that is not JSON", upstream_status=200) from None
    if not isinstance(value, dict):
        raise UpstreamError(f"the provider sent {what} that is not a JSON object", upstream_status=200)
    return value


def decode_chat(body: bytes, row: Row) -> Frame:
    """A whole completion, forwarded as it came unless something that strict clients insist on is missing."""
    answer = _object(body, "a reply")
    if answer.get("error"):
        raise stream_error(answer)
    choices = answer.get("choices")
    if not isinstance(choices, list):
        raise UpstreamError("the provider's reply has no choices", upstream_status=200)
    changed = False
    for choice in choices:
        if isinstance(choice, dict):
            changed |= _complete(choice, "logprobs") | _complete(choice.get("message"), "refusal")
            changed |= _reword(choice, row.finish_reasons)
            changed |= _complete_calls(choice.get("message"))
    usage = read_usage(answer.get("usage"), reasoning_apart=row.reasoning_apart)
    if usage and row.reasoning_apart:
        answer["usage"] |= _sums(usage)
        changed = True
    return Frame(answer if changed else body, usage, answer_chars(answer))


def _complete(holder: Any, name: str) -> bool:
    """Adds `name` as null where it is missing; True when it was."""
    if not isinstance(holder, dict) or name in holder:
        return False
    holder[name] = None
    return True


def _complete_calls(message: Any) -> bool:
    """Gives tool calls the type that Mistral leaves out; True when one had none."""
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    changed = False
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and call.get("id") and call.get("type") is None:
            call["type"] = "function"
            changed = True
    return changed


def _sums(usage: Usage) -> Json:
    """The totals in OpenAI's way of counting, for providers that count reasoning apart."""
    return {"completion_tokens": usage.completion, "total_tokens": usage.total}


def _reword(choice: Json, finish_reasons: Mapping[str, str]) -> bool:
    """Gives the finish reason in OpenAI's words; True when it was in others. Raises for an answer that failed."""
    reason = choice.get("finish_reason")
    if reason == "error":  # Mistral's and OpenRouter's word
        raise stream_error(choice)
    if isinstance(reason, str) and reason in finish_reasons:
        choice["finish_reason"] = finish_reasons[reason]
        return True
    return False


class ChatDecoder:
    """Passes chunks through, takes the usage out of them, and knows whether the stream ended as it must.

    It is whole when `[DONE]` came, or when every choice that began has a finish reason (some servers stop there).
    """

    __slots__ = (
        "_finish_reasons",
        "_finished",
        "_like",
        "_reasoning_apart",
        "_usage",
        "_usage_chunk",
        "_wants_usage",
        "done",
    )

    def __init__(self, call: Call, row: Row) -> None:
        self._wants_usage = call.wants_usage
        self._reasoning_apart = row.reasoning_apart
        self._finish_reasons = row.finish_reasons
        self._usage: Usage | None = None
        self._usage_chunk: Json | None = None
        self._finished: dict[int, bool] = {}
        self._like = Likeness()
        self.done = False

    def feed(self, event: Event) -> Iterable[Frame]:
        data = event.data
        # Bytes are searched with `find`: `in` takes five times as long (CPython 3.13).
        if not self._wants_usage:
            if data.find(_NO_USAGE) >= 0:
                data = data.replace(_NO_USAGE, b"")
        elif data.find(b'"usage"') < 0 and data[-1:] == b"}":
            data = data[:-1] + _NO_USAGE + b"}"
        chars = self._like.chars(data)
        if chars != UNLIKE and not self.done:
            return (Frame(data, self._usage, chars),)
        if self.done:
            return ()
        if data == b"[DONE]":
            self.done = True
            return self._closing()
        return self._take(data)

    def close(self) -> Iterable[Frame]:
        if self.done:
            return ()
        if not self._finished or not all(self._finished.values()):
            raise Truncated("the provider's stream ended before the answer did", upstream_status=200)
        self.done = True
        return self._closing()

    def _take(self, data: bytes) -> Iterable[Frame]:
        chunk = _object(data, "an event")
        if chunk.get("error"):
            raise stream_error(chunk)
        changed = not isinstance(chunk.get("choices"), list)
        if changed:
            chunk["choices"] = []
        choices = chunk["choices"]
        if "usage" in chunk:
            changed |= self._take_usage(chunk)
            if not choices and chunk is self._usage_chunk:
                return (Frame(None, self._usage),)
        elif self._wants_usage:
            chunk["usage"], changed = None, True
        chars, delta = 0, None
        for choice in choices:
            if isinstance(choice, dict):
                changed |= self._take_choice(choice)
                delta = choice["delta"]
                changed |= _complete_calls(delta)
                chars += output_chars(delta)
        if changed or not is_one_line(data):
            return (Frame(chunk, self._usage, chars),)
        if len(choices) == 1 and isinstance(delta, dict):
            self._like.learn(data, delta, chars)
        return (Frame(data, self._usage, chars),)

    def _take_choice(self, choice: Json) -> bool:
        """Notes whether the choice is finished; True when something was changed in it."""
        changed = _complete(choice, "finish_reason") | _reword(choice, self._finish_reasons)
        if "delta" not in choice:
            choice["delta"] = {}
            changed = True
        index = choice.get("index")
        index = index if isinstance(index, int) else 0
        # What comes after a finish reason (citations, filters) does not open the choice again.
        self._finished[index] = self._finished.get(index, False) or choice["finish_reason"] is not None
        return changed

    def _take_usage(self, chunk: Json) -> bool:
        """Keeps the count and, for the caller, the last chunk that carries one; True when `chunk` was changed."""
        usage = read_usage(chunk["usage"], reasoning_apart=self._reasoning_apart)
        if usage is not None:
            if self._reasoning_apart:
                chunk["usage"] |= _sums(usage)
            self._usage = usage
            self._usage_chunk = {**chunk, "choices": []} if chunk["choices"] else chunk
            if not chunk["choices"]:
                return False
        elif chunk["usage"] is None and self._wants_usage:
            return False
        if self._wants_usage:
            chunk["usage"] = None
        else:
            del chunk["usage"]
        return True

    def _closing(self) -> Iterable[Frame]:
        if self._wants_usage and self._usage_chunk is not None:
            return (Frame(self._usage_chunk, self._usage),)
        return ()


def server(name: str, base_url: str) -> Provider:
    """An OpenAI-speaking server that an operator named: nothing is dropped, and no key is needed."""
    return serving(Row(name=name, base_url=base_url, source="named by the operator", checked="", needs_key=False))
