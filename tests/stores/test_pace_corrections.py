"""Tokens a minute, once it is known how many there were: given back once at most, and only what is left of them."""

from dataclasses import replace

import pytest

from orrery.stores.table import Table
from tests.stores.books import Clock
from tests.stores.pacing import Process, a_key, a_principal, one, other, refusal

__all__ = ["one", "other"]


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
