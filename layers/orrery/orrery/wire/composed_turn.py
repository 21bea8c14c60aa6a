"""One answer of upstream while it is read: which item each of its events is about, whatever upstream forgot to say.

An id names an item, else an index does, else it is the last item of the type that the event belongs to. Events about
nothing begin an item; events about an item that is finished are heard no more.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orrery.core.types import Json
from orrery.wire.composed_calls import HEARD
from orrery.wire.composed_items import Item, index_of, order, text_of
from orrery.wire.composed_texts import Message, Reasoning

ENDINGS: Mapping[str, str] = {"response.completed": "completed", "response.incomplete": "incomplete"}
ADDED, DONE = "response.output_item.added", "response.output_item.done"

_TYPES: Mapping[str, tuple[str, ...]] = {
    **{name: (type_,) for name, (type_, _) in HEARD.items()},
    **{name: ("reasoning",) for name in Reasoning.hears},
    **{name: ("message",) for name in Message.hears},
    **{name: ("message", "reasoning") for name in Message.hears.keys() & Reasoning.hears.keys()},
}
"""What kinds of items an event may be about, by its type. Events that are not here are about nothing that we know."""

_WORDS = ("text", "refusal", "arguments", "input", "code")


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn came to.

    `items` are what the next turn gets as its input: all items, hidden calls too, but for calls that were refused.
    `calls` are the function calls among them. `status` is "completed" or "incomplete", with upstream's `reason`; a call
    of an incomplete turn may itself be incomplete, and its arguments with it. The rest is what upstream's resource
    said: `usage` as it was, None or "" for what it did not say.
    """

    items: list[Json] = field(repr=False)
    calls: list[Json] = field(repr=False)
    refused_calls: list[Json] = field(repr=False)
    status: str
    reason: str = ""
    usage: Json | None = None
    model: str = ""
    service_tier: str = ""


