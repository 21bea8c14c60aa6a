"""The MCP client's way out: its HTTP library over our own `core.ports.Transport`, and nothing beside it.

Whatever the client is made to ask for, it is asked by the one transport that knows public addresses only. Imports a
library of its own: only `mcp_client.py` imports this, when a server is spoken to.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import httpx2

from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import GatewayError, UpstreamError, UpstreamTimeout
from orrery.core.ports import Transport, UpstreamReply

LARGEST_ANSWERS = 2 * 1024 * 1024
"""Bytes that a server may send within one operation, all answers together, unpacked."""

CLOSE_S = 1.0
"""Seconds that the end of a session may take; nobody waits for what comes of it."""

UNSENT = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding", "user-agent"})
UNREAD = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection"})


class Way(httpx2.AsyncBaseTransport):
    """One operation's way. `fault` and `status` say what went wrong here: the client does not tell it all."""

    def __init__(self, outside: Transport, *, timeout_s: float) -> None:
        self.fault = ""
        self.status = 0
        self._outside = outside
        self._timeout_s = timeout_s
        self._left = LARGEST_ANSWERS

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET" and "last-event-id" not in request.headers:
            return httpx2.Response(405)  # a stream of what a server says unasked: nothing here would hear it
        if request.method == "DELETE":
            return await self._closed(request)
        self.status = 0
        stack = AsyncExitStack()
        try:
            reply = await stack.enter_async_context(self._outside.send(_upstream(request), self._timeout_s))
            if 300 <= reply.status < 400:
                raise self._failed("redirects, which is not followed")
        except BaseException as err:
            await stack.aclose()
            raise self._explained(err) from err
        self.status = reply.status if reply.status >= 400 else 0
        headers = [(name, value) for name, value in reply.headers.items() if name not in UNREAD]
        return httpx2.Response(reply.status, headers=headers, stream=_Body(self, reply, stack))

    async def _closed(self, request: httpx2.Request) -> httpx2.Response:
        """Says that a session is over."""
        try:
            async with asyncio.timeout(CLOSE_S), self._outside.send(_upstream(request), CLOSE_S):
                pass
        except (GatewayError, TimeoutError, ValueError):
            pass  # the server will find out by itself
        return httpx2.Response(204)

    def take(self, size: int) -> None:
        """Counts what was received. Raises `httpx2.TransportError`."""
        self._left -= size
        if self._left < 0:
            raise self._failed(f"sends more than {LARGEST_ANSWERS} bytes")

    def _explained(self, err: BaseException) -> BaseException:
        """What went wrong, as the client knows it; what is no fault of the server's stays what it is."""
        if isinstance(err, UpstreamTimeout):
            return self._failed("is silent")
        if isinstance(err, UpstreamError):
            return self._failed("cannot be reached")
        if isinstance(err, GatewayError | ValueError):
            return self._failed("cannot be asked")
        return err

    def _failed(self, fault: str) -> httpx2.TransportError:
        self.fault = self.fault or fault
        return httpx2.TransportError(fault)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, way: Way, reply: UpstreamReply, stack: AsyncExitStack) -> None:
        self._way = way
        self._reply = reply
        self._stack = stack

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._reply.chunks():
                self._way.take(len(chunk))
                yield chunk
        except GatewayError as err:
            raise self._way._explained(err) from err

    async def aclose(self) -> None:
        await self._stack.aclose()


def _upstream(request: httpx2.Request) -> UpstreamRequest:
    headers: Mapping[str, str] = {name: value for name, value in request.headers.items() if name not in UNSENT}
    said = {"accept-encoding": "identity", "user-agent": "orrery"}
    return UpstreamRequest(request.method, str(request.url), {**headers, **said}, request.content)
