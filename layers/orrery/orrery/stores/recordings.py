"""Answers that are kept for a while; `core.extras.Recordings`.

| PK               | SK  | attributes                                                                                |
| ANS#<org>#<name> | ANS | `b`, or `sha` and `n`: the answer (see `answers`); `made`: when, epoch ms; `ttl`          |

They are read without consistency, at half the price: what was written this very moment may be missed, and is asked for
once more then.
"""

import time
from collections.abc import Callable

from orrery.core.ports import Blobs
from orrery.core.records import Recording
from orrery.core.types import Json
from orrery.stores.answers import Shelf
from orrery.stores.attributes import pack_item, unpack_item
from orrery.stores.definition import organization_id
from orrery.stores.table import ConditionFailed, Table

# A write that was repeated on its way may arrive after the next one.
IS_NEWEST = "attribute_not_exists(PK) OR made <= :made"


class RecordingStore:
    """`clock` gives epoch seconds. Without `blobs`, answers that fit into no item are not kept."""

    def __init__(self, table: Table, blobs: Blobs | None, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._shelf = Shelf(blobs)
        self._clock = clock

    async def load(self, organization: str, name: str) -> Recording | None:
        """See `core.extras.Recordings.load`. None, too, for one whose time is over, or whose blob is lost."""
        found = (await self._table.run("GetItem", {"Key": key_of(organization, name)})).get("Item")
        item = unpack_item(found) if found else None
        if item is None or item["ttl"] <= self._clock():
            return None
        return await self._shelf.get(organization, item)

    async def keep(self, organization: str, name: str, recording: Recording, ttl_s: int) -> None:
        """See `core.extras.Recordings.keep`. One that is too large is not kept."""
        key = key_of(organization, name)
        answer = await self._shelf.put(organization, recording)
        if answer is None:
            return
        now = self._clock()
        facts = pack_item({"made": int(now * 1000), "ttl": int(now) + ttl_s})
        body: Json = {
            "Item": key | facts | answer,
            "ConditionExpression": IS_NEWEST,
            "ExpressionAttributeValues": {":made": facts["made"]},
        }
        try:
            await self._table.run("PutItem", body)
        except ConditionFailed:
            return  # a newer one stands there


def key_of(organization: str, name: str) -> Json:
    """The primary key of an answer."""
    return pack_item({"PK": f"ANS#{organization_id(organization)}#{name}", "SK": "ANS"})
