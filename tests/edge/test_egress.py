"""Reading a URL: by the checked address, with the name's certificate; so many bytes, so long, so many redirects."""

import asyncio
import gzip
from pathlib import Path

import pytest

from orrery.core.errors import GatewayError, InvalidRequest, TooLarge
from orrery.edge import egress_resolving
from orrery.edge.egress_resolving import lookup, public_addresses
from orrery.edge.http_faults import ConnectFault, ConnectTimedOut, WireFault
from tests.edge.elsewhere import PUBLIC, PUBLIC_V6, World, world
from tests.edge.faulty import CHUNKED, OK, Peer, Script, answers, drips, then_closes, then_hangs, then_resets

URL = "http://files.example/a.png"
LIMIT = 1000


def answer(body: bytes = b"ok", *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def moved(location: str, status: int = 302) -> bytes:
    return answer(b"gone", f"location: {location}", status=f"{status} Moved")


def by_path(pages: dict[str, bytes]) -> Script:
    """Each path has an answer of its own."""

    async def script(peer: Peer) -> None:
        while (request := await peer.request()) is not None:
            await peer.say(pages[request.split()[1].decode()])

    return script


async def read(found: World, url: str = URL, timeout_s: float = 20.0) -> bytes:
    return (await found.egress(url, limit_bytes=LIMIT, timeout_s=timeout_s)).data


async def failure(found: World, url: str = URL, timeout_s: float = 20.0) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await read(found, url, timeout_s)
    return caught.value


async def test_a_page_is_read_over_tls_from_the_checked_address_in_the_name_of_its_host(tmp_path: Path) -> None:
    async with world(answers(answer(b"\x89PNG", "content-type: image/png")), tmp_path) as found:
        fetched = await found.egress("https://files.example/a%20b?c=d#e", limit_bytes=LIMIT, timeout_s=20)
        assert (fetched.media_type, fetched.data) == ("image/png", b"\x89PNG")
        assert (found.pool.called, found.greeted, found.names.asked) == ([PUBLIC], ["files.example"], ["files.example"])
        assert found.server.requests == [
            b"GET /a%20b?c=d HTTP/1.1\r\nhost: files.example\r\nuser-agent: orrery\r\naccept: */*\r\n"
            b"accept-encoding: identity\r\n\r\n"
        ]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the server's half of a handshake that we refuse
@pytest.mark.parametrize(("certified", "trusted"), [("other.example", True), ("files.example", False)])
async def test_a_host_without_a_certificate_for_its_name_is_told_nothing(
    tmp_path: Path, certified: str, trusted: bool
) -> None:
    async with world(answers(OK), tmp_path, certified=certified, trusted=trusted) as found:
        assert (await failure(found, "https://files.example/x")).message.startswith("Nothing can be downloaded")
        assert found.server.requests == []


async def test_no_connection_is_kept_for_whoever_asks_next() -> None:
    async with world(answers(OK)) as found:
        assert [await read(found) for _ in range(3)] == [b"ok"] * 3
        assert found.server.connections == 3


@pytest.mark.parametrize("fault", [ConnectFault, ConnectTimedOut])
async def test_an_address_that_takes_no_connection_is_passed_over(fault: type[WireFault]) -> None:
    names = {"files.example": [PUBLIC_V6, PUBLIC, PUBLIC]}
    async with world(answers(OK), names=names, unreachable=[PUBLIC_V6], fault=fault) as found:
        assert await read(found) == b"ok"
        assert found.pool.called == [PUBLIC_V6, PUBLIC]


async def test_only_a_few_addresses_are_tried() -> None:
    many = [f"93.184.215.{number}" for number in range(50)]
    async with world(answers(OK), names={"files.example": many}, unreachable=many) as found:
        await failure(found)
        assert found.pool.called == many[:4]


async def test_an_address_that_took_the_request_is_the_only_one() -> None:
    async with world(then_resets(), names={"files.example": [PUBLIC, PUBLIC_V6]}) as found:
        assert (await failure(found)).message == "Nothing can be downloaded from 'files.example'."
        assert found.pool.called == [PUBLIC]


# ---- what comes back


TYPES = {
    "image/PNG": "image/png",
    "text/html; charset=utf-8": "text/html",
    " Application/vnd.ms-excel ;x": "application/vnd.ms-excel",
    "image": "",
    "": "",
    "image/png,text/html": "",
    'text/"><script>': "",
    "image/png;base64,AAAA": "image/png",
    "a/" + "b" * 64: "",
    "image/\xe9": "",
}


@pytest.mark.parametrize("told", TYPES)
async def test_the_media_type_is_what_the_server_says_if_it_is_one(told: str) -> None:
    async with world(answers(answer(b"x", f"content-type: {told}"))) as found:
        fetched = await found.egress(URL, limit_bytes=LIMIT, timeout_s=20)
        assert fetched.media_type == TYPES[told]


async def test_a_page_without_a_type_has_none() -> None:
    async with world(answers(OK)) as found:
        assert (await found.egress(URL, limit_bytes=LIMIT, timeout_s=20)).media_type == ""


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 500, 503])
async def test_an_answer_that_is_no_page_is_named_by_its_status_alone(status: int) -> None:
    async with world(answers(answer(b"secret", "x-secret: secret", status=f"{status} secret"))) as found:
        err = await failure(found)
        assert (err.status, err.message) == (400, f"Status {status} while downloading from 'files.example'.")


