"""The events of background responses; `core.keeping.EventLogs`.

| PK                | SK           | attributes                                                                        |
| RESPEV#<org>#<id> | <first>      | the number of its first event, 8 digits; of a batch in several parts `#<part>`,   |
|                   |              | 3 digits, follows. `of`: how many parts; `n`: how many events; `b`: the packed    |
|                   |              | batch, or this part of it; `fin`: whether no event comes after them; `ttl`        |

A batch is written together with the question whether its response is there: no event outlives a deletion. It holds 64
events at most, so that whoever reads from a number knows how far back the batch may begin that has it. Readers stop
before a gap: what is missing may still come.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from itertools import batched

import orjson

from orrery.core.errors import NotFound
from orrery.core.responses import KEPT_S, EventLog
from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.definition import organization_id
from orrery.stores.response_bodies import QUICK_BYTES
from orrery.stores.response_places import place_of
from orrery.stores.response_removal import events_partition
from orrery.stores.response_rows import GONE
from orrery.stores.response_writing import transact
from orrery.stores.table import ConditionFailed, Table

MOST_EVENTS = 64
"""In a batch."""

PART_BYTES = 250_000
"""In an item: it takes 400 KB, and the embedded table counts bytes as Base64."""

MOST_BYTES = 4 * 1024 * 1024
"""Of events that are read at once: whoever wants more goes on where they end."""

HAS_EVENTS = "st <> :gone AND ev = :yes"
IS_NEW = "attribute_not_exists(PK)"
SINCE = "PK = :p AND SK >= :since"


class EventLogStore:
    """`clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    async def append(
        self, organization: str, response: str, first: int, events: Sequence[bytes], *, last: bool = False
    ) -> None:
        """See `core.keeping.EventLogs.append`. Nothing is written for a response that is deleted, or logs no events."""
        batches = [list(some) for some in batched(events, MOST_EVENTS, strict=False)] or [[]]
        with suppress(NotFound):
            for number, batch in enumerate(batches):
                is_last = last and number == len(batches) - 1
                await self._append(organization, response, first + number * MOST_EVENTS, batch, is_last)

    async def after(self, organization: str, response: str, number: int) -> EventLog:
        """See `core.keeping.EventLogs.after`. At most about 4 MiB of them."""
        found: list[bytes] = []
        size, wanted = 0, number + 1
        async with aclosing(self._batches(organization, response, wanted)) as batches:  # type: ignore[type-var]  # it is a generator
            async for first, events, is_last in batches:
                if first > wanted:
                    break  # a gap
                new = events[wanted - first :]
                found += new
                wanted += len(new)
                size += sum(map(len, new))
                if is_last:
                    return EventLog(found, ended=True)
                if size > MOST_BYTES:
                    break
        return EventLog(found)

    async def _append(self, organization: str, response: str, first: int, events: list[bytes], last: bool) -> None:
        whole = sum(map(len, events))
        data = await asyncio.to_thread(_packed, events) if whole > QUICK_BYTES else _packed(events)
        parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
        facts = {
            "PK": events_partition(organization_id(organization), response),
            "of": len(parts),
            "n": len(events),
            "fin": last,
            "ttl": int(self._clock()) + KEPT_S,
        }
        for number, part in enumerate(parts):
            sort = f"{first:08d}" if len(parts) == 1 else f"{first:08d}#{number:03d}"
            put: Json = {"Item": pack_item(facts | {"SK": sort, "b": part}), "ConditionExpression": IS_NEW}
            with suppress(ConditionFailed):  # the second arrival
                await transact(self._table, _has_events(organization, response), ("Put", put), "")

    async def _batches(
        self, organization: str, response: str, wanted: int
    ) -> AsyncIterator[tuple[int, list[bytes], bool]]:
        """From the one that may hold the number `wanted` on: the number of its first, its events, whether it ends."""
        body: Json = {
            "KeyConditionExpression": SINCE,
            "ExpressionAttributeValues": {
                ":p": {"S": events_partition(organization_id(organization), response)},
                ":since": {"S": f"{max(0, wanted - MOST_EVENTS + 1):08d}"},
            },
            "ConsistentRead": True,
        }
        parts: list[bytes] = []
        now = self._clock()
        async with aclosing(self._table.query(body)) as items:  # type: ignore[type-var]  # it is a generator
            async for item in items:
                if item["ttl"] <= now:
                    continue
                first, _, part = item["SK"].partition("#")
                parts = [*parts, item["b"]] if int(part or 0) else [item["b"]]
                if len(parts) == item["of"] and int(first) + item["n"] >= wanted:
                    yield int(first), _unpacked(b"".join(parts)), item["fin"]


def _has_events(organization: str, response: str) -> tuple[str, Json]:
    place = place_of(response)
    if place is None:
        raise NotFound("there is no such response")
    return "ConditionCheck", {
        "Key": place.key(organization),
        "ConditionExpression": HAS_EVENTS,
        "ExpressionAttributeValues": pack_item({":gone": GONE, ":yes": True}),
    }


def _packed(events: list[bytes]) -> bytes:
    sizes = orjson.dumps([len(event) for event in events])
    return zlib.compress(b"".join([sizes, b"\n", *events]))


def _unpacked(data: bytes) -> list[bytes]:
    line, _, rest = zlib.decompress(data).partition(b"\n")
    events, place = [], 0
    for size in orjson.loads(line):
        events.append(rest[place : place + size])
        place += size
    return events
