"""`Idempotency-Key`: however often a request is sent, it is answered once."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.errors import GatewayError
from orrery.core.types import Call
from orrery.flow.serve import serve
from tests.fakes import DONE, FakeTransport, Room, chunk, completion, json_reply, stream
from tests.flow.asking import HELLO, Told, arrive, heard, read
from tests.flow.remembering import FakeExtras


def room(*replies: Any, **more: Any) -> Room:
    return Room(transport=FakeTransport(*replies), extras=FakeExtras(), **more)


async def ask(at: Room, key: str = "k1", **body: Any) -> Told:
    def keyed(_: object) -> Call:
        call = read(HELLO | body)
        return replace(call, options=replace(call.options, idempotency_key=key))

    answer = await serve("good", keyed, await arrive(), at.gateway())
    return await heard(answer)


def replayed(told: Told) -> bool:
    return told.answer.headers.get("idempotent-replayed") == "true"


async def test_the_same_again_is_the_same_answer_for_nothing():
    at = room(completion("once"))
    first, second = await ask(at), await ask(at)
    assert (replayed(first), replayed(second)) == (False, True)
    assert first.payloads == second.payloads and len(at.transport.requests) == 1
    assert (second.answer.headers["x-orrery-cost-usd"], at.logged[1].receipt.cost_nano) == ("0", 0)
    assert sum(said == "hold" for said in at.ledger.said) == 1


async def test_another_key_is_another_request():
    at = room(completion("a"), completion("b"))
    assert (await ask(at, "k1")).payloads != (await ask(at, "k2")).payloads


@pytest.mark.parametrize("other", [{"temperature": 1}, {"model": "openai/gpt-4o"}, {"stream": True}, {"name": "x"}])
async def test_another_body_under_the_key_is_refused(other: dict[str, Any]):
    at = room(completion())
    await ask(at)
    with pytest.raises(GatewayError) as caught:
        await ask(at, **other)
    assert (caught.value.status, caught.value.code) == (400, "idempotency_error")
    assert len(at.refusals) == 1 and len(at.transport.requests) == 1


async def test_a_stream_is_given_again():
    at = room(stream(chunk({"content": "he"}), chunk({"content": "llo"}), chunk({}, "stop"), DONE))
    first, second = await ask(at, stream=True), await ask(at, stream=True)
    assert (first.text, second.text, replayed(second), second.answer.stream) == ("hello", "hello", True, True)


async def test_one_that_runs_elsewhere_is_a_409_that_says_when_to_come_back():
    at = room(completion())
    await at.extras.claims.claim("org-alice", "k1", await digest(at), lifetime_s=1)
    with pytest.raises(GatewayError) as caught:
        await ask(at)
    assert (caught.value.status, caught.value.headers()["retry-after"]) == (409, "5")
    assert at.transport.requests == []


async def digest(at: Room) -> str:
    from orrery.flow.idempotency import asked_of

    call = read(HELLO)
    asked = asked_of(replace(call, options=replace(call.options, idempotency_key="k1")))
    return await at.extras.digests.digest("org-alice", asked)


async def test_sixteen_at_once_are_one_call():
    arrived = asyncio.Event()

    async def slowly() -> Any:
        await arrived.wait()
        return completion("one")

    at = room(slowly)
    asked = [asyncio.ensure_future(ask(at)) for _ in range(16)]
    for _ in range(50):
        await asyncio.sleep(0)
    arrived.set()
    told = await asyncio.gather(*asked)
    assert len(at.transport.requests) == 1 and len({orjson.dumps(each.payloads) for each in told}) == 1
    assert sum(map(replayed, told)) == 15


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_a_failure_leaves_the_key_free(status: int):
    at = room(json_reply({"error": {"message": "no"}}, status=status), completion("then"))
    with pytest.raises(GatewayError):
        await ask(at)
    assert (await ask(at)).payloads[0]["choices"][0]["message"]["content"] == "then"


async def test_a_refusal_before_any_provider_leaves_the_key_free():
    at = room(completion())
    at.ledger.balance_nano = 0
    with pytest.raises(GatewayError):
        await ask(at)
    assert at.extras.claims.held == {}


async def test_an_answer_that_broke_off_leaves_the_key_free():
    at = room(stream(chunk({"content": "he"})), stream(chunk({"content": "hello"}), chunk({}, "stop"), DONE))
    assert (await ask(at, stream=True)).error is not None
    assert (await ask(at, stream=True)).text == "hello"


async def test_without_the_table_nothing_is_sent():
    at = room(completion())
    at.extras.claims.broken = True
    with pytest.raises(GatewayError) as caught:
        await ask(at)
    assert caught.value.status == 503 and at.transport.requests == []


async def test_a_secret_is_not_kept():
    at = room(completion("it is 4711-geheim"))
    body = {
        "variables": {"code": {"value": "4711-geheim", "secret": True}},
        "messages": [{"role": "user", "content": "{{code}}"}],
    }
    await ask(at, **body)
    assert "4711-geheim" not in str(await ask(at, **body)) and "4711-geheim" not in str(at.extras.claims.held)
