"""Each fault of an upstream, over real sockets, becomes the one error that callers see; nothing leaks."""

import asyncio
import contextlib
import gzip
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import Truncated, Unreachable, UpstreamError, UpstreamTimeout
from orrery.edge.http import HttpTransport
from orrery.edge.http_pool import Pool
from tests.edge.faulty import (
    CHUNKED,
    OK,
    Peer,
    Script,
    Server,
    answers,
    drips,
    read_all,
    serve,
    settle,
    then_closes,
    then_hangs,
    then_resets,
)

SOON_S = 0.08  # where nothing at all need happen before it
LATER_S = 1.5  # where a head must have come first, on a machine that is busy with other tests
PATIENT_S = 20.0
HEAD_10 = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"


@contextlib.asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[tuple[Server, HttpTransport]]:
    """A server and a transport; afterwards no connection of either is left."""
    pool = Pool()
    transport = HttpTransport(pool)
    async with serve(script) as server:
        try:
            yield server, transport
        finally:
            await settle()
            in_limbo = pool.open_count - pool.idle_count
            await transport.aclose()
        assert in_limbo == 0
        assert pool.open_count == 0
        if server.open:
            server.release.set()
            async with asyncio.timeout(PATIENT_S):
                await server.all_closed.wait()


async def ask(server: Server, transport: HttpTransport, timeout_s: float = PATIENT_S) -> tuple[int, bytes]:
    request = UpstreamRequest("POST", server.url + "/v1/x", {"authorization": "Bearer s"}, b"{}")
    async with transport.send(request, timeout_s) as reply:
        return reply.status, await read_all(reply, 1 << 20)


