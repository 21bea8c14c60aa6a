"""The memory of agents: `orq:query_memory_store`, `orq:write_memory_store`, `orq:retrieve_memory_stores` and
`orq:delete_memory_document`, each for one entity and for the stores that its agent names.

Sources: Orq's field trees (POST /v2/memory-stores, the tools of agents) and wire.md 1.A.9-1.A.10, read 2026-11-21.
"""

from asyncio import gather, timeout
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from orrery.core.agents import Memory
from orrery.core.errors import GatewayError, InvalidRequest, NotFound
from orrery.core.registries import ENTITY, STORE_KEY, MemoryStores
from orrery.core.tools import Opened, Outcome, Setting
from orrery.core.types import Json
from orrery.tools.functions import Tool, failed, function, refused, text, words
from orrery.tools.outfit import Outfit
from orrery.wire.body import dumps

MOST_STORES = 50
TOP_K, MOST_TOP_K = 5, 50
LONGEST_QUERY = 8_192
LONGEST_TEXT = 16_384
LONGEST_ID = 64

type Do = Callable[["_Memories", Json, Setting], Awaitable[Outcome]]


async def opened(spec: Json, setting: Setting, outfit: Outfit) -> Opened:
    """`stores` are keys; `top_k` is how many documents a query gives.

    Raises `InvalidRequest` without an entity, without stores, or where this gateway keeps no memories.
    """
    kind = str(spec["type"])
    if not setting.entity:
        raise InvalidRequest("Memory entity ID is required", param="memory.entity_id")
    if not ENTITY.fits(setting.entity):
        raise InvalidRequest(
            f"Invalid value for 'memory.entity_id': expected {ENTITY.words}.", param="memory.entity_id"
        )
    if outfit.memories is None:
        raise InvalidRequest("This gateway keeps no memories", param="tools", code="unsupported_parameter")
    stores = _stores(spec.get("stores"))
    memories = _Memories(outfit.memories(), stores, _top_k(spec.get("top_k")))
    told, do = _TOOLS[kind]

    async def work(arguments: Json, setting: Setting) -> Outcome:
        try:
            async with timeout(setting.timeout_s):
                return await do(memories, arguments, setting)
        except TimeoutError:
            return failed(f"the memory took longer than {setting.timeout_s:g} s.")
        except GatewayError as err:
            return failed(err.message)

    return Opened(tools=(Tool(kind, told(stores), work),))


def _stores(given: Any) -> tuple[str, ...]:
    found = given if isinstance(given, list) else []
    if not 0 < len(found) <= MOST_STORES or not all(isinstance(key, str) and STORE_KEY.fits(key) for key in found):
        raise refused(f"The tools of memory stores need 'stores': 1 to {MOST_STORES} keys.")
    return tuple(dict.fromkeys(found))


def _top_k(given: Any) -> int:
    if given is None:
        return TOP_K
    if type(given) is not int or not 1 <= given <= MOST_TOP_K:
        raise refused(f"'top_k' is a whole number from 1 to {MOST_TOP_K}.")
    return given


class _Memories:
    def __init__(self, kept: MemoryStores, stores: Sequence[str], top_k: int) -> None:
        self.kept = kept
        self.stores = stores
        self.top_k = top_k

    async def query(self, arguments: Json, setting: Setting) -> Outcome:
        store, query = self._store(arguments), words(arguments, "query", LONGEST_QUERY)
        if not store or not query:
            return self._unclear("query")
        found = await self.kept.search(
            setting.organization, store, setting.entity, query, top_k=self.top_k, embed=setting.embed
        )
        return _told({"store": store, "documents": [_shown(memory) for memory in found]})

    async def write(self, arguments: Json, setting: Setting) -> Outcome:
        store, said = self._store(arguments), words(arguments, "text", LONGEST_TEXT + 1)
        if not store or not said:
            return self._unclear("text")
        if len(said) > LONGEST_TEXT:
            return failed(f"'text' has {LONGEST_TEXT} characters at most: say it shorter, or write it in parts.")
        memory = await self.kept.write(setting.organization, store, setting.entity, said, setting.embed)
        return _told({"store": store, "id": memory.id, "written": True})

    async def delete(self, arguments: Json, setting: Setting) -> Outcome:
        store, document = self._store(arguments), words(arguments, "id", LONGEST_ID + 1)
        if not store or not document:
            return self._unclear("id")
        await self.kept.remove_document(setting.organization, store, setting.entity, document)
        return _told({"store": store, "id": document, "deleted": True})

    async def list(self, arguments: Json, setting: Setting) -> Outcome:
        """Those that are gone are left out."""

        async def described(store: str) -> Json | None:
            try:
                found = await self.kept.read(setting.organization, store)
            except NotFound:
                return None
            return {"store": store, "description": found.body.get("description") or ""}

        found = await gather(*(described(store) for store in self.stores))
        return _told({"stores": [each for each in found if each]})

    def _store(self, arguments: Json) -> str:
        """The one that is named; the only one where none is; "" for one that the agent has not."""
        if arguments.get("store") is None and len(self.stores) == 1:
            return self.stores[0]
        named = words(arguments, "store", 256)
        return named if named in self.stores else ""

    def _unclear(self, argument: str) -> Outcome:
        return failed(f"'{argument}' must be words, and 'store' one of: {', '.join(self.stores)}.")


def _shown(memory: Memory) -> Json:
    score = None if memory.score is None else round(memory.score, 4)
    return {"id": memory.id, "text": memory.text, "score": score, "metadata": dict(memory.metadata)}


def _told(said: Json) -> Outcome:
    return Outcome(dumps(said).decode())


def _named(stores: Sequence[str]) -> Json:
    return {"type": "string", "enum": list(stores), "description": "Which memory store."}


def _query(stores: Sequence[str]) -> Json:
    return function(
        "query_memory_store",
        "Searches a memory store for what is remembered of the person or thing that this conversation is about.",
        {"store": _named(stores), "query": text("What to look for, in words.")},
        ["store", "query"],
    )


def _write(stores: Sequence[str]) -> Json:
    return function(
        "write_memory_store",
        "Remembers something for later conversations with the same person, or about the same thing.",
        {"store": _named(stores), "text": text("What to remember, as a sentence that stands for itself.")},
        ["store", "text"],
    )


def _delete(stores: Sequence[str]) -> Json:
    return function(
        "delete_memory_document",
        "Forgets a document that query_memory_store has found.",
        {"store": _named(stores), "id": text("The document's id.")},
        ["store", "id"],
    )


def _list(stores: Sequence[str]) -> Json:
    return function("retrieve_memory_stores", "Lists the memory stores that there are, and what each is for.", {})


_TOOLS: dict[str, tuple[Callable[[Sequence[str]], Json], Do]] = {
    "orq:query_memory_store": (_query, _Memories.query),
    "orq:write_memory_store": (_write, _Memories.write),
    "orq:delete_memory_document": (_delete, _Memories.delete),
    "orq:retrieve_memory_stores": (_list, _Memories.list),
}
"""How a model is told of each type, and what it does."""
