"""Documents under keys of their own, as they are stored.

| PK                 | SK   | what it is                                                                         |
| <KIND>#<org>#<key> | HEAD | the document as JSON, `z` where deflated; its version; `rev`, `made`; `more`       |

`made` is drawn when a document is made: one that was deleted and made anew under its key is another one. `rev` is drawn
at each change. A head with `gone` is what is left while all that hangs on it is deleted.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery.core.agents import StoredDocument
from orrery.core.errors import Conflict, NotFound
from orrery.core.registries import KeyRule
from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.definition import organization_id
from orrery.stores.table import ConditionFailed, Table

HEAD = "HEAD"
DEFLATED_BYTES = 4 * 1024
"""Documents above this are deflated: a read costs by the 4 KB."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of document: what its keys begin with in the table, and how it is spoken of."""

    prefix: str
    listing: str
    rule: KeyRule
    missing: Callable[[str], NotFound]
    taken: Callable[[str], Conflict]

    def partition(self, organization: str, key: str) -> str:
        return f"{self.prefix}#{organization_id(organization)}#{key}"


@dataclass(frozen=True, slots=True)
class Head:
    """A document. `raw` is it as JSON; `more` is what its store keeps beside it, JSON too."""

    organization: str
    key: str
    made: str
    rev: str
    version: str
    raw: bytes = field(repr=False)
    created_at: int = 0
    updated_at: int = 0
    more: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def document(self) -> StoredDocument:
        body = orjson.loads(self.raw)
        return StoredDocument(self.key, self.key, body, self.created_at, self.updated_at, self.version)


def head_item(kind: Kind, head: Head) -> Json:
    """What is stored."""
    deflated = len(head.raw) > DEFLATED_BYTES
    item = {
        "PK": kind.partition(head.organization, head.key),
        "SK": HEAD,
        "GPK": kind.listing + head.organization,
        "GSK": cursor_of(head),
        "made": head.made,
        "rev": head.rev,
        "v": head.version,
        "doc": zlib.compress(head.raw) if deflated else head.raw,
        "more": orjson.dumps(head.more),
        "created_at": head.created_at,
        "updated_at": head.updated_at,
    }
    return pack_item(item | {"z": True} if deflated else item)


def head_of(organization: str, key: str, item: Mapping[str, Any] | None) -> Head | None:
    """What an item says; None where there is none, or only what is left of one."""
    if item is None or "gone" in item:
        return None
    return Head(
        organization,
        key,
        item["made"],
        item["rev"],
        item["v"],
        inflated(item),
        item["created_at"],
        item["updated_at"],
        orjson.loads(item["more"]),
    )


def inflated(item: Mapping[str, Any]) -> bytes:
    """The document of an item, as JSON."""
    raw: bytes = item["doc"]
    return zlib.decompress(raw) if item.get("z") else raw


def raw_of(body: Mapping[str, Any]) -> bytes:
    """A document as it is stored: in its author's order, for that of a schema's fields matters."""
    return orjson.dumps(body)


def put(item: Json, condition: str, seen: str | None = None) -> Json:
    """A Put of a transaction."""
    body: Json = {"Item": item, "ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if seen is not None:
        body["ExpressionAttributeValues"] = {":seen": {"S": seen}}
    return {"Put": body}


async def delete(table: Table, key: Json, condition: str, values: Json) -> bool:
    """Deletes an item if it is the one that is meant; whether it was. Harmless when repeated, or late."""
    body: Json = {"Key": key, "ConditionExpression": condition, "ExpressionAttributeValues": values}
    try:
        await table.run("DeleteItem", body)
    except ConditionFailed:
        return False
    return True


def cursor_of(head: Head) -> str:
    """The place in the list: by age, then by key."""
    return f"{head.created_at:012d}#{head.key}"
