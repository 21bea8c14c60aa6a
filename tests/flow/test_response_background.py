"""Responses in the background: accepted, worked on once, watched, cancelled, and never lost when they were paid for."""

import asyncio
from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest, Unavailable
from orrery.core.tools import Outcome
from orrery.core.types import Json
from orrery.flow.responding import background
from orrery.flow.responding.background import worked
from orrery.flow.responding.watching import watched
from orrery.stores.table import Table
from tests.fakes import ALICE, Room, chunk, completion, cut, stream
from tests.flow.responding import FakeTool, calls, final, house, kinds, refused, respond, said, soon, words
from tests.wire.composing import judge

ORG = ALICE.organization
CLOCK = [{"type": "orq:current_date"}]


async def accepted(room: Room, **more: Any) -> Json:
    return final(await respond(room, {"input": "hi", "background": True, **more}))


async def work(room: Room, number: int = 0, owner: str = "worker") -> bool:
    deadline = asyncio.get_running_loop().time() + 600
    return await worked(room.extras.sent.sent[number], owner, deadline, room.gateway())


async def log_of(room: Room, id: str, after: int = -1) -> list[Json]:
    deadline = asyncio.get_running_loop().time() + 600
    batches = [batch async for batch in watched(ORG, id, after, deadline, room.gateway())]
    return [orjson.loads(event) for batch in batches for event in batch]


async def test_it_is_accepted_at_once_and_finished_by_a_worker(table: Table) -> None:
    room = house(table, completion("hello"))
    queued = await accepted(room)
    assert (queued["status"], queued["background"], room.transport.requests) == ("queued", True, [])
    assert await work(room)
    found = await room.extras.responses.read(ORG, queued["id"])
    assert (found.status, said(found.shown), found.shown["created_at"]) == ("completed", "hello", queued["created_at"])
    assert [receipt.cost_nano > 0 for receipt in room.ledger.settled.values()] == [True]


async def test_its_events_can_be_watched_from_any_number_on(table: Table) -> None:
    room = house(table, words("hel", "lo"))
    told = asyncio.ensure_future(respond(room, {"input": "hi", "background": True, "stream": True}))
    await soon(lambda: bool(room.extras.sent.sent))
    assert await work(room)
    events = (await told).payloads
    judge(events)
    assert events[-1]["response"]["status"] == "completed"
    id = final(await told)["id"]
    assert await log_of(room, id, 3) == events[4:]
    for beyond in (len(events) - 1, len(events), 99):
        assert await log_of(room, id, beyond) == [], "nothing is made up where the end was told"


async def test_a_message_that_comes_again_is_worked_on_once(table: Table) -> None:
    room = house(table, completion("hello"), completion("again"))
    await accepted(room)
    assert await asyncio.gather(work(room), work(room, owner="other")) in ([True, False], [False, True])
    assert not await work(room, owner="third")
    assert len(room.transport.requests) == 1


async def test_what_fails_before_its_first_word_is_a_failed_response(table: Table) -> None:
    room = house(table, stream(status=500), stream(status=500))
    queued = await accepted(room)
    assert await work(room)
    found = await room.extras.responses.read(ORG, queued["id"])
    assert (found.status, found.shown["error"]["code"]) == ("failed", "provider_error")
    events = await log_of(room, queued["id"])
    judge(events)
    assert events[-1]["type"] == "response.failed"


async def test_a_key_that_was_revoked_meanwhile_buys_nothing(table: Table) -> None:
    room = house(table, completion("hello"))
    queued = await accepted(room)
    room.keys.revoked.add(ALICE.key_id)
    await work(room)
    assert (await room.extras.responses.read(ORG, queued["id"])).status == "failed"
    assert room.transport.requests == []


async def test_cancelling_ends_the_upstream_and_keeps_what_there_was(table: Table, monkeypatch: Any) -> None:
    monkeypatch.setattr(background, "BEAT_S", 0.01)
    stopped = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    room = house(table, stream(chunk({"content": "hel"}), hang, chunk({"content": "lo"})))
    told = asyncio.ensure_future(respond(room, {"input": "hi", "background": True, "stream": True}))
    await soon(lambda: bool(room.extras.sent.sent))
    id = room.extras.sent.sent[0]["response"]
    working = asyncio.ensure_future(work(room))
    await soon(lambda: room.transport.open == 1)
    assert (await room.extras.responses.cancel(ORG, id)).status == "cancelled"
    assert await working and stopped.is_set() and room.transport.open == 0
    found = await room.extras.responses.read(ORG, id)
    assert (found.status, said(found.shown)) == ("cancelled", "hel")
    (charged,) = room.ledger.settled.values()
    assert round(found.shown["usage"]["total_cost"] * 1e9) == charged.cost_nano > 0
    judge((await told).payloads)
    assert room.ledger.holds == {}


async def test_one_that_is_cancelled_before_anybody_took_it_is_never_begun(table: Table) -> None:
    room = house(table, completion("hello"))
    queued = await accepted(room)
    await room.extras.responses.cancel(ORG, queued["id"])
    assert not await work(room)
    assert room.transport.requests == []


