"""Items made of texts: messages, and reasoning with its summaries."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from orrery.core.types import Json
from orrery.wire.composed_items import Item, index_of, text_of
from orrery.wire.composed_parts import RAW, REFUSAL, SUMMARY, TEXT, Kind, Part

_PHASES = frozenset({"commentary", "final_answer"})
_PARTS = {"output_text": TEXT, "text": TEXT, "refusal": REFUSAL}
_OF_REASONING = frozenset({"summary", "content", "encrypted_content", "role"})


class Texts(Item):
    """Parts are told one after the other: a later one waits until the one before it is complete."""

    def __init__(self, type_: str, *, with_logprobs: bool = False) -> None:
        super().__init__(type_)
        self._with_logprobs = with_logprobs
        self._keyed: dict[tuple[str, int], Part] = {}
        self._last: dict[str, Part] = {}
        self._raw: list[Part] = []
        self._parts: list[Part] = []
        self._live = 0

    @property
    def over(self) -> bool:
        parts = self._parts
        return self.finished or (bool(parts) and self._live >= len(parts) - 1 and parts[-1].over)

    def hear(self, type_: str, event: Json) -> None:
        if not self.finished:
            handle, kind = self.hears[type_]
            handle(self, kind, event)

    def delta(self, kind: Kind, event: Json) -> None:
        delta, index = event.get("delta"), event.get(kind.index)
        if type(delta) is str and delta:
            part = (self._keyed.get((kind.part, index)) if type(index) is int else None) or self._found(kind, event)
            if not part.over:
                part.say(delta, event.get("logprobs"))

    def done(self, kind: Kind, event: Json) -> None:
        """The text of a part is complete; its citations may still come."""
        text = event.get(kind.field, event.get("text"))
        part = self._ending(kind, event, {kind.field: text, "logprobs": event.get("logprobs")})
        if part is not None:
            part.over = True
            self._pump()

    def part_added(self, kind: Kind | None, event: Json) -> None:
        kind = kind or _kind_in_message(event.get("part"))
        if kind is not None:
            self._found(kind, event, is_new=True)

    def part_done(self, kind: Kind | None, event: Json) -> None:
        claim = event.get("part")
        kind = kind or _kind_in_message(claim)
        part = self._ending(kind, event, claim if isinstance(claim, dict) else {}) if kind is not None else None
        if part is not None:
            part.over = part.ended = True
            self._pump()

    def annotation(self, kind: Kind, event: Json) -> None:
        part = self._found(kind, event)
        if not part.ended:
            part.annotate(event.get("annotation"))

    def _found(self, kind: Kind, event: Json, *, is_new: bool = False) -> Part:
        """The part that upstream speaks of; without an index the last, unless that is over or, if `is_new`, begun."""
        index = index_of(event.get(kind.index))
        part = self._keyed.get((kind.part, index)) if index is not None else None
        last = self._last.get(kind.part)
        if part is not None:
            return part
        if last is None or last.over or (is_new and last.text) or (index is not None and last.placed):
            return self._new(kind, index)
        return self._placed(last, index)

    def _placed(self, part: Part, index: int | None) -> Part:
        if index is not None:
            self._keyed[part.kind.part, index] = part
            part.placed = True
        return part

    def _ending(self, kind: Kind, event: Json, claim: Json) -> Part | None:
        """The part whose end is told. None: that was told before, or there is nothing in it."""
        index = index_of(event.get(kind.index))
        part = self._keyed.get((kind.part, index)) if index is not None else None
        if part is None:
            last, text = self._last.get(kind.part), text_of(claim.get(kind.field))
            if last is not None and not last.over:
                part = last
            elif not text or (last is not None and last.text == text):
                return None
            else:
                part = self._new(kind, index)
        if not part.ended:
            part.claim(claim)
        return part

    def _new(self, kind: Kind, index: int | None) -> Part:
        parts = self._raw if kind is RAW else self._parts
        part = self._last[kind.part] = Part(kind, len(parts), with_logprobs=self._with_logprobs)
        parts.append(part)
        self._pump()
        return self._placed(part, index)

    def _pump(self) -> None:
        """Lets the next part speak where the one before it has ended."""
        while self._live < len(self._parts):
            part = self._parts[self._live]
            if part.out is not self.events:
                part.lead(self.events)
            # Citations of a text may come with the end of its part, or of its item.
            is_followed = part.over and part is not self._parts[-1] and part.kind is not TEXT
            if not (part.ended or is_followed):
                return
            part.ended = True
            part.end()
            self._live += 1

    def _settle(self, claims: Any, kind_of: Callable[[Any], Kind | None]) -> None:
        """Upstream's word on all parts: each is the one in its place, or the next of its kind, or a new one."""
        left: dict[str, deque[Part]] = {}
        for part in (*self._parts, *self._raw):
            part.matched = False
            left.setdefault(part.kind.part, deque()).append(part)
        told = [
            (place, kind_of(claim), claim) for place, claim in enumerate(claims if isinstance(claims, list) else ())
        ]
        known = [(kind, claim, self._keyed.get((kind.part, place))) for place, kind, claim in told if kind is not None]
        for _, _, there in known:
            if there is not None:
                there.matched = True
        for kind, claim, there in known:
            part = there or _next(left.get(kind.part)) or self._new(kind, None)
            if not part.ended:
                part.claim(claim)
            part.matched = part.over = part.ended = True
            self._pump()

    def _end(self) -> None:
        for part in self._parts[self._live :]:
            part.over = part.ended = True
        self._pump()


