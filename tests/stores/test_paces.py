"""Requests and tokens a minute: never more than the limit, whoever asks, however often, with whatever clock."""

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orrery.core.errors import LimitExceeded, NotFound, RateLimited, Unauthenticated, Unavailable
from orrery.core.limits import Pace
from orrery.core.types import Principal
from orrery.stores import paces as paces_module
from orrery.stores.gauges import MINUTE_NS, Gauge, duration, gauges_of
from orrery.stores.key_rows import key_of
from orrery.stores.keys import KeyStore
from orrery.stores.paces import PaceStore
from orrery.stores.table import Table
from tests.stores.books import NOW, Clock, quick_table
from tests.stores.faults import Crash, Faulty, Storm

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


async def test_a_minutes_requests_may_come_at_once_and_no_more(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=7)
    assert await one.admitted(principal, 20) == 7
    assert one.writes == 7


async def test_they_come_back_one_by_one(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=6)
    await one.admitted(principal, 6)
    clock.now += 9.9
    assert not await one.admits(principal)
    clock.now += 0.2
    assert await one.admitted(principal, 3) == 1
    clock.now += 25.0
    assert await one.admitted(principal, 9) == 2
    clock.now += 3600.0
    assert await one.admitted(principal, 20) == 6


async def test_what_one_process_took_another_cannot(one: Process, other: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=5)
    assert await one.admitted(principal, 3) + await other.admitted(principal, 9) == 5
    assert not await one.admits(principal)


async def test_tokens_are_counted_beside_requests_and_the_stricter_one_wins(
    one: Process, table: Table, clock: Clock
) -> None:
    principal = await a_principal(table, clock, requests=100, tokens=1_000)
    assert await one.admitted(principal, 9, tokens=300) == 3
    assert (await refusal(one, principal, 300)).code == "tokens_per_minute_exceeded"
    assert await one.admits(principal, 100)
    assert await one.admitted(principal, 200, tokens=0) == 96


async def test_who_is_refused_for_tokens_loses_no_request(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=3, tokens=100)
    assert await one.admits(principal, 100)
    assert await one.admitted(principal, 10, tokens=1) == 0
    assert await one.admitted(principal, 10, tokens=0) == 2


async def test_a_refusal_says_which_limit_of_whom_and_when_to_come_back(
    one: Process, table: Table, clock: Clock
) -> None:
    principal = await a_principal(table, clock, requests=1)
    await one.paces.take(principal, 0)
    clock.now += 2.5
    err = await refusal(one, principal)
    assert (err.status, err.body()) == (
        429,
        {
            "error": {
                "message": "Rate limit exceeded. Maximum requests allowed per minute.",
                "type": "rate_limit_error",
                "param": None,
                "code": "requests_per_minute_exceeded",
                "scope_kind": "API_KEY",
                "scope_target_id": principal.key_id,
                "dimension": "requests",
            }
        },
    )
    assert err.headers() == {
        "x-ratelimit-limit": "1",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "58s",
        "x-ratelimit-limit-requests": "1",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "57.5s",
        "retry-after": "58",
    }


async def test_who_waits_as_long_as_it_was_told_is_let_in(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=7, tokens=1_000)
    await one.admitted(principal, 9, tokens=900)
    err = await refusal(one, principal, 500)
    clock.now += int(err.headers()["retry-after"]) - 1
    assert not await one.admits(principal, 500)
    clock.now += 1
    assert await one.admits(principal, 500)


async def test_an_answer_says_what_is_left(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=60, tokens=6_000)
    await one.paces.take(principal, 100)
    assert await one.paces.take(principal, 25) == {
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "58",
        "x-ratelimit-reset": "2s",
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "58",
        "x-ratelimit-reset-requests": "2s",
        "x-ratelimit-limit-tokens": "6000",
        "x-ratelimit-remaining-tokens": "5875",
        "x-ratelimit-reset-tokens": "1.25s",
    }


async def test_a_key_with_tokens_alone_says_them_in_both_ways(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, tokens=60)
    told = await one.paces.take(principal, 60)
    assert told == {
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "60s",
        "x-ratelimit-limit-tokens": "60",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1m0s",
    }


async def test_a_refusal_for_tokens_leads_with_tokens(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=50, tokens=100)
    await one.paces.take(principal, 100)
    err = await refusal(one, principal, 1)
    assert err.body()["error"]["message"] == "Rate limit exceeded. Maximum tokens allowed per minute."
    assert (err.dimension, err.headers()["x-ratelimit-limit"], err.headers()["retry-after"]) == ("tokens", "100", "1")
    assert err.headers()["x-ratelimit-remaining-requests"] == "49"
    assert err.available == 0


async def test_a_request_larger_than_a_minutes_tokens_is_told_so_and_not_to_wait(
    one: Process, table: Table, clock: Clock
) -> None:
    principal = await a_principal(table, clock, requests=5, tokens=100)
    err = await refusal(one, principal, 101)
    assert "101 tokens" in err.message and "100 per minute" in err.message
    assert (err.status, err.code, err.headers()) == (429, "tokens_per_minute_exceeded", {"x-should-retry": "false"})
    assert one.writes == 0
    assert await one.admits(principal, 100)


