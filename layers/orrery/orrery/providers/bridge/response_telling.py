"""A chat's answer, delta by delta, as the items and events of a response. Items take turns: one ends, another begins.

Reasoning is told as `summary` where the caller asked for a summary, since that is what clients show as thinking, and
else as `content`, OpenAI's place for what a model thought in its own words. What its replay needs is sealed into it
(`response_reasoning`). Signatures come at the end of a stream, when its items are done: they make one more, which shows
nothing. A whole answer has all in its first.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from orrery.core.types import Json
from orrery.providers.answer import object_of, text_of
from orrery.providers.bridge.response_output import CallItem, Events, Item
from orrery.providers.bridge.response_pictures import picture_of
from orrery.providers.bridge.response_reasoning import SIGNATURES, THOUGHTS, Thoughts, sealed, signed_on

INCOMPLETE: Mapping[str, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""A chat's words for an answer that ended early, and those of a response."""


class Telling:
    """One answer. `issuer` is the provider, for whom the thoughts are sealed; `id` makes the ids of the items."""

    def __init__(self, issuer: str, id: str, *, summarizes: bool) -> None:
        self.events = Events()
        self.reason = ""
        self._issuer = issuer
        self._id = id
        self._thinking = "summary_text" if summarizes else "reasoning_text"
        self._items: list[Item] = []
        self._reasoning: Item | None = None
        self._message: Item | None = None
        self._calls: dict[int, CallItem] = {}
        self._thoughts = Thoughts()
        self._signed: dict[str, Json] = {}  # what is signed on each call, by its id
        self._said = 0
        self._is_foretold = False
        self._logprobs: list[Json] = []  # of text that is still to come
        self._citations: list[Json] = []

    @property
    def output(self) -> list[Json]:
        return [item.fields for item in self._items]

    def say(self, delta: Json, logprobs: Any = None) -> list[Json]:
        """What a delta adds, in the order in which models say it."""
        if logprobs is None and self.is_flowing and (text := only_text(delta)):
            return [self.go_on(text)]
        events: list[Json] = []
        if logprobs is not None:
            self._logprobs += _probabilities(logprobs)
        for name in () if self._is_foretold else SIGNATURES:
            if text := text_of(delta.get(name)):
                self._thoughts.add(name, text)
        if text := text_of(delta.get("reasoning")):
            events += self._think(text)
        if text := text_of(delta.get("content")):
            events += self._speak("output_text", text)
            self._said += len(text)
        if text := text_of(delta.get("refusal")):
            events += self._speak("refusal", text)
        for citation in _objects(delta.get("annotations")):
            events += self._cite(citation)
        for image in _objects(delta.get("images")):
            events += self._show(image)
        for piece in _objects(delta.get("tool_calls")):
            events += self._call(piece)
        return events

    @property
    def is_flowing(self) -> bool:
        """A text is open, and nothing else is."""
        message = self._message
        if message is None or self._calls or self._reasoning or self._logprobs:
            return False
        return message.is_telling("output_text")

    def go_on(self, text: str) -> Json:
        """More of the text that is open, and nothing else."""
        assert self._message is not None
        self._said += len(text)
        return self._message.go_on(text)

    def end(self, finish_reason: Any) -> None:
        """The chat's word for how it ended."""
        self.reason = INCOMPLETE.get(text_of(finish_reason), "")

    def close(self) -> list[Json]:
        """All is said. Of an answer that ended early, the last item is what was not finished."""
        last = self._items[-1] if self._items else None
        events: list[Json] = []
        if self._message and self._logprobs:
            self._message.weigh(self._logprobs)
        for call in self._calls.values():
            if call is not last:
                events += call.done(status="completed")
        if last is None or last is not self._reasoning:
            events += last.done(status="incomplete" if self.reason else "completed") if last else []
            if self.reason:
                return events  # after what was cut off nothing may come
        if not self._is_foretold:
            self._thoughts.said = self._said
            self._thoughts.calls |= self._signed
            if self._reasoning is None and self._thoughts.any:
                events += self._open_reasoning()
        return events + self._end_reasoning()

    def foretell(self, message: Json) -> None:
        """The message is all there: its first item has all that a replay needs."""
        thoughts = Thoughts(said=len(text_of(message.get("content"))))
        for name in THOUGHTS:
            if text := text_of(message.get(name)):
                thoughts.add(name, text)
        thoughts.calls = {text_of(call.get("id")): signed_on(call) for call in _objects(message.get("tool_calls"))}
        self._is_foretold = thoughts.any
        if thoughts.any:
            self._thoughts = thoughts
            self._open_reasoning()

    def _think(self, text: str) -> list[Json]:
        events = [] if self._reasoning else [*self._make_way(), *self._open_reasoning()]
        assert self._reasoning is not None
        return events + self._reasoning.say(self._thinking, text)

    def _open_reasoning(self) -> list[Json]:
        fields = {"id": self._named("rs"), "type": "reasoning", "summary": []}
        self._thoughts.after = bool(self._items)
        self._reasoning = self._add(Item(self.events, len(self._items), fields))
        return self._reasoning.added()

    def _end_reasoning(self) -> list[Json]:
        """What was thought since the last item of reasoning is in this one."""
        item, thoughts = self._reasoning, self._thoughts
        if item is None:
            return []
        events = item.pause()
        if not self._is_foretold and (text := item.text):
            thoughts.add("reasoning", text)
        self._reasoning, self._thoughts = None, Thoughts()
        return events + item.done(encrypted_content=sealed(thoughts, self._issuer))

    def _speak(self, type: str, text: str) -> list[Json]:
        events = self._make_way(self._message)
        if self._message is None:
            fields = {"type": "message", "status": "in_progress", "role": "assistant", "content": []}
            self._message = self._add(Item(self.events, len(self._items), {"id": self._named("msg"), **fields}))
            events += self._message.added()
        logprobs: list[Json] = []
        if type == "output_text":
            logprobs, self._logprobs = self._logprobs, []
        return events + self._message.say(type, text, logprobs) + self._told_citations()

    def _cite(self, given: Json) -> list[Json]:
        if annotation := _citation(given):
            self._citations.append(annotation)
        return self._told_citations()

    def _told_citations(self) -> list[Json]:
        """Those that came, once there is a text that they are of."""
        if not self._citations or self._message is None or not self._message.is_telling("output_text"):
            return []
        told, self._citations = self._citations, []
        return [event for citation in told for event in self._message.cite(citation)]

    def _show(self, image: Json) -> list[Json]:
        picture = picture_of(image)
        if picture is None:
            return []
        events = self._make_way()
        fields = {"id": self._named("ig"), "type": "image_generation_call", "status": "in_progress", "result": None}
        item = self._add(Item(self.events, len(self._items), fields))
        return [*events, *item.added(), *item.done(status="completed", **picture)]

    def _call(self, piece: Json) -> list[Json]:
        index, function = piece.get("index"), object_of(piece.get("function"))
        if not isinstance(index, int) or "custom" in piece:
            return []
        events = [] if index in self._calls else self._begin_call(index, piece, function)
        call, text = self._calls[index], text_of(function.get("arguments"))
        return events + (call.write(text) if text and not call.is_done else [])

    def _begin_call(self, index: int, piece: Json, function: Json) -> list[Json]:
        id = text_of(piece.get("id"))
        self._signed[id] = signed_on(piece)
        events = self._make_way()
        fields = {"type": "function_call", "call_id": id, "name": text_of(function.get("name")), "arguments": ""}
        item = CallItem(self.events, len(self._items), {"id": self._named("fc"), **fields, "status": "in_progress"})
        self._calls[index] = self._add(item)
        return events + item.added()

    def _make_way(self, but: Item | None = None) -> list[Json]:
        """Something else begins, or goes on: what is open is done, except for that.

        A call whose arguments are not whole stays open: some servers send what it lacks at the very end.
        """
        events = self._end_reasoning()
        if self._message is not None and self._message is not but:
            events += self._message.done(status="completed")
            self._message = None
        for call in self._calls.values():
            if not call.is_done and _is_json(call.arguments):
                events += call.done(status="completed")
        return events

    def _add[T: Item](self, item: T) -> T:
        self._items.append(item)
        return item

    def _named(self, prefix: str) -> str:
        return f"{prefix}_{self._id}_{len(self._items)}"


def only_text(delta: Json) -> str:
    """The text that a delta adds, where it adds nothing else."""
    said = [name for name, value in delta.items() if value]
    return delta["content"] if said == ["content"] and type(delta["content"]) is str else ""


def _objects(values: Any) -> Iterable[Json]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else ()


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _citation(given: Json) -> Json | None:
    """A chat's annotation as that of a response: all four fields are needed, and none is made up."""
    found = object_of(given.get("url_citation"))
    fields = {name: found.get(name) for name in ("url", "title", "start_index", "end_index")}
    fits = isinstance(fields["url"], str) and isinstance(fields["title"], str)
    fits = fits and isinstance(fields["start_index"], int) and isinstance(fields["end_index"], int)
    return {"type": "url_citation", **fields} if fits else None


def _probabilities(logprobs: Any) -> list[Json]:
    """A chat's `logprobs` as those of a text: `bytes` are never null there."""
    return [
        {**_probability(entry), "top_logprobs": [_probability(each) for each in _objects(entry.get("top_logprobs"))]}
        for entry in _objects(object_of(logprobs).get("content"))
    ]


def _probability(entry: Json) -> Json:
    return {"token": text_of(entry.get("token")), "logprob": entry.get("logprob"), "bytes": entry.get("bytes") or []}
