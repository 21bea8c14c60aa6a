"""`cache`: what is the same question, what is kept, and how it is given again."""

import asyncio
from typing import Any

import orjson
import pytest

from orrery.core.credentials import Credentials
from orrery.core.errors import GatewayError, UpstreamError
from orrery.core.types import Principal
from orrery.flow.caching import name_of
from orrery.flow.visit import Visit
from tests.fakes import ALICE, DONE, FakeKeys, FakeTransport, Room, chunk, completion, json_reply, stream, usage_chunk
from tests.flow.asking import HELLO, Told, arrive, ask, read
from tests.flow.remembering import FakeExtras

CACHE = {"type": "exact_match", "ttl": 60}
BOB = Principal(key_id="bobbobbobb", organization="org-bob", workflow="main", user="bob")


def room(*replies: Any, **more: Any) -> Room:
    return Room(transport=FakeTransport(*replies), extras=FakeExtras(), **more)


def streamed(text: str = "hello") -> Any:
    begun = [chunk({"role": "assistant", "content": ""})]
    said = [chunk({"content": letter}) for letter in text]
    return stream(*begun, *said, chunk({}, "stop"), usage_chunk(), DONE)


async def cached(a_room: Room, **body: Any) -> Told:
    return await ask(a_room, **({"cache": CACHE} | body))


def status(told: Told) -> str:
    return told.answer.headers["x-orq-cache"]


async def test_the_second_is_a_hit_byte_for_byte_and_free():
    at = room(completion("hello"))
    first, second = await cached(at), await cached(at)
    assert (status(first), status(second)) == ("MISS", "HIT")
    assert first.payloads == second.payloads and len(at.transport.requests) == 1
    assert second.answer.headers["x-orrery-cost-usd"] == "0"
    assert (second.answer.headers["x-orrery-provider"], second.answer.headers["x-orrery-model"]) == (
        "openai",
        "gpt-4o-mini",
    )
    assert at.ledger.said == ["hold", "record", "settle", "settle"]
    assert [line.cache for line in at.logged] == ["miss", "hit"] and at.logged[1].receipt.cost_nano == 0
    assert at.extras.recordings.ttls == [60]


async def test_without_the_option_nothing_is_read_or_kept():
    at = room(completion(), completion())
    told = [await ask(at), await ask(at)]
    assert not any("x-orq-cache" in each.answer.headers for each in told) and at.extras.recordings.kept == {}


async def test_the_default_is_half_an_hour():
    at = room(completion())
    await cached(at, cache={"type": "exact_match"})
    assert at.extras.recordings.ttls == [1800]


@pytest.mark.parametrize("usage", [True, False])
async def test_a_buffered_answer_streams(usage: bool):
    at = room(completion("hello"))
    await cached(at)
    options = {"stream_options": {"include_usage": True}} if usage else {}
    told = await cached(at, stream=True, **options)
    assert (status(told), told.text, told.answer.stream) == ("HIT", "hello", True)
    assert bool(told.payloads[-1].get("usage")) is usage
    finishes = [choice["finish_reason"] for each in told.payloads for choice in each["choices"]]
    assert [reason for reason in finishes if reason] == ["stop"]


async def test_a_streamed_answer_is_given_whole_with_the_usage_that_its_caller_never_saw():
    at = room(streamed("hello"))
    assert (await cached(at, stream=True)).text == "hello"
    told = await cached(at)
    (body,) = told.payloads
    assert (status(told), body["choices"][0]["message"]["content"]) == ("HIT", "hello")
    assert (body["object"], body["usage"]["total_tokens"]) == ("chat.completion", 15)


DIFFERENT: list[dict[str, Any]] = [
    {"model": "openai/gpt-4o"},
    {"messages": [{"role": "user", "content": "Hi"}]},
    {"temperature": 0},
    {"metadata": {"page": "1"}},
    {"thread": {"id": "t"}},
    {"thread": {"id": "t", "tags": ["x"]}},
    {"load_balancer": [{"model": "openai/gpt-4o-mini"}]},
    {"variables": {"a": {"value": "s", "secret": True}}, "messages": [{"role": "user", "content": "{{a}}"}]},
    {"variables": {"a": {"value": "t", "secret": True}}, "messages": [{"role": "user", "content": "{{a}}"}]},
    {"api_key": "sk-mine-0123456789"},
    {"api_key": "sk-mine-0123456789", "base_url": "https://elsewhere.example/v1"},
]


async def test_every_difference_is_another_question():
    at = room(
        *(completion(str(number)) for number in range(len(DIFFERENT) + 1)), outside=FakeTransport(completion("o"))
    )
    told = [await cached(at, **each) for each in ({}, *DIFFERENT)]
    assert {status(each) for each in told} == {"MISS"}
    assert len({orjson.dumps(each.payloads) for each in told}) == len(told)


@pytest.mark.parametrize(
    "same",
    [
        {"retry": {"count": 1}},
        {"fallbacks": [{"model": "groq/llama-3.3-70b-versatile"}]},
        {"timeout": {"call_timeout": 5000}},
        {"name": "trace"},
        {"identity": {"id": "somebody"}},
        {"cache": {"type": "exact_match", "ttl": 5}},
    ],
)
async def test_how_it_is_asked_is_not_what_is_asked(same: dict[str, Any]):
    at = room(completion())
    await cached(at)
    assert status(await cached(at, **same)) == "HIT"


