"""The output of a response as it grows: items, their parts, and the events that tell of them.

Names and fields are those of OpenAI's API document 2.3.0 (`ResponseStreamEvent`), which servers with responses of their
own follow, too. Read 2026-11-21.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from orrery.core.types import Json


class Kind(NamedTuple):
    """A kind of part: its events, what its number is called, and where in an item it stands."""

    text: str
    part: str = "content_part"
    number: str = "content_index"
    place: str = "content"
    whole: str = "text"


KINDS = {
    "output_text": Kind("output_text"),
    "refusal": Kind("refusal", whole="refusal"),
    "reasoning_text": Kind("reasoning_text"),
    "summary_text": Kind("reasoning_summary_text", "reasoning_summary_part", "summary_index", "summary"),
}


class Events:
    """Numbers events as they come."""

    def __init__(self) -> None:
        self._number = 0

    def new(self, name: str, /, **fields: Any) -> Json:
        return {"type": f"response.{name}", "sequence_number": self.next(), **fields}

    def next(self) -> int:
        """The number of the event that is made now."""
        self._number += 1
        return self._number - 1


class Item:
    """An item of the output: it opens, its text grows part by part, it is done. Each step gives its events."""

    def __init__(self, events: Events, index: int, fields: Json) -> None:
        self.index = index
        self.fields = fields
        self.is_done = False
        self._events = events
        self._part: Json | None = None
        self._pieces: list[str] = []
        self._logprobs: list[Json] = []

    def added(self) -> list[Json]:
        """The item as it begins."""
        empty = {name: list(value) if isinstance(value, list) else value for name, value in self.fields.items()}
        return [self._events.new("output_item.added", output_index=self.index, item=empty)]

    def say(self, type: str, text: str, logprobs: Sequence[Json] = ()) -> list[Json]:
        """More text of a part of this type; another one that was open is closed."""
        if self._part is not None and self._part["type"] != type:
            return [*self.pause(), *self.say(type, text, logprobs)]
        begun = self._begin(type) if self._part is None else []
        self._pieces.append(text)
        more = {}
        if type == "output_text":
            self._logprobs += logprobs
            more = {"logprobs": list(logprobs)}
        kind = KINDS[type]
        return [*begun, self._events.new(f"{kind.text}.delta", **self._at(kind), delta=text, **more)]

    def go_on(self, text: str) -> Json:
        """More of the `output_text` that is open. Nearly all events of a stream are these."""
        self._pieces.append(text)
        return {
            "type": "response.output_text.delta",
            "sequence_number": self._events.next(),
            "item_id": self.fields["id"],
            "output_index": self.index,
            "content_index": len(self.fields["content"]) - 1,
            "delta": text,
            "logprobs": [],
        }

    def is_telling(self, type: str) -> bool:
        """Whether a part of this type is open."""
        return self._part is not None and self._part["type"] == type

    @property
    def text(self) -> str:
        """The text of its parts that are closed."""
        parts = (part for place in ("summary", "content") for part in self.fields.get(place) or ())
        return "".join(part["text"] for part in parts)

    def weigh(self, logprobs: Sequence[Json]) -> None:
        """Probabilities that came after the text that they are of."""
        self._logprobs += logprobs

    def cite(self, annotation: Json) -> list[Json]:
        """An annotation of the text that is open."""
        assert self._part is not None
        noted = self._part["annotations"]
        noted.append(annotation)
        at = self._at(KINDS["output_text"])
        number = len(noted) - 1
        return [self._events.new("output_text.annotation.added", **at, annotation_index=number, annotation=annotation)]

    def pause(self) -> list[Json]:
        """The part that is open has all its text."""
        part, text = self._part, "".join(self._pieces)
        if part is None:
            return []
        kind = KINDS[part["type"]]
        part[kind.whole] = text
        more = {}
        if part["type"] == "output_text":
            more = {"logprobs": self._logprobs}
            part |= more if self._logprobs else {}
        at = self._at(kind)
        self._part, self._pieces, self._logprobs = None, [], []
        return [
            self._events.new(f"{kind.text}.done", **at, **{kind.whole: text}, **more),
            self._events.new(f"{kind.part}.done", **at, part=dict(part)),
        ]

    def done(self, **fields: Any) -> list[Json]:
        """The item has all its parts; `fields` are what is known of it at the end."""
        if self.is_done:
            return []
        events = self.pause()
        self.is_done = True
        self.fields |= fields
        return [*events, self._events.new("output_item.done", output_index=self.index, item=dict(self.fields))]

    def _begin(self, type: str) -> list[Json]:
        kind = KINDS[type]
        self._part = {"type": type, kind.whole: ""} | ({"annotations": []} if type == "output_text" else {})
        self.fields.setdefault(kind.place, []).append(self._part)
        empty = self._part | ({"annotations": []} if type == "output_text" else {})
        return [self._events.new(f"{kind.part}.added", **self._at(kind), part=empty)]

    def _at(self, kind: Kind) -> Json:
        number = len(self.fields[kind.place]) - 1
        return {"item_id": self.fields["id"], "output_index": self.index, kind.number: number}


class CallItem(Item):
    """A function call: its arguments grow."""

    def write(self, piece: str) -> list[Json]:
        """More of the arguments."""
        self._pieces.append(piece)
        at = {"item_id": self.fields["id"], "output_index": self.index}
        return [self._events.new("function_call_arguments.delta", **at, delta=piece)]

    @property
    def arguments(self) -> str:
        return "".join(self._pieces)

    def done(self, **fields: Any) -> list[Json]:
        """The call is whole; one that brought no arguments has `{}`."""
        if self.is_done:
            return []
        rest = [] if self.arguments else self.write("{}")
        self.fields["arguments"] = arguments = self.arguments
        at = {"item_id": self.fields["id"], "output_index": self.index}
        told = self._events.new("function_call_arguments.done", **at, name=self.fields["name"], arguments=arguments)
        return [*rest, told, *super().done(**fields)]
