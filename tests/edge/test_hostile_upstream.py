"""A hostile upstream behind the whole gateway, over real sockets: each fault ends in an answer and closed books."""

import asyncio
import gzip
import resource
from typing import Any

import orjson
import pytest

from orrery.edge.families import family
from orrery.edge.http import HttpTransport
from orrery.flow.gateway import Account, Policy
from orrery.providers.compatible import server
from tests.edge.asgi import Heard, request
from tests.edge.faulty import CHUNKED, Script, answers, drips, serve, then_closes, then_hangs, then_resets
from tests.fakes import DONE, FakeAccounts, Room, chunk

ASKED = {"model": "own/m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
SSE = CHUNKED.replace(b"\r\n\r\n", b"\r\ncontent-type: text/event-stream\r\n\r\n")
FIRST = chunk({"content": "grüße "})


def part(data: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Own(FakeAccounts):
    """One server of the operator's own."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._account = Account(server("own", url), url)

    async def find(self, name: str) -> Account | None:
        return self._account if name == "own" else None


async def heard_from(script: Script, policy: Policy | None = None, **more: Any) -> tuple[Heard, Room]:
    policy = policy or Policy(allow_unpriced=True, silence_s=2.0, deadline_s=10.0)
    async with serve(script) as upstream:
        transport = HttpTransport()
        room = Room(transport=transport, accounts=Own(upstream.url), policy=policy)
        gateway = room.gateway()
        try:
            heard = await request(family("chat", lambda: gateway), ASKED | more)
        finally:
            upstream.release.set()
            await transport.aclose()
    assert heard.ended
    assert room.ledger.holds == {}
    assert len(room.logged) == 1
    return heard, room


BEFORE = {
    "reset": then_resets(),
    "closed": then_closes(),
    "garbage": then_closes(b"\x00\xff this is not HTTP\r\n\r\n"),
    "no body": answers(SSE + b"0\r\n\r\n"),
    "not events": answers(SSE, part(b"<html>gateway</html>"), b"0\r\n\r\n"),
    "not JSON": answers(SSE, part(b"data: {oops\n\n"), b"0\r\n\r\n"),
    "an array": answers(SSE, part(b"data: []\n\n"), b"0\r\n\r\n"),
    "10 MB line": answers(SSE, part(b"data: " + b"x" * 10_000_000), b"0\r\n\r\n"),
    "error event": answers(SSE, part(b'data: {"error":{"message":"no"}}\n\n'), b"0\r\n\r\n"),
    "html 500": answers(b"HTTP/1.1 500 X\r\ncontent-length: 13\r\n\r\n<html></html>"),
    "redirect": answers(b"HTTP/1.1 302 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("fault", BEFORE)
async def test_a_fault_before_the_first_frame_is_a_plain_5xx(fault):
    heard, room = await heard_from(BEFORE[fault])
    assert 500 <= heard.status < 600
    assert set(heard.json()["error"]) >= {"message", "type", "param", "code"}
    assert next(iter(room.ledger.settled.values())).evidence == "none"


AFTER = {
    "reset": then_resets(SSE, part(FIRST)),
    "closed": then_closes(SSE, part(FIRST)),
    "ends early": answers(SSE, part(FIRST), b"0\r\n\r\n"),
    "bad chunk size": then_closes(SSE, part(FIRST), b"zz\r\nxx\r\n"),
    "not JSON": answers(SSE, part(FIRST), part(b"data: {oops\n\n"), b"0\r\n\r\n"),
    "split character, then gone": then_closes(SSE, part(FIRST), b"20\r\ndata: \xc3"),
    "error event": answers(SSE, part(FIRST), part(b'data: {"error":{"message":"no"}}\n\n'), b"0\r\n\r\n"),
}


@pytest.mark.parametrize("fault", AFTER)
async def test_a_fault_after_the_first_frame_is_an_event_without_done(fault):
    heard, room = await heard_from(AFTER[fault])
    events = heard.events()
    assert heard.status == 200
    assert orjson.loads(events[0])["choices"][0]["delta"]["content"] == "grüße "
    assert "error" in orjson.loads(events[-1])
    assert b"[DONE]" not in heard.body
    assert room.logged[0].outcome == "cut"
    assert next(iter(room.ledger.settled.values())).evidence == "counted"


async def test_a_hang_is_ended_by_the_limit_on_silence():
    policy = Policy(allow_unpriced=True, silence_s=0.2, deadline_s=10.0)
    heard, _ = await heard_from(then_hangs(SSE, part(FIRST)), policy)
    assert orjson.loads(heard.events()[-1])["error"]["code"] == "provider_timeout"


async def test_a_drip_is_ended_by_the_deadline_of_the_whole():
    policy = Policy(allow_unpriced=True, silence_s=5.0, deadline_s=0.5)
    dripping = drips(part(b": still here\n\n") * 200, 0.02, SSE + part(FIRST))
    heard, _ = await heard_from(dripping, policy)
    assert orjson.loads(heard.events()[-1])["error"]["code"] == "provider_timeout"


async def test_a_call_timeout_bounds_a_dripping_head():
    dripping = drips(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 500, 0.01)
    heard, _ = await heard_from(dripping, timeout={"call_timeout": 300})
    assert (heard.status, heard.json()["error"]["code"]) == (504, "provider_timeout")


async def test_characters_split_between_packets_arrive_whole():
    data = FIRST + chunk({}, "stop") + DONE
    pieces = [part(data[i : i + 1]) for i in range(len(data))]
    heard, _ = await heard_from(answers(SSE, *pieces, b"0\r\n\r\n"))
    assert "grüße " in orjson.loads(heard.events()[0])["choices"][0]["delta"]["content"]
    assert heard.events()[-1] == b"[DONE]"


async def test_a_gzip_bomb_is_refused_without_unfolding():
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    heard, _ = await heard_from(answers(head, bomb), stream=False)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    assert heard.status == 502
    # The reply's own limit is 32 MiB; a bomb must not be held beyond it.
    assert grown_mb < 96


async def test_a_whole_answer_that_exceeds_the_limit_is_refused():
    policy = Policy(allow_unpriced=True, max_reply_bytes=1000)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"
    heard, _ = await heard_from(answers(head, b"x" * 100_000), policy, stream=False)
    assert heard.status == 502


async def test_a_caller_who_leaves_frees_the_upstreams_connection():
    async with serve(then_hangs(SSE, part(FIRST))) as upstream:
        transport = HttpTransport()
        policy = Policy(allow_unpriced=True)
        room = Room(transport=transport, accounts=Own(upstream.url), policy=policy)
        gateway, leave, came = room.gateway(), asyncio.Event(), asyncio.Event()

        async def notice(message):
            if message.get("body"):
                came.set()

        asking = asyncio.ensure_future(request(family("chat", lambda: gateway), ASKED, leave=leave, send=notice))
        await came.wait()
        leave.set()
        await asking
        upstream.release.set()
        await asyncio.wait_for(upstream.all_closed.wait(), 10)
        await transport.aclose()
    assert room.logged[0].outcome == "abandoned"