class Message(Texts):
    """Words to the user. Parts that are neither text nor a refusal are left out: clients know no others."""

    hears: ClassVar[Mapping[str, Any]] = {
        "response.output_text.delta": (Texts.delta, TEXT),
        "response.output_text.done": (Texts.done, TEXT),
        "response.refusal.delta": (Texts.delta, REFUSAL),
        "response.refusal.done": (Texts.done, REFUSAL),
        "response.content_part.added": (Texts.part_added, None),
        "response.content_part.done": (Texts.part_done, None),
        "response.output_text.annotation.added": (Texts.annotation, TEXT),
    }

    def begin(self) -> Json:
        return self._as("in_progress", [])

    def _claim(self, item: Json) -> None:
        content = item.get("content")
        self._settle([{"type": "text", "text": content}] if isinstance(content, str) else content, _kind_in_message)

    def _whole(self) -> Json:
        return self._as(self.status, [part.whole() for part in self._parts])

    def _as(self, status: str, content: list[Json]) -> Json:
        more = self._told()
        if more.get("phase") not in _PHASES:
            more.pop("phase", None)
        own = {"id": self.own_id, "type": "message", "status": status, "role": "assistant", "content": content}
        return own | {name: value for name, value in more.items() if name not in own}


class Reasoning(Texts):
    """What the model thought. Summaries are told; reasoning itself is kept, and stands in the finished item.

    It has no `status`: the specification gives it none, and OpenAI refuses one in what it is given back.
    """

    hears: ClassVar[Mapping[str, Any]] = {
        "response.reasoning_summary_part.added": (Texts.part_added, SUMMARY),
        "response.reasoning_summary_part.done": (Texts.part_done, SUMMARY),
        "response.reasoning_summary_text.delta": (Texts.delta, SUMMARY),
        "response.reasoning_summary_text.done": (Texts.done, SUMMARY),
        "response.reasoning.delta": (Texts.delta, RAW),
        "response.reasoning.done": (Texts.done, RAW),
        "response.reasoning_text.delta": (Texts.delta, RAW),
        "response.reasoning_text.done": (Texts.done, RAW),
        "response.content_part.added": (Texts.part_added, RAW),
        "response.content_part.done": (Texts.part_done, RAW),
    }

    def yields_to(self, later: Item) -> bool:
        """A model thinks before it speaks. Servers that do not announce reasoning do not tell its end either."""
        return later.heard and later.type != self.type and not self.announced

    def begin(self) -> Json:
        return {"id": self.own_id, "type": "reasoning", "summary": [], **self._more()}

    def _claim(self, item: Json) -> None:
        self._settle(item.get("summary"), _summary)
        self._settle(item.get("content"), _raw)

    def _whole(self) -> Json:
        whole: Json = {"id": self.own_id, "type": "reasoning", "summary": [part.whole() for part in self._parts]}
        content = [part.whole() for part in self._raw if part.text]
        if content:
            whole["content"] = content
        for told in (self.claimed, self.announced):
            encrypted = text_of(told.get("encrypted_content"))
            if encrypted:
                whole.setdefault("encrypted_content", encrypted)
        return whole | self._more()

    def _more(self) -> Json:
        return {name: value for name, value in self._told().items() if name not in _OF_REASONING}


def _next(left: deque[Part] | None) -> Part | None:
    while left:
        part = left.popleft()
        if not part.matched:
            return part
    return None


def _kind_in_message(part: Any) -> Kind | None:
    return _PARTS.get(text_of(part.get("type"))) if isinstance(part, dict) else None


def _summary(part: Any) -> Kind | None:
    return SUMMARY if isinstance(part, dict) and isinstance(part.get("text"), str) else None


def _raw(part: Any) -> Kind | None:
    return RAW if isinstance(part, dict) and isinstance(part.get("text"), str) else None
