"""The entities of memory stores: made, counted, and forgotten with every document about them."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import aclosing
from itertools import batched

import orjson

from orrery.core.errors import Unavailable
from orrery.core.pages import Listed, Page
from orrery.core.registries import ENTITY as RULE
from orrery.core.registries import MemoryEntity
from orrery.core.types import Json
from orrery.stores.attributes import pack, pack_item
from orrery.stores.document_rows import HEAD, Head, delete, put
from orrery.stores.documents import IS_NEW
from orrery.stores.memory_rows import (
    ENTITY,
    KIND,
    EntityRow,
    entity_item,
    entity_of,
    entity_taken,
    key_of,
    no_entity,
    partition,
)
from orrery.stores.pages import AT_ONCE, no_cursor
from orrery.stores.table import Cancelled, ConditionFailed, Table

THAT_ONE = "made = :m"
LIVES = "made = :m AND attribute_not_exists(gone)"
IS_GONE = "made = :m AND attribute_exists(gone)"
DESCRIBE = "SET meta = :meta, updated_at = :now"
ROWS = "PK = :p"
LATER_ROWS = "PK = :p AND SK > :c"
EARLIER_ROWS = "PK = :p AND SK < :c"
ROW_KEYS = "SK"
IS_LIVE = "attribute_not_exists(ends) OR ends > :now"

ATTEMPTS = 20
SWEPT_AT_ONCE = 25


class Entities:
    """`store` is the head of the store that they are in. `clock` gives epoch seconds."""

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    async def find(self, store: Head, entity: str) -> EntityRow | None:
        item = await self._item(store, entity)
        return entity_of(store.organization, store.key, item)

    async def row(self, store: Head, entity: str) -> EntityRow:
        """Raises `NotFound`."""
        found = await self.find(store, entity)
        if found is None:
            raise no_entity(entity)
        return found

    async def add(self, store: Head, entity: str, metadata: Mapping[str, str]) -> EntityRow:
        """Raises `NotFound` when the store is gone meanwhile, `Conflict`."""
        for _ in range(ATTEMPTS):
            made, now = secrets.token_hex(16), int(self._clock())
            row = EntityRow(store.organization, store.key, entity, made, 0, False, metadata, now, now)
            parts = [_while_there(self._table, store), put(entity_item(row, store.made), IS_NEW)]
            parts[1]["Put"]["TableName"] = self._table.name
            try:
                await self._table.run("TransactWriteItems", {"TransactItems": parts, "ClientRequestToken": made})
            except Cancelled as refused:
                if refused.refused[0]:
                    raise KIND.missing(store.key) from None
                there = refused.items[1]
                if there is not None and "gone" not in there:
                    raise entity_taken(entity) from None
                if there is not None:
                    await self._finish(store.organization, store.made, entity, there["made"])
                continue
            return row
        raise Unavailable(f"too many others are changing the memory of {entity[:80]!r}", retry_after_s=1.0)

    async def shown(self, row: EntityRow) -> MemoryEntity:
        """With how many documents live: they are counted where some may have expired."""
        return row.shown(await self.count(row) if row.fades else row.docs)

    async def count(self, row: EntityRow) -> int:
        """The documents that have not expired."""
        body: Json = {
            "KeyConditionExpression": ROWS,
            "FilterExpression": IS_LIVE,
            "ProjectionExpression": ROW_KEYS,
            "ExpressionAttributeValues": {
                ":p": {"S": row.partition},
                ":now": pack(int(self._clock())),
            },
            "ConsistentRead": True,
        }
        return len([item async for item in self._table.query(body)])

    async def page(self, store: Head, page: Page) -> Listed[MemoryEntity]:
        """By their ids."""
        rows: list[EntityRow] = []
        async with aclosing(self._table.query(_asked(store, page))) as found:  # type: ignore[type-var]  # a generator
            async for item in found:
                row = entity_of(store.organization, store.key, item)
                if row is not None:
                    rows.append(row)
                if len(rows) > page.limit:
                    break
        data: list[MemoryEntity] = []
        for some in batched(rows[: page.limit], AT_ONCE, strict=False):
            data += await asyncio.gather(*(self.shown(row) for row in some))
        return Listed(data[::-1] if page.before else data, len(rows) > page.limit)

    async def describe(self, store: Head, entity: str, metadata: Mapping[str, str]) -> EntityRow:
        """The last one to write stays. Raises `NotFound`."""
        row = await self.row(store, entity)
        values = {":m": row.made, ":meta": orjson.dumps(dict(metadata)), ":now": int(self._clock())}
        body: Json = {
            "Key": key_of(partition(store.organization, store.made), ENTITY + entity),
            "UpdateExpression": DESCRIBE,
            "ConditionExpression": LIVES,
            "ExpressionAttributeValues": pack_item(values),
        }
        try:
            await self._table.run("UpdateItem", body)
        except ConditionFailed:
            raise no_entity(entity) from None
        return await self.row(store, entity)

    async def remove(self, store: Head, entity: str) -> None:
        """Finishes what one that died has left, too. Raises `NotFound`."""
        item = await self._item(store, entity)
        if item is None:
            raise no_entity(entity)
        await self._forget(store.organization, store.made, entity, item["made"])

    async def sweep(self, organization: str, made: str) -> None:
        """Forgets every entity of a store that is gone, by what it was made as."""
        body: Json = {
            "KeyConditionExpression": ROWS,
            "ExpressionAttributeValues": {":p": {"S": partition(organization, made)}},
            "ConsistentRead": True,
        }
        found = [item async for item in self._table.query(body)]
        for item in found:
            await self._forget(organization, made, item["SK"].removeprefix(ENTITY), item["made"])

    async def _forget(self, organization: str, store_made: str, entity: str, made: str) -> None:
        """Nothing is written about it from the mark on; then its documents go, then the mark."""
        left = {"PK": partition(organization, store_made), "SK": ENTITY + entity, "made": made, "gone": True}
        body: Json = {
            "Item": pack_item(left),
            "ConditionExpression": THAT_ONE,
            "ExpressionAttributeValues": {":m": {"S": made}},
        }
        try:
            await self._table.run("PutItem", body)
        except ConditionFailed:
            return  # somebody else has forgotten it
        await self._finish(organization, store_made, entity, made)

    async def _finish(self, organization: str, store_made: str, entity: str, made: str) -> None:
        documents = partition(organization, made)
        body: Json = {
            "KeyConditionExpression": ROWS,
            "ProjectionExpression": ROW_KEYS,
            "ExpressionAttributeValues": {":p": {"S": documents}},
            "ConsistentRead": True,
        }
        found = [item["SK"] async for item in self._table.query(body)]
        for sorts in batched(found, SWEPT_AT_ONCE, strict=False):
            bodies = [{"Key": key_of(documents, sort)} for sort in sorts]  # nobody else's ever: no condition is needed
            await asyncio.gather(*(self._table.run("DeleteItem", each) for each in bodies))
        place = key_of(partition(organization, store_made), ENTITY + entity)
        await delete(self._table, place, IS_GONE, {":m": {"S": made}})

    async def _item(self, store: Head, entity: str) -> Json | None:
        if not RULE.fits(entity):
            return None
        return await self._table.get(key_of(partition(store.organization, store.made), ENTITY + entity))


def _while_there(table: Table, store: Head) -> Json:
    """A part of a transaction: the store is the one that was read."""
    place = f"{KIND.prefix}#{store.organization}#{store.key}"
    return {
        "ConditionCheck": {
            "TableName": table.name,
            "Key": key_of(place, HEAD),
            "ConditionExpression": LIVES,
            "ExpressionAttributeValues": {":m": {"S": store.made}},
        }
    }


def _asked(store: Head, page: Page) -> Json:
    values = {":p": {"S": partition(store.organization, store.made)}}
    condition = ROWS
    if page.cursor:
        if not RULE.fits(page.cursor):
            raise no_cursor(page)
        condition = LATER_ROWS if page.after else EARLIER_ROWS
        values[":c"] = {"S": ENTITY + page.cursor}
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": not page.before,
        "ConsistentRead": True,
    }
