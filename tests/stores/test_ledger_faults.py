"""Answers lost, writes doubled, writes late, processes dead: at every single call of a ledger's life."""

import itertools
import random
from collections.abc import Awaitable, Callable

import pytest

from orrery.core.errors import OutOfCredit, Unavailable
from orrery.core.exchange import Hold
from orrery.stores.ledger import DynamoLedger
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
from tests.stores.faults import THROTTLED, Crash, Faulty

LAST_CALL = 40
"""More than any of these lives makes."""


def at(index: int, fault: str) -> list[str]:
    return [""] * index + [fault]


def through(faulty: Faulty, table: Table, clock: Clock) -> DynamoLedger:
    return DynamoLedger(quick_table(faulty, table.name), clock=clock)


async def live(requests: Requests) -> None:
    """A request with a checkpoint, one that outgrows its hold, one that dies, a debt and a grant that pays it."""
    ledger = requests.ledger
    first = await requests.hold(300)
    await ledger.checkpoint(first, receipt(50))
    await ledger.record(first, receipt(120))
    await ledger.settle(first, receipt(120))
    await ledger.settle(await requests.hold(100), receipt(250))
    await requests.hold(30)
    await ledger.settle(await requests.hold(500), receipt(700))
    await ledger.grant(requests.organization, 200, "more", "test")


@pytest.mark.parametrize("fault", ["lose", "duplicate", "drop", "throttle", "straggle"])
async def test_one_fault_anywhere_changes_nothing(table, clock: Clock, fault: str, ledger: DynamoLedger) -> None:
    for index in itertools.count():
        organization = await ledger.create_organization("acme")
        await ledger.grant(organization, 1000, "first", "test")
        faulty = Faulty(table._call, at(index, fault))
        requests = Requests(through(faulty, table, clock), organization)
        await live(requests)
        await faulty.arrive()
        await assert_sound(table, requests)
        await reclaim_dead(table, requests)
        account = await assert_closed(table, requests)
        assert (account.balance_nano, account.spent_nano, account.debt_nano) == (130, 1070, 0), (index, account)
        if faulty.plan:
            break
    assert 12 < index < LAST_CALL


async def test_a_straggling_hold_that_lands_after_its_successor_was_settled_is_given_back(
    table, requests: Requests, clock: Clock
) -> None:
    faulty = Faulty(table._call, ["straggle"])
    requests.ledger = through(faulty, table, clock)
    await requests.ledger.settle(await requests.hold(300), receipt(120))
    await faulty.arrive()
    assert (await assert_sound(table, requests)).held_nano == 300
    clock.now += LONG
    await DynamoLedger(table, clock=clock).sweep()
    assert (await assert_closed(table, requests)).spent_nano == 120


async def test_a_hold_whose_answers_are_all_lost_is_refused_and_given_back(table, requests, clock: Clock) -> None:
    requests.ledger = through(Faulty(table._call, ["lose", "drop", "drop", "drop"]), table, clock)
    with pytest.raises(Unavailable):
        await requests.hold(300)
    clock.now += LONG
    await DynamoLedger(table, clock=clock).sweep()
    assert (await assert_closed(table, requests)).balance_nano == 1000


async def test_without_a_table_nothing_is_admitted(table, requests: Requests, clock: Clock) -> None:
    requests.ledger = through(Faulty(table._call, ["drop"] * 4), table, clock)
    with pytest.raises(Unavailable) as caught:
        await requests.hold(300)
    assert caught.value.headers() == {"retry-after": "1"}
    assert (await assert_closed(table, requests)).balance_nano == 1000


async def test_a_settling_that_failed_may_be_repeated(table, requests: Requests, clock: Clock) -> None:
    hold = await requests.hold(300)
    ledger = through(Faulty(table._call, ["drop"] * 4 + ["", *["drop"] * 4]), table, clock)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await ledger.settle(hold, receipt(120))
    await ledger.settle(hold, receipt(120))
    assert (await assert_closed(table, requests)).spent_nano == 120


async def test_with_a_third_of_all_calls_throttled_the_books_stay_right(table, requests: Requests, clock) -> None:
    die = random.Random(30)

    class Throttling(Faulty):
        def next_fault(self) -> str:
            return "throttle" if die.random() < 0.3 else ""

    faulty = Throttling(table._call)
    requests.ledger = through(faulty, table, clock)
    refused = 0
    for _ in range(100):
        try:
            hold = await requests.hold(20)
            await requests.ledger.record(hold, receipt(5))
            await requests.ledger.settle(hold, receipt(5))
        except Unavailable:
            refused += 1
    assert 0 < refused < 10
    assert len(faulty.calls) > 300
    clock.now += LONG
    await DynamoLedger(table, clock=clock).sweep()
    account = await assert_closed(table, requests)
    assert 5 * (100 - refused) <= account.spent_nano <= 500


