"""The events of a background response on their way into its log: in bundles, for each write costs something."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import orjson

from orrery.core.errors import GatewayError
from orrery.core.types import Json
from orrery.flow.gateway import Gateway
from orrery.flow.visit import extras_of

BUNDLE_S = 0.4
"""How long an event may wait for others before it is written: who watches sees it so much later."""

BUNDLE_BYTES = 128 * 1024
"""A bundle that has grown to this is written at once."""

TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})


class Logged:
    """One response's log, written. A write that fails is a gap for those who watch, who then see the end only."""

    def __init__(self, organization: str, response: str, gateway: Gateway) -> None:
        self._organization, self._response = organization, response
        self._gateway = gateway
        self._waiting: list[bytes] = []
        self._size = self._first = self._next = 0
        self._ended = False
        self._flushing: asyncio.Task[None] | None = None

    async def add(self, events: Sequence[Json]) -> None:
        """More events, in order and without gaps. The first are written at once."""
        for event in events:
            data = orjson.dumps(event)
            self._waiting.append(data)
            self._size += len(data)
            self._next += 1
            self._ended |= event["type"] in TERMINAL
        if self._ended or self._size >= BUNDLE_BYTES or not self._first:
            await self._write()
        self._flushing = self._flushing or asyncio.ensure_future(self._flush())

    async def _flush(self) -> None:
        """What waits does not wait for what comes next: a model may think for minutes."""
        while True:
            await asyncio.sleep(BUNDLE_S)
            await self._write()

    async def close(self) -> None:
        """Writes what waits."""
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)
        await self._write()

    async def _write(self) -> None:
        if not self._waiting:
            return
        bundle, first = self._waiting, self._first
        self._waiting, self._size, self._first = [], 0, self._next
        with suppress(GatewayError):
            logs = extras_of(self._gateway).event_logs
            await logs.append(self._organization, self._response, first, bundle, last=self._ended)
