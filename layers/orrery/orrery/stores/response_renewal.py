"""What is continued lives on: its time begins anew, once a week at most.

Without that, a chain, or a conversation, would lose its oldest words while it goes on.
"""

from orrery.core.responses import KEPT_S
from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.response_bodies import Bodies
from orrery.stores.response_chains import Named
from orrery.stores.response_places import Place, place_of
from orrery.stores.response_rows import RENEW, RENEW_IF, update
from orrery.stores.response_writing import in_turn
from orrery.stores.table import ConditionFailed, Table

AGED_S = 7 * 86_400
"""What was written, or renewed, this long ago is renewed when it is read as a part of a context."""


async def renew(table: Table, bodies: Bodies, organization: str, rows: Named, now: int) -> None:
    """Renews those that have aged, their blobs before them. Raises `Unavailable`."""

    async def one(named: tuple[str, Json]) -> None:
        name, item = named
        await bodies.put_again(organization, name, item)
        place = place_of(f"resp_{name}")
        if place is not None and not await renewed(table, place.key(organization), item["ttl"], now):
            await _unless_there(table, bodies, organization, place, item)

    await in_turn([named for named in rows if has_aged(named[1], now)], one)


def has_aged(item: Json, now: int) -> bool:
    return bool(item["ttl"] < now + KEPT_S - AGED_S)


async def renewed(table: Table, key: Json, seen: int, now: int) -> bool:
    """Begins the time of an item anew. False: it was changed, or deleted, meanwhile."""
    values = pack_item({":ttl": now + KEPT_S, ":seen": seen})
    try:
        await table.run("UpdateItem", update(key, RENEW, RENEW_IF, values))
    except ConditionFailed:
        return False
    return True


async def _unless_there(table: Table, bodies: Bodies, organization: str, place: Place, item: Json) -> None:
    """Deletes the blob again that was put back while its row was deleted."""
    found = await table.get(place.key(organization), "blobs")
    if item["sha"] not in ((found or {}).get("blobs") or ()):
        await bodies.drop(organization, place.name, [item["sha"]])
