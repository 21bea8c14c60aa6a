"""What came before a response: its ancestors, read with its whole tree, in one round trip.

A tree has a row of each ancestor, and few strangers: where more than a few would be read, or what they say is long, the
next response founds a tree of its own, whose first row says where the trees before it were left. Those are read in a
second round trip, all at once. Strangers are looked for one position further on, too: what is begun again from one
place, hundreds of times, founds hundreds of trees, and not one that is read hundreds of times.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from orrery.core.types import Json
from orrery.stores.response_places import (
    AFTER_ROWS,
    HEAD,
    LAST_POSITION,
    ROW,
    Place,
    base62,
    partition,
    place_of,
    place_of_row,
)
from orrery.stores.response_rows import CONTINUED, ITEMS, flat, is_live
from orrery.stores.table import Table

MOST_STRANGERS = 16
MOST_STRANGE_BYTES = 256 * 1024
"""Of what strangers say, as it lies in the table."""

MOST_TIPS = 100
"""Trees before one's own that are read at once; those before them one after the other."""

NAME_LENGTH = 27
FOUNDING = "*"
"""A place that begins with this is a new tree's; the names of the tips follow."""

OF_TREE = "PK = :p AND SK BETWEEN :from AND :to"


type Rows = dict[str, Json]
"""By sort key."""

type Named = list[tuple[str, Json]]
"""Each with its `Place.name`."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Rows in order, the oldest first, each with its name; and where the next response stands."""

    rows: Named = field(repr=False)
    next: str


class Chains:
    """Reads the trees of one organization, each once. `now`: epoch seconds."""

    def __init__(self, table: Table, organization: str, now: float) -> None:
        self._table = table
        self._organization = organization
        self._now = now
        self._trees: dict[str, Rows] = {}

    async def read(self, last: Place) -> Chain | None:
        """Those up to `last`. None where one of them is gone, or is none that can be continued."""
        self._trees[last.tree] = await self._tree(last, ahead=True)
        rows: Named = []
        tips: list[str] = []
        place = last
        while (row := self._row(place)) is not None:
            if row["conv"]:
                before = self._of_conversation(place)
                return Chain(before + rows[::-1], _founding(last, tips)) if before else None
            rows.append((place.name, row))
            if not row["prev"]:
                return Chain(rows[::-1], self._next(last, rows, tips))
            parent = place_of(row["prev"])
            if parent is None:
                return None
            if parent.tree != place.tree:
                await self._read_tips(parent, row["tips"])
                tips.append(parent.name)
            place = parent
        return None

    def _row(self, place: Place) -> Json | None:
        """A row that can be continued."""
        row = self._trees[place.tree].get(place.sort)
        return row if row is not None and is_live(row, self._now) and row["st"] in CONTINUED else None

    def _of_conversation(self, last: Place) -> Named:
        """All that the conversation had up to `last`; nothing where it is gone."""
        rows = self._trees[last.tree]
        return said_in(last.tree, rows, self._now, last.sort) if is_live(rows.get(HEAD), self._now) else []

    async def _tree(self, last: Place, *, ahead: bool = False) -> Rows:
        """The rows up to `last`, a conversation's head too; with `ahead`, some of those beyond it."""
        end = f"{ROW}{base62(last.position + 1, 3)}~" if ahead and last.position < LAST_POSITION else last.sort
        most = last.position + 2 + MOST_STRANGERS
        rows: Rows = {}
        async with aclosing(self._table.query(self._query(last.tree, end, most))) as items:  # type: ignore[type-var]  # it is a generator
            async for item in items:
                rows[item["SK"]] = flat(item)
                if item["SK"] > last.sort and len(rows) >= most:
                    break
        return rows

    def _query(self, tree: str, end: str, limit: int) -> Json:
        return {
            "KeyConditionExpression": OF_TREE,
            "ExpressionAttributeValues": {
                ":p": {"S": partition(self._organization, tree)},
                ":from": {"S": HEAD},
                ":to": {"S": end},
            },
            "ConsistentRead": True,
            "Limit": limit,
        }

    async def _read_tips(self, parent: Place, tips: str) -> None:
        """The tree of `parent`, and with it those that were left before."""
        named = [tips[first : first + NAME_LENGTH] for first in range(0, len(tips), NAME_LENGTH)]
        places = [place for name in named if (place := place_of(f"resp_{name}")) is not None]
        wanted = {place.tree: place for place in (*places, parent) if place.tree not in self._trees}
        read = await asyncio.gather(*(self._tree(place) for place in wanted.values()))
        self._trees |= dict(zip(wanted, read, strict=True))

    def _next(self, last: Place, rows: Named, tips: list[str]) -> str:
        """The position after `last`, or a new tree where its own is crowded, or full."""
        mine = {name for name, _ in rows}
        strange = [
            row
            for sort, row in self._trees[last.tree].items()
            if sort != HEAD and place_of_row(last.tree, sort).name not in mine
        ]
        is_crowded = len(strange) > MOST_STRANGERS or sum(map(_weight, strange)) > MOST_STRANGE_BYTES
        if is_crowded or last.position == LAST_POSITION:
            return _founding(last, tips)
        return last.tree + base62(last.position + 1, 3)


def said_in(tree: str, rows: Rows, now: float, end: str = AFTER_ROWS) -> Named:
    """The rows of a conversation that add to it, up to a sort key, in order: what failed or goes on does not."""
    return [
        (place_of_row(tree, sort).name, row)
        for sort, row in sorted(rows.items())
        if sort != HEAD and sort <= end and is_live(row, now) and (row["st"] == ITEMS or row["st"] in CONTINUED)
    ]


def _founding(last: Place, tips: list[str]) -> str:
    return FOUNDING + "".join([last.name, *tips][:MOST_TIPS])


def _weight(row: Json) -> int:
    return len(row.get("b") or b"")
