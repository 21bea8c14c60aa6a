"""What the tests of budgets share: processes over one table, and whether an item's books are right."""

from typing import Any

from orrery.core.errors import RateLimited
from orrery.core.exchange import Hold, Receipt
from orrery.core.limits import Budget, Period
from orrery.core.types import Json, Usage
from orrery.stores.attributes import pack_item
from orrery.stores.budget_rows import Held, key_of, used_of
from orrery.stores.budgets import BudgetStore
from orrery.stores.ledger import DynamoLedger
from orrery.stores.table import Table
from tests.stores.books import NOW, Clock, quick_table
from tests.stores.faults import Faulty

ORGANIZATION = "org-a"


def cost_budget(nano: int = 1_000, period: Period = "monthly", **more: Any) -> Budget:
    return Budget(more.pop("scope", "key"), more.pop("target", "key1"), period, cost_nano=nano, **more)


def token_budget(tokens: int = 1_000, period: Period = "daily") -> Budget:
    return Budget("identity", "*", period, tokens=tokens)


class Process:
    """One process: its own clock and its own connection to the table."""

    def __init__(self, table: Table, clock: Clock | None = None, *plan: str) -> None:
        self.wire = Faulty(table._call, plan)
        self.clock = clock or Clock()
        self.budgets = BudgetStore(quick_table(self.wire, table.name), clock=self.clock)

    async def hold(self, request_id: str, budget: Budget, cost: int = 0, tokens: int = 0, **more: Any) -> Held:
        given = {"organization": ORGANIZATION, "target": budget.target, "lifetime_s": 60.0} | more
        return await self.budgets.hold(request_id=request_id, budget=budget, cost_nano=cost, tokens=tokens, **given)

    async def admits(self, request_id: str, budget: Budget, cost: int = 0, tokens: int = 0, **more: Any) -> bool:
        try:
            await self.hold(request_id, budget, cost, tokens, **more)
        except RateLimited:
            return False
        return True


async def stored(table: Table, budget: Budget, target: str = "", now: float = NOW) -> Json | None:
    """The item of a budget."""
    return await table.get(key_of(ORGANIZATION, budget, target or budget.target, now))


async def used(table: Table, budget: Budget, target: str = "", now: float = NOW) -> tuple[int, int]:
    """What ended requests used, checked against everything that the item says."""
    item, key = await stored(table, budget, target, now), key_of(ORGANIZATION, budget, target or budget.target, now)
    found = used_of(item, budget, key)
    if item is not None:
        assert item["running"] == found.running
    assert found.cost_nano >= 0 and found.tokens >= 0
    return found.cost_nano, found.tokens


async def write_receipt(table: Table, request_id: str, cost: int, state: str = "SETTLED", **more: Any) -> None:
    """What the ledger leaves of a request."""
    ledger = DynamoLedger(table, clock=Clock())
    hold = Hold(request_id, ORGANIZATION, 0, cost + 1, int(NOW), f"{cost + 1}|{int(NOW)}", "key1")
    given = {"provider": "openai", "model": "gpt-4o"} | more
    receipt = Receipt(cost, Usage(prompt=30, completion=12), "provider", **given)
    await (ledger.record if state == "SETTLED" else ledger.checkpoint)(hold, receipt)


async def write_expired(table: Table, request_id: str) -> None:
    """A request that the ledger gave up."""
    row = {"PK": f"TX#{ORGANIZATION}#{request_id}", "SK": "TX", "st": "EXPIRED", "cost": 0, "held": "x", "expires": 1}
    await table.run("PutItem", {"Item": pack_item(row)})