def peak_mb() -> float:
    """The most memory this process has held since it was last asked (Linux only: proc(5), clear_refs)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    Path("/proc/self/clear_refs").write_text("5")
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


BEFORE_THE_HEAD = {
    "reset": (then_resets(), Unreachable),
    "closed": (then_closes(), Unreachable),
    "closed within the head": (then_closes(b"HTTP/1.1 200 OK\r\ncontent-"), Unreachable),
    "garbage": (then_closes(b"<html>hello</html>"), Unreachable),
    "garbage, then silence": (then_hangs(b"\x16\x03\x01\x02"), Unreachable),
    "folded header": (then_hangs(b"HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n"), Unreachable),
    "two lengths": (then_hangs(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nab"), Unreachable),
    "length and chunks": (then_hangs(CHUNKED[:-2] + b"content-length: 3\r\n\r\nabc"), Unreachable),
    "coded transfer": (then_hangs(CHUNKED.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n"), Unreachable),
    "another version": (then_hangs(b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n"), Unreachable),
    "switched": (then_hangs(b"HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n!"), Unreachable),
    "201 headers": (then_hangs(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 201 + b"\r\n"), Unreachable),
    "a header of 70 KB": (then_hangs(b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000 + b"\r\n\r\n"), Unreachable),
    "a header without end": (then_hangs(b"HTTP/1.1 200 OK\r\na: ", *[b"b" * 65_536] * 9), Unreachable),
    "early hints without end": (then_hangs(*[b"HTTP/1.1 103 E\r\nlink: x\r\n\r\n" * 1000] * 30), Unreachable),
    "unknown coding": (then_hangs(b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\n\r\nabc"), Unreachable),
    "silence": (then_hangs(), UpstreamTimeout),
    "silence within the head": (then_hangs(b"HTTP/1.1 200 OK\r\n"), UpstreamTimeout),
    "head at one byte a while": (drips(OK, SOON_S * 3), UpstreamTimeout),
}

WITHIN_THE_BODY = {
    "closed": (then_closes(HEAD_10 + b"12345"), Truncated),
    "closed between chunks": (then_closes(CHUNKED + b"5\r\n12345\r\n"), Truncated),
    "closed within a chunk": (then_closes(CHUNKED + b"a\r\n12345"), Truncated),
    "garbage chunk size": (then_hangs(CHUNKED + b"5\r\n12345\r\nzz\r\n"), Truncated),
    "chunk size without end": (then_hangs(CHUNKED + b"5\r\n12345\r\n" + b"f" * 30 + b"\r\n"), Truncated),
    "chunk longer than it says": (then_hangs(CHUNKED + b"5\r\n123456\r\n"), Truncated),
    "extension without end": (then_hangs(CHUNKED + b"5;", *[b"x" * 65_536] * 9), Truncated),
    "trailer without end": (then_hangs(CHUNKED + b"2\r\nab\r\n0\r\na: ", *[b"x" * 65_536] * 9), Truncated),
    "gzip that is none": (then_closes(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nplain"), Truncated),
    "gzip cut off": (
        then_closes(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + gzip.compress(b"a" * 999)[:-9]),
        Truncated,
    ),
    "silence": (then_hangs(HEAD_10 + b"12345"), UpstreamTimeout),
}


@pytest.mark.parametrize("script, error", BEFORE_THE_HEAD.values(), ids=BEFORE_THE_HEAD)
async def test_a_fault_before_the_head_is_told_on_entering(script: Script, error: type[UpstreamError]) -> None:
    async with upstream(script) as (server, transport):
        request = UpstreamRequest("POST", server.url, {}, b"{}")
        with pytest.raises(error, match=r"^127\.0\.0\.1 ") as caught:
            async with transport.send(request, SOON_S if error is UpstreamTimeout else PATIENT_S):
                raise AssertionError("there is no head")
        assert type(caught.value) is error
        assert len(server.requests) <= 1  # never sent twice, whatever happened


@pytest.mark.parametrize("script, error", WITHIN_THE_BODY.values(), ids=WITHIN_THE_BODY)
async def test_a_fault_within_the_body_is_told_while_reading(script: Script, error: type[UpstreamError]) -> None:
    async with upstream(script) as (server, transport):
        request = UpstreamRequest("POST", server.url, {}, b"{}")
        async with transport.send(request, LATER_S if error is UpstreamTimeout else PATIENT_S) as reply:
            assert reply.status == 200
            with pytest.raises(error) as caught:
                await read_all(reply, 1 << 20)
        assert type(caught.value) is error
        assert len(server.requests) == 1


@pytest.mark.parametrize("head", [HEAD_10, b"HTTP/1.1 200 OK\r\n\r\n"], ids=["with a length", "ended by the end"])
async def test_what_came_before_a_reset_is_still_given(head: bytes) -> None:
    async with upstream(then_resets(head + b"12345")) as (server, transport):
        async with transport.send(UpstreamRequest("POST", server.url, {}, b"{}"), PATIENT_S) as reply:
            chunks = reply.chunks()
            assert await anext(chunks) == b"12345"
            server.release.set()
            with pytest.raises(Truncated, match=r"127\.0\.0\.1 broke off in the middle of its answer"):
                await anext(chunks)


async def test_timeouts_name_the_host_and_the_seconds() -> None:
    async with upstream(then_hangs()) as (server, transport):
        with pytest.raises(UpstreamTimeout, match=r"^127\.0\.0\.1 sent nothing for 0\.05 s$"):
            await ask(server, transport, 0.05)


async def test_a_refused_connection_is_unreachable() -> None:
    async with serve(answers(OK)) as server:
        pass
    transport = HttpTransport()
    with pytest.raises(Unreachable, match=r"^no connection to 127\.0\.0\.1$"):
        await ask(server, transport)
    await transport.aclose()


async def test_a_host_that_is_no_name_is_unreachable() -> None:
    transport = HttpTransport()
    with pytest.raises(Unreachable):
        async with transport.send(UpstreamRequest("POST", f"http://{'a' * 64}.localhost/", {}, b""), PATIENT_S):
            pass
    await transport.aclose()


async def test_a_handshake_that_never_ends_times_out_and_leaves_no_socket() -> None:
    async with upstream(then_hangs()) as (server, transport):
        server.scheme = "https"
        with pytest.raises(UpstreamTimeout, match=r"^127\.0\.0\.1 did not accept a connection within 0\.08 s$"):
            await ask(server, transport, SOON_S)
        server.release.set()
        await asyncio.wait_for(server.all_closed.wait(), PATIENT_S)


async def test_a_request_that_is_not_taken_times_out() -> None:
    async def deaf(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's stub types it too widely
        await peer.server.release.wait()

    async with upstream(deaf) as (server, transport):
        with pytest.raises(UpstreamTimeout, match="did not take the request within"):
            async with transport.send(UpstreamRequest("POST", server.url, {}, b"x" * 30_000_000), SOON_S):
                pass


async def test_an_answer_that_comes_before_the_request_was_taken_is_given() -> None:
    async def hasty(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's stub types it too widely
        await peer.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await peer.server.release.wait()
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
        while await peer.reader.read(1 << 20):
            pass

    async with upstream(hasty) as (server, transport):
        async with transport.send(UpstreamRequest("POST", server.url, {}, b"x" * 30_000_000), PATIENT_S) as reply:
            assert (reply.status, await read_all(reply, 10)) == (413, b"big")
        server.release.set()
        await asyncio.wait_for(server.all_closed.wait(), PATIENT_S)  # half a request is no place for the next


@pytest.mark.parametrize("level", ["gzip", "deflate"])
async def test_a_bomb_never_unfolds_in_memory(level: str) -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31 if level == "gzip" else 15)
    bomb = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(64)) + squeeze.flush()
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {level}\r\ncontent-length: {len(bomb)}\r\n\r\n".encode()
    peak_mb()
    before = peak_mb()
    async with upstream(answers(head + bomb)) as (server, transport):
        async with transport.send(UpstreamRequest("POST", server.url, {}, b"{}"), PATIENT_S) as reply:
            sizes = [len(chunk) async for chunk in reply.chunks()]
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= 65_536
    assert peak_mb() - before < 32


async def test_a_slow_reader_holds_the_upstream_back() -> None:
    sent = 0

    async def flood(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(800):
            await peer.say(bytes(65_536))
            sent += 65_536

    async with upstream(flood) as (server, transport):
        async with transport.send(UpstreamRequest("POST", server.url, {}, b""), PATIENT_S) as reply:
            seen = -1
            while seen != sent:  # until the kernel's buffers are full and the upstream has to wait
                seen = sent
                await asyncio.sleep(0.05)
            assert seen < 800 * 65_536 / 2
            assert len(await read_all(reply, 1 << 30)) == 800 * 65_536


async def test_cancelling_within_the_body_closes_the_connection() -> None:
    async with upstream(then_hangs(HEAD_10 + b"12345")) as (server, transport):
        reading = asyncio.ensure_future(ask(server, transport))
        await server.asked.wait()
        await settle()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.wait_for(server.all_closed.wait(), PATIENT_S)


async def test_cancelling_before_the_head_closes_the_connection() -> None:
    async with upstream(then_hangs()) as (server, transport):
        waiting = asyncio.ensure_future(ask(server, transport))
        await server.asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.wait_for(server.all_closed.wait(), PATIENT_S)


async def test_leaving_in_the_middle_closes_the_connection() -> None:
    async with upstream(then_hangs(HEAD_10 + b"12345")) as (server, transport):
        async with transport.send(UpstreamRequest("POST", server.url, {}, b"{}"), PATIENT_S) as reply:
            assert await anext(reply.chunks()) == b"12345"
        await asyncio.wait_for(server.all_closed.wait(), PATIENT_S)


async def test_the_tasks_of_two_hundred_requests_are_gone_afterwards() -> None:
    async with upstream(answers(OK)) as (server, transport):
        before = len(asyncio.all_tasks()) - server.open
        results = await asyncio.gather(*[ask(server, transport) for _ in range(200)])
        assert results == [(200, b"ok")] * 200
        assert len(asyncio.all_tasks()) - server.open == before
