"""A text of an item as it grows: of a message, of a refusal, of a summary of reasoning.

`added`, deltas, `done`: the sum of the deltas is the text, always. Where upstream says at the end that the text was
longer than what it streamed, the rest is one more delta; where it says that it was something else, the streamed text
stands, since a client has it already.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from orrery.core.types import Json
from orrery.wire.composed_clean import annotation, logprobs


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of part: the field of its text, the names of its events. Without `delta` it is kept and not streamed."""

    part: str
    field: str = "text"
    index: str = "content_index"
    added: str = "response.content_part.added"
    delta: str = ""
    done: str = ""
    ended: str = "response.content_part.done"


TEXT = Kind("output_text", delta="response.output_text.delta", done="response.output_text.done")
REFUSAL = Kind("refusal", "refusal", delta="response.refusal.delta", done="response.refusal.done")
SUMMARY = Kind(
    "summary_text",
    index="summary_index",
    added="response.reasoning_summary_part.added",
    delta="response.reasoning_summary_text.delta",
    done="response.reasoning_summary_text.done",
    ended="response.reasoning_summary_part.done",
)
RAW = Kind("reasoning_text", added="", ended="")
"""Reasoning itself. Of its events, clients know either Open Responses' names or OpenAI's, and break at the others."""


def event(type_: str, **fields: Any) -> Json:
    """An event that is not sent yet: whoever writes it down fills in its number, and where it belongs."""
    return {"type": type_, "sequence_number": 0, "item_id": "", "output_index": 0, **fields}


class Part:
    """One text. `out` is where its events go: a list of its own while another part comes before it.

    `over`: upstream has said what the whole text is. `ended`: it has said so of the part. `matched`: it stands in what
    upstream says of the whole item. `placed`: upstream has given it an index.
    """

    def __init__(self, kind: Kind, number: int, *, with_logprobs: bool) -> None:
        self.kind, self.number = kind, number
        self.over = self.ended = self.matched = self.placed = False
        self.out: list[Json] = []
        self._pieces: list[str] = []
        self._annotations: list[Json] = []
        self._known: set[bytes] = set()
        self._logprobs: list[Json] | None = [] if with_logprobs and kind is TEXT else None
        self._tell(kind.added, part=self.whole())

    @property
    def text(self) -> str:
        if len(self._pieces) != 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def whole(self) -> Json:
        """The part as it is by now."""
        found: Json = {"type": self.kind.part, self.kind.field: self.text}
        if self.kind is TEXT:
            found["annotations"] = list(self._annotations)
        if self._logprobs is not None:
            found["logprobs"] = list(self._logprobs)
        return found

    def say(self, delta: str, probable: Any = None) -> None:
        """The text goes on."""
        self._pieces.append(delta)
        kind = self.kind
        if not kind.delta:
            return
        told: Json = {"type": kind.delta, "sequence_number": 0, "item_id": "", "output_index": 0}
        told[kind.index] = self.number
        told["delta"] = delta
        if kind is TEXT:
            told["logprobs"] = self._counted(probable) if probable and self._logprobs is not None else []
        self.out.append(told)

    def claim(self, part: Json) -> None:
        """What upstream says that the part is. What is new in it, and can still be said, is said."""
        text = part.get(self.kind.field)
        if isinstance(text, str) and len(text) > len(self.text) and text.startswith(self.text):
            self.say(text[len(self.text) :], None if self._logprobs else part.get("logprobs"))
        elif self._logprobs == []:
            self._counted(part.get("logprobs"))
        if isinstance(part.get("annotations"), list):
            for cited in part["annotations"]:
                self.annotate(cited)

    def annotate(self, value: Any) -> None:
        """A citation, once."""
        cited = annotation(value) if self.kind is TEXT else None
        key = orjson.dumps(cited, option=orjson.OPT_SORT_KEYS)
        if cited is None or key in self._known:
            return
        self._known.add(key)
        self._annotations.append(cited)
        number = len(self._annotations) - 1
        self._tell("response.output_text.annotation.added", annotation_index=number, annotation=cited)

    def lead(self, out: list[Json]) -> None:
        """Its turn has come: what it has to say, and all that follows, goes to `out`."""
        out += self.out
        self.out = out

    def end(self) -> None:
        """The text is complete."""
        more: Json = {"logprobs": list(self._logprobs or ())} if self.kind is TEXT else {}
        self._tell(self.kind.done, **{self.kind.field: self.text}, **more)
        self._tell(self.kind.ended, part=self.whole())

    def _tell(self, type_: str, **fields: Any) -> None:
        if type_:
            self.out.append(event(type_, **{self.kind.index: self.number}, **fields))

    def _counted(self, values: Any) -> list[Json]:
        found = logprobs(values)
        if self._logprobs is not None:
            self._logprobs += found
        return found
