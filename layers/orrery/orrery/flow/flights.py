"""Requests for the same that are under way in this process: the first one leads, the others wait for what it gets.

Nothing is waited for here but the leader, so a follower's end harms nobody; and the leader's own end, whichever, lands
the flight. Whoever boards after that begins a new one.
"""

import asyncio
from collections.abc import Callable

from orrery.core.records import Recording


class Flight:
    """One request's seat. `leads`: it must `land`, whatever becomes of it, or the others wait for ever."""

    __slots__ = ("_landing", "_leave", "leads")

    def __init__(self, landing: "asyncio.Future[Recording | None]", leave: Callable[[], object] | None) -> None:
        self.leads = leave is not None
        self._landing = landing
        self._leave = leave

    def land(self, recording: Recording | None) -> None:
        """The leader's; harmless when it is repeated, and from others. None: nothing that could be given again."""
        if self._leave is not None:
            self._leave()
            self._leave = None
            self._landing.set_result(recording)

    async def landed(self) -> Recording | None:
        """What the leader landed with. After None, who boards again may lead."""
        return await asyncio.shield(self._landing)  # a follower that is cancelled leaves the others their flight


class Flights:
    """Those of one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[str, str], asyncio.Future[Recording | None]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def board(self, organization: str, name: str) -> Flight:
        """A seat in the flight of this name, which is the leader's where there was none."""
        key = organization, name
        landing = self._under_way.get(key)
        if landing is not None:
            return Flight(landing, None)
        landing = self._under_way[key] = asyncio.get_running_loop().create_future()
        return Flight(landing, lambda: self._under_way.pop(key))
