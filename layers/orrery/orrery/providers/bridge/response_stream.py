"""A chat's answer, whole or streamed, as that of a response. Both go through the same telling, so they agree."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson

from orrery.core.dialect import Decoder, Event, Frame
from orrery.core.types import Call, Json, Usage
from orrery.providers.answer import object_of
from orrery.providers.bridge.response_reasoning import THOUGHTS
from orrery.providers.bridge.response_resource import name_of, resource
from orrery.providers.bridge.response_telling import Telling, only_text
from orrery.providers.likeness import Likeness

_HEAD = ("model", "created", "service_tier")
_WHOLE = (*THOUGHTS, "content", "annotations", "refusal", "images", "tool_calls")


def whole(frame: Frame, call: Call) -> Frame:
    """A whole chat's answer as a whole response."""
    answer = _body(frame.payload)
    telling, name = _telling(answer, call)
    if (choice := _first(answer)) is not None:
        message = object_of(choice.get("message"))
        calls = [{**object_of(each), "index": n} for n, each in enumerate(message.get("tool_calls") or ())]
        telling.foretell(message)
        telling.say({name: message.get(name) for name in _WHOLE} | {"tool_calls": calls}, choice.get("logprobs"))
        telling.end(choice.get("finish_reason"))
    telling.close()
    return replace(
        frame, payload=resource(call, name, answer, telling.output, reason=telling.reason, usage=frame.usage)
    )


class ResponseDecoder:
    """A chat's stream as that of a response, event by event; the last is the response, when all is there."""

    def __init__(self, chat: Decoder, call: Call) -> None:
        self._chat = chat
        self._call = call
        self._told: tuple[Telling, str] | None = None
        self._head: Json = {}
        self._usage: Usage | None = None
        self._like = Likeness()

    @property
    def done(self) -> bool:
        return self._chat.done

    def feed(self, event: Event) -> Iterable[Frame]:
        if self._chat.done:
            return []
        frames: list[Frame] = []
        for frame in self._chat.feed(event):
            frames += self._frames(frame)
        return [*frames, *self._last()] if self._chat.done else frames

    def close(self) -> Iterable[Frame]:
        if self._chat.done:
            return []
        frames = [told for frame in self._chat.close() for told in self._frames(frame)]
        return [*frames, *self._last()]

    def _frames(self, frame: Frame) -> list[Frame]:
        """A frame for each event; one without any where nothing is said, or nothing yet."""
        self._usage = frame.usage or self._usage
        payload = frame.payload
        if type(payload) is bytes and (event := self._more(payload)):
            return [Frame(event, frame.usage, frame.output_chars)]
        events = self._events(payload) if payload is not None else []
        if len(events) == 1:
            return [Frame(events[0], frame.usage, frame.output_chars)]
        first = Frame(events[0] if events else None, frame.usage, frame.output_chars)
        return [first, *(Frame(event, frame.usage) for event in events[1:])]

    def _more(self, data: bytes) -> Json | None:
        """The event of a chunk that differs from an earlier one in its text alone."""
        alike = self._like.alike(data)
        if alike is None or not alike[1] or self._told is None or not self._told[0].is_flowing:
            return None
        return self._told[0].go_on(alike[1])

    def _events(self, payload: Json | bytes) -> list[Json]:
        chunk = _body(payload)
        for name in _HEAD:
            if (value := chunk.get(name)) is not None:
                self._head[name] = value
        telling, _ = self._told = self._told or _telling(chunk, self._call)
        choice = _first(chunk)
        if choice is None:
            return []
        if (reason := choice.get("finish_reason")) is not None:
            telling.end(reason)
        delta = object_of(choice.get("delta"))
        if type(payload) is bytes and reason is None and choice.get("logprobs") is None and (text := only_text(delta)):
            self._like.learn(payload, ("content",), text)
        return telling.say(delta, choice.get("logprobs"))

    def _last(self) -> list[Frame]:
        telling, name = self._told or _telling({}, self._call)
        events = telling.close()
        response = resource(self._call, name, self._head, telling.output, reason=telling.reason, usage=self._usage)
        last = telling.events.new(response["status"], response=response)
        return [Frame(event, self._usage) for event in (*events, last)]


def _telling(answer: Json, call: Call) -> tuple[Telling, str]:
    """The telling of an answer, and the name by which its ids are made."""
    name = name_of(str(answer.get("id") or ""), call)
    reasoning = object_of(call.body.get("reasoning"))
    summarizes = any(reasoning.get(word) is not None for word in ("summary", "generate_summary"))
    return Telling(call.model.partition("/")[0], name, summarizes=summarizes), name


def _first(answer: Json) -> Json | None:
    """The one choice that is asked for."""
    choices: Any = answer.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and not choice.get("index"):
            return choice
    return None


def _body(payload: Json | bytes | None) -> Json:
    found: Json = orjson.loads(payload) if isinstance(payload, bytes) else payload or {}
    return found
