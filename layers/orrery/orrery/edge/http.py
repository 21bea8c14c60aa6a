"""The way to upstreams: one httpx client over our own connections, as `core.ports.Transport`."""

import math
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any

import httpx

from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import Truncated, Unreachable, UpstreamError, UpstreamTimeout
from orrery.core.ports import UpstreamReply
from orrery.edge.http_body import coding_of, unpacked
from orrery.edge.http_faults import (
    Broken,
    ConnectFault,
    ConnectTimedOut,
    Malformed,
    ReadTimedOut,
    WireFault,
    WriteTimedOut,
)
from orrery.edge.http_head import RawHeaders
from orrery.edge.http_pool import Exchange, Origin, Pool, Timeouts

HTTPX_FAULTS: dict[type[WireFault], type[httpx.TransportError]] = {
    ConnectFault: httpx.ConnectError,
    ConnectTimedOut: httpx.ConnectTimeout,
    Broken: httpx.ReadError,
    ReadTimedOut: httpx.ReadTimeout,
    WriteTimedOut: httpx.WriteTimeout,
    Malformed: httpx.RemoteProtocolError,
}

# In the order of trial; `{host}` and `{timeout_s}` are filled in. The texts are shown to callers.
BEFORE_HEAD: list[tuple[type[httpx.TransportError], type[UpstreamError], str]] = [
    (httpx.ConnectTimeout, UpstreamTimeout, "{host} did not accept a connection within {timeout_s:g} s"),
    (httpx.WriteTimeout, UpstreamTimeout, "{host} did not take the request within {timeout_s:g} s"),
    (httpx.TimeoutException, UpstreamTimeout, "{host} sent nothing for {timeout_s:g} s"),
    (httpx.ConnectError, Unreachable, "no connection to {host}"),
    (httpx.UnsupportedProtocol, Unreachable, "the provider's address is not an http or https URL"),
    (httpx.RemoteProtocolError, Unreachable, "{host} answered with something that is not HTTP"),
    (httpx.TransportError, Unreachable, "{host} closed the connection before it answered"),
]
WITHIN_BODY: list[tuple[type[httpx.TransportError], type[UpstreamError], str]] = [
    (httpx.TimeoutException, UpstreamTimeout, "{host} sent nothing for {timeout_s:g} s in the middle of its answer"),
    (httpx.RemoteProtocolError, Truncated, "the answer of {host} became unreadable in the middle"),
    (httpx.TransportError, Truncated, "{host} broke off in the middle of its answer"),
]


class ThinTransport(httpx.AsyncBaseTransport):
    """httpx over our pool: HTTP/1.1, no proxies, bounded memory. docs/decisions/0002 says why not httpx's own.

    Compressed answers arrive unpacked, without their `Content-Encoding`. A body in pieces stays in pieces; others are
    collected before sending.
    """

    def __init__(self, pool: Pool | None = None) -> None:
        self._pool = pool or Pool()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in ("http", "https") or not url.host:
            raise httpx.UnsupportedProtocol(f"cannot send to {url.scheme}://{url.host}", request=request)
        origin = Origin(url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80))
        body = request.extensions.get(PIECES) or await request.aread()
        with _httpx_faults(request):
            exchange = await self._pool.send(
                origin,
                request.method.encode("ascii"),
                url.raw_path,
                request.headers.raw,
                body,
                timeouts=_timeouts(request),
            )
            try:
                coding = coding_of(exchange.headers)
            except Malformed:
                exchange.close()
                raise
        headers = exchange.headers if coding is None else _as_unpacked(exchange.headers)
        return httpx.Response(exchange.status, headers=headers, stream=_Body(exchange, request, coding is not None))

    async def aclose(self) -> None:
        await self._pool.close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, exchange: Exchange, request: httpx.Request, packed: bool) -> None:
        self._exchange = exchange
        self._request = request
        self._packed = packed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_faults(self._request):
            if self._packed:
                async for piece in unpacked(self._exchange.chunks()):
                    yield piece
            else:
                while chunk := await self._exchange.read():
                    yield chunk

    async def aclose(self) -> None:
        self._exchange.close()


