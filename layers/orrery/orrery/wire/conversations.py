"""Conversations: the bodies that make and change them, and what is shown of them.

Source: OpenAI's API document 2.3.0 (`/conversations`), read 2026-11-21.
"""

from collections.abc import Mapping
from typing import Any

from orrery.core.responses import Conversation
from orrery.core.types import Json
from orrery.wire.body import read_json
from orrery.wire.chat_parameters import PARAMETERS
from orrery.wire.response_item_shapes import ITEM
from orrery.wire.response_items import items_of
from orrery.wire.shapes import array, checking, record

MOST_ITEMS = 20
"""Items that may be added at a time."""

_ITEMS = array(ITEM, at_most=MOST_ITEMS)
_METADATA = PARAMETERS["metadata"]

_check_new = checking(record({}, {"items": _ITEMS, "metadata": _METADATA}))
_check_change = checking(record({"metadata": _METADATA}))
_check_items = checking(record({"items": _ITEMS}))


def read_creation(raw: bytes) -> tuple[list[Json], Mapping[str, str]]:
    """The items and the metadata of `POST /conversations`; without a body there are none. Raises `InvalidRequest`."""
    body: Mapping[str, Any] = read_json(raw) if raw.strip() else {}
    _check_new(body)
    return items_of(body.get("items")), body.get("metadata") or {}


def read_change(raw: bytes) -> Mapping[str, str]:
    """The metadata of `POST /conversations/{id}`: it takes the place of the whole. Raises `InvalidRequest`."""
    body = read_json(raw)
    _check_change(body)
    metadata: Mapping[str, str] = body["metadata"]
    return metadata


def read_items(raw: bytes) -> list[Json]:
    """The items of `POST /conversations/{id}/items`, each with an id. Raises `InvalidRequest`."""
    body = read_json(raw)
    _check_items(body)
    return items_of(body["items"])


def conversation(record: Conversation) -> Json:
    """The resource."""
    return {
        "id": record.id,
        "object": "conversation",
        "created_at": record.created_at,
        "metadata": dict(record.metadata),
    }


def deleted(id: str) -> Json:
    """What is left of a conversation."""
    return {"id": id, "object": "conversation.deleted", "deleted": True}
