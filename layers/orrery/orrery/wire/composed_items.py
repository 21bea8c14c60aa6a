"""An output item while it comes: what upstream has said of it, and the events that tell it in order.

An item takes upstream's events as they come, and leaves its own in `events`, in the order of the specification. Between
its `begin` and its `end` it may say anything; whoever writes the response down sees to it that items take turns.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from orrery.core.types import Json

_SELF = frozenset({"type", "id", "status"})


def text_of(value: Any) -> str:
    """A text, or "" where it is something else."""
    return value if isinstance(value, str) else ""


def index_of(value: Any) -> int | None:
    """An index, or None where it is something else."""
    return value if type(value) is int and value >= 0 else None


def order(item: "Item") -> tuple[bool, int]:
    """What sorts items that are not begun behind those that are, and as upstream's whole reply has them."""
    return (True, item.rank) if not item.opened else (False, 0)


class Item:
    """What all items have.

    `id` and `call_id` are upstream's, `own_id` and `own_call_id` those that it has here, from its beginning on. `place`
    is its output index upstream, `index` the one here. `announced` and `claimed` are what upstream said that it is, at
    its beginning and at its end. `finished`: upstream has said all. `status` is how it ended. `muted`: nobody is shown
    it. `matched`: it stands in upstream's whole reply, `rank` is where. `ours`: the gateway tells it. `kept` is the
    whole item, once it is complete.
    """

    hears: ClassVar[Mapping[str, Any]] = {}
    """The events of upstream that are about it, and what each is to it."""

    def __init__(self, type_: str) -> None:
        self.type = type_
        self.id = self.call_id = self.name = ""
        self.own_id = self.own_call_id = ""
        self.announced: Json = {}
        self.claimed: Json = {}
        self.finished = self.opened = self.muted = self.matched = self.ours = False
        self.place: int | None = None
        self.index = 0
        self.rank = 0
        self.status = "completed"
        self.events: list[Json] = []
        self.kept: Json | None = None

    @property
    def ready(self) -> bool:
        """Enough is known to begin it."""
        return True

    @property
    def over(self) -> bool:
        """Upstream has ended whatever it began of it."""
        return self.finished

    @property
    def heard(self) -> bool:
        """There is something to tell of it."""
        return self.finished or bool(self.events)

    def yields_to(self, later: "Item") -> bool:
        """It is as good as finished, since `later` speaks. Else `later` waits: that is late, but nothing is lost."""
        return False

    def hear(self, type_: str, event: Json) -> None:
        """One event of upstream about it, of a type in `hears`."""
        raise NotImplementedError

    def announce(self, item: Json) -> None:
        """Upstream says that it begins."""
        if not self.announced:
            self.announced = item
            self._learn(item)

    def finish(self, item: Json) -> None:
        """Upstream says what it is, as a whole."""
        if not self.finished:
            self.finished, self.claimed = True, item
            self._learn(item)
            self.status = self.ended_as(item.get("status"))
            self._claim(item)

    def begin(self) -> Json:
        """The item as it is added."""
        raise NotImplementedError

    def end(self) -> None:
        """Says what is left to say, and sets `kept`."""
        self.finish(self.announced)
        self._end()
        self.kept = self._whole()

    def amend(self, status: str) -> None:
        """It ended otherwise than it seemed."""
        self.status = status
        if self.kept is not None and "status" in self.kept:
            self.kept = self.kept | {"status": status}

    def ended_as(self, status: Any) -> str:
        """The status in which it may end that is nearest to what upstream said."""
        return "incomplete" if status == "incomplete" else "completed"

    def cut(self) -> str:
        """The status of an item of this type that upstream did not finish."""
        return "incomplete"

    def _learn(self, item: Json) -> None:
        """What identifies it: the first word on that holds."""
        self.id = self.id or text_of(item.get("id"))
        self.call_id = self.call_id or text_of(item.get("call_id"))
        self.name = self.name or text_of(item.get("name"))

    def _claim(self, item: Json) -> None:
        """Takes upstream's word on what it is, as far as that does not contradict what was told already."""

    def _end(self) -> None:
        """Says the last words."""

    def _whole(self) -> Json:
        raise NotImplementedError

    def _told(self) -> Json:
        """Fields of upstream's own, without empty ones."""
        told = self.announced | self.claimed
        return {name: value for name, value in told.items() if name not in _SELF and value is not None}
