"""The one way out to URLs that callers name.

What a caller may learn is what a public host says to anyone. A host that is not public, or does not answer, gives the
same message: the gateway is no instrument for looking around in its own network.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Container
from urllib.parse import urljoin

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.types import Fetched
from orrery.edge.egress_resolving import Lookup, lookup, public_addresses
from orrery.edge.egress_urls import CODE, Place, place_of
from orrery.edge.http_body import coding_of, unpacked
from orrery.edge.http_faults import ConnectFault, ConnectTimedOut, WireFault
from orrery.edge.http_head import RawHeaders
from orrery.edge.http_pool import Exchange, Origin, Pool, Timeouts

HEADERS: RawHeaders = [(b"user-agent", b"orrery"), (b"accept", b"*/*")]
"""All that is ever said besides the URL: nothing of the caller's, nothing of ours."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 3
CONNECT_S = 5.0
TRIED_ADDRESSES = 4

_MEDIA_TYPE = re.compile(r"[a-z0-9][\w.+-]{0,62}/[a-z0-9][\w.+-]{0,62}", re.ASCII)


class Egress:
    """`core.ports.Fetch`: GET over https from public addresses; over http only from `http_hosts`, public ones too.

    Every connection serves one answer: `pool` must keep none (`kept=0`), for callers share none. Raises
    `InvalidRequest` also when the host is too slow or answers with an error: only another URL helps then.
    """

    def __init__(self, pool: Pool, *, http_hosts: Container[str] = (), lookup: Lookup = lookup) -> None:
        self._pool = pool
        self._http_hosts = http_hosts
        self._lookup = lookup

    async def __call__(self, url: str, *, limit_bytes: int, timeout_s: float) -> Fetched:
        """`timeout_s` bounds everything together, `limit_bytes` the body, packed and unpacked."""
        place = place_of(url, self._http_hosts)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._read(url, place, limit_bytes)
        except TimeoutError as err:
            raise InvalidRequest(f"Timeout while downloading from '{place.host}'.", code=CODE) from err
        except WireFault as err:
            raise InvalidRequest(f"Nothing can be downloaded from '{place.host}'.", code=CODE) from err

    async def _read(self, url: str, place: Place, limit_bytes: int) -> Fetched:
        named = place.host
        for _ in range(MOST_REDIRECTS + 1):
            exchange = await self._open(place)
            try:
                if exchange.status in REDIRECTS:
                    url, place = self._redirected(url, place, exchange.headers)
                    continue
                if not 200 <= exchange.status < 300:
                    raise InvalidRequest(f"Status {exchange.status} while downloading from '{named}'.", code=CODE)
                return Fetched(_media_type(exchange.headers), await _body(exchange, named, limit_bytes))
            finally:
                exchange.close()
        raise InvalidRequest(f"'{named}' redirects more than {MOST_REDIRECTS} times.", code=CODE)

    async def _open(self, place: Place) -> Exchange:
        """Asks the first address that takes a connection; the name stands in the certificate, SNI and `Host` only."""
        fault: WireFault = ConnectFault(f"no address of {place.host} was tried")
        for address in (await public_addresses(place.host, self._lookup))[:TRIED_ADDRESSES]:
            origin = Origin(place.scheme, place.host, place.port, str(address))
            try:
                return await self._pool.send(origin, b"GET", place.target, HEADERS, timeouts=Timeouts(CONNECT_S))
            except (ConnectFault, ConnectTimedOut) as err:
                fault = err
        raise fault

    def _redirected(self, url: str, place: Place, headers: RawHeaders) -> tuple[str, Place]:
        """The next URL, judged like the first; where it leads is not for the caller. Raises `ConnectFault`."""
        location = _first(headers, b"location").decode(errors="replace")
        try:
            following = urljoin(url, location)
            next_place = place_of(following, self._http_hosts)
        except (ValueError, InvalidRequest) as err:
            raise ConnectFault(f"{place.host} redirects to what is not read") from err
        if not location or (place.scheme, next_place.scheme) == ("https", "http"):
            raise ConnectFault(f"{place.host} redirects to nowhere, or out of https")
        return following, next_place


async def _body(exchange: Exchange, host: str, limit_bytes: int) -> bytes:
    if int(_first(exchange.headers, b"content-length") or 0) > limit_bytes:  # the parser took no other than digits
        raise _too_large(host, limit_bytes)
    received = _limited(exchange.chunks(), host, limit_bytes)
    if coding_of(exchange.headers) is not None:  # although `identity` was asked for: some stores hold packed files
        received = _limited(unpacked(received), host, limit_bytes)
    return b"".join([chunk async for chunk in received])


async def _limited(chunks: AsyncIterator[bytes], host: str, limit_bytes: int) -> AsyncIterator[bytes]:
    left = limit_bytes
    async for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise _too_large(host, limit_bytes)
        yield chunk


def _too_large(host: str, limit_bytes: int) -> TooLarge:
    return TooLarge(f"What '{host}' sends is larger than {limit_bytes} bytes.")


def _media_type(headers: RawHeaders) -> str:
    """What goes into a data URL must be able to stand there: anything odd is unknown."""
    told = _first(headers, b"content-type").decode("latin-1").partition(";")[0].strip().lower()
    return told if _MEDIA_TYPE.fullmatch(told) else ""


def _first(headers: RawHeaders, name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")
