"""The output of a streamed response, put together from its events: what was generated, and what a last event left out.

Some servers end with a resource without output, or without a resource: their clients read the events alone.
"""

from typing import Any

from orrery.core.types import Json
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.response_counts import chars_of

_DELTAS = {
    "response.output_text.delta": ("content", "content_index", "output_text", "text"),
    "response.refusal.delta": ("content", "content_index", "refusal", "refusal"),
    "response.reasoning_text.delta": ("content", "content_index", "reasoning_text", "text"),
    "response.reasoning.delta": ("content", "content_index", "reasoning_text", "text"),
    "response.reasoning_summary_text.delta": ("summary", "summary_index", "summary_text", "text"),
    "response.function_call_arguments.delta": ("arguments", "", "", ""),
    "response.custom_tool_call_input.delta": ("input", "", "", ""),
}
"""Where the pieces of each event belong: the item's field, the index in it, the part's type, the part's field."""


class Output:
    """The items so far. `chars` counts the generated characters in them."""

    def __init__(self) -> None:
        self.chars = 0
        self._items: dict[int, Json] = {}
        self._ended: set[int] = set()
        self._seen: dict[int, int] = {}
        self._indexes: dict[str, int] = {}
        self._pieces: dict[int, dict[tuple[str, int, str, str], list[str]]] = {}

    @property
    def is_ended(self) -> bool:
        """Whether there is any, and all are whole."""
        return bool(self._items) and self._ended >= self._items.keys()

    def take(self, kind: str, event: Json) -> int:
        """Adds an event; how many characters it brought that none before it had."""
        before = self.chars
        if kind in _DELTAS:
            self._say(kind, event)
        elif kind in ("response.output_item.added", "response.output_item.done"):
            self._place(event, is_done=kind.endswith("done"))
        return self.chars - before

    def rest_of(self, output: Any) -> int:
        """How many characters stand in a whole output that no event brought."""
        listed = output if isinstance(output, list) else []
        return max(0, sum(map(chars_of, listed)) - self.chars)

    def whole(self) -> list[Json]:
        """The items, in their order; those that nothing ended are made of their pieces."""
        return [
            item if index in self._ended else {**item, **self._said(index), "status": "completed"}
            for index, item in sorted(self._items.items())
        ]

    def _place(self, event: Json, *, is_done: bool) -> None:
        item = object_of(event.get("item"))
        index = self._index(event, text_of(item.get("id")), opens=not is_done)
        self._items[index] = item
        if is_done:
            self._ended.add(index)
        self._count(index, chars_of(item))

    def _say(self, kind: str, event: Json) -> None:
        piece = text_of(event.get("delta"))
        field, counter, part, name = _DELTAS[kind]
        index = self._index(event, text_of(event.get("item_id")))
        if index not in self._items:
            self._items[index] = _begun(field, part)
        place = event.get(counter) if counter else 0
        key = (field, place if type(place) is int else 0, part, name)
        self._pieces.setdefault(index, {}).setdefault(key, []).append(piece)
        self._seen[index] = self._seen.get(index, 0) + len(piece)
        self.chars += len(piece)

    def _count(self, index: int, length: int) -> None:
        """A call's name comes before its arguments, and a whole item after its pieces: each counts once."""
        seen = self._seen.get(index, 0)
        if length > seen:
            self.chars += length - seen
            self._seen[index] = length

    def _index(self, event: Json, id: str, *, opens: bool = False) -> int:
        """Which item an event is of: by its index, else by the item's id, else the last one, or a new one."""
        told = event.get("output_index")
        last = max(self._items, default=-1)
        index = told if type(told) is int else self._indexes.get(id, last + 1 if opens else max(last, 0))
        if id:
            self._indexes[id] = index
        return index

    def _said(self, index: int) -> Json:
        """What the pieces of an item make."""
        found: Json = {}
        for (field, _, part, name), pieces in sorted(self._pieces.get(index, {}).items()):
            text = "".join(pieces)
            if not part:
                found[field] = text
                continue
            notes: Json = {"annotations": []} if part == "output_text" else {}
            found.setdefault(field, []).append({"type": part, name: text, **notes})
        return found


def _begun(field: str, part: str) -> Json:
    """An item that nothing announced."""
    if not part:
        return {"type": "function_call" if field == "arguments" else "custom_tool_call"}
    if part in ("reasoning_text", "summary_text"):
        return {"type": "reasoning", "summary": []}
    return {"type": "message", "role": "assistant"}
