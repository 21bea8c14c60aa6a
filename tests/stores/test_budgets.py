"""Budgets: what is set aside, what is used, who is refused, and what becomes of those who died."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orrery.core.errors import InvalidRequest, LimitExceeded, Unavailable
from orrery.core.limits import Budget, Period
from orrery.stores import budget_rows
from orrery.stores.budget_rows import GRACE_S, KEPT_S, Used, key_of, period_end, period_key
from orrery.stores.table import Table
from tests.stores.books import NOW, Clock
from tests.stores.budgeting import (
    ORGANIZATION,
    Process,
    cost_budget,
    stored,
    token_budget,
    used,
    write_expired,
    write_receipt,
)

DEAD_S = 60.0 + GRACE_S + 1.0
"""After this a hold of these tests is dead."""


@pytest.fixture
def one(table: Table) -> Process:
    return Process(table)


async def refusal(process: Process, budget: Budget, cost: int = 0, tokens: int = 0, **more: Any) -> LimitExceeded:
    with pytest.raises(LimitExceeded) as caught:
        await process.hold("another", budget, cost, tokens, **more)
    return caught.value


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


async def test_what_is_held_and_used_never_exceeds_the_budget(one: Process, table: Table) -> None:
    budget = cost_budget(1_000)
    held = await one.hold("r1", budget, 600)
    assert not await one.admits("r2", budget, 401)
    assert await one.admits("r3", budget, 400)
    await one.budgets.settle(held, cost_nano=250, tokens=7)
    assert await used(table, budget) == (250, 7)
    assert not await one.admits("r4", budget, 351)
    assert await one.admits("r5", budget, 350)


async def test_tokens_and_cost_are_limited_each(one: Process) -> None:
    budget = cost_budget(1_000, tokens=50)
    assert await one.admits("r1", budget, 10, 40)
    assert (await refusal(one, budget, 10, 11)).code == "token_budget_exceeded"
    assert (await refusal(one, budget, 991, 10)).code == "cost_budget_exceeded"
    assert await one.admits("r2", budget, 990, 10)


async def test_a_budget_of_tokens_alone_minds_no_cost(one: Process, table: Table) -> None:
    budget = token_budget(100)
    held = await one.hold("r1", budget, 10**15, 100, target="alice")
    assert not await one.admits("r2", budget, 0, 1, target="alice")
    await one.budgets.settle(held, cost_nano=10**14, tokens=60)
    assert await used(table, budget, "alice") == (10**14, 60)
    assert await one.admits("r3", budget, 10**15, 40, target="alice")


async def test_what_costs_nothing_passes_a_budget_of_cost_that_is_used_up(one: Process) -> None:
    budget = cost_budget(100)
    held = await one.hold("r1", budget, 100)
    await one.budgets.settle(held, cost_nano=170, tokens=0)
    assert not await one.admits("r2", budget, 1)
    assert await one.admits("r3", budget, 0, 5_000)


async def test_the_refusal_says_which_budget_of_whom_and_when_it_begins_anew(one: Process) -> None:
    one.clock.now = at("2026-11-21T22:00:00")
    budget = cost_budget(2_500_000_000, "daily")
    held = await one.hold("r1", budget, 2_000_000_000)
    await one.budgets.settle(held, cost_nano=2_000_000_000, tokens=9)
    err = await refusal(one, budget, 600_000_000)
    assert (err.status, err.available) == (429, 500_000_000)
    assert err.body()["error"] == {
        "message": "Daily budget of this key exceeded: $0.50 of $2.50 left, and this request may use $0.60."
        " A smaller limit on the answer may fit.",
        "type": "rate_limit_error",
        "param": None,
        "code": "cost_budget_exceeded",
        "scope_kind": "API_KEY",
        "scope_target_id": "key1",
        "dimension": "cost",
    }
    assert err.headers() == {
        "x-ratelimit-limit-cost": "2.50",
        "x-ratelimit-remaining-cost": "0.50",
        "x-ratelimit-reset-cost": "7200s",
        "x-should-retry": "false",
        "retry-after": "7200",
    }


async def test_the_refusal_for_tokens_names_the_target_of_an_each_budget(one: Process) -> None:
    one.clock.now = at("2026-11-21T23:59:30")
    budget = token_budget(100)
    held = await one.hold("r1", budget, 0, 100, target="alice")
    await one.budgets.settle(held, cost_nano=0, tokens=100)
    err = await refusal(one, budget, 0, 1, target="alice")
    assert (err.code, err.scope_kind, err.scope_target_id) == ("token_budget_exceeded", "IDENTITY", "alice")
    assert (
        err.message
        == "Daily budget of this identity exceeded: 0 tokens of 100 tokens left, and this request may use 1 tokens."
    )
    assert err.headers() == {
        "x-ratelimit-limit": "100",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "30s",
        "retry-after": "30",
    }
    assert await one.admits("r2", budget, 0, 100, target="bob")


async def test_who_is_in_the_way_of_running_requests_only_comes_back_soon(one: Process) -> None:
    budget = cost_budget(1_000, "one_time")
    await one.hold("r1", budget, 900)
    err = await refusal(one, budget, 200)
    assert err.headers() == {
        "x-ratelimit-limit-cost": "0.000001",
        "x-ratelimit-remaining-cost": "0.0000001",
        "retry-after": "2",
    }


async def test_what_fits_exactly_once_nobody_runs_comes_back_soon(one: Process) -> None:
    budget = cost_budget(1_000, "one_time")
    await one.budgets.settle(await one.hold("r1", budget, 300), cost_nano=300, tokens=0)
    await one.hold("r2", budget, 500)
    assert (await refusal(one, budget, 700)).headers()["retry-after"] == "2"
    assert "retry-after" not in (await refusal(one, budget, 701)).headers()


async def test_what_never_fits_is_told_not_to_come_back(one: Process, table: Table) -> None:
    for period in ("one_time", "daily"):
        budget = cost_budget(1_000, period)
        err = await refusal(one, budget, 1_001)
        assert "retry-after" not in err.headers() and err.headers()["x-should-retry"] == "false"
        assert await stored(table, budget) is None
    spent = cost_budget(10, "one_time", target="k2")
    await one.budgets.settle(await one.hold("r1", spent, 10), cost_nano=10, tokens=0)
    assert "retry-after" not in (await refusal(one, spent, 5)).headers()


async def test_a_request_holds_once_however_often_it_asks(one: Process, table: Table) -> None:
    budget = cost_budget(1_000)
    first = await one.hold("r1", budget, 600)
    one.clock.now += 5
    assert await one.hold("r1", budget, 300) == first
    await one.budgets.settle(first, cost_nano=100, tokens=0)
    assert await used(table, budget) == (100, 0)


async def test_settling_twice_counts_once_and_the_first_decides(one: Process, table: Table) -> None:
    budget = cost_budget(1_000)
    held = await one.hold("r1", budget, 600, 10)
    await one.hold("r2", budget, 5, 5)
    for cost in (100, 500, 0):
        await one.budgets.settle(held, cost_nano=cost, tokens=cost)
    assert await used(table, budget) == (100, 100)


async def test_what_was_used_beyond_the_hold_counts(one: Process, table: Table) -> None:
    budget = cost_budget(1_000, tokens=100)
    held = await one.hold("r1", budget, 10, 10)
    await one.budgets.settle(held, cost_nano=1_500, tokens=-4)
    assert await used(table, budget) == (1_500, 0)
    err = await refusal(one, budget, 1)
    assert err.available == 0


async def test_periods_targets_scopes_and_organizations_count_for_themselves(one: Process) -> None:
    periods: tuple[Period, ...] = ("daily", "weekly", "monthly", "one_time")
    budgets = [Budget(scope, "x", period, 10) for scope in ("key", "model") for period in periods]
    for budget in [*budgets, Budget("key", "y", "daily", 10)]:
        assert await one.admits("r1", budget, 10)
        assert not await one.admits("r2", budget, 1)
    assert await one.admits("r2", budgets[0], 10, organization="org-b")


async def test_no_target_reaches_another_ones_item(one: Process) -> None:
    for target in ("a", "a#b", "b", "", "é" * 300, "é" * 301, "😀#ALL"):
        assert await one.admits("r1", Budget("identity", "*", "one_time", 10), 10, target=target), target
    with pytest.raises(InvalidRequest):
        await one.hold("r1", Budget("key", "x", "daily", 10), 1, organization="org-a#key")


@pytest.mark.parametrize(
    ("period", "now", "key", "end"),
    [
        ("daily", "2026-11-21T23:59:59.999", "2026-11-21", "2026-11-22"),
        ("daily", "2026-11-22T00:00:00", "2026-11-22", "2026-11-23"),
        ("weekly", "2026-11-22T23:59:59", "2026-W47", "2026-11-23"),
        ("weekly", "2026-11-23T00:00:00", "2026-W48", "2026-11-30"),
        ("weekly", "2027-01-01T12:00:00", "2026-W53", "2027-01-04"),
        ("monthly", "2026-12-31T23:59:59", "2026-12", "2027-01-01"),
        ("monthly", "2028-02-29T00:00:00", "2028-02", "2028-03-01"),
        ("one_time", "2026-11-21T00:00:00", "ALL", None),
    ],
)
def test_periods_are_utcs(period: Period, now: str, key: str, end: str | None) -> None:
    assert period_key(period, at(now)) == key
    assert period_end(period, at(now)) == (None if end is None else at(end))


@given(now=st.integers(0, 2**33), period=st.sampled_from(["daily", "weekly", "monthly"]))
def test_a_period_ends_where_the_next_begins(now: int, period: Period) -> None:
    end = period_end(period, now)
    assert end is not None and end > now
    assert period_key(period, end - 1) == period_key(period, now) != period_key(period, end)


async def test_a_new_period_begins_with_nothing_used(one: Process, table: Table) -> None:
    budget = cost_budget(1_000, "daily")
    one.clock.now = at("2026-11-21T23:59:59.9")
    held = await one.hold("r1", budget, 900)
    one.clock.now = at("2026-11-22T00:00:00.1")
    late = await one.hold("r2", budget, 1_000)
    await one.budgets.settle(held, cost_nano=800, tokens=1)
    await one.budgets.settle(late, cost_nano=50, tokens=2)
    assert await used(table, budget, now=at("2026-11-21T12:00:00")) == (800, 1)
    assert await used(table, budget, now=one.clock.now) == (50, 2)


async def test_items_of_past_periods_go_after_five_weeks_and_one_time_budgets_never(one: Process, table: Table) -> None:
    one.clock.now = at("2026-11-21T10:00:00")
    for period in ("daily", "one_time"):
        await one.hold("r1", cost_budget(10, period), 1)
    item = await stored(table, cost_budget(10, "daily"), now=one.clock.now)
    assert item is not None and item["ttl"] == at("2026-11-22T00:00:00") + KEPT_S
    item = await stored(table, cost_budget(10, "one_time"))
    assert item is not None and "ttl" not in item


async def test_a_lowered_budget_refuses_the_next_and_leaves_who_runs(one: Process, table: Table) -> None:
    held = await one.hold("r1", cost_budget(1_000), 600)
    assert not await one.admits("r2", cost_budget(500), 1)
    await one.budgets.settle(held, cost_nano=600, tokens=0)
    assert not await one.admits("r3", cost_budget(600), 1)
    assert await one.admits("r4", cost_budget(601), 1)


@pytest.mark.parametrize(
    ("receipt", "expected"),
    [
        (None, (0, 0)),
        ({"cost": 70}, (70, 42)),
        ({"cost": 30, "state": "STREAM"}, (30, 42)),
        ({"cost": 0, "own": True}, (0, 42)),
    ],
)
async def test_a_dead_request_counts_as_much_as_its_receipt_says(
    one: Process, table: Table, receipt: dict[str, Any] | None, expected: tuple[int, int]
) -> None:
    budget = cost_budget(1_000)
    await one.hold("r1", budget, 1_000, 500)
    if receipt is not None:
        await write_receipt(table, "r1", **receipt)
    one.clock.now += DEAD_S - 2
    assert not await one.admits("r2", budget, 900)
    one.clock.now += 2
    assert await one.admits("r2", budget, 900)
    assert await used(table, budget) == expected


async def test_a_request_that_the_ledger_gave_up_counts_nothing(one: Process, table: Table) -> None:
    budget = cost_budget(1_000)
    await one.hold("r1", budget, 1_000)
    await write_expired(table, "r1")
    one.clock.now += DEAD_S
    assert await one.admits("r2", budget, 1_000)
    assert await used(table, budget) == (0, 0)


@pytest.mark.parametrize(
    ("scope", "target", "expected"),
    [
        ("provider", "openai", (70, 42)),
        ("provider", "groq", (0, 0)),
        ("model", "openai/gpt-4o", (70, 42)),
        ("model", "openai/gpt-4", (0, 0)),
        ("identity", "a#b", (70, 42)),
    ],
)
async def test_a_dead_request_counts_with_the_provider_and_model_that_served_it(
    one: Process, table: Table, scope: Any, target: str, expected: tuple[int, int]
) -> None:
    budget = Budget(scope, "*", "monthly", cost_nano=100)
    await one.hold("r1", budget, 100, target=target)
    await write_receipt(table, "r1", 70)
    one.clock.now += DEAD_S
    await one.admits("r2", budget, 100, target=target)
    item = await stored(table, budget, target)
    assert item is not None and "h:r1" not in item
    assert await used(table, budget, target) == expected


async def test_a_model_with_any_name_is_found_in_its_receipt(one: Process, table: Table) -> None:
    budget = Budget("model", "*", "monthly", cost_nano=100)
    await one.hold("r1", budget, 100, target="openai/gpt#4")
    await write_receipt(table, "r1", 70, model="gpt#4")
    one.clock.now += DEAD_S
    await one.admits("r2", budget, 100, target="openai/gpt#4")
    assert await used(table, budget, "openai/gpt#4") == (70, 42)


async def test_a_request_that_settles_after_it_was_given_up_changes_nothing(one: Process, table: Table) -> None:
    budget = cost_budget(1_000)
    held = await one.hold("r1", budget, 1_000)
    one.clock.now += DEAD_S
    assert await one.admits("r2", budget, 500)
    await one.budgets.settle(held, cost_nano=900, tokens=9)
    assert await used(table, budget) == (0, 0)


async def test_room_is_made_even_where_many_died(one: Process, table: Table) -> None:
    budget = cost_budget(1_000)
    for number in range(80):
        await one.hold(f"r{number}", budget, 10)
    one.clock.now += DEAD_S
    assert await one.admits("r100", budget, 1_000)
    assert await used(table, budget) == (0, 0)


async def test_who_died_is_left_alone_where_there_is_room(one: Process, table: Table) -> None:
    budget = cost_budget(1_000)
    await one.hold("r1", budget, 100)
    one.clock.now += DEAD_S
    calls = len(one.wire.calls)
    assert await one.admits("r2", budget, 100)
    assert len(one.wire.calls) == calls + 1


async def test_so_many_run_at_once_under_one_budget_and_no_more(
    one: Process, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_rows, "MOST_RUNNING", 3)
    budget = cost_budget(1_000)
    held = [await one.hold(f"r{number}", budget, 1) for number in range(3)]
    err = await refusal(one, budget, 1)
    assert (err.code, err.dimension, err.headers()["retry-after"]) == ("rate_limit_exceeded", "requests", "2")
    await one.budgets.settle(held[0], cost_nano=1, tokens=1)
    assert await one.admits("r9", budget, 1)


async def test_a_table_that_is_away_lets_nobody_in(table: Table) -> None:
    process = Process(table, None, *["drop"] * 4)
    with pytest.raises(Unavailable):
        await process.hold("r1", cost_budget(), 1)


async def test_who_cannot_be_looked_up_is_not_given_up(table: Table) -> None:
    process = Process(table)
    await process.hold("r1", cost_budget(100), 100)
    await write_receipt(table, "r1", 100)
    process.clock.now += DEAD_S
    process.wire.plan = ["", *["drop"] * 4]
    assert not await process.admits("r2", cost_budget(100), 1)
    assert await stored(table, cost_budget(100)) is not None
    assert not await process.admits("r2", cost_budget(100), 1)
    assert await used(table, cost_budget(100)) == (100, 42)


async def test_what_was_used_is_shown_apart_from_what_is_held(one: Process) -> None:
    budget = cost_budget(1_000)
    assert await one.budgets.used(ORGANIZATION, budget, "key1") == Used()
    held = await one.hold("r1", budget, 400, 40)
    await one.hold("r2", budget, 300, 30)
    await one.budgets.settle(held, cost_nano=90, tokens=9)
    assert await one.budgets.used(ORGANIZATION, budget, "key1") == Used(90, 9, 300, 30, 1)


def test_a_key_has_room_for_any_target() -> None:
    budget = Budget("identity", "*", "monthly", 1)
    keys = {key_of("o" * 64, budget, "é" * length, NOW)["PK"]["S"] for length in (256, 257, 258, 9_000)}
    assert len(keys) == 4
    assert max(len(key.encode()) for key in keys) < 1_024


def test_the_partition_begins_with_the_organization() -> None:
    key = key_of("org-a", Budget("model", "*", "monthly", 1), "openai/gpt-4o", NOW)
    assert key == {"PK": {"S": "BUD#org-a#model#openai/gpt-4o"}, "SK": {"S": "2027-01"}}


type Step = tuple[str, int, int, int]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["hold", "settle", "wait"]), st.integers(0, 5), st.integers(0, 60), st.integers(0, 9)
        ),
        max_size=25,
    )
)
def test_used_is_what_is_held_and_what_was_used_and_no_hold_exceeds_the_limit(table: Table, steps: list[Step]) -> None:
    async def run() -> None:
        process = Process(table, Clock())
        budget = Budget("identity", str(hash(tuple(steps))), "one_time", cost_nano=100, tokens=20)
        held, cost, tokens = dict[int, Any](), 0, 0
        for what, number, amount, words in steps:
            if what == "hold" and number not in held:
                try:
                    held[number] = await process.hold(f"r{number}", budget, amount, words, lifetime_s=1e9)
                except LimitExceeded:
                    sums = [
                        cost + sum(h.cost_nano for h in held.values()),
                        tokens + sum(h.tokens for h in held.values()),
                    ]
                    assert (amount and sums[0] + amount > 100) or (words and sums[1] + words > 20)
            elif what == "settle" and number in held:
                one = held.pop(number)
                actual = min(amount, one.cost_nano), min(words, one.tokens)
                await process.budgets.settle(one, cost_nano=actual[0], tokens=actual[1])
                cost, tokens = cost + actual[0], tokens + actual[1]
            item = await stored(table, budget)
            if item is not None:
                assert item["cost"] == cost + sum(h.cost_nano for h in held.values()) <= 100
                assert item["tokens"] == tokens + sum(h.tokens for h in held.values()) <= 20
                assert await used(table, budget) == (cost, tokens)

    asyncio.run(run())
