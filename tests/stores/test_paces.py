"""Requests and tokens a minute: never more than the limit, whoever asks, however often, with whatever clock."""

from dataclasses import replace

import pytest

from orrery.core.errors import RateLimited, Unauthenticated, Unavailable
from orrery.core.limits import Pace
from orrery.stores.keys import KeyStore
from orrery.stores.table import Table
from tests.stores.books import NOW, Clock
from tests.stores.pacing import PEPPER, Process, a_key, a_principal, one, other, refusal

__all__ = ["one", "other"]


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
