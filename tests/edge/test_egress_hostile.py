"""URLs that lead inside, however they are spelled: refused, and the listener behind every address hears nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

import tests.conftest
from orrery.core.errors import InvalidRequest
from orrery.core.types import Fetched
from orrery.edge import egress_resolving, egress_urls
from orrery.edge.egress import Egress
from orrery.edge.egress_resolving import lookup
from orrery.edge.http_pool import Pool
from tests.edge.elsewhere import PUBLIC, PUBLIC_V6, Elsewhere, Names, World, world
from tests.edge.faulty import OK, answers, serve

SPELLED = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7F.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "00000177.0.0.1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "0x0",
    "10.0.0.1",
    "10.1",
    "0xa.1",
    "167772161",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "0300.0250.1.1",
    "3232235777",
    "169.254.169.254",
    "169.254.43518",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.100.1",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "0xa83f8110",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
]
"""Hosts that need no resolver, as the system's own reads them."""

NOBODY = 1
"""A port where nothing listens."""

RESOLVED = {
    "localhost": ["127.0.0.1"],
    "ip6-localhost": ["::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "private.example": ["10.1.2.3"],
    "first-is-public.example": [PUBLIC, "10.1.2.3"],
    "last-is-public.example": ["10.1.2.3", PUBLIC],
    "inside-over-v6.example": [PUBLIC, "::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "mapped-among-public.example": [PUBLIC_V6, PUBLIC, "::ffff:169.254.169.254"],
    "nat64.example": ["64:ff9b::a9fe:a9fe"],
    "zone.example": ["fe80::1%2"],
    "public-in-a-zone.example": [f"{PUBLIC_V6}%2"],
    "odd-answer.example": ["0x7f.1"],
    "empty.example": [],
}
"""Names, and the addresses that a hostile server of theirs gives."""


@pytest.fixture
async def outside() -> AsyncIterator[World]:
    async with world(answers(OK), names=dict(RESOLVED)) as found:
        yield found
        assert (found.server.connections, found.pool.called) == (0, [])


@pytest.fixture
def numeric(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver reads numbers only; so the guard of these tests may let it."""
    monkeypatch.setattr(socket, "getaddrinfo", partial(socket.getaddrinfo, flags=socket.AI_NUMERICHOST))
    monkeypatch.setattr(tests.conftest, "_is_local", lambda host: True)


async def refusal(egress: Egress, url: str) -> str:
    with pytest.raises(InvalidRequest) as caught:
        await egress(url, limit_bytes=100, timeout_s=20)
    assert caught.value.code == "invalid_url"
    return caught.value.message


@pytest.mark.usefixtures("numeric")
@pytest.mark.parametrize("host", SPELLED)
async def test_an_address_inside_is_refused_however_it_is_spelled(outside: World, host: str) -> None:
    egress = Egress(outside.pool, http_hosts=Every())
    said = {await refusal(egress, f"{scheme}://{host}:{port}/x") for scheme in ("https", "http") for port in (443, 80)}
    assert len(said) == 1


@pytest.mark.parametrize("host", RESOLVED)
async def test_a_name_that_leads_inside_is_refused(outside: World, host: str) -> None:
    assert await refusal(outside.egress, f"https://{host}/x") == f"Nothing can be downloaded from '{host}'."
    assert outside.names.asked == [host]


@pytest.mark.parametrize("port", [1, 22, 2375, 2773, 6379, 8080, 9001])
async def test_other_ports_are_refused_before_anyone_is_asked(outside: World, port: int) -> None:
    await refusal(outside.egress, f"https://files.example:{port}/")
    assert outside.names.asked == []


LOCATIONS = [
    "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://169.254.169.254/latest/meta-data/",
    "//169.254.169.254/",
    "https://inside.example/",
    "http://files.example/",
    "https://me:word@files.example/",
    "https://files.example:8443/",
    "file:///proc/self/environ",
    "ftp://files.example/",
    "gopher://127.0.0.1:6379/_x",
    "data:text/plain,x",
    "https://[",
    "/a b",
    "",
]


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_judged_like_a_url_of_its_own(tmp_path: Any, location: str, status: int) -> None:
    moved = f"HTTP/1.1 {status} M\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode()
    literals = {"127.0.0.1": ["127.0.0.1"], "127.1": ["127.0.0.1"], "::1": ["::1"]}
    names = {"files.example": [PUBLIC], "inside.example": ["10.0.0.1"], "169.254.169.254": ["169.254.169.254"]}
    async with world(answers(moved), tmp_path, names={**literals, **names}) as found:
        said = await refusal(found.egress, "https://files.example/x")
        assert said == "Nothing can be downloaded from 'files.example'."
        assert (len(found.server.requests), found.pool.called) == (1, [PUBLIC])


async def test_a_name_is_resolved_once_so_that_its_second_answer_is_never_heard() -> None:
    async with world(answers(OK), names={"files.example": [[PUBLIC], ["127.0.0.1"]]}) as found:
        await found.egress("http://files.example/x", limit_bytes=100, timeout_s=20)
        assert (found.pool.called, found.names.asked) == ([PUBLIC], ["files.example"])
        await refusal(found.egress, "http://files.example/x")
        assert (found.pool.called, found.server.connections) == ([PUBLIC], 1)


async def test_a_redirect_to_the_same_name_is_resolved_and_judged_again() -> None:
    moved = b"HTTP/1.1 302 M\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n"
    async with world(answers(moved), names={"files.example": [[PUBLIC], ["127.0.0.1"]]}) as found:
        await refusal(found.egress, "http://files.example/x")
        assert (found.pool.called, found.names.asked) == ([PUBLIC], ["files.example"] * 2)


async def test_nothing_tells_an_address_inside_from_a_host_that_does_not_answer() -> None:
    said = set()
    for addresses in (["10.0.0.1"], ["127.0.0.1"], [PUBLIC], [], None):
        names = Names({} if addresses is None else {"files.example": addresses})
        said.add(await refusal(Egress(Elsewhere(NOBODY), lookup=names), "https://files.example/x"))
    assert said == {"Nothing can be downloaded from 'files.example'."}


LISTENED = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "0.0.0.0", "[::ffff:127.0.0.1]", "[::1]", "[::]"]


@pytest.mark.usefixtures("numeric")
@pytest.mark.parametrize("host", LISTENED)
async def test_a_real_listener_on_this_machine_is_reached_only_without_the_judge(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    if host in ("[::1]", "[::]") and not has_v6():
        pytest.skip("this machine has no IPv6")
    heard = []
    for judge in (egress_resolving.is_public, lambda _: True):
        monkeypatch.setattr(egress_resolving, "is_public", judge)
        async with serve(answers(OK)) as server, on_v6(server.port) as connections:
            monkeypatch.setattr(egress_urls, "PORTS", {"http": server.port})
            egress = Egress(Pool(kept=0), http_hosts=Every(), lookup=with_localhost)
            answer = egress(f"http://{host}:{server.port}/", limit_bytes=100, timeout_s=20)
            (found,) = await asyncio.gather(answer, return_exceptions=True)
            heard.append((server.connections + len(connections), type(found)))
    assert heard == [(0, InvalidRequest), (1, Fetched)]


class Every:
    """Any host may be read over http."""

    def __contains__(self, host: object) -> bool:
        return True


async def with_localhost(host: str) -> Sequence[str]:
    return ["127.0.0.1"] if host == "localhost" else await lookup(host)


def has_v6() -> bool:
    with socket.socket(socket.AF_INET6) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError:
            return False
    return True


@asynccontextmanager
async def on_v6(port: int) -> AsyncIterator[list[str]]:
    """A listener at the same port of ::1, where there is one; gives what connected."""
    connections: list[str] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append("")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        writer.close()

    if not has_v6():
        yield connections
        return
    async with await asyncio.start_server(accept, "::1", port):
        yield connections
