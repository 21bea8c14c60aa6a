"""`core.keeping.Queue` on a laptop: a task of this process, which ends with it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from orrery.core.responses import Work

type Do = Callable[[Work], Awaitable[None]]


class LocalQueue:
    """Each message is worked on at once. `close` ends what still runs."""

    def __init__(self, do: Do) -> None:
        self._do = do
        self._running: set[asyncio.Task[None]] = set()

    async def send(self, work: Work) -> None:
        """The work has begun when this returns."""
        task = asyncio.ensure_future(self._done(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _done(self, work: Work) -> None:
        await self._do(work)

    async def close(self) -> None:
        """Cancels what runs, and waits until it has put everything in order."""
        for task in tuple(self._running):
            task.cancel()
        while self._running:
            with suppress(asyncio.CancelledError):
                await asyncio.wait(set(self._running))
