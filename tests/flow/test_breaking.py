"""What attempts say of their targets: which breaker hears of which failure, and when a success is news."""

import asyncio

import pytest

from orrery.core.errors import (
    BadCredential,
    GatewayError,
    InvalidRequest,
    Truncated,
    Unavailable,
    Unreachable,
    UpstreamError,
    UpstreamTimeout,
)
from orrery.core.exchange import Attempt, Exchange
from orrery.core.types import Plan
from orrery.flow import attempts
from orrery.flow.attempts import is_news, mark_failure, mark_success
from orrery.flow.breaking import note
from orrery.flow.gateway import Policy
from tests.fakes import ALICE, FakeTransport, Room, chunk, completion, cut, in_virtual_time, json_reply, stream
from tests.flow.asking import HELLO, arrive, ask, read, refused
from tests.flow.cooling import Extras
from tests.flow.owning import stored

MINI, OURS = "openai/gpt-4o-mini", f"{ALICE.organization}|openai/gpt-4o-mini"


@pytest.fixture(autouse=True)
def nothing_failed_yet():
    attempts._failing.clear()


def fails(status: int, **headers: str):
    return json_reply({"error": {"message": "no"}}, status, **headers)


async def never():
    await asyncio.Event().wait()


async def heard_of(*made: Attempt, outcome: str = "completed") -> list[tuple[str, str, float | None]]:
    """What breakers hear of these attempts."""
    extras = Extras()
    exchange = Exchange(await arrive(), ALICE, Plan(read(HELLO), ()), list(made), outcome=outcome)
    await note(exchange, Room(extras=extras).gateway())
    return extras.breakers.heard


def failed(err: GatewayError, own: bool = False, had_time: bool = True) -> Attempt:
    attempt = Attempt("openai", "gpt-4o-mini", 200, 1.0, own=own)
    mark_failure(attempt, err, ALICE.organization, had_time=had_time)
    return attempt


def says(status: int, **more) -> UpstreamError:
    return UpstreamError("no", status=status, upstream_status=status, **more)


@pytest.mark.parametrize(
    "err",
    [says(500), says(502), says(503), says(504), says(429), Unreachable("x"), Truncated("x"), UpstreamTimeout("x")],
)
async def test_a_providers_failure_is_heard_of_for_everybody(err):
    assert await heard_of(failed(err)) == [("failed", MINI, None)]


@pytest.mark.parametrize(
    "err",
    [
        *(says(status) for status in (400, 402, 404, 408, 413, 422, 428)),
        BadCredential("x", upstream_status=401),
        InvalidRequest("x"),
        Unavailable("the gateway's own table is away"),
        UpstreamError("an answer without choices", upstream_status=200),
    ],
)
@pytest.mark.parametrize("own", [False, True])
async def test_what_is_no_failure_of_the_provider_is_heard_of_by_nobody(err, own):
    assert await heard_of(failed(err, own)) == []


async def test_an_answer_that_breaks_off_is_a_failure_though_it_began_with_200():
    assert await heard_of(failed(Truncated("x", upstream_status=200))) == [("failed", MINI, None)]


@pytest.mark.parametrize("err", [says(500), says(429), UpstreamTimeout("x")])
async def test_what_fails_with_an_own_key_is_that_organizations_affair(err):
    assert await heard_of(failed(err, own=True)) == [("failed", OURS, None)]


async def test_a_time_limit_of_the_request_is_its_organizations_affair():
    assert await heard_of(failed(UpstreamTimeout("x"), had_time=False)) == [("failed", OURS, None)]


async def test_a_provider_that_says_504_at_once_has_failed_for_everybody():
    assert await heard_of(failed(says(504), had_time=False)) == [("failed", MINI, None)]


async def test_only_a_429_says_how_long():
    assert await heard_of(failed(says(429, retry_after_s=7.0))) == [("failed", MINI, 7.0)]
    assert await heard_of(failed(says(503, retry_after_s=7.0))) == [("failed", MINI, None)]


async def test_attempts_are_told_in_their_order():
    worked = Attempt("groq", "llama", 200, 1.0)
    told = await heard_of(failed(says(500)), failed(says(429)), worked)
    assert [(what, name) for what, name, _ in told] == [
        ("failed", MINI),
        ("failed", MINI),
        ("worked", "groq/llama"),
        ("worked", f"{ALICE.organization}|groq/llama"),
    ]


async def test_a_success_with_an_own_key_says_nothing_of_the_operators():
    own = Attempt("openai", "gpt-4o-mini", 200, 1.0, own=True)
    assert await heard_of(own) == [("worked", OURS, None)]


