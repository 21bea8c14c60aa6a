"""Any order of anything: hypothesis makes up lives of one organization, and the books are right after each step."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from orrery.core.errors import OutOfCredit, Unavailable
from orrery.core.exchange import Hold
from orrery.stores.ledger import DynamoLedger
from orrery.stores.reclaim import reclaim
from orrery.stores.table import Table
from tests.stores.books import (
    LONG,
    Clock,
    Requests,
    assert_closed,
    assert_sound,
    quick_table,
    receipt,
    receipt_of,
    reclaim_dead,
)
from tests.stores.faults import Crash, Faulty

AMOUNTS = st.integers(min_value=0, max_value=500)
FAULTS = st.just([]) | st.lists(
    st.sampled_from(["", "lose", "duplicate", "drop", "straggle", "before", "after"]), min_size=1, max_size=3
)


class Life(RuleBasedStateMachine):
    """One organization. `final` is what each request's first final receipt said; `unsure`, whether it was written."""

    table: Table  # set by the test

    holds = Bundle("holds")

    @initialize()
    def begin(self) -> None:
        self.clock = Clock()
        self.faulty = Faulty(self.table._call)
        self.ledger = DynamoLedger(quick_table(self.faulty, self.table.name), clock=self.clock)
        self.organization = self.run(self.ledger.create_organization("acme"))
        self.requests = Requests(self.ledger, self.organization)
        self.run(self.ledger.grant(self.organization, 1000, "first", "test"))
        self.granted = {"first": 1000}
        self.final: dict[str, int] = {}

    def run(self, step: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(step)

    def attempt(self, step: Coroutine[Any, Any, Any], faults: list[str]) -> Any:
        """Does a step through these faults; None when it did not end, and then the process is a new one."""
        self.faulty.plan = list(faults)
        try:
            return self.run(step) or True
        except (Crash, Unavailable):
            self.ledger = DynamoLedger(quick_table(self.faulty, self.table.name), clock=self.clock)
            self.requests.ledger = self.ledger
            return None
        finally:
            self.faulty.plan = []

    @rule(event=st.sampled_from("abcdef"), faults=FAULTS)
    def grant(self, event: str, faults: list[str]) -> None:
        amount = 100 * ord(event) - 9600
        self.attempt(self.ledger.grant(self.organization, amount, event, "test"), faults)
        self.granted[event] = amount

    @rule(target=holds, amount=AMOUNTS, lifetime_s=st.sampled_from([-LONG, 60.0]), faults=FAULTS)
    def hold(self, amount: int, lifetime_s: float, faults: list[str]) -> Hold | None:
        try:
            made = self.attempt(self.requests.hold(amount, lifetime_s=lifetime_s), faults)
        except OutOfCredit as refused:
            assert refused.available_nano < max(1, amount)
            return None
        return made if isinstance(made, Hold) else None

    @rule(hold=holds, cost=AMOUNTS, faults=FAULTS)
    def checkpoint(self, hold: Hold | None, cost: int, faults: list[str]) -> None:
        if hold:
            self.attempt(self.ledger.checkpoint(hold, receipt(cost)), faults)

    @rule(hold=holds, cost=AMOUNTS, faults=FAULTS)
    def record(self, hold: Hold | None, cost: int, faults: list[str]) -> None:
        if hold and self.attempt(self.ledger.record(hold, receipt(cost)), faults):
            self.note(hold)

    @rule(hold=holds, cost=AMOUNTS, faults=FAULTS)
    def settle(self, hold: Hold | None, cost: int, faults: list[str]) -> None:
        if hold and self.attempt(self.ledger.settle(hold, receipt(cost)), faults):
            self.note(hold)
            assert self.final[hold.request_id] == self.cost(hold)

    @rule(hold=holds)
    def reclaim(self, hold: Hold | None) -> None:
        """A reclaimer whose clock is ahead, or who saw this hold long ago."""
        if hold:
            self.run(reclaim(self.table, hold, int(self.clock.now)))

    @rule(faults=FAULTS)
    def sweep(self, faults: list[str]) -> None:
        self.attempt(self.ledger.sweep(), faults)

    @rule(seconds=st.sampled_from([61.0, 121.0, 3600.0, -3600.0, 1e9, -1e9]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now = min(max(self.clock.now + seconds, 1e9), 4e9)

    @rule()
    @precondition(lambda self: self.faulty.stragglers)
    def stragglers_arrive(self) -> None:
        self.run(self.faulty.arrive())

    def note(self, hold: Hold) -> None:
        """From its first final receipt on, the cost of a request never changes."""
        if (row := self.run(receipt_of(self.table, hold)))["st"] in ("SETTLED", "LATE"):
            assert self.final.setdefault(hold.request_id, row["cost"]) == row["cost"]

    def cost(self, hold: Hold) -> int:
        return int(self.run(receipt_of(self.table, hold))["cost"])

    @invariant()
    def the_books_are_right(self) -> None:
        if hasattr(self, "requests"):
            self.run(assert_sound(self.table, self.requests))

    def teardown(self) -> None:
        if not hasattr(self, "requests"):
            return
        self.run(self.faulty.arrive())
        self.run(reclaim_dead(self.table, self.requests, 5e9))
        account = self.run(assert_closed(self.table, self.requests))
        assert account.granted_nano <= sum(self.granted.values())


def test_the_books_are_right_after_every_step_of_any_life(table: Table) -> None:
    class ThisLife(Life):
        pass

    ThisLife.table = table
    ThisLife.TestCase.settings = settings(
        max_examples=15,
        stateful_step_count=30,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    ThisLife.TestCase("runTest").runTest()
