"""The way of a request, end to end over fakes: what is asked upstream, answered, charged and logged."""

import asyncio

import pytest

from orrery.core.errors import OutOfCredit, Truncated, Unauthenticated
from tests.fakes import (
    DONE,
    FakeKeys,
    FakeLedger,
    FakeTransport,
    Room,
    chunk,
    completion,
    cut,
    in_virtual_time,
    json_reply,
    stream,
    usage_chunk,
)
from tests.flow.asking import HELLO, arrive, ask, read, refused, serve
from tests.flow.remembering import FakeExtras


async def test_a_buffered_answer_is_charged_by_the_providers_usage():
    room = Room(transport=FakeTransport(completion(prompt=1000, output=100)))
    told = await ask(room)
    assert told.payloads[0]["choices"][0]["message"]["content"] == "hello"
    # gpt-4o-mini: $0.15 and $0.60 a million tokens, so 150 and 600 nano-USD a thousand... 1000*150 + 100*600 pico*1000
    assert room.ledger.settled["r1"].cost_nano == 1000 * 150 + 100 * 600
    assert room.ledger.settled["r1"].evidence == "provider"
    assert told.answer.headers["x-orrery-cost-usd"] == "0.00021"
    assert room.ledger.said == ["hold", "record", "settle"]


async def test_a_streamed_answer_settles_as_the_buffered_one_does():
    room = Room(
        transport=FakeTransport(stream(chunk({"content": "hel"}), chunk({}, "stop"), usage_chunk(1000, 100), DONE))
    )
    told = await ask(room, stream=True)
    assert told.text == "hel"
    assert room.ledger.settled["r1"].cost_nano == 1000 * 150 + 100 * 600
    assert room.ledger.said == ["hold", "record", "settle"]


async def test_usage_is_always_asked_and_withheld_from_those_who_did_not():
    room = Room(transport=FakeTransport(stream(chunk({"content": "x"}), chunk({}, "stop"), usage_chunk(), DONE)))
    told = await ask(room, stream=True)
    assert room.transport.body()["stream_options"] == {"include_usage": True}
    assert all("usage" not in payload for payload in told.payloads)


async def test_usage_comes_last_for_those_who_asked():
    room = Room(transport=FakeTransport(stream(chunk({"content": "x"}), chunk({}, "stop"), usage_chunk(), DONE)))
    told = await ask(room, stream=True, stream_options={"include_usage": True})
    assert told.payloads[-1]["choices"] == []
    assert told.payloads[-1]["usage"]["total_tokens"] == 15


