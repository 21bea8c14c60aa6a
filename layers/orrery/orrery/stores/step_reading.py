"""What steps left behind, page by page: `core.extras.Activity`.

Every key is made here of the organization that asks, and of labels: no cursor of DynamoDB's leaves, and a label of
somebody else's leads to nothing. What has expired is not shown, although it stays readable for days. A page ends early
when what is on it would not fit into an answer.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from orrery.core.activity import Kind, StoredStep, Tracked
from orrery.core.errors import NotFound
from orrery.core.pages import Listed, Page
from orrery.core.types import Json
from orrery.stores.pages import AT_ONCE, MOST_BYTES, no_cursor, of_index
from orrery.stores.step_rows import (
    HEAD,
    STEP,
    key_of,
    listing_of,
    partition,
    sort_of_id,
    step_of,
    tracked_of,
    weight_of,
)
from orrery.stores.table import Table

STEPS = "PK = :p AND begins_with(SK, :c)"
LATER_STEPS, EARLIER_STEPS = "PK = :p AND SK > :c", "PK = :p AND SK < :c"
LIVE = "#ttl > :now"


class ActivityStore:
    """`clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    async def read(self, organization: str, kind: Kind, label: str) -> Tracked:
        """See `core.extras.Activity.read`."""
        item = await self._live(key_of(organization, kind, label))
        if item is None:
            raise NotFound(f"There is no {kind} {label[:80]!r}.")
        return tracked_of(item, kind)

    async def listed(self, organization: str, kind: Kind, page: Page) -> Listed[Tracked]:
        """See `core.extras.Activity.listed`. What began this second may be missing."""
        place = ""
        if page.cursor:
            item = await self._live(key_of(organization, kind, page.cursor))
            if item is None:
                raise no_cursor(page)
            place = item["GSK"]
        body = of_index(listing_of(organization, kind), place, page)
        return await _paged(self._heads(body, page), page, lambda item: tracked_of(item, kind))

    async def steps(self, organization: str, kind: Kind, label: str, page: Page) -> Listed[StoredStep]:
        """See `core.extras.Activity.steps`."""
        condition, sort = STEPS, STEP
        if cursor := page.cursor:
            place = sort_of_id(cursor)
            if place is None:
                raise no_cursor(page)
            condition, sort = LATER_STEPS if page.after else EARLIER_STEPS, place
        body: Json = {
            "KeyConditionExpression": condition,
            "FilterExpression": LIVE,
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {
                ":p": {"S": partition(organization, kind, label)},
                ":c": {"S": sort},
                ":now": {"N": str(int(self._clock()))},
            },
            "ScanIndexForward": not page.before,
            "ConsistentRead": True,
            "Limit": page.limit + 2,  # the head may be among them
        }
        return await _paged(self._rows(body), page, step_of)

    async def _live(self, key: Json) -> Json | None:
        item = await self._table.get(key)
        return item if item is not None and item.get("ttl", float("inf")) > self._clock() else None

    async def _heads(self, body: Json, page: Page) -> AsyncIterator[Json]:
        """What the index names, read several at once."""
        left = page.limit + 1
        keys: list[Json] = []
        async with aclosing(self._table.query(body)) as found:  # type: ignore[type-var]  # it is a generator
            async for entry in found:
                keys.append({"PK": {"S": entry["PK"]}, "SK": {"S": HEAD}})
                if len(keys) < min(AT_ONCE, left):
                    continue
                for item in await self._all_live(keys):
                    left -= 1
                    yield item
                keys = []
        for item in await self._all_live(keys):
            yield item

    async def _all_live(self, keys: list[Json]) -> list[Json]:
        items = await asyncio.gather(*map(self._live, keys))
        return [item for item in items if item is not None]

    async def _rows(self, body: Json) -> AsyncIterator[Json]:
        async with aclosing(self._table.query(body)) as found:  # type: ignore[type-var]  # it is a generator
            async for item in found:
                if item["SK"] != HEAD:
                    yield item


async def _paged[T](items: AsyncIterator[Json], page: Page, shown: Callable[[Json], T]) -> Listed[T]:
    """As many as fit, in the list's own order, whichever way it was read."""
    data: list[T] = []
    size, more = 0, False
    async with aclosing(items) as found:  # type: ignore[type-var]  # it is a generator
        async for item in found:
            size += weight_of(item)
            more = len(data) == page.limit or (bool(data) and size > MOST_BYTES)
            if more:
                break
            data.append(shown(item))
    return Listed(data[::-1] if page.before else data, more)