async def test_an_answer_that_was_cut_is_no_success():
    assert await heard_of(Attempt("openai", "gpt-4o-mini", 200, 1.0), outcome="cut") == []


async def test_a_caller_who_left_says_nothing():
    assert await heard_of(Attempt("openai", "gpt-4o-mini", 499, 1.0)) == []


@pytest.mark.parametrize("extras", [None, object()])
async def test_without_breakers_nothing_is_noted(extras):
    exchange = Exchange(await arrive(), ALICE, Plan(read(HELLO), ()), [failed(says(500))])
    await note(exchange, Room(extras=extras).gateway())


async def test_a_success_is_news_only_after_a_failure_and_only_once():
    def succeeds(own: bool = False) -> bool:
        attempt = Attempt("openai", "gpt-4o-mini", 200, 1.0, own=own)
        mark_success(attempt, ALICE.organization)
        return attempt.recovered

    assert not succeeds()
    failed(says(500))
    assert not succeeds(own=True)
    assert (succeeds(), succeeds()) == (True, False)
    failed(UpstreamTimeout("x"), had_time=False)
    assert (succeeds(), succeeds()) == (True, False)
    failed(says(400))
    assert not succeeds()


def test_what_is_remembered_of_failures_is_bounded_and_the_oldest_goes_first():
    for number in [*range(attempts.MOST_FAILING), 0, *range(attempts.MOST_FAILING, attempts.MOST_FAILING + 5)]:
        attempt = Attempt("openai", f"m{number}", 200, 1.0)
        mark_failure(attempt, says(500), "o", had_time=True)
    assert len(attempts._failing) == attempts.MOST_FAILING
    assert [f"openai/m{number}" in attempts._failing for number in (0, 1, 5, 6)] == [True, False, False, True]


async def test_a_request_is_news_when_it_failed_recovered_or_was_balanced():
    async def news(*replies, **body) -> bool:
        return is_news((await ask(Room(transport=FakeTransport(*replies)), **body)).answer.exchange)

    assert not await news(completion())
    assert await news(fails(503), completion(), retry={"count": 1, "on_codes": [503]})
    assert await news(fails(503), completion(), fallbacks=[{"model": "groq/llama-3.3-70b-versatile"}])
    assert await news(completion()), "the first success after that"
    assert not await news(completion())
    assert await news(completion(), load_balancer=[{"model": MINI}])


async def test_a_failing_request_is_noted_on_its_whole_way():
    extras = Extras()
    room = Room(transport=FakeTransport(fails(429, **{"retry-after": "9"}), completion()), extras=extras)
    await ask(room, fallbacks=[{"model": "groq/llama-3.3-70b-versatile"}])
    assert extras.breakers.heard[0] == ("failed", MINI, 9.0)
    assert ("worked", "groq/llama-3.3-70b-versatile", None) in extras.breakers.heard


async def test_each_failing_retry_counts():
    extras = Extras()
    room = Room(transport=FakeTransport(fails(503), fails(503)), extras=extras)
    await refused(room, retry={"count": 1, "on_codes": [503]})
    assert extras.breakers.heard == [("failed", MINI, None)] * 2


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_callers_fault_is_not_noted(status):
    extras = Extras()
    await refused(Room(transport=FakeTransport(fails(status)), extras=extras))
    assert extras.breakers.heard == []


async def test_a_bad_own_key_cools_nothing_and_a_failing_one_only_itself():
    for status, heard in ((401, []), (500, [("failed", OURS, None)])):
        room = stored(fails(status))
        room.extras = Extras()
        await refused(room)
        assert room.extras.breakers.heard == heard


async def test_a_stream_that_is_cut_is_neither_failure_nor_success():
    extras = Extras()
    room = Room(transport=FakeTransport(stream(chunk({"content": "a"}), cut())), extras=extras)
    await ask(room, stream=True)
    assert extras.breakers.heard == []


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"timeout": {"call_timeout": 29_000}}, OURS),
        ({"deadline_s": 29.0}, OURS),
        ({}, MINI),
        ({"timeout": {"call_timeout": 31_000}}, MINI),
    ],
)
def test_a_silent_provider_fails_for_everybody_once_it_had_the_gateways_own_patience(limits, name):
    async def main():
        extras = Extras()
        room = Room(transport=FakeTransport(never), extras=extras, policy=Policy(silence_s=30.0))
        assert (await refused(room, **limits)).status == 504
        assert extras.breakers.heard == [("failed", name, None)]

    in_virtual_time(main)
