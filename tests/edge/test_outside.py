"""Addresses that callers name: https, public, by the address that was judged, and with nothing that is ours."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import InvalidRequest, Unreachable
from orrery.edge.http import HttpTransport
from orrery.edge.http1 import Connection
from orrery.edge.http_pool import Origin
from orrery.edge.http_tls import lazy_tls
from orrery.edge.outside import PublicPool, checked
from tests.edge.elsewhere import PUBLIC, Names, certificates
from tests.edge.faulty import OK, answers, serve, settle

HOST = "files.example"


class Elsewhere(PublicPool):
    """Every connection ends at `port` here, whatever address it is for; `called` keeps those."""

    def __init__(self, port: int, ca: str | None, names: Mapping[str, Sequence[str]]) -> None:
        super().__init__(tls=lazy_tls(ca), lookup=Names(names))
        self.called: list[str] = []
        self._port = port

    async def _connect(self, origin: Origin, limit_s: float) -> Connection:
        self.called.append(origin.address)
        return await super()._connect(origin._replace(address="127.0.0.1", port=self._port), limit_s)


async def post(pool: PublicPool, url: str) -> int:
    transport = HttpTransport(pool)
    async with transport.send(UpstreamRequest("POST", url, {"authorization": "Bearer theirs"}, b"{}"), 5.0) as reply:
        async for _ in reply.chunks():
            pass
        return reply.status


async def test_a_public_host_is_called_by_its_checked_address_and_the_connection_is_not_kept(tmp_path: Path) -> None:
    ca, tls = certificates(tmp_path, HOST, [])
    async with serve(answers(OK), tls) as server:
        pool = Elsewhere(server.port, ca, {HOST: [PUBLIC]})
        assert [await post(pool, f"https://{HOST}/v1/chat/completions") for _ in range(2)] == [200, 200]
        assert (pool.called, server.connections) == ([PUBLIC, PUBLIC], 2)
        await settle()
        assert pool.open_count == 0


PRIVATE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "169.254.100.1", "::1", "fd00:ec2::254", "168.63.129.16"]


@pytest.mark.parametrize("addresses", [*([address] for address in PRIVATE), [PUBLIC, "10.0.0.1"], []])
async def test_a_host_that_leads_inside_is_told_nothing(addresses: list[str]) -> None:
    async with serve(answers(OK)) as server:
        pool = Elsewhere(server.port, None, {HOST: addresses})
        with pytest.raises(Unreachable):
            await post(pool, f"https://{HOST}/v1")
        assert (pool.called, server.connections) == ([], 0)


@pytest.mark.parametrize(
    "url", [f"http://{HOST}/v1", f"https://{HOST}:9001/v1", "https://127.0.0.1/v1", "https://0x7f.1/"]
)
async def test_nothing_but_https_on_its_port_is_called_even_unchecked(url: str) -> None:
    async with serve(answers(OK)) as server:
        pool = Elsewhere(server.port, None, {HOST: [PUBLIC], "127.0.0.1": ["127.0.0.1"], "0x7f.1": ["127.0.0.1"]})
        with pytest.raises(Unreachable):
            await post(pool, url)
        assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example/v1",
        "https://me:pass@x.example/v1",
        "https://x.example:8443/v1",
        "https://x.example/v1#",
        "https://x.{region}.example/v1",
        "file:///proc/self/environ",
        "x.example",
        "https://x.example\\@y.example/",
    ],
)
def test_an_address_that_is_never_called_is_refused_before_anything_else(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked(url)
    assert caught.value.param == "base_url"


def test_an_ordinary_address_passes() -> None:
    assert checked("https://mine.openai.azure.com/openai?api-version=2024-10-21").host == "mine.openai.azure.com"
