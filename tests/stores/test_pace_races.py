"""Requests and tokens a minute under many writers, faults and clocks, and the arithmetic beneath."""

import asyncio
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orrery.core.errors import NotFound, RateLimited, Unavailable
from orrery.core.limits import Pace
from orrery.stores import paces as paces_module
from orrery.stores.gauges import MINUTE_NS, Gauge, duration, gauges_of
from orrery.stores.key_rows import key_of
from orrery.stores.paces import PaceStore
from orrery.stores.table import Table
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Crash, Storm
from tests.stores.pacing import Process, a_principal, one

__all__ = ["one"]


async def test_memory_is_bounded_and_drops_the_longest_unused(
    one: Process, table: Table, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paces_module, "SIZE", 2)
    first, second, third = [await a_principal(table, clock, requests=9) for _ in range(3)]
    for principal in (first, second, first, third):
        await one.paces.take(principal, 0)
    assert list(one.paces._seen) == [first.key_id, third.key_id]


@pytest.mark.parametrize(("requests", "tokens", "each"), [(50, None, 0), (None, 1_000, 30), (40, 1_000, 24)])
async def test_thirty_two_writers_at_once_get_exactly_what_there_is(
    table: Table, clock: Clock, requests: int | None, tokens: int | None, each: int
) -> None:
    principal = await a_principal(table, clock, requests, tokens)
    die = random.Random(7)

    class Calm(Storm):
        ODDS = ()

    async def writer() -> int:
        process = Process(table, clock)
        process.paces = PaceStore(quick_table(Calm(table._call, die), table.name), clock=clock)
        return await process.admitted(principal, 4, tokens=each)

    expected = min(requests or 10**6, tokens // each if tokens else 10**6)
    assert sum(await asyncio.gather(*(writer() for _ in range(32)))) == expected


@pytest.mark.parametrize("seed", range(8))
async def test_a_storm_of_faults_and_clocks_lets_no_more_in_than_the_limit(table: Table, seed: int) -> None:
    die = random.Random(seed)
    limit, seconds = die.choice([5, 20, 60]), die.choice([10.0, 45.0])
    principal = await a_principal(table, Clock(), requests=limit, tokens=limit * 10)
    storm = Storm(table._call, die)
    clocks = [Clock() for _ in range(32)]
    stores = [PaceStore(quick_table(storm, table.name), clock=clock) for clock in clocks]
    admitted = 0

    async def writer(store: PaceStore) -> None:
        nonlocal admitted
        for _ in range(3):
            try:
                await store.take(principal, 10)
                admitted += 1
            except (RateLimited, Unavailable, Crash):
                continue

    for _ in range(3):
        await asyncio.gather(*map(writer, stores))
        for clock in clocks:
            clock.now += seconds / 2
        await storm.arrive()
    assert 0 < admitted <= limit + limit * seconds / 60


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 90),
    steps=st.lists(st.tuples(st.floats(0, 40), st.integers(0, 40), st.integers(0, 1)), min_size=1, max_size=12),
)
def test_in_no_span_of_time_is_more_taken_than_a_minutes_worth_and_what_flows_back(
    table: Table, limit: int, steps: list[tuple[float, int, int]]
) -> None:
    async def run() -> None:
        clock = Clock()
        principal = await a_principal(table, clock, tokens=limit)
        processes = [Process(table, clock), Process(table, clock)]
        taken: list[tuple[float, int]] = []
        for pause_s, tokens, which in steps:
            clock.now += pause_s
            if await processes[which].admits(principal, tokens):
                taken.append((clock.now, tokens))
        for first in range(len(taken)):
            for last in range(first, len(taken)):
                seconds = taken[last][0] - taken[first][0]
                used = sum(tokens for _, tokens in taken[first : last + 1])
                assert used <= limit + limit * seconds / 60 + 1e-6

    asyncio.run(run())


@given(limit=st.integers(1, 10**12), amounts=st.lists(st.integers(0, 10**12), max_size=5))
def test_a_gauge_never_runs_faster_than_its_limit_and_parts_are_their_whole(limit: int, amounts: list[int]) -> None:
    gauges = [Gauge("tokens", limit, amount) for amount in amounts]
    assert sum(gauge.step_ns for gauge in gauges) == Gauge("tokens", limit, sum(amounts)).step_ns
    full = Gauge("tokens", limit, limit)
    assert full.latest_ns(0) == 0
    assert full.interval_ns * limit >= MINUTE_NS
    assert full.remaining(0, 0) == limit and full.remaining(full.window_ns, 0) == 0


def test_a_negative_number_of_tokens_gives_nothing() -> None:
    assert gauges_of(Pace(None, 5), -3) == (Gauge("tokens", 5, 0),)


@pytest.mark.parametrize(
    ("nanoseconds", "said"),
    [
        (0, "0ms"),
        (1, "1ms"),
        (17_000_000, "17ms"),
        (999_999_999, "1s"),
        (8_640_000_000, "8.64s"),
        (60_000_000_000, "1m0s"),
        (360_000_000_001, "6m0.001s"),
    ],
)
def test_durations_are_written_as_openai_writes_them(nanoseconds: int, said: str) -> None:
    assert duration(nanoseconds) == said


async def test_a_foreign_key_cannot_be_limited_nor_told_from_a_missing_one(
    one: Process, table: Table, clock: Clock
) -> None:
    principal = await a_principal(table, clock, requests=3)
    said = set()
    for key_id, organization in ((principal.key_id, "org-b"), ("nobodynobo", "org-a")):
        with pytest.raises(NotFound) as caught:
            await one.keys.limit(key_id, organization=organization, requests_per_minute=9, tokens_per_minute=None)
        said.add(str(caught.value.body()).replace(key_id, ""))
    assert len(said) == 1
    row = await table.get(key_of(principal.key_id))
    assert row is not None and (row["rpm"], row["kv"]) == (3, 1)
