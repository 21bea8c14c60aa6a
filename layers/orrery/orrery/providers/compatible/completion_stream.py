"""A streamed completion: chunks pass through, changed where something in them is not as OpenAI would say it."""

from collections.abc import Iterable
from typing import Any

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated
from orrery.core.types import Call, Json, Usage
from orrery.providers.compatible.choice import Choice
from orrery.providers.compatible.counts import taken
from orrery.providers.compatible.decode import filled_in, identified, object_in
from orrery.providers.compatible.row import Row
from orrery.providers.compatible.stream import NO_USAGE
from orrery.providers.errors import stream_error
from orrery.providers.likeness import Likeness
from orrery.wire.completions import prompts_of
from orrery.wire.sse import is_one_line

ENDS = {"tool_calls": "stop", "function_call": "stop"}
"""Ends that only chat has."""


def ended_as(choice: Json, own: Choice) -> str | None:
    """OpenAI's word for how a choice ended; None while it has not. Raises for words that say that it failed."""
    reason = own.reason(choice.get("finish_reason"), choice)
    return ENDS.get(reason, reason) if reason else None


class Echo:
    """Tells what was generated from the prompt that stands before it, where that was asked for."""

    def __init__(self, call: Call) -> None:
        body = call.body
        self._wanted = int(body.get("n") or 1)
        self._prompts = prompts_of(body) if body.get("echo") else ()
        self._left: dict[int, int] = {}

    def new_in(self, choice: Json) -> int:
        """How many characters of a choice's text are new."""
        length, index = len(choice["text"]), choice["index"]
        if not self._prompts:
            return length
        if index not in self._left:
            number = index // self._wanted
            prompt = self._prompts[number] if 0 <= number < len(self._prompts) else ""
            self._left[index] = len(prompt) if isinstance(prompt, str) else 0
        old = min(length, self._left[index])
        self._left[index] -= old
        return length - old


class CompletionDecoder:
    """One stream. It is whole when `[DONE]` came, or when every choice that began has a finish reason."""

    def __init__(self, call: Call, row: Row) -> None:
        self._call = call
        self._row = row
        self._echo = Echo(call)
        self._wants_usage = call.wants_usage
        self._usage: Usage | None = None
        self._usage_chunk: Json | None = None
        self._open: dict[int, bool] = {}
        self._head: Json = {}
        self._like = Likeness()
        self.done = False

    def feed(self, event: Event) -> Iterable[Frame]:
        data = event.data
        if self.done:
            return ()
        if not self._wants_usage:
            data = data.replace(NO_USAGE, b"")
        elif data.find(b'"usage"') < 0 and data[-1:] == b"}":
            data = data[:-1] + NO_USAGE + b"}"
        alike = self._like.alike(data)
        if alike is not None:
            return (Frame(alike[0], self._usage, len(alike[1])),)
        if data == b"[DONE]":
            return self._closing()
        return self._take(data)

    def close(self) -> Iterable[Frame]:
        if self.done:
            return ()
        if not self._open or any(self._open.values()):
            raise Truncated("the provider's stream ended before the answer did", upstream_status=200)
        return self._closing()

    def _take(self, data: bytes) -> Iterable[Frame]:
        chunk = object_in(data, "an event")
        if chunk.get("error"):
            raise stream_error(chunk)
        given = chunk.get("choices")
        choices = [choice for choice in given if isinstance(choice, dict)] if isinstance(given, list) else []
        changed = self._take_usage(chunk)
        changed |= bool(choices) and self._identify(chunk)
        for place, choice in enumerate(choices):
            changed |= self._take_choice(choice, place)
        kept = [choice for choice in choices if self._is_new(choice)]
        if kept != given:
            chunk["choices"], changed = kept, True
        if not kept:
            return (Frame(None, self._usage),) if self._usage else ()
        raw = not changed and is_one_line(data)
        if raw and len(kept) == 1 and self._open[kept[0]["index"]] and not self._call.body.get("echo"):
            self._like.learn(data, ("text",), kept[0]["text"])
        return (Frame(data if raw else chunk, self._usage, sum(map(self._echo.new_in, kept))),)

    def _identify(self, chunk: Json) -> bool:
        """One id, and one time, for all chunks of an answer; True when this one had others, or none."""
        changed = identified(chunk, "text_completion", self._row, self._call)
        if not self._head:
            self._head = {name: chunk[name] for name in ("id", "created", "model")} | {"object": "text_completion"}
        for name in ("id", "created", "object"):
            if chunk[name] != self._head[name]:
                chunk[name], changed = self._head[name], True
        return changed

    def _take_choice(self, choice: Json, place: int) -> bool:
        """One step of a choice in OpenAI's words; True when something was changed in it."""
        changed = any([filled_in(choice, "finish_reason"), filled_in(choice, "logprobs")])
        for name, kind, otherwise in _TYPES:
            if type(choice.get(name)) is not kind:
                choice[name], changed = place if name == "index" else otherwise, True
        reason = ended_as(choice, Choice(self._row, ""))
        if reason != choice["finish_reason"]:
            choice["finish_reason"], changed = reason, True
        return changed

    def _is_new(self, choice: Json) -> bool:
        """Whether it says anything: words, their probabilities, or its end. What comes after an end says nothing."""
        index = choice["index"]
        if not self._open.get(index, True):
            return False
        self._open[index] = choice["finish_reason"] is None
        if not self._open[index]:
            self._like.forget()
        return bool(choice["text"] or choice["logprobs"]) or not self._open[index]

    def _take_usage(self, chunk: Json) -> bool:
        """Keeps the count and, for the caller, a last chunk that carries it; True when `chunk` was changed."""
        changed, usage, last = taken(chunk, self._row, self._wants_usage)
        if usage is not None:
            self._usage, self._usage_chunk = usage, last
        return changed

    def _closing(self) -> Iterable[Frame]:
        """The end: `[DONE]` ends the choices, too, that nothing else ended."""
        self.done = True
        unsaid: Json = {"usage": None} if self._wants_usage else {}
        end: Json = {"text": "", "logprobs": None, "finish_reason": "stop"}
        frames = [
            Frame({**self._head, "choices": [{**end, "index": index}], **unsaid})
            for index, is_open in self._open.items()
            if is_open
        ]
        if self._wants_usage and self._usage_chunk is not None:
            frames.append(Frame({**self._usage_chunk, **self._head}, self._usage))
        return frames


_TYPES: tuple[tuple[str, type, Any], ...] = (("index", int, 0), ("text", str, ""))