@contextmanager
def _httpx_faults(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except WireFault as err:
        raise HTTPX_FAULTS[type(err)](str(err), request=request) from err


def _timeouts(request: httpx.Request) -> Timeouts:
    given: Mapping[str, Any] = request.extensions.get("timeout", {})
    bounds = (given.get(name) for name in ("connect", "write", "read"))
    return Timeouts(*[math.inf if bound is None else float(bound) for bound in bounds])


def _as_unpacked(headers: RawHeaders) -> RawHeaders:
    return [header for header in headers if header[0] not in (b"content-encoding", b"content-length")]


class _NoCookies(httpx.Cookies):
    """What one caller's answer sets must never travel with another caller's request."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Keeps none, and spares the work of looking for them: a seventh of httpx's time."""


class _Client(httpx.AsyncClient):
    @property
    def cookies(self) -> httpx.Cookies:
        return _NoCookies()

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        raise AttributeError("this client takes no cookies")


# Parsing a URL costs httpx a fifth of its time for a request, and upstreams are few.
_url = lru_cache(maxsize=256)(httpx.URL)


class HttpTransport:
    """`core.ports.Transport`: one client for the life of the process. No redirects, no cookies, no proxies.

    `transport` is for tests. Nothing here asks whether a URL may be called: `providers` and the catalog name them.
    """

    def __init__(self, pool: Pool | None = None, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = _Client(transport=transport or ThinTransport(pool), trust_env=False, follow_redirects=False)

    @asynccontextmanager
    async def send(self, request: UpstreamRequest, timeout_s: float) -> AsyncIterator[UpstreamReply]:
        """Enters with the head of the answer. Leaving before the body's end closes the connection.

        Raises `UpstreamTimeout`, `Unreachable`; `ValueError` for a header that could smuggle another one.
        """
        try:
            outgoing = httpx.Request(
                request.method,
                _url(request.url),
                headers=dict(request.headers),
                content=request.body if isinstance(request.body, bytes) else None,
                extensions=_extensions(request, timeout_s),
            )
            response = await self._client.send(outgoing, stream=True)
        except httpx.InvalidURL as err:
            raise Unreachable("the provider's address is not an http or https URL") from err
        except httpx.TransportError as err:
            raise _explained(err, BEFORE_HEAD, outgoing.url.host, timeout_s) from err
        try:
            yield _Reply(response, outgoing.url.host, timeout_s)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._client.aclose()


PIECES = "orrery_pieces"
"""Where a request carries a body in pieces past httpx, which would join them."""


def _extensions(request: UpstreamRequest, timeout_s: float) -> dict[str, Any]:
    timeouts = {"timeout": httpx.Timeout(timeout_s).as_dict()}
    return timeouts if isinstance(request.body, bytes) else {**timeouts, PIECES: request.body}


class _Reply:
    def __init__(self, response: httpx.Response, host: str, timeout_s: float) -> None:
        self.status = response.status_code
        self.headers = _joined(response.headers.raw)
        self._response = response
        self._host = host
        self._timeout_s = timeout_s

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, one chunk for each time the socket was read."""
        stream = self._response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # httpx types it as either kind
        try:
            async for chunk in stream:
                yield chunk
        except httpx.TransportError as err:
            raise _explained(err, WITHIN_BODY, self._host, self._timeout_s) from err


def _joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case; a repeated header becomes one, as RFC 9110 5.3 joins them."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _explained(
    err: httpx.TransportError,
    table: list[tuple[type[httpx.TransportError], type[UpstreamError], str]],
    host: str,
    timeout_s: float,
) -> UpstreamError:
    kind, text = next((kind, text) for fault, kind, text in table if isinstance(err, fault))
    return kind(text.format(host=host, timeout_s=timeout_s))
