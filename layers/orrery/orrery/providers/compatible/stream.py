"""A streamed completion: chunks pass through, changed where something in them is not as OpenAI would say it."""

from collections.abc import Iterable
from typing import Any

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated
from orrery.core.types import Call, Json, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.choice import Choice, joined
from orrery.providers.compatible.counts import taken
from orrery.providers.compatible.decode import filled_in, identified, object_in
from orrery.providers.compatible.details import Details, text_in
from orrery.providers.compatible.row import Row
from orrery.providers.errors import stream_error
from orrery.providers.likeness import Likeness
from orrery.wire.chunks import output_chars
from orrery.wire.sse import is_one_line

NO_USAGE = b',"usage":null'
"""What each chunk but the last carries for callers that asked for usage, and none for those that did not.

No JSON string can hold these bytes, since a quotation mark in one has a backslash before it: this is always a key.
"""

type Said = tuple[tuple[str, ...], str]
"""The fields of a chunk that hold its text, and the text."""

_TEXTS = ("content", "reasoning_content", "reasoning")


class ChatDecoder:
    """One stream. The first chunk waits for the first words: until then another target may still be tried.

    It is whole when `[DONE]` came, or when every choice that began has a finish reason (some servers stop there).
    """

    __slots__ = (
        "_call",
        "_choices",
        "_details",
        "_head",
        "_held",
        "_like",
        "_row",
        "_usage",
        "_usage_chunk",
        "_wants_usage",
        "done",
    )

    def __init__(self, call: Call, row: Row) -> None:
        self._call = call
        self._row = row
        self._wants_usage = call.wants_usage
        self._usage: Usage | None = None
        self._usage_chunk: Json | None = None
        self._choices: dict[int, Choice] = {}
        self._head: Json = {}
        self._held: list[Frame] | None = []
        self._like = Likeness()
        self._details: Details | None = None  # where the texts of chunks that are alike are kept as well
        self.done = False

    def feed(self, event: Event) -> Iterable[Frame]:
        data = event.data
        # Bytes are searched with `find`: `in` takes five times as long (CPython 3.13).
        if not self._wants_usage:
            if data.find(NO_USAGE) >= 0:
                data = data.replace(NO_USAGE, b"")
        elif data.find(b'"usage"') < 0 and data[-1:] == b"}":
            data = data[:-1] + NO_USAGE + b"}"
        alike = self._like.alike(data)
        if alike is not None and not self.done:
            if self._details is not None:
                self._details.say(alike[1])
            return (Frame(alike[0], self._usage, len(alike[1])),)
        if self.done:
            return ()
        if data == b"[DONE]":
            return self._closing()
        return self._take(data)

    def close(self) -> Iterable[Frame]:
        if self.done:
            return ()
        if not self._choices or not all(choice.ended for choice in self._choices.values()):
            raise Truncated("the provider's stream ended before the answer did", upstream_status=200)
        return self._closing()

    def _take(self, data: bytes) -> Iterable[Frame]:
        chunk = object_in(data, "an event")
        if chunk.get("error"):
            raise stream_error(chunk)
        changed = self._identify(chunk)
        given = chunk.get("choices")
        choices = [choice for choice in given if isinstance(choice, dict)] if isinstance(given, list) else []
        said = _one_text(choices[0].get("delta")) if len(choices) == 1 else None
        for place, choice in enumerate(choices):
            changed |= self._place(choice, place, chunk)
        # What comes after a choice's end (citations, filters) is left out: for clients, nothing can.
        kept = [choice for choice in choices if not self._choices[choice["index"]].ended]
        for choice in kept:
            changed |= self._take_choice(choice)
        if kept != given:
            chunk["choices"], changed = kept, True
        changed |= self._take_usage(chunk)
        return self._told(data, chunk, changed, said)

    def _told(self, data: bytes, chunk: Json, changed: bool, said: Said | None) -> Iterable[Frame]:
        """The frame of a chunk; those before the first words wait for them."""
        choices = chunk["choices"]
        if not choices or (changed and all(map(_is_empty, choices))):
            return (Frame(None, self._usage),) if self._usage else ()
        raw = not changed and is_one_line(data)
        chars = sum(output_chars(choice["delta"]) for choice in choices)
        frame = Frame(data if raw else chunk, self._usage, chars)
        if self._held is not None:
            self._held.append(frame)
            if not any(map(_speaks, choices)):
                return (Frame(None, self._usage),) if self._usage else ()
        frames, self._held = self._held or [frame], None
        if said is not None and len(choices) == 1 and chars == len(said[1]):
            self._learn(data, said, choices[0], None if raw else chunk)
        return frames

    def _learn(self, data: bytes, said: Said, choice: Json, became: Json | None) -> None:
        """Takes a chunk as the model of those that follow, where they would be treated alike."""
        own = self._choices[choice["index"]]
        if "role" in choice["delta"] or choice["finish_reason"] is not None:
            return  # there is but one first, and one last
        if own.think is not None and not own.think.plain and not own.think.within:
            return
        in_tags = own.think is not None and own.think.within
        if self._like.learn(data, said[0], said[1], became, in_tags=in_tags):
            self._details = own.details if "text" in said[0] or "summary" in said[0] else None

    def _identify(self, chunk: Json) -> bool:
        """One id, and one time, for all chunks of an answer; True when this one had others, or none."""
        changed = identified(chunk, "chat.completion.chunk", self._row, self._call)
        if not self._head:
            self._head = {name: chunk[name] for name in ("id", "object", "created", "model")}
        for name in ("id", "created"):
            if chunk[name] != self._head[name]:
                chunk[name], changed = self._head[name], True
        return changed

    def _place(self, choice: Json, place: int, chunk: Json) -> bool:
        """Finds out which choice it is; True when something was changed in it."""
        changed = not isinstance(choice.get("index"), int)
        if changed:
            choice["index"] = place
        if choice["index"] not in self._choices:
            self._choices[choice["index"]] = Choice(self._row, f"{self._head['id']}/{choice['index']}")
        if "usage" in choice:  # Moonshot's place for it
            chunk["usage"] = choice.pop("usage") or chunk.get("usage")
            changed = True
        return changed

    def _take_choice(self, choice: Json) -> bool:
        """One step of a choice in OpenAI's words; True when something was changed in it."""
        own, delta = self._choices[choice["index"]], choice.get("delta")
        changed = not isinstance(delta, dict)
        if not isinstance(delta, dict):
            delta = choice["delta"] = {}
        is_plain = own.think is None or own.think.plain
        has_blocks = "reasoning_details" in delta or isinstance(delta.get("content"), list)
        changed |= own.take(delta)
        if has_blocks or (not is_plain and own.think is not None and not own.think.within):
            self._like.forget()  # the same chunk means something else from here on
        changed |= _role_once(delta, own)
        reason = own.reason(choice.get("finish_reason"), choice)
        changed |= filled_in(choice, "finish_reason")
        if reason != choice["finish_reason"]:
            choice["finish_reason"], changed = reason, True
        if reason is not None:
            own.ended = True
            if rest := own.rest():
                choice["delta"], changed = joined(delta, rest), True
        return changed

    def _take_usage(self, chunk: Json) -> bool:
        """Keeps the count and, for the caller, a last chunk that carries it; True when `chunk` was changed."""
        changed, usage, last = taken(chunk, self._row, self._wants_usage)
        if usage is not None:
            self._usage, self._usage_chunk = usage, last
        return changed

    def _closing(self) -> Iterable[Frame]:
        """The end: `[DONE]` ends the choices, too, that nothing else ended."""
        self.done = True
        frames = list(self._held or ())
        for index, choice in self._choices.items():
            if not choice.ended:
                reason = "tool_calls" if len(choice.calls) else "stop"
                delta = choice.rest()
                _role_once(delta, choice)
                last = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
                chunk = {**self._head, "choices": [last]} | ({"usage": None} if self._wants_usage else {})
                frames.append(Frame(chunk, self._usage, output_chars(delta)))
        if self._wants_usage and self._usage_chunk is not None:
            frames.append(Frame(self._usage_chunk, self._usage))
        return frames


