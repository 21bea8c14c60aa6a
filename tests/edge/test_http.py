"""The port to upstreams: what comes back, and what of one exchange must never reach another."""

import gzip
import zlib
from pathlib import Path

import httpx
import pytest

from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import Unreachable, UpstreamError
from orrery.core.ports import UpstreamReply
from orrery.edge.http import HttpTransport, ThinTransport
from orrery.edge.http_pool import Pool
from tests.edge.faulty import OK, Peer, answers, read_all, serve


def post(url: str, headers: dict[str, str] | None = None, body: bytes = b"{}") -> UpstreamRequest:
    return UpstreamRequest("POST", url, headers or {}, body)


def transport_answering(response: httpx.Response) -> HttpTransport:
    return HttpTransport(transport=httpx.MockTransport(lambda _: response))


async def test_a_reply_has_its_status_headers_and_body() -> None:
    said = b"HTTP/1.1 429 Slow\r\nX-One: a\r\nx-one: b\r\nRetry-After: 3\r\ncontent-length: 4\r\n\r\nbusy"
    transport = HttpTransport()
    async with serve(answers(said)) as server, transport.send(post(server.url), 20) as reply:
        assert reply.status == 429
        assert reply.headers == {"x-one": "a, b", "retry-after": "3", "content-length": "4"}
        assert await read_all(reply, 4) == b"busy"
    await transport.aclose()


async def test_the_connection_is_kept_for_the_next_request() -> None:
    transport = HttpTransport()
    async with serve(answers(OK)) as server:
        for _ in range(3):
            async with transport.send(post(server.url), 20) as reply:
                assert await read_all(reply, 10) == b"ok"
        assert server.connections == 1
        await transport.aclose()


async def test_redirects_are_answers_like_any_other() -> None:
    transport = HttpTransport()
    moved = b"HTTP/1.1 307 Moved\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    async with serve(answers(moved)) as server, transport.send(post(server.url), 20) as reply:
        assert (reply.status, len(server.requests)) == (307, 1)
    await transport.aclose()


async def test_a_cookie_is_neither_kept_nor_sent() -> None:
    transport = HttpTransport()
    async with serve(answers(OK.replace(b"content", b"set-cookie: a=1; path=/\r\ncontent"))) as server:
        for _ in range(2):
            async with transport.send(post(server.url), 20):
                pass
        assert not any(b"cookie" in request for request in server.requests)
        assert not list(transport._client.cookies.jar)
        await transport.aclose()


async def test_proxies_and_netrc_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    transport = HttpTransport()
    async with serve(answers(OK)) as server:
        async with transport.send(post(server.url), 20):
            pass
        assert b"authorization" not in server.requests[0]
        await transport.aclose()


async def test_a_client_that_leaves_the_header_out_sends_no_user_agent_of_httpx() -> None:
    transport = HttpTransport()
    async with serve(answers(OK)) as server:
        async with transport.send(post(server.url), 20):
            pass
        assert b"user-agent" not in server.requests[0]
        await transport.aclose()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"plain " * 50_000)),
        ("GZIP", gzip.compress(b"plain " * 25_000) + gzip.compress(b"plain " * 25_000)),
        ("deflate", zlib.compress(b"plain " * 50_000)),
        ("identity", b"plain " * 50_000),
    ],
)
@pytest.mark.parametrize("step", [1, 1 << 20])
async def test_a_packed_answer_arrives_unpacked_and_says_nothing_of_it(coding: str, packed: bytes, step: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(f"HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\nx-a: 1\r\n\r\n".encode())
        for at in range(0, min(len(packed), 2000), step):
            await peer.say(packed[at : at + step])
        await peer.say(packed[2000:] if step == 1 else b"")

    transport = HttpTransport()
    async with serve(script) as server, transport.send(post(server.url), 20) as reply:
        assert await read_all(reply, 1 << 20) == b"plain " * 50_000
        assert "content-encoding" not in reply.headers or coding == "identity"
        assert reply.headers["x-a"] == "1"
    await transport.aclose()


async def test_an_empty_packed_answer_is_empty() -> None:
    transport = HttpTransport()
    said = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n"
    async with serve(answers(said)) as server, transport.send(post(server.url), 20) as reply:
        assert await read_all(reply, 0) == b""
    await transport.aclose()


async def test_the_error_never_quotes_the_request() -> None:
    transport = HttpTransport()
    request = post("http://127.0.0.1:1/secret-path", {"authorization": "Bearer sk-secret"}, b"secret prompt")
    with pytest.raises(UpstreamError) as caught:
        async with transport.send(request, 20):
            pass
    told = repr(caught.value) + str(caught.value.body())
    assert "secret" not in told
    await transport.aclose()


@pytest.mark.parametrize("url", ["ftp://x.test/", "http://", "not a url", "http://[::1", "http://127.0.0.1:99999/"])
async def test_an_address_that_cannot_be_called_is_unreachable(url: str) -> None:
    transport = HttpTransport()
    with pytest.raises(Unreachable):
        async with transport.send(post(url), 20):
            pass
    await transport.aclose()


async def test_httpx_itself_works_over_the_transport() -> None:
    pool = Pool()
    async with serve(answers(OK)) as server, httpx.AsyncClient(transport=ThinTransport(pool)) as client:
        response = await client.post(server.url, files={"file": b"content"}, params={"a": "b c"})
        assert (response.status_code, response.text, response.http_version) == (200, "ok", "HTTP/1.1")
        assert server.requests[0].startswith(b"POST /?a=b+c HTTP/1.1\r\n")
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.get("ftp://127.0.0.1/x")
    assert pool.open_count == 0


async def test_httpx_gets_its_own_exceptions() -> None:
    async def closes(peer: Peer) -> None:
        await peer.request()

    async with serve(closes) as server, httpx.AsyncClient(transport=ThinTransport()) as client:
        with pytest.raises(httpx.ReadError) as caught:
            await client.get(server.url)
        assert str(caught.value.request.url) == server.url
    async with httpx.AsyncClient(transport=ThinTransport()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(server.url)


async def test_httpx_timeouts_of_none_wait_as_long_as_it_takes() -> None:
    async with serve(answers(OK)) as server, httpx.AsyncClient(transport=ThinTransport(), timeout=None) as client:
        assert (await client.get(server.url)).text == "ok"


async def test_chunks_of_a_reply_are_the_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = transport_answering(httpx.Response(200, content=b"12345"))
    async with transport.send(post("http://x.test"), 20) as reply:
        typed: UpstreamReply = reply
        assert [chunk async for chunk in typed.chunks()] == [b"12345"]
