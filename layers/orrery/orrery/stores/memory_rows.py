"""What memory stores remember, as it is stored. The stores themselves are `stores.documents`.

| PK                          | SK      | what it is                                                              |
| MEMORY#<org>#<store made>   | E#<id>  | an entity; `docs` counts its documents, `fades`: some of them expire    |
| MEMORY#<org>#<entity made>  | D#<id>  | a document about it; `vec` its vector, of length 1, as float32          |

Stores and entities are named by what they were `made` as: another one of the same key, or id, remembers nothing of the
old one, and a late deletion or write meets nobody else's rows. An entity with `gone` is what is left of one while its
documents are deleted. A document's id begins with when it was made, so that they lie in that order.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery.core.agents import Memory
from orrery.core.errors import Conflict, InvalidRequest, NotFound
from orrery.core.registries import STORE_KEY, MemoryEntity
from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.definition import MEMORY_STORES, organization_id
from orrery.stores.document_rows import Kind

ENTITY, DOCUMENT = "E#", "D#"
PREFIX = "memdoc_"
LONGEST_ID = 40


def _no_store(key: str) -> NotFound:
    return NotFound(f"Memory store '{key[:80]}' not found", code="memory_store_not_found")


def _taken(key: str) -> Conflict:
    return Conflict(f"There is a memory store {key!r} already.", param="key", code="memory_store_exists")


def no_entity(entity: str) -> NotFound:
    return NotFound(f"Memory '{entity[:80]}' not found", code="memory_not_found")


def entity_taken(entity: str) -> Conflict:
    return Conflict(f"There is a memory of {entity!r} already.", param="entity_id", code="memory_exists")


def no_document(document: str) -> NotFound:
    return NotFound(f"Memory document '{document[:80]}' not found", code="memory_document_not_found")


def full(most: int) -> InvalidRequest:
    return InvalidRequest(f"A memory has {most} documents at most: delete some.", code="memory_full")


KIND = Kind("MEMORYSTORE", MEMORY_STORES, STORE_KEY, _no_store, _taken)


@dataclass(frozen=True, slots=True)
class EntityRow:
    """An entity; `store` is the key of the store it is in."""

    organization: str
    store: str
    id: str
    made: str
    docs: int
    fades: bool
    metadata: Mapping[str, str]
    created_at: int
    updated_at: int

    @property
    def partition(self) -> str:
        """Where its documents are."""
        return partition(self.organization, self.made)

    def shown(self, documents: int) -> MemoryEntity:
        return MemoryEntity(self.id, self.store, documents, self.created_at, self.updated_at, self.metadata)


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document. `vector` is empty where it has none. `ends` None: it does not expire."""

    id: str
    text: str = field(repr=False)
    metadata: Mapping[str, str]
    rev: str
    created_at: int
    updated_at: int
    ends: int | None = None
    vector: bytes = field(default=b"", repr=False)

    def memory(self, entity: EntityRow, score: float | None = None) -> Memory:
        return Memory(
            self.id, entity.store, entity.id, self.text, self.created_at, self.updated_at, self.metadata, score
        )


def partition(organization: str, made: str) -> str:
    return f"MEMORY#{organization_id(organization)}#{made}"


def key_of(partition: str, sort: str) -> Json:
    return {"PK": {"S": partition}, "SK": {"S": sort}}


def new_id(now: float) -> str:
    """Sorts by milliseconds, then at random."""
    return f"{PREFIX}{int(now * 1000):012x}{secrets.token_hex(6)}"


def is_id(text: str) -> bool:
    return text.startswith(PREFIX) and len(text) <= LONGEST_ID and text.isascii() and text.isprintable()


def entity_item(row: EntityRow, store_made: str) -> Json:
    item = {
        "PK": partition(row.organization, store_made),
        "SK": ENTITY + row.id,
        "made": row.made,
        "docs": row.docs,
        "fades": row.fades,
        "meta": orjson.dumps(dict(row.metadata)),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    return pack_item(item)


def entity_of(organization: str, store: str, item: Mapping[str, Any] | None) -> EntityRow | None:
    """None where there is none, or only what is left of one."""
    if item is None or "gone" in item:
        return None
    return EntityRow(
        organization,
        store,
        item["SK"].removeprefix(ENTITY),
        item["made"],
        item["docs"],
        item["fades"],
        orjson.loads(item["meta"]),
        item["created_at"],
        item["updated_at"],
    )


def document_item(partition: str, row: DocumentRow) -> Json:
    item: dict[str, Any] = {
        "PK": partition,
        "SK": DOCUMENT + row.id,
        "said": row.text,
        "meta": orjson.dumps(dict(row.metadata)),
        "rev": row.rev,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    if row.ends is not None:
        item |= {"ttl": row.ends, "ends": row.ends}  # DynamoDB's name for it is a word that expressions reserve
    if row.vector:
        item["vec"] = row.vector
    return pack_item(item)


def document_of(item: Mapping[str, Any]) -> DocumentRow:
    return DocumentRow(
        item["SK"].removeprefix(DOCUMENT),
        item["said"],
        orjson.loads(item["meta"]),
        item["rev"],
        item["created_at"],
        item["updated_at"],
        item.get("ends"),
        item.get("vec", b""),
    )
