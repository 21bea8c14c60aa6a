"""What was used of budgets: the worst case set aside before a request, what it was after it, exactly once.

    hold      used + a, a hold of its own       one conditional UpdateItem; refused beyond the limit
    settle    used + (c - a), the hold ends     one conditional UpdateItem that names the hold; a second finds it gone

So, for every item at every moment: used == Σ holds + Σ what ended requests used; and used <= limit after every hold.
What a request used beyond its hold stands all the same: the next one is refused then.

A request that died leaves its hold. Whoever is refused because of such ones ends them at what the request's receipt
says (`stores.ledger`), nothing without one: no budget stays used up by nobody. A request counts in the period in which
it began. A limit that is lowered counts from the next hold on; what is held stays.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from orrery.core.errors import RateLimited, Unavailable
from orrery.core.limits import Budget
from orrery.core.types import Json
from orrery.stores.budget_refusals import refusal, short_of, too_many
from orrery.stores.budget_rows import (
    HOLD,
    KEPT_S,
    Held,
    Used,
    dead_holds,
    hold_value,
    holding,
    key_of,
    parsed,
    period_end,
    settling,
    used_of,
)
from orrery.stores.table import ConditionFailed, Table

HOLD_TRIES = 6
"""How often a hold looks again after making room."""

RECLAIMED_AT_ONCE = 32
"""How many dead holds a request ends on its way."""


class BudgetStore:
    """`core.extras.Budgets`. `clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    async def hold(
        self,
        *,
        organization: str,
        request_id: str,
        budget: Budget,
        target: str,
        cost_nano: int,
        tokens: int,
        lifetime_s: float,
    ) -> Held:
        """See `core.extras.Budgets.hold`. The hold that a request has already is given again."""
        now = self._clock()
        key, end = key_of(organization, budget, target, now), period_end(budget.period, now)
        value = hold_value(cost_nano, tokens, math.ceil(now + lifetime_s))
        held = Held(budget, key, request_id, cost_nano, tokens, value)
        short = short_of(held, 0, 0)
        for _ in range(HOLD_TRIES):
            if short is not None:  # more than the whole limit: no room can be made for it
                item = await self._table.get(key)
                raise refusal(held, target, used_of(item, budget, key), short, end=end, now=self._clock())
            try:
                await self._table.run("UpdateItem", holding(held, None if end is None else end + KEPT_S))
                return held
            except ConditionFailed as refused:
                item = refused.item or {}
            if (standing := item.get(HOLD + request_id)) is not None:
                return Held(budget, key, request_id, *parsed(standing)[:2], standing)
            if not await self._make_room(item, held, organization):
                raise self._refused(item, held, target, end)
        raise too_many(held, target)

    def _refused(self, item: Mapping[str, Any], held: Held, target: str, end: int | None) -> RateLimited:
        short = short_of(held, item["cost"], item["tokens"])
        if short is None:
            return too_many(held, target)
        return refusal(held, target, used_of(item, held.budget, held.key), short, end=end, now=self._clock())

    async def _make_room(self, item: Mapping[str, Any], held: Held, organization: str) -> bool:
        """Ends dead holds; False where there are none, or where none can be ended now."""
        dead = dead_holds(item, held.budget, held.key, self._clock())[:RECLAIMED_AT_ONCE]
        return any(await asyncio.gather(*(self._reclaim(each, organization) for each in dead)))

    async def _reclaim(self, dead: Held, organization: str) -> bool:
        """Ends a dead hold at what its request's receipt says. Any number may do so at once; one of them counts."""
        try:
            receipt = await self._table.get({"PK": {"S": f"TX#{organization}#{dead.request_id}"}, "SK": {"S": "TX"}})
            cost_nano, tokens = _charged(dead, receipt or {})
            await self.settle(dead, cost_nano=cost_nano, tokens=tokens)
        except Unavailable:
            return False
        return True

    async def settle(self, hold: Held, *, cost_nano: int, tokens: int) -> None:
        """See `core.extras.Budgets.settle`. The first to end a hold decides what it was."""
        try:
            await self._table.run("UpdateItem", settling(hold, max(0, cost_nano), max(0, tokens)))
        except ConditionFailed:
            return

    async def used(self, organization: str, budget: Budget, target: str) -> Used:
        """What `target` has used in the period that is now. Raises `Unavailable`."""
        key = key_of(organization, budget, target, self._clock())
        return used_of(await self._table.get(key), budget, key)


def _charged(dead: Held, receipt: Json) -> tuple[int, int]:
    """Cost and tokens of a dead request, as far as they concern this budget: none of another provider's or model's."""
    target = dead.key["PK"]["S"].split("#", 3)[3]
    served = {"provider": receipt.get("provider"), "model": f"{receipt.get('provider')}/{receipt.get('model')}"}
    if served.get(dead.budget.scope, target) != target:
        return 0, 0
    return receipt.get("cost", 0), receipt.get("input", 0) + receipt.get("output", 0)
