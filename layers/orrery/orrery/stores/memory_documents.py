"""The documents that memory stores keep of entities, and the search among them."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from itertools import batched, islice

import orjson

from orrery.core.agents import Memory
from orrery.core.errors import Unavailable
from orrery.core.pages import Listed, Page
from orrery.core.tools import Embed
from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.document_rows import Head, put
from orrery.stores.documents import IS_NEW
from orrery.stores.memory_entities import ATTEMPTS, IS_LIVE, LIVES, ROWS, Entities
from orrery.stores.memory_rows import (
    DOCUMENT,
    ENTITY,
    DocumentRow,
    EntityRow,
    document_item,
    document_of,
    full,
    is_id,
    key_of,
    new_id,
    no_document,
    no_entity,
    partition,
)
from orrery.stores.memory_vectors import nearest, packed
from orrery.stores.pages import AT_ONCE, no_cursor
from orrery.stores.table import Cancelled, ConditionFailed, Table

MOST_DOCUMENTS = 2_000
"""Of an entity: a search reads them all, 12 KB each where vectors have 3,072 parts."""

MOST_EMBEDDED = 64
MOST_EMBEDDED_CHARS = 128 * 1024
"""Of documents that get their vectors in one search, the newest first; the next search goes on with the others."""

ONE_MORE = "SET docs = docs + :one, updated_at = :now"
ONE_MORE_THAT_FADES = "SET docs = docs + :one, updated_at = :now, fades = :yes"
ONE_LESS = "SET docs = docs - :one, updated_at = :now"
HAS_ROOM = "made = :m AND attribute_not_exists(gone) AND docs < :most"
RECOUNT = "SET docs = :n"
AS_COUNTED = "made = :m AND attribute_not_exists(gone) AND docs = :seen"
IS_THERE = "attribute_exists(PK)"
AS_SEEN = "rev = :seen"
SAY = "SET said = :said, meta = :meta, rev = :rev, updated_at = :now REMOVE vec"
DESCRIBE = "SET meta = :meta, rev = :rev, updated_at = :now"
LEARN = "SET vec = :vec"
OLDER, NEWER = " AND SK < :c", " AND SK > :c"
WITHOUT_VECTOR = "SK, said, meta, rev, created_at, updated_at, ends"


class MemoryDocuments:
    """`store` is the head of the store that an entity is in. `clock` gives epoch seconds."""

    def __init__(self, table: Table, entities: Entities, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._entities = entities
        self._clock = clock

    async def add(
        self, store: Head, entity: EntityRow, text: str, metadata: Mapping[str, str], vector: bytes = b""
    ) -> Memory:
        """Raises `NotFound` when the entity is gone meanwhile, `InvalidRequest` (`memory_full`)."""
        now, ttl = self._clock(), store.document.body.get("ttl")
        ends = int(now) + int(ttl) if ttl else None
        row = DocumentRow(new_id(now), text, metadata, secrets.token_hex(16), int(now), int(now), ends, vector)
        values = {":m": entity.made, ":one": 1, ":now": int(now), ":most": MOST_DOCUMENTS}
        if ends is not None:
            values[":yes"] = True
        update = ONE_MORE if ends is None else ONE_MORE_THAT_FADES
        for _ in range(ATTEMPTS):
            counted = self._entity_changed(store, entity, update, HAS_ROOM, values)
            try:
                await self._run(counted, put(document_item(entity.partition, row), IS_NEW))
            except Cancelled as refused:
                await self._make_room(store, entity, refused.items[0])
                continue
            return row.memory(entity)
        raise Unavailable(f"too many others are writing to the memory of {entity.id!r}", retry_after_s=1.0)

    async def row(self, entity: EntityRow, document: str) -> DocumentRow:
        """Without its vector. Raises `NotFound`."""
        item = None
        if is_id(document):
            item = await self._table.get(key_of(entity.partition, DOCUMENT + document), WITHOUT_VECTOR)
        row = document_of(item) if item else None
        if row is None or (row.ends is not None and row.ends <= int(self._clock())):
            raise no_document(document)
        return row

    async def page(self, entity: EntityRow, page: Page) -> Listed[Memory]:
        """The newest first."""
        body = self._living(entity) | {"ProjectionExpression": WITHOUT_VECTOR, "ScanIndexForward": bool(page.before)}
        if page.cursor:
            if not is_id(page.cursor):
                raise no_cursor(page)
            body["KeyConditionExpression"] += OLDER if page.after else NEWER
            body["ExpressionAttributeValues"][":c"] = {"S": DOCUMENT + page.cursor}
        found: list[Memory] = []
        async with aclosing(self._table.query(body)) as rows:  # type: ignore[type-var]  # it is a generator
            async for item in rows:
                found.append(document_of(item).memory(entity))
                if len(found) > page.limit:
                    break
        data = found[: page.limit]
        return Listed(data[::-1] if page.before else data, len(found) > page.limit)

    async def change(
        self, entity: EntityRow, document: str, text: str | None, metadata: Mapping[str, str] | None
    ) -> Memory:
        """Another text has no vector yet. Raises `NotFound`."""
        for _ in range(ATTEMPTS):
            row = await self.row(entity, document)
            said, meta, rev = text or row.text, row.metadata if metadata is None else metadata, secrets.token_hex(16)
            if (said, meta) == (row.text, row.metadata):
                return row.memory(entity)
            values = {":seen": row.rev, ":rev": rev, ":now": int(self._clock()), ":meta": orjson.dumps(dict(meta))}
            anew = said != row.text
            body: Json = {
                "Key": key_of(entity.partition, DOCUMENT + document),
                "UpdateExpression": SAY if anew else DESCRIBE,
                "ConditionExpression": AS_SEEN,
                "ExpressionAttributeValues": pack_item(values | ({":said": said} if anew else {})),
            }
            try:
                await self._table.run("UpdateItem", body)
            except ConditionFailed:
                continue  # another was faster, or it was our own, and its answer was lost: then nothing is left to do
            return (await self.row(entity, document)).memory(entity)
        raise Unavailable(f"too many others are changing {document[:80]!r}", retry_after_s=1.0)

    async def remove(self, store: Head, entity: EntityRow, document: str) -> None:
        """Raises `NotFound`."""
        await self.row(entity, document)
        values = {":m": entity.made, ":one": 1, ":now": int(self._clock())}
        gone: Json = {"Key": key_of(entity.partition, DOCUMENT + document), "ConditionExpression": IS_THERE}
        try:
            await self._run(self._entity_changed(store, entity, ONE_LESS, LIVES, values), {"Delete": gone})
        except Cancelled:
            raise no_document(document) from None

    async def search(self, entity: EntityRow, query: str, *, model: str, top_k: int, embed: Embed) -> Sequence[Memory]:
        """The nearest first, among those that have a vector once this has embedded some that had none."""
        rows: list[DocumentRow] = []
        body = self._living(entity) | {"ScanIndexForward": False}
        async with aclosing(self._table.query(body)) as found:  # type: ignore[type-var]  # it is a generator
            async for item in found:
                rows.append(document_of(item))
                if len(rows) == MOST_DOCUMENTS:
                    break
        if not rows:
            return []
        new = _to_embed(rows)
        asked, *vectors = map(packed, await embed(model, [query, *(row.text for row in new)]))
        learnt = {row.id: vector for row, vector in zip(new, vectors, strict=True)}
        await self._learn(entity, new, learnt)
        vectored = ((row, learnt.get(row.id, row.vector)) for row in rows)
        return [row.memory(entity, score) for row, score in nearest(asked, vectored, top_k)]

    async def _learn(self, entity: EntityRow, rows: Sequence[DocumentRow], vectors: Mapping[str, bytes]) -> None:
        """Keeps vectors, each if its document still says what was embedded."""

        async def learn(row: DocumentRow) -> None:
            body: Json = {
                "Key": key_of(entity.partition, DOCUMENT + row.id),
                "UpdateExpression": LEARN,
                "ConditionExpression": AS_SEEN,
                "ExpressionAttributeValues": pack_item({":vec": vectors[row.id], ":seen": row.rev}),
            }
            try:
                await self._table.run("UpdateItem", body)
            except ConditionFailed:
                return

        for some in batched(rows, AT_ONCE, strict=False):
            await asyncio.gather(*(learn(row) for row in some))

    async def _make_room(self, store: Head, entity: EntityRow, there: Json | None) -> None:
        """Counts anew where documents may have expired. Raises `NotFound`, `InvalidRequest` where there is no room."""
        if there is None or "gone" in there or there["made"] != entity.made:
            raise no_entity(entity.id)
        if there["docs"] < MOST_DOCUMENTS:
            return  # it was another's transaction
        living = await self._entities.count(entity) if there["fades"] else there["docs"]
        if living >= MOST_DOCUMENTS:
            raise full(MOST_DOCUMENTS)
        values = {":m": entity.made, ":n": living, ":seen": there["docs"]}
        body = self._entity_changed(store, entity, RECOUNT, AS_COUNTED, values)["Update"]
        try:
            await self._table.run("UpdateItem", body)
        except ConditionFailed:
            return  # others were faster

    def _entity_changed(
        self, store: Head, entity: EntityRow, update: str, condition: str, values: Mapping[str, object]
    ) -> Json:
        """A part of a transaction."""
        return {
            "Update": {
                "Key": key_of(partition(store.organization, store.made), ENTITY + entity.id),
                "UpdateExpression": update,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": pack_item(values),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _living(self, entity: EntityRow) -> Json:
        values = {":p": entity.partition, ":now": int(self._clock())}
        return {
            "KeyConditionExpression": ROWS,
            "FilterExpression": IS_LIVE,
            "ExpressionAttributeValues": pack_item(values),
            "ConsistentRead": True,
        }

    async def _run(self, *parts: Json) -> None:
        items = [{kind: body | {"TableName": self._table.name} for kind, body in part.items()} for part in parts]
        token = secrets.token_hex(16)
        await self._table.run("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": token})


def _to_embed(rows: Sequence[DocumentRow]) -> list[DocumentRow]:
    """Those without a vector, as many as go into one request."""
    chosen: list[DocumentRow] = []
    size = 0
    for row in islice((row for row in rows if not row.vector), MOST_EMBEDDED):
        size += len(row.text)
        if chosen and size > MOST_EMBEDDED_CHARS:
            break
        chosen.append(row)
    return chosen