async def test_an_organization_hits_only_its_own():
    at = room(completion("for alice"), completion("for bob"), keys=FakeKeys({"good": ALICE, "bob": BOB}))
    told = [await cached(at), await ask(at, token="bob", cache=CACHE)]
    assert [status(each) for each in told] == ["MISS", "MISS"]
    assert len(at.transport.requests) == 2


@pytest.mark.parametrize(
    "failing",
    [
        json_reply({"error": {"message": "no"}}, status=400),
        json_reply({"error": {"message": "busy"}}, status=503),
    ],
)
async def test_failures_are_not_kept(failing: Any):
    at = room(failing, completion())
    with pytest.raises(UpstreamError):
        await cached(at)
    assert status(await cached(at)) == "MISS"


async def test_half_an_answer_is_not_kept():
    at = room(stream(chunk({"content": "hel"})), streamed())
    assert (await cached(at, stream=True)).error is not None
    told = await cached(at, stream=True)
    assert (status(told), told.text) == ("MISS", "hello")


async def test_a_table_that_is_away_costs_nothing_but_the_cache():
    at = room(completion(), completion())
    at.extras.recordings.broken = True
    assert [status(await cached(at)) for _ in range(2)] == ["MISS", "MISS"]


async def test_a_revoked_key_gets_nothing_from_the_cache():
    at = room(completion(), keys=FakeKeys(fresh=False))
    await cached(at)
    at.keys.revoked.add(ALICE.key_id)
    with pytest.raises(GatewayError) as caught:
        await cached(at)
    assert caught.value.status == 401 and len(at.refusals) == 1


async def test_an_empty_balance_still_hits_and_misses_are_402():
    at = room(completion())
    await cached(at)
    at.ledger.balance_nano = 0
    assert status(await cached(at)) == "HIT"
    with pytest.raises(GatewayError) as caught:
        await cached(at, temperature=1)
    assert caught.value.status == 402


async def test_identical_requests_at_once_are_one():
    arrived = asyncio.Event()

    async def slowly() -> Any:
        await arrived.wait()
        return completion("one for all")

    at = room(slowly)
    asked = [asyncio.ensure_future(cached(at)) for _ in range(20)]
    for _ in range(50):
        await asyncio.sleep(0)
    arrived.set()
    told = await asyncio.gather(*asked)
    assert len(at.transport.requests) == 1
    assert sorted(status(each) for each in told) == ["HIT"] * 19 + ["MISS"]
    assert len({orjson.dumps(each.payloads) for each in told}) == 1


async def test_when_the_first_of_them_fails_another_one_goes():
    arrived = asyncio.Event()

    async def failing() -> Any:
        await arrived.wait()
        return json_reply({"error": {"message": "busy"}}, status=503)

    at = room(failing, completion("second"))
    asked = [asyncio.ensure_future(cached(at)) for _ in range(5)]
    for _ in range(50):
        await asyncio.sleep(0)
    arrived.set()
    told = await asyncio.gather(*asked, return_exceptions=True)
    failed = [each for each in told if isinstance(each, BaseException)]
    assert len(failed) == 1 and len(at.transport.requests) == 2
    assert sorted(status(each) for each in told if isinstance(each, Told)) == ["HIT"] * 3 + ["MISS"]


async def test_when_the_caller_of_the_first_leaves_another_one_goes():
    arrived = asyncio.Event()

    async def slowly() -> Any:
        await arrived.wait()
        return completion()

    at = room(slowly, completion("second"))
    first = asyncio.ensure_future(cached(at))
    for _ in range(50):
        await asyncio.sleep(0)
    second = asyncio.ensure_future(cached(at))
    for _ in range(50):
        await asyncio.sleep(0)
    first.cancel()
    told = await second
    assert (status(told), told.payloads[0]["choices"][0]["message"]["content"]) == ("MISS", "second")


async def test_a_secret_that_the_model_repeats_is_not_kept():
    at = room(completion("your code is 4711-geheim"))
    body = {
        "variables": {"code": {"value": "4711-geheim", "secret": True}},
        "messages": [{"role": "user", "content": "{{code}}"}],
    }
    first, second = await cached(at, **body), await cached(at, **body)
    assert "4711-geheim" in str(first.payloads) and "4711-geheim" in str(at.transport.body())
    assert "4711-geheim" not in str(second.payloads) and status(second) == "HIT"
    assert b"4711-geheim" not in b"".join(p for each in at.extras.recordings.kept.values() for p in each.payloads)
    assert "4711-geheim" not in repr(at.logged)


async def test_a_hit_of_an_own_credential_is_its_own():
    at = room(completion("a"), completion("b"))
    await cached(at, api_key="sk-one-0123456789")
    assert status(await cached(at, api_key="sk-one-0123456789")) == "HIT"
    assert status(await cached(at, api_key="sk-two-0123456789")) == "MISS"
    assert Credentials("sk-one-0123456789").key not in str(at.extras.recordings.kept)


async def test_who_waits_for_another_one_waits_no_longer_than_it_may():
    at = room(completion())
    at.extras.flights.board("org-alice", await question(at))
    with pytest.raises(GatewayError) as caught:
        await ask(at, deadline_s=0.01, cache=CACHE)
    assert (caught.value.status, len(at.refusals), at.transport.requests) == (504, 1, [])


async def question(at: Room) -> str:
    """The name of what `ask` asks by default."""
    call = read(HELLO | {"cache": CACHE})
    return await name_of(Visit(await arrive(), ALICE, call, fresh=True), at.gateway())
