"""What becomes of the holds of requests that died: their receipt decides, and is final from then on.

| the receipt says     | charged                                                              |
| nothing              | nothing; EXPIRED is written, so that the request cannot settle later |
| STREAM               | the last checkpoint; becomes RECLAIMED                               |
| SETTLED              | its cost: the request died between writing it and settling           |
| EXPIRED, RECLAIMED   | its cost: another reclaimer died in between                          |
| LATE                 | nothing: the hold had been charged already                           |
| another hold's name  | nothing: see below                                                   |

A request that turns out to live settles LATE, for the difference. So a clock that is wrong costs nobody anything.

A write whose answer is lost may arrive late, even after its successor was settled. Each repetition of a hold has a
value of its own, and a receipt names the value it pays for: a straggler that finds another's receipt is given back.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from orrery.core.errors import Unavailable
from orrery.core.exchange import Hold
from orrery.stores import expressions
from orrery.stores.books import TRIES, Receipted, spend
from orrery.stores.table import ConditionFailed, Table

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """What a sweep did. `failed` counts what could not be reached; the next one tries again."""

    accounts: int = 0
    holds: int = 0
    charged_nano: int = 0
    returned_nano: int = 0
    failed: int = 0

    def __add__(self, other: "Reclaimed") -> "Reclaimed":
        return Reclaimed(
            self.accounts + other.accounts,
            self.holds + other.holds,
            self.charged_nano + other.charged_nano,
            self.returned_nano + other.returned_nano,
            self.failed + other.failed,
        )


async def reclaim_all(table: Table, dead: Iterable[Hold], now: int) -> Reclaimed:
    """Ends each of these holds, a few at once. Never raises `Unavailable`: it counts those."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(hold: Hold) -> Reclaimed:
        async with turn:
            try:
                return await reclaim(table, hold, now)
            except Unavailable:
                return Reclaimed(failed=1)

    return sum(await asyncio.gather(*(one(hold) for hold in dead)), Reclaimed())


async def reclaim(table: Table, hold: Hold, now: int) -> Reclaimed:
    """Ends a dead hold. Any number may do so at once; one of them counts it. Raises `Unavailable`."""
    charge = await charge_of(table, hold, now)
    if charge is None:
        return Reclaimed(failed=1)
    if not await spend(table, hold, charge):
        return Reclaimed()
    return Reclaimed(holds=1, charged_nano=charge, returned_nano=max(0, hold.amount_nano - charge))


async def charge_of(table: Table, hold: Hold, now: int) -> int | None:
    """What a dead hold is charged, final once given; None while its request goes on writing."""
    for _ in range(TRIES):
        known = await _close_unknown(table, hold, now)
        if known is None:
            return 0
        if known.state == expressions.STREAM:
            try:
                await table.run("UpdateItem", expressions.close(hold, known.cost_nano))
            except ConditionFailed:
                continue
        return 0 if known.state == expressions.LATE else known.cost_nano
    return None


async def _close_unknown(table: Table, hold: Hold, now: int) -> Receipted | None:
    """What the receipt says; None when it said nothing of this hold, and from now on says EXPIRED."""
    try:
        await table.run("PutItem", expressions.expire(hold, now))
        return None
    except ConditionFailed as found:
        row = found.item
    if row is None or row["held"] != hold.value:
        return None
    return Receipted(row["st"], row["cost"])