class Upstream:
    """The items of one turn. `make` makes one of a type, and puts it at the end of what is written."""

    def __init__(self, make: Callable[[str], Item], hidden: Collection[str], allowed: Collection[str] | None) -> None:
        self._make = make
        self._hidden, self._allowed = hidden, allowed
        self.items: list[Item] = []
        self.status = ""
        self._resource: Json = {}
        self._by_id: dict[str, Item] = {}
        self._by_index: dict[int, Item] = {}
        self._by_call: dict[str, Item] = {}
        self._last: dict[str, Item] = {}

    def hear(self, type_: str, event: Json) -> None:
        """One event. After the one that ends the turn nothing is heard."""
        if self.status:
            return
        types = _TYPES.get(type_)
        if types is not None:
            item = self._item_of(types, type_, event)
            if item is not None:
                item.hear(type_, event)
        elif type_ in (ADDED, DONE):
            self._hear_whole(event, is_done=type_ == DONE)
        elif type_ in ENDINGS:
            self._settle(event.get("response"), ENDINGS[type_])

    def mutes(self, item: Item) -> bool:
        """Nobody is shown the item."""
        is_call = item.type == "function_call" and not item.ours
        return is_call and (item.name in self._hidden or self.refuses(item))

    def refuses(self, item: Item) -> bool:
        """It is a call that must not be made."""
        return item.type == "function_call" and self._allowed is not None and item.name not in self._allowed

    def turn(self) -> Turn:
        """What it came to, once all its items are complete."""
        told = [item for item in self.items if item.kept is not None]
        kept = [item.kept for item in told if item.kept is not None and not self.refuses(item)]
        details = self._resource.get("incomplete_details")
        usage = self._resource.get("usage")
        return Turn(
            items=kept,
            calls=[call for call in kept if call["type"] == "function_call"],
            refused_calls=[item.kept for item in told if item.kept is not None and self.refuses(item)],
            status=self.status,
            reason=text_of(details.get("reason")) if isinstance(details, dict) else "",
            usage=usage if isinstance(usage, dict) else None,
            model=text_of(self._resource.get("model")),
            service_tier=text_of(self._resource.get("service_tier")),
        )

    def _item_of(self, types: tuple[str, ...], type_: str, event: Json) -> Item | None:
        """The item that an event is about. None: it is about nothing, or about something that is finished."""
        id_ = text_of(event.get("item_id"))
        item = self._by_id.get(id_)
        if item is not None and item.type in types:
            return item
        index = index_of(event.get("output_index"))
        if item is None and index is not None:
            item = self._by_index.get(index)
            if item is not None and item.finished and _differ(id_, item.id):
                item = None  # some servers do not count: every index is 0
        if item is not None and item.type in types:
            return item
        wanted = types[0] if len(types) == 1 else _type_of_part(event.get("part"))
        last = self._last.get(wanted)
        if last is not None and not last.finished and not _conflict(last, id_, index):
            return last
        is_repeat = not id_ and index is None and last is not None and not type_.endswith((".delta", ".added"))
        if is_repeat or not _says(type_, event):
            return None
        return self._new(wanted, id_, index)

    def _hear_whole(self, event: Json, *, is_done: bool) -> None:
        """An item is announced, or told as a whole."""
        whole, index = event.get("item"), index_of(event.get("output_index"))
        if not isinstance(whole, dict) or not _is_told(whole):
            return
        item = self._known(whole, index, is_done=is_done)
        if item is None:
            item = self._new(whole["type"], text_of(whole.get("id")), index)
        else:
            self._name(item, text_of(whole.get("id")), index)
        if is_done:
            item.finish(whole)
        elif not item.finished:
            item.announce(whole)
        if item.call_id:
            self._by_call[item.call_id] = item

    def _known(self, whole: Json, index: int | None, *, is_done: bool) -> Item | None:
        """The item that upstream tells of, where it has told of it before."""
        id_, call_id, type_ = text_of(whole.get("id")), text_of(whole.get("call_id")), whole["type"]
        named = self._by_id.get(id_) or self._called(id_, call_id)
        placed = self._by_index.get(index) if index is not None else None
        last = self._last.get(type_)
        found = [item if item is not None and item.type == type_ else None for item in (named, placed, last)]
        named, placed, last = (None if item is None or _differ(call_id, item.call_id) else item for item in found)
        if named is not None:
            return named
        if placed is not None and self._goes_on(placed, id_, is_done=is_done):
            return placed
        if last is None or _conflict(last, id_, index):
            return None
        if last.finished:
            return last if is_done and last.claimed == whole else None
        return last if is_done or not last.announced or (last.announced == whole and not last.events) else None

    def _goes_on(self, item: Item, id_: str, *, is_done: bool) -> bool:
        """What is told of at the item's index is the item; some servers have another id in each event."""
        if item.finished:
            return is_done and not _differ(id_, item.id)
        return is_done or not item.announced or not _differ(id_, item.id)

    def _settle(self, resource: Any, status: str) -> None:
        """Upstream's last word: every item is finished, and those that were never told of are told now."""
        self.status = status
        self._resource = resource if isinstance(resource, dict) else {}
        output = self._resource.get("output")
        told = [(n, whole) for n, whole in enumerate(output if isinstance(output, list) else ()) if _is_told(whole)]
        exact = self._exact(told)
        left = {type_: deque(items) for type_, items in _by_type(self.items).items()}
        for place, whole in told:
            item = exact.get(place) or self._at(place, whole) or _next(left.get(whole["type"]))
            item = item or self._new(whole["type"], text_of(whole.get("id")), None)
            item.matched, item.rank = True, place
            item.finish(whole)
        before = 0
        for item in self.items:
            before = item.rank = item.rank if item.matched else before
            item.finish(item.announced)
            if item.status == "incomplete":
                item.amend("failed" if item.cut() == "failed" else "completed")
        self.items.sort(key=order)
        if status == "incomplete" and self.items and self.items[-1].type in ("message", "function_call"):
            self.items[-1].amend("incomplete")

    def _exact(self, told: Sequence[tuple[int, Json]]) -> dict[int, Item]:
        """The items that stand in upstream's reply by their names."""
        found: dict[int, Item] = {}
        for place, whole in told:
            id_, call_id = text_of(whole.get("id")), text_of(whole.get("call_id"))
            item = self._by_id.get(id_) or self._by_call.get(call_id)
            if item is not None and item.type == whole["type"] and not item.matched:
                item.matched = True
                found[place] = item
        return found

    def _called(self, id_: str, call_id: str) -> Item | None:
        """The call by that name; some servers give several the same, and tell them apart by their ids."""
        item = self._by_call.get(call_id)
        return None if item is None or _differ(id_, item.id) else item

    def _at(self, place: int, whole: Json) -> Item | None:
        item = self._by_index.get(place)
        return item if item is not None and item.type == whole["type"] and not item.matched else None

    def _new(self, type_: str, id_: str, index: int | None) -> Item:
        item = self._last[type_] = self._make(type_)
        self.items.append(item)
        self._name(item, id_, index)
        return item

    def _name(self, item: Item, id_: str, index: int | None) -> None:
        if id_:
            item.id = item.id or id_
            self._by_id[id_] = item
        if index is not None:
            item.place = index if item.place is None else item.place
            self._by_index[index] = item


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _conflict(item: Item, id_: str, index: int | None) -> bool:
    """Upstream speaks of another one."""
    return _differ(id_, item.id) or (index is not None and item.place is not None and index != item.place)


def _is_told(whole: Any) -> bool:
    """It is an item that upstream may tell of. Those with a prefix are its own gateway's: ours come from elsewhere."""
    type_ = text_of(whole.get("type")) if isinstance(whole, dict) else ""
    return type_ != "" and ":" not in type_


def _type_of_part(part: Any) -> str:
    return "reasoning" if isinstance(part, dict) and part.get("type") == "reasoning_text" else "message"


def _says(type_: str, event: Json) -> bool:
    """There is something in it for which an item is worth beginning."""
    if type_.endswith(".delta"):
        return bool(text_of(event.get("delta")))
    if type_.endswith(".done") or ".content_part." in type_:
        part = event.get("part")
        words = part if isinstance(part, dict) else event
        return ".added" in type_ or any(text_of(words.get(name)) for name in _WORDS)
    return True


def _by_type(items: Sequence[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.type, []).append(item)
    return found


def _next(left: deque[Item] | None) -> Item | None:
    while left:
        item = left.popleft()
        if not item.matched:
            return item
    return None