async def test_one_in_the_foreground_cannot_be_cancelled(table: Table) -> None:
    room = house(table, completion("hello"))
    resource = final(await respond(room, {"input": "hi"}))
    with pytest.raises(InvalidRequest):
        await room.extras.responses.cancel(ORG, resource["id"])


async def test_secrets_of_a_request_are_not_put_aside(table: Table) -> None:
    room = house(table)
    secret = {"variables": {"key": {"value": "s3cret", "secret": True}}, "input": "use {{key}}"}
    err = await refused(room, {"background": True, **secret})
    assert (err.status, err.param, room.extras.sent.sent) == (400, "background", [])


async def test_the_headers_of_a_tool_are_not_put_aside_either(table: Table) -> None:
    room = house(table)
    mcp = {"type": "mcp", "server_label": "s", "server_url": "https://mcp.example", "require_approval": "never"}
    for secret in ({"authorization": "s3cret"}, {"headers": {"x-key": "s3cret"}}):
        err = await refused(room, {"background": True, "input": "hi", "tools": [{**mcp, **secret}]})
        assert (err.status, err.param, room.extras.sent.sent) == (400, "background", [])


async def test_tools_run_in_the_background_too(table: Table) -> None:
    room = house(table, calls(("clock", "{}")), words("noon"), tools=[FakeTool()])
    told = asyncio.ensure_future(respond(room, {"input": "t", "background": True, "stream": True, "tools": CLOCK}))
    await soon(lambda: bool(room.extras.sent.sent))
    await work(room)
    events = (await told).payloads
    judge(events)
    assert kinds(events[-1]["response"]) == ["function_call", "orq:current_date", "message"]


class Killed(BaseException):
    """The process is gone: nothing more of it happens."""


def kill_at(room: Room, number: int) -> list[str]:
    """From write `number` on, nothing is written any more; what was, is listed."""
    done: list[str] = []
    stores = {
        "responses": (room.extras.responses, ("claim", "save", "finish")),
        "ledger": (room.ledger, ("hold", "record", "settle")),
        "log": (room.extras.event_logs, ("append",)),
    }
    for store, methods in stores.values():
        for name in methods:
            setattr(store, name, _mortal(getattr(store, name), name, number, done))
    return done


def _mortal(real: Any, name: str, number: int, done: list[str]) -> Any:
    async def call(*args: Any, **kwargs: Any) -> Any:
        if len(done) >= number:
            raise Killed
        done.append(name)
        return await real(*args, **kwargs)

    return call


@pytest.mark.parametrize("number", range(14))
async def test_a_worker_that_dies_between_any_two_writes_loses_nothing_that_was_paid_for(
    table: Table, number: int
) -> None:
    room = house(table, calls(("clock", "{}")), words("noon"), tools=[FakeTool()])
    told = await respond(room, {"input": "t", "background": True, "tools": CLOCK})
    id = final(told)["id"]
    done = kill_at(room, number)
    working = asyncio.ensure_future(work(room))
    await asyncio.wait({working})
    found = await room.extras.responses.read(ORG, id)
    paid = {id: receipt for id, receipt in room.ledger.receipts.items() if receipt.cost_nano}
    words_kept = kinds(found.shown)
    if "r1b" in paid:
        assert words_kept[:1] == ["function_call"], (number, done)
    if "r1bt2" in paid:
        assert (found.status, said(found.shown)) == ("completed", "noon"), (number, done)
    assert working.exception() is None or isinstance(working.exception(), Killed)


async def test_a_response_whose_worker_died_ends_as_failed_and_is_watched_to_its_end(table: Table) -> None:
    room = house(table, stream(chunk({"content": "hel"}), cut()))
    queued = await accepted(room)
    message = room.extras.sent.sent[0]
    claimed = await room.extras.responses.claim(ORG, message["response"], owner="dead", lease_s=-1.0)
    assert claimed is not None
    assert not await work(room)
    assert (await room.extras.responses.read(ORG, queued["id"])).status == "failed"
    (last,) = await log_of(room, queued["id"])
    assert last["type"] == "response.failed" and last["response"]["error"]["code"] == "server_error"


async def test_a_queue_that_takes_nothing_is_an_error_and_the_response_is_not_left_waiting(table: Table) -> None:
    room = house(table)

    async def full(*_: Any) -> None:
        raise Unavailable("no queue")

    room.extras.sent.send = full  # type: ignore[method-assign]
    err = await refused(room, {"input": "hi", "background": True})
    assert err.status == 503


async def test_a_bug_in_the_background_leaves_a_failed_response(table: Table) -> None:
    async def bug(*_: Any) -> Outcome:
        raise ZeroDivisionError

    room = house(table, calls(("clock", "{}")), tools=[FakeTool(does=bug)])
    told = asyncio.ensure_future(respond(room, {"input": "t", "background": True, "stream": True, "tools": CLOCK}))
    await soon(lambda: bool(room.extras.sent.sent))
    with pytest.raises(ZeroDivisionError):
        await work(room)
    found = await room.extras.responses.read(ORG, final(await told)["id"])
    assert (found.status, found.shown["error"]["message"]) == ("failed", "Internal error")
    assert not await work(room, owner="again")