async def test_the_receipt_is_written_before_the_last_byte_and_settled_after_it():
    room = Room(transport=FakeTransport(stream(chunk({"content": "x"}), chunk({}, "stop"), DONE)))
    answer = await serve(
        "good",
        lambda _: read({"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "hi"}], "stream": True}),
        await arrive(),
        room.gateway(),
    )
    async for _ in answer.batches:
        assert room.ledger.said == ["hold"]
    assert room.ledger.said == ["hold", "record"]
    await answer.close()
    assert room.ledger.said == ["hold", "record", "settle"]


async def test_an_unknown_key_reaches_neither_ledger_nor_provider():
    room = Room()
    assert isinstance(await refused(room, token="bad"), Unauthenticated)
    assert room.ledger.said == []
    assert [err.status for err in room.refusals] == [401]


async def test_a_key_revoked_since_it_was_cached_is_refused_and_its_hold_returned():
    room = Room(keys=FakeKeys(fresh=False))
    room.keys.revoked.add("alicealice")
    assert (await refused(room)).status == 401
    assert room.ledger.holds == {}
    assert room.ledger.balance_nano == 10**12
    assert room.transport.requests == []


async def test_a_revoked_key_without_credit_hears_of_the_key_not_of_the_credit():
    room = Room(keys=FakeKeys(fresh=False), ledger=FakeLedger(balance_nano=0))
    room.keys.revoked.add("alicealice")
    assert (await refused(room)).status == 401


async def test_without_credit_nothing_is_sent_upstream():
    room = Room(ledger=FakeLedger(balance_nano=0))
    err = await refused(room)
    assert isinstance(err, OutOfCredit)
    assert err.body()["error"] == {
        "message": "Organization credits exhausted",
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_credits",
    }
    assert room.transport.requests == []


async def test_a_short_balance_clamps_the_answer_to_what_it_affords():
    room = Room(ledger=FakeLedger(balance_nano=2_000_000), transport=FakeTransport(completion()))
    told = await ask(room, max_tokens=8_000)
    sent = room.transport.body()
    assert 256 <= sent["max_completion_tokens"] < 8_000
    assert "max_tokens" not in sent
    assert told.answer.headers["x-orrery-clamped-max-tokens"] == str(sent["max_completion_tokens"])
    assert told.answer.exchange.held_nano <= 2_000_000


async def test_a_balance_too_short_for_a_useful_answer_is_no_credit():
    room = Room(ledger=FakeLedger(balance_nano=100_000))
    assert (await refused(room)).status == 402


async def test_a_small_limit_of_the_callers_own_needs_no_more_than_it_costs():
    room = Room(ledger=FakeLedger(balance_nano=30_000), transport=FakeTransport(completion(prompt=5, output=2)))
    assert (await ask(room, max_completion_tokens=16)).payloads


async def test_a_stream_cut_after_it_began_is_charged_by_what_came():
    room = Room(transport=FakeTransport(stream(chunk({"content": "x" * 400}), cut())))
    told = await ask(room, stream=True)
    assert isinstance(told.error, Truncated)
    receipt = room.ledger.settled["r1"]
    assert receipt.evidence == "counted"
    assert receipt.usage.completion == 100
    assert room.logged[0].outcome == "cut"


async def test_a_cut_stream_whose_usage_began_is_charged_by_the_larger_count():
    usage = {"prompt_tokens": 50, "completion_tokens": 1}
    room = Room(transport=FakeTransport(stream(chunk({"content": "x" * 400}, usage=usage), cut())))
    await ask(room, stream=True)
    receipt = room.ledger.settled["r1"]
    assert (receipt.evidence, receipt.usage.prompt, receipt.usage.completion) == ("partial", 50, 100)


async def test_frames_that_came_with_the_fault_still_reach_the_caller():
    error = b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'
    room = Room(transport=FakeTransport(stream(chunk({"content": "a"}) + chunk({"content": "b"}) + error)))
    told = await ask(room, stream=True)
    assert told.text == "ab"
    assert told.error is not None


async def test_a_caller_who_leaves_pays_for_what_came_and_the_upstream_is_closed():
    waiting = asyncio.Event()

    async def hang():
        waiting.set()
        await asyncio.Event().wait()

    room = Room(transport=FakeTransport(stream(chunk({"content": "x" * 40}), hang)))
    asking = asyncio.ensure_future(ask(room, stream=True))
    await waiting.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert room.transport.open == 0
    assert room.ledger.settled["r1"].evidence == "counted"
    assert room.logged[0].outcome == "abandoned"


async def test_a_provider_that_says_zero_is_believed():
    room = Room(transport=FakeTransport(completion(prompt=0, output=0)))
    await ask(room)
    assert room.ledger.settled["r1"].cost_nano == 0


async def test_an_answer_without_usage_is_counted():
    room = Room(transport=FakeTransport(completion("x" * 40, usage=None)))
    await ask(room)
    assert room.ledger.settled["r1"].evidence == "counted"
    assert room.ledger.settled["r1"].usage.completion == 10


REFUSAL = {"error": {"message": "bad temperature", "type": "invalid_request_error"}}


async def test_a_refused_call_costs_nothing():
    room = Room(transport=FakeTransport(json_reply(REFUSAL, 400)))
    err = await refused(room)
    assert err.status == 400
    assert room.ledger.settled["r1"].cost_nano == 0
    assert room.ledger.settled["r1"].evidence == "none"


async def test_books_that_cannot_be_closed_now_do_not_cost_the_caller_the_answer():
    room = Room(ledger=FakeLedger(fail_on={"record", "settle"}), transport=FakeTransport(completion()))
    assert (await ask(room)).payloads
    assert room.logged[0].unsettled


async def test_every_request_is_logged_once():
    room = Room(transport=FakeTransport(completion(), completion()))
    await ask(room)
    await ask(room)
    await refused(room, token="bad")
    assert (len(room.logged), len(room.refusals)) == (2, 1)


async def test_the_gateways_own_fields_never_go_upstream():
    room = Room(transport=FakeTransport(completion()), extras=FakeExtras())
    await ask(room, retry={"count": 1}, orq={"name": "x"}, thread={"id": "t"}, identity={"id": "i"}, made_up=1)
    assert set(room.transport.body()) == {"model", "messages", "made_up"}


async def test_strict_refuses_what_a_target_cannot_take_and_otherwise_names_it():
    room = Room(transport=FakeTransport(completion()))
    told = await ask(room, top_k=5)
    assert told.answer.headers["x-orrery-dropped-params"] == "top_k"
    err = await refused(Room(transport=FakeTransport(completion())), top_k=5, strict=True)
    assert (err.status, err.param) == (400, "top_k")


def test_a_long_answer_writes_down_what_it_cost_so_far():
    async def second():
        await asyncio.sleep(1.0)

    async def main():
        parts = [part for _ in range(25) for part in (chunk({"content": "x" * 40}), second)]
        room = Room(transport=FakeTransport(stream(*parts, chunk({}, "stop"), usage_chunk(), DONE)))
        await ask(room, stream=True)
        counted = [receipt.usage.completion for receipt in room.ledger.checkpoints]
        assert len(counted) == 2
        assert 90 <= counted[0] < counted[1] <= 250
        assert room.ledger.said == ["hold", "checkpoint", "checkpoint", "record", "settle"]

    in_virtual_time(main)


async def test_a_caller_who_leaves_while_credit_is_held_leaves_none_behind():
    holding, proceed = asyncio.Event(), asyncio.Event()

    class Slow(FakeLedger):
        async def hold(self, **asked):
            holding.set()
            await proceed.wait()
            return await super().hold(**asked)

    room = Room(ledger=Slow())
    asking = asyncio.ensure_future(ask(room))
    await holding.wait()
    asking.cancel()
    await asyncio.sleep(0)
    proceed.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert room.ledger.holds == {}
    assert room.ledger.balance_nano == 10**12


async def test_a_whole_answer_is_written_down_before_anyone_has_it():
    room = Room(transport=FakeTransport(completion()))
    answer = await serve("good", lambda _: read(HELLO), await arrive(), room.gateway())
    async for _ in answer.batches:
        assert room.ledger.said == ["hold", "record"]
        break  # the caller has what it came for, and leaves
    await answer.batches.aclose()
    await answer.close()
    assert room.ledger.settled["r1"].evidence == "provider"
    assert room.logged[0].outcome == "completed"
