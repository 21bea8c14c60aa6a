"""Kept connections, by origin: taken when they are surely alive, returned when their exchange ended cleanly."""

import asyncio
import contextlib
import math
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import NamedTuple

from orrery.core.dialect import Pieces
from orrery.edge.http1 import Connection
from orrery.edge.http_faults import ConnectFault, ConnectTimedOut
from orrery.edge.http_head import RawHeaders, encode_head
from orrery.edge.http_tls import lazy_tls

IDLE_S = 50.0  # a choice: many servers close after a minute, and asking a closed one costs a request
KEPT = 100  # idle connections for one origin

# A model may think for minutes in silence; a NAT gateway may drop a connection after 350 s of it, which probes prevent
# (AWS Knowledge Center, "lambda-vpc-timeout", read 2026-11-21). Not every system has each of the options.
PROBE_AFTER_S = 60
KEEP_ALIVE = [
    (level, getattr(socket, name), value)
    for level, name, value in (
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", PROBE_AFTER_S),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", PROBE_AFTER_S),
    )
    if hasattr(socket, name)
]


def size_of(body: bytes | Pieces) -> int:
    """The length of a body, whole or in pieces."""
    return len(body) if isinstance(body, bytes) else sum(map(len, body))


class Origin(NamedTuple):
    """Where connections go. `host` is a name or an address, without brackets.

    `address` is where `host` is reached, for who has resolved it already; certificates and `Host` still bear the name.
    """

    scheme: str
    host: str
    port: int
    address: str = ""

    @property
    def authority(self) -> bytes:
        """The `Host` header: brackets around an IPv6 address, no default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return (host if self.port == default else f"{host}:{self.port}").encode("ascii")


class Timeouts(NamedTuple):
    """Seconds; each bounds one thing, none of them the whole. Infinity switches one off."""

    connect_s: float = math.inf
    write_s: float = math.inf
    read_s: float = math.inf

    @classmethod
    def all(cls, seconds: float) -> "Timeouts":
        """The same for each."""
        return cls(seconds, seconds, seconds)


class Exchange:
    """One answer under way. Must be closed; closing early costs the connection."""

    __slots__ = ("_connection", "_origin", "_pool", "_read_s", "headers", "status")

    def __init__(self, pool: "Pool", origin: Origin, connection: Connection, read_s: float) -> None:
        self.status: int = connection.status
        self.headers: RawHeaders = connection.headers
        self._pool = pool
        self._origin = origin
        self._connection: Connection | None = connection
        self._read_s = read_s

    async def read(self) -> bytes:
        """All of the body that has arrived, at least one byte; b"" at its end. Raises `WireFault`."""
        if self._connection is None:
            return b""
        return await self._connection.read(self._read_s)

    async def chunks(self) -> AsyncIterator[bytes]:
        """`read` until the end."""
        while chunk := await self.read():
            yield chunk

    def close(self) -> None:
        """Gives the connection back, or ends it. Idempotent, and never waits: it is safe while being cancelled."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._pool._give_back(self._origin, connection)


class Pool:
    """Belongs to the event loop that first uses it.

    Opens as many connections as there are exchanges at once: whoever calls bounds those. `tls` gives the context for
    https; `clock` is wall time, because a monotonic clock may stand still while a Lambda environment is frozen.
    """

    def __init__(
        self,
        *,
        tls: Callable[[], ssl.SSLContext] | None = None,
        idle_s: float = IDLE_S,
        kept: int = KEPT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.tls = tls or lazy_tls()
        self._idle_s = idle_s
        self._kept = kept
        self._clock = clock
        self._idle: dict[Origin, list[Connection]] = {}
        self._open: set[Connection] = set()
        self._emptied: asyncio.Future[None] | None = None

    @property
    def open_count(self) -> int:
        """Sockets that are open, in use or idle."""
        return len(self._open)

    @property
    def idle_count(self) -> int:
        """Sockets that wait for the next exchange."""
        return sum(map(len, self._idle.values()))

    async def send(
        self,
        origin: Origin,
        method: bytes,
        target: bytes,
        headers: RawHeaders,
        body: bytes | Pieces = b"",
        *,
        timeouts: Timeouts,
    ) -> Exchange:
        """Sends one request, once; returns when the head of the answer is there.

        Raises `WireFault`, and `ValueError` for a head that could smuggle another one (`http_head`).
        """
        head = encode_head(method, target, origin.authority, headers, size_of(body))
        connection = self._take(origin) or await self._connect(origin, timeouts.connect_s)
        try:
            await connection.begin(
                head, body, head_only=method == b"HEAD", write_s=timeouts.write_s, read_s=timeouts.read_s
            )
        except BaseException:
            connection.abort()  # cancelled, timed out or broken: what comes on it now belongs to nobody
            raise
        return Exchange(self, origin, connection, timeouts.read_s)

    async def close(self) -> None:
        """Ends every connection, also those in use, and waits until their sockets are gone."""
        self._idle.clear()
        for connection in list(self._open):
            connection.abort()
        if self._open:
            self._emptied = asyncio.get_running_loop().create_future()
            await self._emptied

    def _take(self, origin: Origin) -> Connection | None:
        """The connection that rested for the shortest time, if it can still be trusted."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            # A clock set back makes the age negative: nothing is known then either.
            if 0 <= self._clock() - connection.idle_since <= self._idle_s and connection.is_quiet():
                return connection
            connection.abort()
        return None

    def _give_back(self, origin: Origin, connection: Connection) -> None:
        if not connection.is_reusable():
            connection.abort()
            return
        connection.rest(self._clock())
        idle = self._idle.setdefault(origin, [])
        idle.append(connection)
        if len(idle) > self._kept:
            idle.pop(0).abort()

    async def _connect(self, origin: Origin, limit_s: float) -> Connection:
        loop = asyncio.get_running_loop()
        tls = self.tls() if origin.scheme == "https" else None
        try:
            async with asyncio.timeout(limit_s if limit_s < math.inf else None):
                transport, connection = await loop.create_connection(
                    partial(Connection, loop, partial(self._lost, origin)),
                    origin.address or origin.host,
                    origin.port,
                    ssl=tls,
                    server_hostname=origin.host if tls else None,
                )
        except TimeoutError as err:
            raise ConnectTimedOut(f"no connection to {origin.host}:{origin.port} within {limit_s:g} s") from err
        except (OSError, UnicodeError, OverflowError) as err:  # the latter two: no host name, no port number
            raise ConnectFault(f"no connection to {origin.host}:{origin.port}") from err
        if not connection.is_lost:
            self._open.add(connection)
        with contextlib.suppress(OSError):  # probes are a courtesy
            for option in KEEP_ALIVE:
                transport.get_extra_info("socket").setsockopt(*option)
        return connection

    def _lost(self, origin: Origin, connection: Connection) -> None:
        self._open.discard(connection)
        idle = self._idle.get(origin)
        if idle and connection in idle:
            idle.remove(connection)
        if self._emptied is not None and not self._open and not self._emptied.done():
            self._emptied.set_result(None)
