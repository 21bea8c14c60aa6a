"""Limits and budgets from the bearer token to the provider: real stores over one table, many requests at once."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from orrery.core.errors import GatewayError, LimitExceeded
from orrery.core.limits import Budget
from orrery.core.types import Principal
from orrery.edge.credentials import StoredCredentials
from orrery.edge.embedded.engine import Engine
from orrery.edge.vault import NoVault
from orrery.flow.serve import serve
from orrery.stores.budgets import BudgetStore
from orrery.stores.credentials import CredentialStore
from orrery.stores.definition import DEFINITION
from orrery.stores.keys import KeyStore
from orrery.stores.ledger import DynamoLedger
from orrery.stores.paces import PaceStore
from orrery.stores.table import Table
from tests.fakes import FakeTransport, Room, completion
from tests.flow.asking import HELLO, arrive, read

ORGANIZATION = "org-a"
_ids = itertools.count()


class Endless(FakeTransport):
    """Answers every request alike."""

    def send(self, request: Any, timeout_s: float) -> Any:
        self.replies.append(completion(prompt=10, output=5))
        return super().send(request, timeout_s)


@dataclass
class Extras:
    paces: PaceStore
    budgets: BudgetStore
    breakers: None = None


class Gateway:
    """One process of the gateway; several may stand over one table."""

    def __init__(self, table: Table) -> None:
        now = lambda: 1_800_000_000.0  # noqa: E731  # a clock that stands still: nothing flows back while we look
        self.table = table
        self.keys = KeyStore(table, {1: b"a pepper of 16 b"}, clock=now)
        self.own = StoredCredentials(CredentialStore(table), NoVault())
        self.ledger = DynamoLedger(table)
        self.budgets = BudgetStore(table, clock=now)
        self.transport = Endless()
        room = Room(transport=self.transport, own=self.own, extras=Extras(PaceStore(table, clock=now), self.budgets))
        self.gateway = replace(room.gateway(), keys=self.keys, ledger=self.ledger)

    async def key(self, **limits: int) -> str:
        token, _ = await self.keys.create(organization=ORGANIZATION, workflow="main", user="ada", **limits)
        return token

    async def ask(self, token: str, **body: Any) -> Any:
        """The exchange of a request that was served, or the error that refused it."""
        arrival = replace(await arrive(), id=f"request-{next(_ids)}")
        try:
            answer = await serve(token, lambda _: read(HELLO | {"max_tokens": 40} | body), arrival, self.gateway)
        except GatewayError as err:
            return err
        async for _ in answer.batches:
            pass
        await answer.close()
        return answer.exchange


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    engine = Engine(tmp_path / "journal")
    engine.run("CreateTable", DEFINITION | {"TableName": "orrery"})
    table = Table(engine.call, "orrery")

    async def found() -> None:
        ledger = DynamoLedger(table)
        await ledger.create_organization(ORGANIZATION, ORGANIZATION)
        await ledger.grant(ORGANIZATION, 10**12, "first", "test")

    asyncio.run(found())
    yield table
    engine.close()


def served(outcomes: list[Any]) -> int:
    assert all(isinstance(each, LimitExceeded) for each in outcomes if isinstance(each, Exception)), outcomes
    return sum(not isinstance(each, Exception) for each in outcomes)


async def test_thirty_two_at_once_over_two_processes_are_served_as_often_as_the_key_allows(table: Table) -> None:
    one, other = Gateway(table), Gateway(table)
    token = await one.key(requests_per_minute=10)
    outcomes = await asyncio.gather(*((one if n % 2 else other).ask(token) for n in range(32)))
    assert served(outcomes) == 10
    assert len(one.transport.requests) + len(other.transport.requests) == 10


async def test_tokens_that_were_not_used_serve_the_next(table: Table) -> None:
    gateway = Gateway(table)
    token = await gateway.key(tokens_per_minute=100)
    # Each takes about 70 and uses 15: one after another six fit, at once only one does.
    assert served([await gateway.ask(token) for _ in range(4)]) >= 2
    other = await gateway.key(tokens_per_minute=100)
    assert served(await asyncio.gather(*(gateway.ask(other) for _ in range(8)))) == 1


async def test_a_budget_set_through_one_process_bounds_all_that_is_used(table: Table) -> None:
    gateway = Gateway(table)
    token = await gateway.key()
    budget = Budget("organization", ORGANIZATION, "one_time", tokens=300)
    await gateway.own.put_budget(ORGANIZATION, budget)
    outcomes = await asyncio.gather(*(gateway.ask(token) for _ in range(32)))
    used = await gateway.budgets.used(ORGANIZATION, budget, ORGANIZATION)
    assert 0 < served(outcomes) < 32
    assert (used.tokens, used.running) == (15 * served(outcomes), 0)
    while served([await gateway.ask(token)]):
        pass
    used = await gateway.budgets.used(ORGANIZATION, budget, ORGANIZATION)
    assert used.tokens <= 300 and used.held_tokens == 0
    await gateway.own.remove_budget(ORGANIZATION, budget.id)
    assert served([await gateway.ask(token)]) == 1


async def test_what_is_used_of_a_budget_is_what_was_charged(table: Table) -> None:
    gateway = Gateway(table)
    token = await gateway.key()
    budget = Budget("provider", "openai", "monthly", cost_nano=10**9)
    await gateway.own.put_budget(ORGANIZATION, budget)
    for _ in range(3):
        await gateway.ask(token)
    charged = 10**12 - (await gateway.ledger.balance(ORGANIZATION)).balance_nano
    assert (await gateway.budgets.used(ORGANIZATION, budget, "openai")).cost_nano == charged > 0


async def test_a_limit_set_on_a_key_in_use_is_no_reason_to_send_its_owner_away(table: Table) -> None:
    gateway = Gateway(table)
    token = await gateway.key()
    assert served([await gateway.ask(token)]) == 1
    principal: Principal = (await gateway.keys.find(token))[0]
    operator = Gateway(table)
    await operator.keys.limit(
        principal.key_id, organization=ORGANIZATION, requests_per_minute=3, tokens_per_minute=None
    )
    assert served([await gateway.ask(token) for _ in range(6)]) == 3