async def crash_everywhere(
    ledger: DynamoLedger,
    table: Table,
    clock: Clock,
    prepare: Callable[[Requests], Awaitable[list[Hold]]],
    act: Callable[[Requests, list[Hold]], Awaitable[None]],
    check: Callable[[Requests, list[Hold]], Awaitable[None]],
) -> int:
    """Lets a process die before and after each call of `act`; gives how many calls that were."""
    for when in ("before", "after"):
        for index in range(LAST_CALL):
            organization = await ledger.create_organization("acme")
            await ledger.grant(organization, 1000, "first", "test")
            requests = Requests(ledger, organization)
            holds = await prepare(requests)
            requests.ledger = through(Faulty(table._call, at(index, when)), table, clock)
            try:
                await act(requests, holds)
                crashed = False
            except Crash:
                crashed = True
            requests.ledger = ledger
            await assert_sound(table, requests)
            await check(requests, holds)
            if not crashed:
                break
    return index


async def test_a_request_may_die_between_any_two_steps(table, ledger: DynamoLedger, clock: Clock) -> None:
    async def none(requests: Requests) -> list[Hold]:
        return []

    async def act(requests: Requests, holds: list[Hold]) -> None:
        hold = await requests.hold(300)
        holds.append(hold)
        await requests.ledger.checkpoint(hold, receipt(50))
        await requests.ledger.record(hold, receipt(120))
        await requests.ledger.settle(hold, receipt(120))

    charged = set()

    async def check(requests: Requests, holds: list[Hold]) -> None:
        await reclaim_dead(table, requests)
        account = await assert_closed(table, requests)
        charged.add(account.spent_nano)
        stored = await receipt_of(table, Hold(requests.ids[0], requests.organization, 0, 0, 0, ""))
        assert account.spent_nano == stored.get("cost", 0)

    assert await crash_everywhere(ledger, table, clock, none, act, check) == 4
    assert charged == {0, 50, 120}


async def test_a_reclaimer_may_die_between_any_two_steps(table, ledger: DynamoLedger, clock: Clock) -> None:
    async def prepare(requests: Requests) -> list[Hold]:
        holds = [await requests.hold(200) for _ in range(4)]
        await requests.ledger.checkpoint(holds[1], receipt(50))
        await requests.ledger.record(holds[2], receipt(120))
        await requests.ledger.record(holds[3], receipt(330))
        return holds

    async def act(requests: Requests, holds: list[Hold]) -> None:
        from orrery.stores.reclaim import reclaim

        for hold in holds:
            await reclaim(requests.ledger._table, hold, int(clock.now + LONG))

    async def check(requests: Requests, holds: list[Hold]) -> None:
        await reclaim_dead(table, requests)
        account = await assert_closed(table, requests)
        assert account.spent_nano + account.debt_nano == 500

    assert await crash_everywhere(ledger, table, clock, prepare, act, check) > 8


async def test_a_late_request_may_die_between_any_two_steps(table, ledger: DynamoLedger, clock: Clock) -> None:
    async def prepare(requests: Requests) -> list[Hold]:
        holds = [await requests.hold(200) for _ in range(2)]
        await requests.ledger.checkpoint(holds[1], receipt(150))
        await reclaim_dead(table, requests)
        return holds

    async def act(requests: Requests, holds: list[Hold]) -> None:
        await requests.ledger.settle(holds[0], receipt(700))
        await requests.ledger.settle(holds[1], receipt(100))

    async def check(requests: Requests, holds: list[Hold]) -> None:
        await act(requests, holds)  # a second process says the same
        account = await assert_closed(table, requests)
        assert account.spent_nano + account.debt_nano == 800

    assert await crash_everywhere(ledger, table, clock, prepare, act, check) > 6


async def test_a_grant_may_die_between_any_two_steps(table, ledger: DynamoLedger, clock: Clock) -> None:
    async def prepare(requests: Requests) -> list[Hold]:
        await requests.ledger.settle(await requests.hold(1000), receipt(1100))
        return []

    async def act(requests: Requests, holds: list[Hold]) -> None:
        await requests.ledger.grant(requests.organization, 500, "more", "test")

    async def check(requests: Requests, holds: list[Hold]) -> None:
        await act(requests, holds)
        account = await assert_closed(table, requests)
        assert (account.balance_nano, account.granted_nano, account.debt_nano) == (400, 1500, 0)

    assert await crash_everywhere(ledger, table, clock, prepare, act, check) == 3


async def test_a_hold_pays_what_a_dead_grant_left_owing(table, requests: Requests, clock: Clock) -> None:
    await requests.ledger.settle(await requests.hold(1000), receipt(1100))
    with pytest.raises(Crash):
        await through(Faulty(table._call, at(0, "after")), table, clock).grant(requests.organization, 500, "e", "test")
    await requests.hold(400)
    with pytest.raises(OutOfCredit):
        await requests.hold(1)


async def test_a_sweep_goes_on_past_a_hold_that_it_cannot_reach(table, requests: Requests, clock: Clock) -> None:
    stuck = [await requests.hold(100) for _ in range(3)][1]

    class Stuck(Faulty):
        async def __call__(self, action, payload):
            if payload.get("ExpressionAttributeNames") == {"#r": stuck.request_id}:
                raise THROTTLED
            return await self.call(action, payload)

    clock.now += LONG
    done = await through(Stuck(table._call), table, clock).sweep()
    assert (done.holds, done.failed) == (2, 1)
    assert list((await assert_sound(table, requests)).holds) == [stuck.request_id]
