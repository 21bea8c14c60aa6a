"""`/v2/memory-stores`: what agents remember, of whom, for an organization to see, correct and delete.

Only keys with the scope `agents` may (`stores.key_rows`); for an agent to remember takes none. Source: Orq's field
trees, and its Python SDK for statuses (read 2026-11-21).
"""

from orrery.core.agents import Memory, StoredDocument
from orrery.core.registries import MemoryEntity, MemoryStores
from orrery.core.types import Json
from orrery.edge.admission import Endpoint
from orrery.edge.managed import managed, posted, registries
from orrery.edge.paging import page_of
from orrery.edge.prompt_shown import instant
from orrery.edge.web import Request
from orrery.flow.gateway import Gateway
from orrery.wire.memory_documents import (
    read_document,
    read_document_change,
    read_entity,
    read_metadata,
    read_store,
    read_store_change,
)


def served(gateway: Gateway) -> MemoryStores:
    return registries(gateway).memory_stores


async def _create(request: Request, stores: MemoryStores, organization: str) -> Json:
    key, document = read_store(await posted(request))
    return store_shown(await stores.create(organization, key, document))


async def _list(request: Request, stores: MemoryStores, organization: str) -> Json:
    found = await stores.list(organization, page_of(request))
    return _listed([store_shown(store) for store in found.data], more=found.more)


async def _one(request: Request, stores: MemoryStores, organization: str) -> Json:
    return store_shown(await stores.read(organization, _at(request, "key")))


async def _change(request: Request, stores: MemoryStores, organization: str) -> Json:
    change = read_store_change(await posted(request))
    return store_shown(await stores.change(organization, _at(request, "key"), change))


async def _remove(request: Request, stores: MemoryStores, organization: str) -> Json:
    await stores.remove(organization, _at(request, "key"))
    return {}


async def _add_entity(request: Request, stores: MemoryStores, organization: str) -> Json:
    entity, metadata = read_entity(await posted(request))
    return entity_shown(organization, await stores.add_entity(organization, _at(request, "key"), entity, metadata))


async def _entities(request: Request, stores: MemoryStores, organization: str) -> Json:
    found = await stores.entities(organization, _at(request, "key"), page_of(request))
    return _listed([entity_shown(organization, entity) for entity in found.data], more=found.more)


async def _entity(request: Request, stores: MemoryStores, organization: str) -> Json:
    return entity_shown(organization, await stores.entity(organization, *_memory(request)))


async def _change_entity(request: Request, stores: MemoryStores, organization: str) -> Json:
    metadata = read_metadata(await posted(request))
    return entity_shown(organization, await stores.change_entity(organization, *_memory(request), metadata))


async def _remove_entity(request: Request, stores: MemoryStores, organization: str) -> Json:
    await stores.remove_entity(organization, *_memory(request))
    return {}


async def _add(request: Request, stores: MemoryStores, organization: str) -> Json:
    text, metadata = read_document(await posted(request))
    return document_shown(organization, await stores.add(organization, *_memory(request), text, metadata))


async def _documents(request: Request, stores: MemoryStores, organization: str) -> Json:
    found = await stores.documents(organization, *_memory(request), page_of(request))
    return _listed([document_shown(organization, document) for document in found.data], more=found.more)


async def _document(request: Request, stores: MemoryStores, organization: str) -> Json:
    found = await stores.document(organization, *_memory(request), _at(request, "document"))
    return document_shown(organization, found)


async def _change_document(request: Request, stores: MemoryStores, organization: str) -> Json:
    text, metadata = read_document_change(await posted(request))
    place = *_memory(request), _at(request, "document")
    return document_shown(
        organization, await stores.change_document(organization, *place, text=text, metadata=metadata)
    )


async def _remove_document(request: Request, stores: MemoryStores, organization: str) -> Json:
    await stores.remove_document(organization, *_memory(request), _at(request, "document"))
    return {}


def store_shown(store: StoredDocument) -> Json:
    """A store as its owner sees it."""
    return {
        "_id": store.id,
        "key": store.key,
        "created_by_id": None,
        "updated_by_id": None,
        "created": instant(int(store.created_at)),
        "updated": instant(int(store.updated_at)),
        "ttl": None,
        **store.body,
    }


def entity_shown(organization: str, entity: MemoryEntity) -> Json:
    """Whom a store remembers, as its owner sees it."""
    return {
        "_id": entity.id,
        "entity_id": entity.id,
        "store_id": entity.store,
        "workspace_id": organization,
        "created_by_id": None,
        "updated_by_id": None,
        "created": instant(int(entity.created_at)),
        "updated": instant(int(entity.updated_at)),
        "documents_count": entity.documents,
        "metadata": dict(entity.metadata),
    }


def document_shown(organization: str, document: Memory) -> Json:
    """A document as its owner sees it."""
    return {
        "_id": document.id,
        "memory_id": document.entity,
        "store_id": document.store,
        "workspace_id": organization,
        "text": document.text,
        "metadata": dict(document.metadata),
        "created_by_id": None,
        "updated_by_id": None,
        "created": instant(int(document.created_at)),
        "updated": instant(int(document.updated_at)),
    }


def _listed(data: list[Json], *, more: bool) -> Json:
    return {"object": "list", "data": data, "has_more": more}


def _at(request: Request, name: str) -> str:
    return str(request.path_params[name])


def _memory(request: Request) -> tuple[str, str]:
    return _at(request, "key"), _at(request, "entity")


_STORE = "/v2/memory-stores/{key}"
_ENTITY = f"{_STORE}/memories/{{entity}}"
_DOCUMENT = f"{_ENTITY}/documents/{{document}}"

ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v2/memory-stores", managed(_create, served, status=201)),
    ("GET", "/v2/memory-stores", managed(_list, served)),
    ("GET", _STORE, managed(_one, served)),
    ("PATCH", _STORE, managed(_change, served)),
    ("DELETE", _STORE, managed(_remove, served, status=204)),
    ("POST", f"{_STORE}/memories", managed(_add_entity, served, status=201)),
    ("GET", f"{_STORE}/memories", managed(_entities, served)),
    ("GET", _ENTITY, managed(_entity, served)),
    ("PATCH", _ENTITY, managed(_change_entity, served)),
    ("DELETE", _ENTITY, managed(_remove_entity, served, status=204)),
    ("POST", f"{_ENTITY}/documents", managed(_add, served, status=201)),
    ("GET", f"{_ENTITY}/documents", managed(_documents, served)),
    ("GET", _DOCUMENT, managed(_document, served)),
    ("PATCH", _DOCUMENT, managed(_change_document, served)),
    ("DELETE", _DOCUMENT, managed(_remove_document, served, status=204)),
)
"""Method, whole path, and who answers."""
