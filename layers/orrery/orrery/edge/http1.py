"""One HTTP/1.1 connection as a client: llhttp reads the answer, this file decides how long to wait and when it is over.

Every limit on what a peer may make us hold in memory lies here. A connection serves one exchange at a time:
`begin` sends and waits for the head, `read` gives the body, `is_reusable` says whether another may follow.
"""

import asyncio
import math
import select
from collections.abc import Callable
from typing import cast

import httptools

from orrery.core.dialect import Pieces
from orrery.edge.http_faults import Broken, Malformed, ReadTimedOut, WireFault, WriteTimedOut
from orrery.edge.http_head import RawHeaders

HEAD_BYTES = 65_536  # of header names and values in one answer, its interim answers included
HEAD_COUNT = 200  # headers in one head
SILENT_BYTES = 2 * HEAD_BYTES  # received in a row that neither end a head nor bring body
BUFFERED_BYTES = 262_144  # of body that nobody has read yet; one more read of the socket may come on top


class Connection(asyncio.Protocol):
    """A socket with a parser on it. `on_lost` is told once, when the socket is gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_lost: "Callable[[Connection], None]") -> None:
        self.status = 0
        self.headers: RawHeaders = []
        self.idle_since = 0.0
        self._loop = loop
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._poll: select.poll | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = math.inf
        self._write_paused = False
        self._read_paused = False
        self._fault: WireFault | None = None
        self._reset(head_only=False)
        self._complete = True  # nothing is under way

    def _reset(self, *, head_only: bool) -> None:
        self._head_only = head_only
        self._has_head = self._complete = self._keep = self._until_close = False
        self._parts: list[bytes] = []
        self._part_bytes = 0
        self._header_bytes = 0
        self._silent_bytes = 0  # unfinished heads, interim ones, trailers, chunk extensions

    # ---- the caller's side

    async def begin(
        self, request: bytes, body: bytes | Pieces, *, head_only: bool, write_s: float, read_s: float
    ) -> None:
        """Sends the request; returns when the final head is there (`status`, `headers`). Raises `WireFault`.

        Nothing is ever sent twice: RFC 9110 9.2.2 lets a client repeat by itself only what is idempotent, and a
        completion costs money. `write_s` bounds the time until the system has taken the request, `read_s` each silence.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise self._fault or Broken("the connection was closed before the request was sent")
        self.headers = []
        self._reset(head_only=head_only)
        if isinstance(body, bytes) and len(body) <= BUFFERED_BYTES:
            transport.write(request + body)
        else:
            # Not `writelines`: Python 3.13.0's never calls `pause_writing` (python/cpython#127655, read 2026-11-21).
            transport.write(request)
            for piece in (body,) if isinstance(body, bytes) else body:
                transport.write(piece)
        while not self._has_head:
            if self._fault is not None:
                raise self._fault
            await self._wait(write_s if self._write_paused else read_s)

    async def read(self, read_s: float) -> bytes:
        """The body that has arrived, at least one byte; b"" at its end. Raises `WireFault`, after what came before."""
        while not self._parts:
            if self._complete:
                return b""
            if self._fault is not None:
                raise self._fault
            await self._wait(read_s)
        parts, self._parts, self._part_bytes = self._parts, [], 0
        if self._read_paused and self._transport is not None:
            self._read_paused = False
            self._transport.resume_reading()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @property
    def is_lost(self) -> bool:
        """Whether the socket is gone."""
        return self._transport is None

    def is_reusable(self) -> bool:
        """Whether the last exchange ended cleanly on both sides, so that another may follow on this connection."""
        transport = self._transport
        return (
            self._complete
            and self._keep
            and self._fault is None
            and transport is not None
            and not transport.is_closing()
            and transport.get_write_buffer_size() == 0  # an answer that came before the whole request was taken
        )

    def rest(self, now: float) -> None:
        """Nothing is asked any more: bytes that come from here on are a fault and close the connection."""
        self._parts, self._part_bytes = [], 0
        self.idle_since = now
        self._deadline = math.inf
        if self._read_paused and self._transport is not None:
            self._read_paused = False
            self._transport.resume_reading()

    def is_quiet(self) -> bool:
        """Whether nothing waits in the socket: neither an end nor stray bytes.

        A Lambda environment may have been frozen for minutes since the event loop last looked.
        """
        if self._transport is None or self._transport.is_closing():
            return False
        return self._poll is None or not self._poll.poll(0)

    def abort(self) -> None:
        """Closes without ceremony: no TLS farewell is worth waiting for."""
        if self._transport is not None:
            self._transport.abort()

    async def _wait(self, limit_s: float) -> None:
        """Until something happens. One lazy timer serves many waits: arming one for each is dear beside a chunk."""
        loop = self._loop
        self._deadline = deadline = loop.time() + limit_s
        if deadline < math.inf and (self._timer is None or self._timer.when() > deadline):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(deadline, self._expire)
        self._waiter = loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _expire(self) -> None:
        self._timer = None
        if self._waiter is None or self._deadline == math.inf:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._expire)
        elif self._write_paused:
            self._fail(WriteTimedOut("the peer did not take the request in time"))
        else:
            self._fail(ReadTimedOut("the peer sent nothing in time"))

    def _fail(self, fault: WireFault, cause: Exception | None = None) -> None:
        if self._fault is None:
            fault.__cause__ = cause
            self._fault = fault
        self.abort()
        self._wake()

    # ---- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            self._poll = select.poll()
            self._poll.register(sock.fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        if self._complete:
            # Nobody asked. Believing it would hand one caller's bytes to the next.
            self._keep = False
            self.abort()
            return
        had_bytes = self._part_bytes
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as err:
            self._keep = False
            if not self._complete:
                cause = err.__context__ if isinstance(err.__context__, Malformed) else err
                self._fail(Malformed(f"not an HTTP/1.1 answer: {cause}"), err)
                return
        except httptools.HttpParserUpgrade:
            self._fail(Malformed("the peer switched protocols unasked"))
            return
        if self._part_bytes > had_bytes or self._complete:
            self._silent_bytes = 0
            if self._part_bytes > BUFFERED_BYTES and not self._read_paused and self._transport is not None:
                self._read_paused = True
                self._transport.pause_reading()
        else:
            self._silent_bytes += len(data)
            if self._silent_bytes > SILENT_BYTES:
                self._fail(Malformed(f"more than {SILENT_BYTES} bytes of head, trailers or chunk extensions"))
                return
        if self._has_head:
            self._wake()

    def eof_received(self) -> None:
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._transport = self._poll = None
        del self._parser  # it holds our bound methods: without this, each lost connection waits for the collector
        self._on_lost(self)

    def _ended(self, exc: Exception | None) -> None:
        """No more bytes will come: the end of a body that is framed by it, the breaking of anything else."""
        self._keep = False
        if self._complete or self._fault is not None:
            return
        if exc is None and self._until_close and self._has_head:
            self._complete = True
        else:
            when = "in the middle of its answer" if self._has_head else "before its answer began"
            self._fault = Broken(f"the peer {'broke' if exc else 'closed'} the connection {when}")
            self._fault.__cause__ = exc
        self._wake()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake()

    # ---- the parser's side

    def on_message_begin(self) -> None:
        if self._has_head:
            raise Malformed("a second answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._has_head:
            return  # a trailer: nobody here reads them
        self._header_bytes += len(name) + len(value)
        self.headers.append((name.lower(), value))
        if len(self.headers) > HEAD_COUNT or self._header_bytes > HEAD_BYTES:
            raise Malformed(f"more than {HEAD_COUNT} headers or {HEAD_BYTES} bytes of them")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self.headers = []
            return
        if self._parser.get_http_version() not in ("1.1", "1.0"):
            raise Malformed("HTTP version " + self._parser.get_http_version())
        framing = {name: value for name, value in self.headers if name in (b"content-length", b"transfer-encoding")}
        coding = framing.get(b"transfer-encoding")
        if coding is not None and coding.strip().lower() != b"chunked":
            raise Malformed("a transfer coding that was not asked for")
        self.status = status
        self._has_head = True
        self._keep = self._parser.should_keep_alive() and not self._head_only
        self._until_close = not framing
        if self._head_only:
            # The parser cannot be told that no body follows, so it is not asked again: `_keep` is off.
            self._complete = True

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)
        self._part_bytes += len(part)

    def on_message_complete(self) -> None:
        if self._has_head:
            self._complete = True
