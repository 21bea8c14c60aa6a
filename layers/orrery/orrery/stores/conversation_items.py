"""Which items of a conversation are on a page, told by their ids alone: only the rows that have them are unpacked."""

from dataclasses import dataclass, field

import orjson

from orrery.core.pages import Listed, Page
from orrery.core.types import Json
from orrery.stores.pages import MOST_BYTES
from orrery.stores.response_bodies import Bodies
from orrery.stores.response_chains import Named
from orrery.stores.response_rows import items_of


@dataclass(frozen=True, slots=True)
class Found:
    """Items by row and by number in it, in the order in which they are read; `more` would follow."""

    rows: Named = field(repr=False)
    places: list[tuple[int, int]]
    more: bool
    backwards: bool

    async def read(self, bodies: Bodies, organization: str) -> Listed[Json]:
        """The page. It ends early where it would not fit into an answer."""
        data: list[Json] = []
        items: list[Json] = []
        size, at = 0, -1
        for row, number in self.places:
            if row != at:
                name, item = self.rows[row]
                items, at = items_of(item, await bodies.get(organization, name, item)), row
            size += len(orjson.dumps(items[number]))
            if data and size > MOST_BYTES:
                return Listed(data[::-1] if self.backwards else data, more=True)
            data.append(items[number])
        return Listed(data[::-1] if self.backwards else data, self.more)


def paged(rows: Named, page: Page, *, newest_first: bool) -> Found | None:
    """None where the page's cursor is no item's."""
    places: dict[str, tuple[int, int]] = {}
    for row, (_, item) in enumerate(rows):
        for number, id in enumerate(item["ids"]):
            places.setdefault(id, (row, number))
    ids = list(places)[::-1] if newest_first else list(places)
    if page.before:
        ids.reverse()
    if page.cursor:
        if page.cursor not in places:
            return None
        ids = ids[ids.index(page.cursor) + 1 :]
    return Found(rows, [places[id] for id in ids[: page.limit]], len(ids) > page.limit, bool(page.before))