async def test_a_storm_of_refusals_writes_nothing(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=1)
    await one.admits(principal)
    assert await one.admitted(principal, 50) == 0
    assert one.writes == 1


async def test_one_who_is_alone_writes_once_for_each_request(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=10, tokens=1_000)
    for pause_s in (0.0, 1.0, 120.0, 0.0, 7.0):
        clock.now += pause_s
        await one.paces.take(principal, 10)
    assert one.writes == 5


async def test_a_clock_that_was_set_back_lets_no_more_in(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=4)
    await one.admitted(principal, 4)
    clock.now -= 30.0
    assert await one.admitted(principal, 5) == 0
    clock.now -= 1e9
    assert await Process(table, clock).admitted(principal, 5) == 0


async def test_a_process_whose_clock_is_behind_takes_no_more_than_the_others_left(table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=6)
    late = Process(table, Clock(NOW - 20.0))
    assert await Process(table, clock).admitted(principal, 4) == 4
    assert await late.admitted(principal, 9) <= 2


async def test_a_clock_that_ran_ahead_is_forgotten_when_the_limit_is_taken_away(table: Table, clock: Clock) -> None:
    token, principal = await a_key(table, clock, requests=2)
    assert await Process(table, Clock(NOW + 1e9)).admits(principal)
    process = Process(table, clock)
    assert not await process.admits(principal)
    for requests in (None, 2):
        await process.keys.limit(
            principal.key_id, organization="org-a", requests_per_minute=requests, tokens_per_minute=None
        )
    assert await process.admitted((await process.keys.find(token))[0], 5) == 2


@pytest.mark.parametrize("faults", [["lose"], ["drop"], ["straggle"], ["lose", "lose", "lose"]])
async def test_a_lost_answer_counts_again_and_never_less(table: Table, clock: Clock, faults: list[str]) -> None:
    principal = await a_principal(table, clock, requests=6)
    process = Process(table, clock, *faults)
    admitted = await process.admitted(principal, 4)
    await process.wire.arrive()
    assert admitted + await Process(table, clock).admitted(principal, 10) in range(6 - len(faults), 7)


async def test_a_table_that_is_away_lets_nobody_in(table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=6)
    with pytest.raises(Unavailable):
        await Process(table, clock, *["drop"] * 4).paces.take(principal, 0)


async def test_a_revoked_key_takes_nothing_from_the_next_request_on(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=6)
    assert await one.admits(principal)
    await KeyStore(table, PEPPER, clock=clock).revoke(principal.key_id)
    with pytest.raises(Unauthenticated):
        await one.paces.take(principal, 0)


async def test_a_key_ends_on_time(one: Process, table: Table, clock: Clock) -> None:
    _, principal = await a_key(table, clock, requests=6, expires_at=int(NOW) + 10)
    clock.now += 9.5
    assert await one.admits(principal)
    clock.now += 0.5
    with pytest.raises(Unauthenticated):
        await one.paces.take(principal, 0)


async def test_a_key_that_is_gone_or_another_ones_is_refused(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=6)
    for wrong in (
        replace(principal, key_id="nobodynobo"),
        replace(principal, version=0, organization="org-b"),
        replace(principal, version=0, scopes=frozenset({"providers"})),
    ):
        with pytest.raises(Unauthenticated):
            await one.paces.take(wrong, 0)


async def test_changed_limits_count_for_the_next_request_of_every_process(
    one: Process, other: Process, table: Table, clock: Clock
) -> None:
    principal = await a_principal(table, clock, requests=100)
    assert await one.admitted(principal, 10) == await other.admitted(principal, 10) == 10
    await one.keys.limit(principal.key_id, organization="org-a", requests_per_minute=2, tokens_per_minute=None)
    # Twenty of a hundred are a fifth of a minute: so much of the new limit is used, too.
    assert (await other.paces.take(principal, 0))["x-ratelimit-limit"] == "2"
    assert not await one.admits(principal)
    assert not await other.admits(principal)


async def test_limits_that_are_taken_away_do_not_make_a_revoked_key_good(
    one: Process, table: Table, clock: Clock
) -> None:
    principal = await a_principal(table, clock, requests=1)
    await one.keys.limit(principal.key_id, organization="org-a", requests_per_minute=None, tokens_per_minute=None)
    assert [await one.paces.take(principal, 0) for _ in range(3)] == [{}] * 3
    await one.keys.revoke(principal.key_id)
    with pytest.raises(Unauthenticated):
        await one.paces.take(principal, 0)


async def test_limits_that_are_set_again_are_seen_by_who_saw_them_gone(
    one: Process, table: Table, clock: Clock
) -> None:
    principal = await a_principal(table, clock, requests=1)
    for requests in (None, 3):
        await KeyStore(table, PEPPER, clock=clock).limit(
            principal.key_id, organization="org-a", requests_per_minute=requests, tokens_per_minute=None
        )
        admitted = await one.admitted(principal, 5)
    assert admitted == 3


