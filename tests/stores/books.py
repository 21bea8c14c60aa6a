"""What the ledger's tests share: requests of one organization, and the question whether its books are right."""

import itertools
from dataclasses import dataclass, field

from orrery.core.exchange import Hold, Receipt
from orrery.core.ports import AwsCall
from orrery.core.types import Usage
from orrery.stores import expressions
from orrery.stores.account import Account
from orrery.stores.ledger import DynamoLedger
from orrery.stores.reclaim import reclaim_all
from orrery.stores.table import Table

NOW = 1_800_000_000.0
LONG = 10_000.0
"""Seconds after which every hold of these tests is dead."""


class Clock:
    """Stands still until a test sets it."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def no_sleep(seconds: float) -> None:
    """Pauses between attempts take no time."""


def quick_table(call: AwsCall, name: str) -> Table:
    """A table whose time stands still: pauses take none, and patience has no end."""
    return Table(call, name, sleep=no_sleep, clock=lambda: 0.0)


def receipt(cost_nano: int, **more: object) -> Receipt:
    usage = Usage(prompt=7, completion=5, cache_read=2)
    return Receipt(cost_nano, usage, "provider", provider="openai", model="gpt-5", **more)  # type: ignore[arg-type]


@dataclass
class Requests:
    """Makes requests of one organization and remembers their ids, so that the books can be checked against them."""

    ledger: DynamoLedger
    organization: str
    ids: list[str] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def new_id(self) -> str:
        self.ids.append(f"request-{next(self.numbers)}")
        return self.ids[-1]

    async def hold(self, amount_nano: int = 100, request_id: str = "", lifetime_s: float = 60.0) -> Hold:
        return await self.ledger.hold(
            request_id=request_id or self.new_id(),
            organization=self.organization,
            key_id="key",
            amount_nano=amount_nano,
            lifetime_s=lifetime_s,
        )

    async def account(self) -> Account:
        (account,) = await self.ledger.audit(self.organization)
        return account

    async def balance(self) -> int:
        return (await self.account()).balance_nano


async def receipt_of(table: Table, hold: Hold) -> dict[str, object]:
    """The stored receipt; empty when there is none."""
    return await table.get(expressions.receipt_key(hold)) or {}


async def reclaim_dead(table: Table, requests: Requests, now: float = NOW + LONG) -> None:
    """What a sweep does much later, for this organization only."""
    await reclaim_all(table, (await requests.account()).dead_holds(now), int(now))


async def assert_sound(table: Table, requests: Requests) -> Account:
    """The invariants of the ledger's docstring; gives the account."""
    account = await requests.account()
    assert account.drift_nano == 0, account
    assert account.balance_nano >= 0, account
    assert account.debt_nano >= 0, account
    cost = 0
    for request_id in set(requests.ids):
        row = await receipt_of(table, Hold(request_id, requests.organization, 0, 0, 0, ""))
        if row and row["held"] != account.holds.get(request_id):
            cost += int(str(row["cost"]))
    assert cost == account.spent_nano + account.debt_nano, account
    return account


async def assert_closed(table: Table, requests: Requests) -> Account:
    """Sound, and nothing is held any more."""
    account = await assert_sound(table, requests)
    assert not account.holds
    return account