def _one_text(delta: Any) -> Said | None:
    """The text that a delta generates, if there is but one: in a field, in a block, or the same in both."""
    said = object_of(delta)
    texts = [((name,), text) for name in _TEXTS if (text := text_of(said.get(name)))]
    listed = said.get("reasoning_details") or (said["content"] if isinstance(said.get("content"), list) else None)
    if listed is None:
        return texts[0] if len(texts) == 1 else None
    block = object_of(listed[0]) if isinstance(listed, list) and len(listed) == 1 else {}
    text, name = text_in(block), "summary" if isinstance(block.get("summary"), str) else "text"
    if block.get("signature") or [each for _, each in texts if each != text] or len(texts) > 1:
        return None
    return (*(texts[0][0] if texts else ()), name), text


def _role_once(delta: Json, own: Choice) -> bool:
    """The role stands in a choice's first delta and in no other; True when it had to be put there or taken away."""
    if own.begun:
        return delta.pop("role", own) is not own
    own.begun = True
    changed = delta.get("role") != "assistant"
    delta["role"] = "assistant"
    return changed


def _speaks(choice: Json) -> bool:
    """Whether it tells more than a role: words, sound, or an end."""
    said = any(value for name, value in choice["delta"].items() if name != "role")
    return said or choice["finish_reason"] is not None


def _is_empty(choice: Json) -> bool:
    """Whether nothing is left in it, not even a role or something of the provider's own."""
    return not any(choice["delta"].values()) and not any(
        value is not None for name, value in choice.items() if name not in ("index", "delta")
    )