async def test_a_limit_set_on_a_key_in_use_counts_with_the_very_next_request(
    one: Process, table: Table, clock: Clock
) -> None:
    token, _ = await a_key(table, clock)
    unlimited, _ = await one.keys.find(token)
    await KeyStore(table, PEPPER, clock=clock).limit(
        unlimited.key_id, organization="org-a", requests_per_minute=2, tokens_per_minute=50
    )
    await one.keys.confirm(unlimited)
    principal, fresh = await one.keys.find(token)
    assert (fresh, principal.pace) == (True, Pace(2, 50))
    assert await one.admitted(principal, 5, tokens=1) == 1
    with pytest.raises(RateLimited):
        await one.keys.confirm(unlimited)


async def test_a_key_whose_limits_were_taken_away_stays_good(one: Process, table: Table, clock: Clock) -> None:
    _, principal = await a_key(table, clock, requests=1)
    await one.keys.limit(principal.key_id, organization="org-a", requests_per_minute=None, tokens_per_minute=None)
    await one.keys.confirm(principal)
    await one.keys.revoke(principal.key_id)
    with pytest.raises(Unauthenticated):
        await one.keys.confirm(principal)


async def test_tokens_that_were_not_used_can_be_used_by_others(
    one: Process, other: Process, table: Table, clock: Clock
) -> None:
    principal = await a_principal(table, clock, requests=9, tokens=100)
    assert await one.admits(principal, 100)
    assert not await other.admits(principal, 1)
    await one.paces.correct(principal, -60)
    assert await one.admits(principal, 10)
    clock.now += 1.0  # the other one has seen them used, and believes it for a second
    assert await other.admitted(principal, 9, tokens=10) == 5
    assert (await refusal(other, principal, 10)).headers()["x-ratelimit-remaining-requests"] == "2"


async def test_tokens_beyond_the_estimate_count_against_the_next(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, tokens=60)
    assert await one.admits(principal, 10)
    await one.paces.correct(principal, 110)
    clock.now += 60.0
    assert not await one.admits(principal, 1)
    clock.now += 1.0
    assert await one.admits(principal, 1)


@pytest.mark.parametrize("fault", ["lose", "drop", "throttle", "straggle"])
async def test_what_is_given_back_is_given_back_once_at_most(table: Table, clock: Clock, fault: str) -> None:
    principal = await a_principal(table, clock, tokens=100)
    process = Process(table, clock)
    await process.admitted(principal, 2, tokens=50)
    process.wire.plan = [fault]
    await process.paces.correct(principal, -50)
    await process.wire.arrive()
    assert await Process(table, clock).admitted(principal, 9, tokens=10) <= 5


async def test_what_is_given_back_late_is_not_given_back_a_second_time(table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, tokens=100)
    process, other = Process(table, clock, "", "", "straggle"), Process(table, clock)
    await process.admitted(principal, 2, tokens=50)
    await process.paces.correct(principal, -50)
    await other.paces.correct(principal, -10)
    await process.wire.arrive()
    assert await Process(table, clock).admitted(principal, 12, tokens=10) == 6


async def test_a_correction_that_arrives_twice_counts_once(table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, tokens=100)
    process = Process(table, clock)
    await process.admitted(principal, 2, tokens=50)
    process.wire.plan = ["duplicate"]
    await process.paces.correct(principal, -20)
    assert await Process(table, clock).admitted(principal, 9, tokens=10) == 2


@pytest.mark.parametrize("fault", ["lose", "drop", "throttle"])
async def test_what_was_used_beyond_the_estimate_is_tried_again(table: Table, clock: Clock, fault: str) -> None:
    principal = await a_principal(table, clock, tokens=100)
    process = Process(table, clock)
    assert await process.admits(principal, 10)
    process.wire.plan = [fault]
    await process.paces.correct(principal, 40)
    assert await Process(table, clock).admitted(principal, 9, tokens=10) == 5


async def test_nothing_is_corrected_where_tokens_are_not_limited(one: Process, table: Table, clock: Clock) -> None:
    principal = await a_principal(table, clock, requests=3)
    await one.paces.correct(principal, -10)
    await one.paces.correct(replace(principal, pace=None), 10)
    await one.paces.correct(await a_principal(table, clock, tokens=3), 0)
    assert one.writes == 0


async def test_a_correction_that_comes_after_the_limits_changed_is_forgotten(table: Table, clock: Clock) -> None:
    token, principal = await a_key(table, clock, tokens=100)
    process, late = Process(table, clock), Process(table, clock)
    assert await late.admits(principal, 100)
    for tokens in (None, 100):
        await process.keys.limit(
            principal.key_id, organization="org-a", requests_per_minute=None, tokens_per_minute=tokens
        )
    anew = (await process.keys.find(token))[0]
    assert await process.admits(anew, 100)
    await late.paces.correct(principal, -100)
    assert not await Process(table, clock).admits(anew, 1)


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
