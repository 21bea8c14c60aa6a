"""Breakers: which targets cool down, in this process's memory and, so that others know, in the table.

Only openings are written, and failures are counted where they happen: a process that sees none pays nothing. What is
not known, for a table that is slow or away, is not spared. `stores.breaker_memory` says when one opens.

| PK         | SK  | attribute | what it is                                                       |
| BRK#<name> | BRK | until     | epoch milliseconds: it is spared until then                      |
|            |     | opened    | how often it has opened since it last worked                     |
|            |     | ttl       | epoch seconds: after that, `opened` counts from the beginning    |

<name> is percent-encoded. Names of organizations' own breakers begin with theirs; pooled targets are the operator's.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from orrery.core.errors import Unavailable
from orrery.core.types import Json
from orrery.stores.attributes import pack
from orrery.stores.breaker_memory import LONGEST_MS, Breaker
from orrery.stores.table import ConditionFailed, Table

PATIENCE_S = 0.5
"""What is not known after this long does not spare: somebody waits."""

SIZE = 1024
"""Breakers in memory; the longest unused goes first."""

LONGEST_NAME = 1024
"""Characters, encoded: a partition key has at most 2,048 bytes, and no model has such a name."""

PARTITION = "BRK#"
SORT = "BRK"
OPEN = "SET #until = :until, opened = :opened, #ttl = :ttl"
IS_LONGER = "attribute_not_exists(PK) OR #until < :until"
NAMES = {"#until": "until", "#ttl": "ttl"}


def key_of(name: str) -> Json:
    """The primary key of a breaker's item."""
    return {"PK": {"S": PARTITION + quote(name, safe="/|")}, "SK": {"S": SORT}}


class BreakerStore:
    """`core.extras.Breakers`. `clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock
        self._known: dict[str, Breaker] = {}

    async def cooling(self, names: Sequence[str]) -> frozenset[str]:
        """See `core.extras.Breakers.cooling`. Reads what is not known, all at once."""
        now_ms = self._now_ms()
        unread = [name for name in names if _fits(name) and self._of(name).is_stale(now_ms)]
        for name in unread:  # a table that is slow or away is not asked again for each request
            self._of(name).read_ms = now_ms
        if unread:
            await _soon(asyncio.gather(*map(self._read, unread)))
        now_ms = self._now_ms()
        return frozenset(name for name in names if name in self._known and self._known[name].is_open(now_ms))

    async def failed(self, name: str, *, retry_after_s: float | None) -> None:
        """See `core.extras.Breakers.failed`. Writes where it opens."""
        if not _fits(name):
            return
        known, now_ms = self._of(name), self._now_ms()
        if known.fails(now_ms, retry_after_s):
            await _soon(self._write(name, known))

    def worked(self, name: str) -> None:
        """See `core.extras.Breakers.worked`. What was under way when it opened does not close it."""
        known = self._known.get(name)
        if known is not None:
            known.works(self._now_ms())

    def _of(self, name: str) -> Breaker:
        known = self._known.pop(name, None) or Breaker()
        self._known[name] = known
        if len(self._known) > SIZE:
            del self._known[next(iter(self._known))]
        return known

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    async def _read(self, name: str) -> None:
        try:
            item = await self._table.get(key_of(name))
        except Unavailable:
            return
        self._adopt(name, item)

    async def _write(self, name: str, known: Breaker) -> None:
        ttl = (known.until_ms + LONGEST_MS) // 1000
        body: Json = {
            "Key": key_of(name),
            "UpdateExpression": OPEN,
            "ConditionExpression": IS_LONGER,
            "ExpressionAttributeNames": NAMES,
            "ExpressionAttributeValues": {
                ":until": pack(known.until_ms),
                ":opened": pack(known.opened),
                ":ttl": pack(ttl),
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            await self._table.run("UpdateItem", body)
        except ConditionFailed as refused:  # a later opening stands, or our own whose answer was lost
            self._adopt(name, refused.item)
        except Unavailable:
            return  # then only this process knows

    def _adopt(self, name: str, item: Json | None) -> None:
        if item is not None and item["ttl"] * 1000 > self._now_ms():
            self._of(name).learn(item["until"], item["opened"], self._now_ms())


async def _soon(work: Awaitable[object]) -> None:
    """Waits for it, not for long."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await work
    except TimeoutError:
        return


def _fits(name: str) -> bool:
    return len(quote(name, safe="/|")) <= LONGEST_NAME
