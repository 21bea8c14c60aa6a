"""Deleting for good: what is in the way of readers goes first, then what only an auditor would find.

    response: its row says GONE, without words ── its blobs ── its events ── the row says that nothing is left to do
    conversation: its head says GONE ── each row, then the row's blobs and events ── the head says the same

Each part may be repeated: whoever finds something GONE with work left does that work.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from orrery.core.types import Json
from orrery.stores.attributes import pack_item, unpack_item
from orrery.stores.response_bodies import Bodies
from orrery.stores.response_places import AFTER_ROWS, ROW, Place, head_key, partition, place_of_row
from orrery.stores.response_rows import FORGET, FORGET_IF, FORGOTTEN, FORGOTTEN_IF, GONE, LATE_S, update
from orrery.stores.response_writing import in_turn
from orrery.stores.table import ConditionFailed, Table

OF_EVENTS = "PK = :p"
OF_ROWS = "PK = :p AND SK BETWEEN :from AND :to"
LEFT = "SK, blobs, ev"


def events_partition(organization: str, response: str) -> str:
    """The partition key of a response's events."""
    return f"RESPEV#{organization}#{response}"


async def forget(table: Table, key: Json, *, token: str, now: int) -> Json:
    """Takes the words out of a row; gives what it names beside itself: nobody can read any of it from here on.

    A deletion is told from others by its `token`. Raises `Unavailable`, and `ConditionFailed` where there is nothing
    to delete: nothing at all, or something that is deleted, with nothing left to do.
    """
    values = pack_item({":gone": GONE, ":tk": token, ":ttl": now + LATE_S, ":now": now})
    body = update(key, FORGET, FORGET_IF, values) | {"ReturnValues": "ALL_NEW"}
    try:
        return unpack_item((await table.run("UpdateItem", body))["Attributes"])
    except ConditionFailed as refused:
        item = refused.item
        if item is not None and item["st"] == GONE and (item["tk"] == token or item.get("blobs") or item.get("ev")):
            return item
        raise


async def sweep_response(
    table: Table, bodies: Bodies, organization: str, place: Place, left: Mapping[str, Any]
) -> None:
    """What is left to do for a row that is GONE. Raises `Unavailable`."""
    if not left.get("blobs") and not left.get("ev"):
        return
    await _sweep_beside(table, bodies, organization, place, left)
    await _done(table, place.key(organization))


async def sweep_conversation(table: Table, bodies: Bodies, organization: str, tree: str, now: int) -> None:
    """What is left to do for a conversation whose head is GONE. Raises `Unavailable`."""
    body: Json = {
        "KeyConditionExpression": OF_ROWS,
        "ProjectionExpression": LEFT,
        "ExpressionAttributeValues": {
            ":p": {"S": partition(organization, tree)},
            ":from": {"S": ROW},
            ":to": {"S": AFTER_ROWS},
        },
        "ConsistentRead": True,
    }

    async def remove(item: Json) -> None:
        place = place_of_row(tree, item["SK"])
        if item.get("blobs") or item.get("ev"):
            # The row is last: as long as it is there, it names what else is to go. No event comes after this write.
            with suppress(ConditionFailed):
                await forget(table, place.key(organization), token="", now=now)
            await _sweep_beside(table, bodies, organization, place, item)
        await table.run("DeleteItem", {"Key": place.key(organization)})

    await in_turn([item async for item in table.query(body)], remove)
    await _done(table, head_key(organization, tree))


async def _sweep_beside(table: Table, bodies: Bodies, organization: str, place: Place, left: Mapping[str, Any]) -> None:
    await bodies.drop(organization, place.name, left.get("blobs") or ())
    if left.get("ev"):
        await _sweep_events(table, events_partition(organization, f"resp_{place.name}"))


async def _sweep_events(table: Table, events: str) -> None:
    """Harmless where there are none."""
    body: Json = {
        "KeyConditionExpression": OF_EVENTS,
        "ProjectionExpression": "SK",
        "ExpressionAttributeValues": {":p": {"S": events}},
        "ConsistentRead": True,
    }

    async def remove(sort: str) -> None:
        await table.run("DeleteItem", {"Key": {"PK": {"S": events}, "SK": {"S": sort}}})

    await in_turn([item["SK"] async for item in table.query(body)], remove)


async def _done(table: Table, key: Json) -> None:
    body = update(key, FORGOTTEN, FORGOTTEN_IF, {":gone": {"S": GONE}})
    try:
        await table.run("UpdateItem", body)
    except ConditionFailed:
        return  # expired meanwhile