BROKEN = {
    "no answer": then_closes(),
    "reset": then_resets(),
    "not HTTP": then_closes(b"220 smtp.example ESMTP secret\r\n"),
    "half a head": then_closes(b"HTTP/1.1 200 OK\r\nx-secret"),
    "half a body": then_closes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nsecret"),
    "half a chunk": then_closes(CHUNKED + b"9\r\nsecret"),
    "an unknown coding": answers(answer(b"secret", "content-encoding: br")),
    "two codings": answers(answer(b"secret", "content-encoding: gzip, gzip")),
    "no such coding": answers(answer(b"secret", "content-encoding: gzip")),
    "half of it packed": then_closes(answer(gzip.compress(b"secret")[:-9], "content-encoding: gzip")),
    "endless head": then_closes(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
async def test_a_host_that_breaks_off_is_like_one_that_does_not_answer(script: Script) -> None:
    async with world(script) as found:
        err = await failure(found)
        assert (err.message, err.code) == ("Nothing can be downloaded from 'files.example'.", "invalid_url")
        assert isinstance(err, InvalidRequest)


# ---- how much


async def test_as_many_bytes_as_the_limit_are_read() -> None:
    for said in (answer(b"x" * LIMIT), CHUNKED + b"3e8\r\n" + b"x" * LIMIT + b"\r\n0\r\n\r\n"):
        async with world(answers(said)) as found:
            assert len(await read(found)) == LIMIT


TOO_LARGE = {
    "declared": answers(answer(b"x" * (LIMIT + 1))),
    "declared and never sent": then_hangs(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"),
    "in chunks": then_hangs(CHUNKED, b"3e8\r\n" + b"x" * LIMIT + b"\r\n", b"1\r\nx\r\n"),
    "until the end": then_hangs(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * (LIMIT + 1)),
    "packed": answers(answer(gzip.compress(b"x" * (LIMIT + 1)), "content-encoding: gzip")),
    "a bomb": answers(answer(gzip.compress(bytes(500_000)), "content-encoding: gzip")),
    "packed nothings": then_hangs(CHUNKED[:-2] + b"content-encoding: gzip\r\n\r\n7d0\r\n" + gzip.compress(b"") * 100),
}


@pytest.mark.parametrize("script", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_a_byte_more_than_the_limit_ends_the_reading(script: Script) -> None:
    async with world(script) as found:
        err = await failure(found)
        assert isinstance(err, TooLarge)
        assert err.message == "What 'files.example' sends is larger than 1000 bytes."


async def test_a_packed_page_is_unpacked() -> None:
    async with world(answers(answer(gzip.compress(b"y" * LIMIT), "content-encoding: gzip"))) as found:
        assert await read(found) == b"y" * LIMIT


# ---- how long

SLOW = {
    "says nothing": then_hangs(),
    "drips its head": drips(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50, 0.005),
    "drips its body": drips(b"x" * 200, 0.005, b"HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n"),
    "stops in its body": then_hangs(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"),
}


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
async def test_the_time_is_for_everything_together(script: Script) -> None:
    async with world(script) as found:
        err = await failure(found, timeout_s=0.1)
        assert (err.status, err.message) == (400, "Timeout while downloading from 'files.example'.")


async def test_redirects_take_from_the_same_time() -> None:
    async def slowly(peer: Peer) -> None:
        await peer.request()
        await asyncio.sleep(0.06)
        await peer.say(moved("/again"))

    async with world(slowly) as found:
        assert (await failure(found, timeout_s=0.1)).message.startswith("Timeout")


async def test_a_resolver_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(egress_resolving, "LOOKUP_S", 0.01)
    with pytest.raises(ConnectFault):
        await public_addresses("files.example", silent)


async def test_who_leaves_takes_the_connection_along() -> None:
    async with world(then_hangs()) as found:
        reading = asyncio.ensure_future(read(found))
        await found.server.asked.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


# ---- where else


async def test_redirects_are_followed_to_other_hosts_and_to_relative_places() -> None:
    pages = {"/a": moved("b?c#d"), "/b?c": moved("//other.example/e", 301), "/e": moved("f", 308), "/f": answer(b"end")}
    async with world(by_path(pages)) as found:
        assert await read(found, "http://files.example/a") == b"end"
        assert found.names.asked == ["files.example", "files.example", "other.example", "other.example"]
        hosts = [request.split(b"\r\n")[1] for request in found.server.requests]
        assert hosts == [b"host: files.example"] * 2 + [b"host: other.example"] * 2


async def test_a_fourth_redirect_is_not_followed() -> None:
    async with world(answers(moved("/again"))) as found:
        assert (await failure(found)).message == "'files.example' redirects more than 3 times."
        assert len(found.server.requests) == 4


async def test_whatever_fails_behind_a_redirect_is_said_of_the_host_that_the_caller_named() -> None:
    wrong = [answer(status="404 N"), answer(b"x" * 2000), b"nonsense\r\n\r\n", moved("/b"), moved("ftp://x/")]
    for page in wrong:
        async with world(by_path({"/a": moved("http://other.example/b"), "/b": page})) as found:
            message = (await failure(found, "http://files.example/a")).message
            assert "'files.example'" in message and "other" not in message


async def test_a_redirect_takes_no_cookie_along() -> None:
    pages = {"/a": moved("/b").replace(b"location", b"set-cookie: a=b\r\nlocation"), "/b": answer(b"end")}
    async with world(by_path(pages)) as found:
        assert await read(found, "http://files.example/a") == b"end"
        assert not any(b"cookie" in request or b"referer" in request for request in found.server.requests)


async def test_a_redirect_from_http_to_https_may_be_followed() -> None:
    async with world(answers(moved("https://inside.example/"))) as found:
        await failure(found)
        assert found.names.asked == ["files.example", "inside.example"]


# ---- names


async def test_the_addresses_of_a_name_are_public_each_once_and_at_least_one() -> None:
    async def known(host: str) -> list[str]:
        return {"two.example": [PUBLIC_V6, PUBLIC, PUBLIC_V6, f"::ffff:{PUBLIC}"]}.get(host, [])

    assert [str(address) for address in await public_addresses("two.example", known)] == [PUBLIC_V6, PUBLIC]
    with pytest.raises(ConnectFault):
        await public_addresses("none.example", known)


async def test_the_systems_resolver_is_asked_off_the_loop() -> None:
    assert "127.0.0.1" in await lookup("localhost")
    with pytest.raises(ConnectFault):
        await public_addresses("localhost")


def test_an_address_with_a_scope_keeps_it() -> None:
    assert egress_resolving._text("fe80::1", 0, 0, 2) == "fe80::1%2"
    assert egress_resolving._text("fe80::1%eth0", 0, 0, 2) == "fe80::1%eth0"
    assert egress_resolving._text("2606:4700::1111", 0, 0, 0) == "2606:4700::1111"
