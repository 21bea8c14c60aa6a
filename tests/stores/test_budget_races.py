"""Many writers of one budget at once, through every fault there is: never more admitted than allowed."""

import asyncio
import random

import pytest

from orrery.core.errors import RateLimited, Unavailable
from orrery.core.limits import Budget
from orrery.stores.budget_rows import Held
from orrery.stores.budgets import BudgetStore
from orrery.stores.table import Table
from tests.stores.books import LONG, NOW, Clock, quick_table
from tests.stores.budgeting import ORGANIZATION, Process, cost_budget, stored, used, write_receipt
from tests.stores.faults import Crash, Storm

WRITERS = 32


class Calm(Storm):
    """No faults, and others run around each call."""

    ODDS = ()


async def hold(store: BudgetStore, request_id: str, budget: Budget, cost: int, lifetime_s: float = 60.0) -> Held:
    return await store.hold(
        organization=ORGANIZATION,
        request_id=request_id,
        budget=budget,
        target=budget.target,
        cost_nano=cost,
        tokens=cost,
        lifetime_s=lifetime_s,
    )


@pytest.mark.parametrize("each", [1, 7, 100])
async def test_thirty_two_writers_get_exactly_what_there_is(table: Table, each: int) -> None:
    budget, die = cost_budget(20 * each + each - 1), random.Random(each)

    async def writer(number: int) -> int:
        store = BudgetStore(quick_table(Calm(table._call, die), table.name), clock=Clock())
        admitted = 0
        for turn in range(3):
            try:
                await hold(store, f"r{number}-{turn}", budget, each)
                admitted += 1
            except RateLimited:
                continue
        return admitted

    assert sum(await asyncio.gather(*map(writer, range(WRITERS)))) == 20
    item = await stored(table, budget)
    assert item is not None and item["cost"] == 20 * each


async def test_the_most_restrictive_of_several_budgets_wins_for_all_writers(table: Table) -> None:
    wide, narrow = cost_budget(10_000), cost_budget(9, scope="organization", target=ORGANIZATION)

    async def writer(number: int) -> bool:
        process = Process(table)
        first = await process.hold(f"r{number}", wide, 1)
        if await process.admits(f"r{number}", narrow, 1):
            return True
        await process.budgets.settle(first, cost_nano=0, tokens=0)
        return False

    assert sum(await asyncio.gather(*map(writer, range(WRITERS)))) == 9
    item = await stored(table, wide)
    assert item is not None and item["cost"] == 9


async def test_eight_who_make_room_at_once_count_the_dead_once(table: Table) -> None:
    budget, die = cost_budget(1_000), random.Random(3)
    for number in range(10):
        await Process(table).hold(f"dead{number}", budget, 100)
        await write_receipt(table, f"dead{number}", 30)

    async def writer(number: int) -> bool:
        store = BudgetStore(quick_table(Calm(table._call, die), table.name), clock=Clock(NOW + LONG))
        try:
            await hold(store, f"r{number}", budget, 100)
        except RateLimited:
            return False
        return True

    assert sum(await asyncio.gather(*map(writer, range(8)))) == 7
    assert await used(table, budget) == (300, 420)


@pytest.mark.parametrize("fault", ["lose", "drop", "throttle", "duplicate", "straggle"])
async def test_a_hold_whose_answer_is_lost_is_held_once(table: Table, fault: str) -> None:
    budget, process = cost_budget(100), Process(table, None, fault)
    held = await process.hold("r1", budget, 60)
    await process.wire.arrive()
    assert not await process.admits("r2", budget, 41)
    assert await process.admits("r3", budget, 40)
    await process.budgets.settle(held, cost_nano=60, tokens=0)
    assert await used(table, budget) == (60, 0)


@pytest.mark.parametrize("fault", ["lose", "drop", "throttle", "duplicate", "straggle"])
async def test_a_settlement_whose_answer_is_lost_counts_once(table: Table, fault: str) -> None:
    budget, process = cost_budget(100), Process(table)
    held = await process.hold("r1", budget, 60)
    process.wire.plan = [fault]
    await process.budgets.settle(held, cost_nano=25, tokens=3)
    await process.wire.arrive()
    assert await used(table, budget) == (25, 3)
    item = await stored(table, budget)
    assert item is not None and (item["running"], item["cost"]) == (0, 25)


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_a_process_that_dies_while_it_holds_leaves_nothing_used_up(table: Table, fault: str) -> None:
    budget, process = cost_budget(100), Process(table, None, fault)
    with pytest.raises(Crash):
        await process.hold("r1", budget, 100)
    later = Process(table, Clock(NOW + LONG))
    assert await later.admits("r2", budget, 100)


@pytest.mark.parametrize(("fault", "expected"), [("before", 40), ("after", 25)])
async def test_a_process_that_dies_while_it_settles_counts_once(table: Table, fault: str, expected: int) -> None:
    """Either at what it settled, or at its receipt (which says 40 here, to tell the two apart)."""
    budget, process = cost_budget(100), Process(table)
    held = await process.hold("r1", budget, 100)
    await write_receipt(table, "r1", 40)
    process.wire.plan = [fault]
    with pytest.raises(Crash):
        await process.budgets.settle(held, cost_nano=25, tokens=0)
    later = Process(table, Clock(NOW + LONG))
    await later.admits("r2", budget, 100)
    assert (await used(table, budget))[0] == expected
    await process.budgets.settle(held, cost_nano=25, tokens=0)  # it lived after all
    assert (await used(table, budget))[0] == expected


@pytest.mark.parametrize("seed", range(12))
async def test_a_storm_never_lets_more_in_than_the_budget_and_leaves_nothing_used_by_nobody(
    table: Table, seed: int
) -> None:
    """Each request costs what it held, so that what is admitted is what is used."""
    die = random.Random(seed)
    storm, budget, limit = Storm(table._call, die), cost_budget(500, "one_time"), 500
    admitted: dict[str, int] = {}

    async def request(number: int) -> None:
        store = BudgetStore(quick_table(storm, table.name), clock=Clock(NOW))
        cost, request_id = die.randrange(1, 60), f"r{number}"
        try:
            held = await hold(store, request_id, budget, cost)
            admitted[request_id] = cost
            await write_receipt(table, request_id, cost)
            await store.settle(held, cost_nano=cost, tokens=0)
        except (Crash, Unavailable, RateLimited):
            return

    await asyncio.gather(*map(request, range(WRITERS)))
    assert sum(admitted.values()) <= limit
    await storm.arrive()
    storm.calm = True
    item = await stored(table, budget)
    assert item is not None and sum(admitted.values()) <= item["cost"] <= limit
    later = Process(table, Clock(NOW + LONG))
    await later.admits("last", budget, limit)  # ends who died, as far as it needs room
    assert (await used(table, budget))[0] >= sum(admitted.values())
    if not admitted:
        assert await later.admits("last", budget, limit)
