"""Keys with limits, and the processes that count what they use."""

from typing import Any

import pytest

from orrery.core.errors import LimitExceeded, RateLimited
from orrery.core.types import Principal
from orrery.stores.keys import KeyStore
from orrery.stores.paces import PaceStore
from orrery.stores.table import Table
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Faulty

PEPPER = {1: b"a pepper of 16 b"}


class Process:
    """One process: its own clock, its own memory, its own connection to the table."""

    def __init__(self, table: Table, clock: Clock, *plan: str) -> None:
        self.wire = Faulty(table._call, plan)
        self.keys = KeyStore(quick_table(self.wire, table.name), PEPPER, clock=clock)
        self.paces = PaceStore(quick_table(self.wire, table.name), clock=clock)

    @property
    def writes(self) -> int:
        return sum(1 for action, _ in self.wire.calls if action == "UpdateItem")

    async def admits(self, principal: Principal, tokens: int = 0) -> bool:
        try:
            await self.paces.take(principal, tokens)
        except RateLimited:
            return False
        return True

    async def admitted(self, principal: Principal, times: int, tokens: int = 0) -> int:
        return sum([await self.admits(principal, tokens) for _ in range(times)])


async def a_key(table: Table, clock: Clock, requests: int | None = None, tokens: int | None = None, **more: Any) -> Any:
    """A key with these limits: its token and whom it stands for."""
    store = KeyStore(table, PEPPER, clock=clock)
    token, _ = await store.create(
        organization="org-a",
        workflow="main",
        user="ada",
        requests_per_minute=requests,
        tokens_per_minute=tokens,
        **more,
    )
    return token, (await store.find(token))[0]


async def a_principal(table: Table, clock: Clock, requests: int | None = None, tokens: int | None = None) -> Principal:
    principal: Principal = (await a_key(table, clock, requests, tokens))[1]
    return principal


@pytest.fixture
def one(table: Table, clock: Clock) -> Process:
    return Process(table, clock)


@pytest.fixture
def other(table: Table, clock: Clock) -> Process:
    return Process(table, clock)


async def refusal(process: Process, principal: Principal, tokens: int = 0) -> LimitExceeded:
    with pytest.raises(LimitExceeded) as caught:
        await process.paces.take(principal, tokens)
    return caught.value
