"""Requests and tokens a minute, as the flow takes, corrects and tells them."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.errors import RateLimited, Unauthenticated, UpstreamError
from orrery.core.limits import Pace
from orrery.core.types import Call, Operation
from orrery.flow.pacing import OUTPUT_TYPICAL, correction, estimated_tokens, pace
from tests.fakes import ALICE, DONE, FakeLedger, chunk, completion, in_virtual_time, json_reply, stream, usage_chunk
from tests.flow.asking import HELLO, ask, read, refused
from tests.flow.limiting import PACED, FakePaces, paced

PROMPT = -(-read(HELLO).body_bytes // 4)


def test_what_an_answer_used_replaces_what_was_taken_for_it():
    async def main():
        room = paced(completion(prompt=10, output=5))
        told = await ask(room, max_tokens=100)
        (taken,) = room.extras.paces.taken
        assert 100 < taken < 150
        assert room.extras.paces.corrected == [15 - taken]
        assert told.answer.headers["x-ratelimit-limit"] == "10"

    in_virtual_time(main)


async def test_a_streamed_answer_is_corrected_too_and_upwards():
    room = paced(stream(chunk({"content": "x"}), chunk({}, "stop"), usage_chunk(400, 900), DONE))
    told = await ask(room, stream=True, max_tokens=10)
    assert told.answer.headers["x-ratelimit-limit"] == "10"
    assert room.extras.paces.corrected == [1_300 - room.extras.paces.taken[0]]


def test_a_request_that_failed_gives_its_tokens_back_and_stays_counted():
    async def main():
        room = paced(json_reply({"error": {"message": "no"}}, 500))
        with pytest.raises(UpstreamError):
            await ask(room, max_tokens=100)
        assert room.extras.paces.corrected == [-room.extras.paces.taken[0]]

    in_virtual_time(main)


def test_a_request_without_credit_gives_its_tokens_back():
    async def main():
        room = paced(completion())
        room.ledger = FakeLedger(balance_nano=1)
        assert (await refused(room, max_tokens=100)).status == 402
        assert room.extras.paces.corrected == [-room.extras.paces.taken[0]]

    in_virtual_time(main)


@pytest.mark.parametrize("fresh", [True, False])
async def test_who_is_refused_reaches_no_provider_and_holds_no_credit(fresh):
    room = paced(completion(), fresh=fresh)
    room.extras.paces.refuses = RateLimited("too fast", retry_after_s=3.0)
    err = await refused(room)
    assert (err.status, err.headers()["retry-after"]) == (429, "3")
    assert (room.transport.requests, room.ledger.holds, room.extras.paces.corrected) == ([], {}, [])


async def test_a_fresh_key_is_paced_like_a_known_one():
    for fresh in (True, False):
        room = paced(completion(), fresh=fresh)
        await ask(room)
        assert len(room.extras.paces.taken) == 1


async def test_a_key_without_limits_asks_nothing_of_anybody():
    room = paced(completion(), principal=ALICE)
    told = await ask(room)
    assert room.extras.paces.taken == [] and "x-ratelimit-limit" not in told.answer.headers
    assert await pace(ALICE, read(HELLO), [], room.gateway()) == {}


async def test_a_key_with_requests_alone_takes_no_tokens_and_corrects_none():
    room = paced(completion(), principal=replace(PACED, pace=Pace(requests=5)))
    await ask(room)
    assert (room.extras.paces.taken, room.extras.paces.corrected) == ([0], [])


async def test_a_key_that_was_revoked_is_forgotten_by_this_process():
    room = paced(completion())
    room.extras.paces.refuses = Unauthenticated()
    confirmed = []

    async def confirm(principal):
        confirmed.append(principal.key_id)

    room.keys.confirm = confirm
    assert (await refused(room)).status == 401
    assert confirmed == [ALICE.key_id]


async def test_a_table_that_is_away_afterwards_spoils_no_answer():
    room = paced(completion())
    room.extras.paces.broken = True
    assert (await ask(room)).error is None
    assert room.ledger.said == ["hold", "record", "settle"]


def test_what_flowed_back_while_the_request_ran_is_not_given_back_again():
    async def main():
        paces = FakePaces()
        room = paced()
        room.extras.paces = paces
        after = []
        await pace(PACED, replace(read(HELLO), body={"max_tokens": 900}), after, room.gateway())
        await asyncio.sleep(30.0)  # of virtual time: half of 1000 tokens a minute are back
        told = await ask(paced(completion()))
        await after[0](told.answer.exchange)
        assert paces.corrected == [500 - paces.taken[0]]

    in_virtual_time(main)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, PROMPT + OUTPUT_TYPICAL),
        ({"max_tokens": 7}, PROMPT + 7),
        ({"max_completion_tokens": 9, "max_tokens": 7}, PROMPT + 9),
        ({"max_tokens": 7, "n": 3}, PROMPT + 21),
        ({"n": 2}, 1_000),
        ({"max_tokens": 5_000}, PROMPT + 5_000),
    ],
)
def test_a_stated_limit_counts_in_full_and_an_unstated_one_as_far_as_it_fits(body, expected):
    call = replace(read(HELLO), body=HELLO | body)
    assert estimated_tokens(call, 1_000) == expected


def test_a_prompt_larger_than_a_minute_stays_so_large():
    call = Call(Operation.CHAT, "m", {}, body_bytes=8_000)
    assert estimated_tokens(call, 100) == 2_000


def test_what_writes_nothing_uses_its_prompt():
    assert estimated_tokens(Call(Operation.EMBEDDINGS, "m", {}, body_bytes=401), 1_000) == 101


@given(
    taken=st.integers(0, 10**6),
    used=st.integers(0, 10**6),
    per_minute=st.integers(1, 10**6),
    elapsed_s=st.floats(-1, 10_000),
)
def test_a_correction_leaves_at_least_what_was_used_and_no_less_than_flowed(taken, used, per_minute, elapsed_s):
    more = correction(taken, used, per_minute, elapsed_s)
    assert taken + more >= used
    if used >= taken:
        assert more == used - taken
    else:
        assert -taken <= more <= 0
        assert taken + more == min(taken, max(used, taken + more)) >= min(taken, elapsed_s * per_minute / 60 - 1e-6)


def test_at_once_everything_unused_is_given_back():
    assert correction(100, 30, 60, 0.0) == -70
    assert correction(100, 30, 60, 29.5) == -70
    assert correction(100, 30, 60, 30.5) == -69
    assert correction(100, 30, 60, 1e9) == 0
