"""Memory stores: `core.registries.MemoryStores`, for those who manage them and for the tools of agents."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import orjson

from orrery.core.agents import Memory, StoredDocument
from orrery.core.errors import Conflict
from orrery.core.pages import Listed, Page
from orrery.core.registries import Change, MemoryEntity
from orrery.core.tools import Embed
from orrery.core.types import Json
from orrery.stores.document_rows import Head, raw_of
from orrery.stores.documents import Beside, Documents, alone
from orrery.stores.memory_documents import MemoryDocuments
from orrery.stores.memory_entities import Entities
from orrery.stores.memory_rows import KIND, EntityRow
from orrery.stores.memory_vectors import packed
from orrery.stores.table import Table


class MemoryStoreStore:
    """`clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._entities = Entities(table, clock)
        self._memories = MemoryDocuments(table, self._entities, clock)
        self._stores = Documents(table, KIND, sweep=self._sweep, clock=clock)

    async def create(self, organization: str, key: str, body: Json) -> StoredDocument:
        """See `core.registries.MemoryStores`; the same for all that follow."""
        return (await self._stores.create(organization, key, body)).document

    async def read(self, organization: str, store: str) -> StoredDocument:
        return (await self._stores.head(organization, store)).document

    async def list(self, organization: str, page: Page) -> Listed[StoredDocument]:
        found = await self._stores.page(organization, page)
        return Listed([head.document for head in found.data], found.more)

    async def change(self, organization: str, store: str, change: Change) -> StoredDocument:
        async def work(head: Head) -> tuple[Head, Beside]:
            raw = raw_of(change(orjson.loads(head.raw)))
            return (head if raw == head.raw else replace(head, raw=raw)), alone

        return (await self._stores.change(organization, store, work)).document

    async def remove(self, organization: str, store: str) -> None:
        await self._stores.remove(organization, store)

    async def add_entity(self, organization: str, store: str, entity: str, metadata: Mapping[str, str]) -> MemoryEntity:
        head = await self._stores.head(organization, store)
        return (await self._entities.add(head, entity, metadata)).shown(0)

    async def entity(self, organization: str, store: str, entity: str) -> MemoryEntity:
        _, row = await self._found(organization, store, entity)
        return await self._entities.shown(row)

    async def entities(self, organization: str, store: str, page: Page) -> Listed[MemoryEntity]:
        return await self._entities.page(await self._stores.head(organization, store), page)

    async def change_entity(
        self, organization: str, store: str, entity: str, metadata: Mapping[str, str]
    ) -> MemoryEntity:
        head = await self._stores.head(organization, store)
        return await self._entities.shown(await self._entities.describe(head, entity, metadata))

    async def remove_entity(self, organization: str, store: str, entity: str) -> None:
        await self._entities.remove(await self._stores.head(organization, store), entity)

    async def add(self, organization: str, store: str, entity: str, text: str, metadata: Mapping[str, str]) -> Memory:
        head, row = await self._found(organization, store, entity)
        return await self._memories.add(head, row, text, metadata)

    async def document(self, organization: str, store: str, entity: str, document: str) -> Memory:
        _, row = await self._found(organization, store, entity)
        return (await self._memories.row(row, document)).memory(row)

    async def documents(self, organization: str, store: str, entity: str, page: Page) -> Listed[Memory]:
        _, row = await self._found(organization, store, entity)
        return await self._memories.page(row, page)

    async def change_document(
        self,
        organization: str,
        store: str,
        entity: str,
        document: str,
        *,
        text: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Memory:
        _, row = await self._found(organization, store, entity)
        return await self._memories.change(row, document, text, metadata)

    async def remove_document(self, organization: str, store: str, entity: str, document: str) -> None:
        head, row = await self._found(organization, store, entity)
        await self._memories.remove(head, row, document)

    async def write(self, organization: str, store: str, entity: str, text: str, embed: Embed) -> Memory:
        head = await self._stores.head(organization, store)
        (vector,) = await embed(head.document.body["embedding_config"]["model"], [text])
        row = await self._entities.find(head, entity) or await self._made(head, entity)
        return await self._memories.add(head, row, text, {}, packed(vector))

    async def search(
        self, organization: str, store: str, entity: str, query: str, *, top_k: int, embed: Embed
    ) -> Sequence[Memory]:
        head = await self._stores.head(organization, store)
        row = await self._entities.find(head, entity)
        if row is None:
            return []
        model = head.document.body["embedding_config"]["model"]
        return await self._memories.search(row, query, model=model, top_k=top_k, embed=embed)

    async def _made(self, head: Head, entity: str) -> EntityRow:
        try:
            return await self._entities.add(head, entity, {})
        except Conflict:
            return await self._entities.row(head, entity)  # somebody else has made it just now

    async def _found(self, organization: str, store: str, entity: str) -> tuple[Head, EntityRow]:
        head = await self._stores.head(organization, store)
        return head, await self._entities.row(head, entity)

    async def _sweep(self, organization: str, key: str, made: str) -> None:
        await self._entities.sweep(organization, made)
