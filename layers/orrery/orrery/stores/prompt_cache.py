"""The versions that requests get, kept in this process.

What was read less than half a minute ago is used as it stands; within a minute it is used while it is read again behind
the request; older, or never read, it is waited for. So a change counts everywhere after a minute at most. That there is
no such prompt is believed for ten seconds. Versions never change: a head that names the same one is enough.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

FRESH_S = 30.0
STALE_S = 60.0
ABSENT_S = 10.0
MOST = 4_096
"""Prompts that are kept, and ids of none; the longest unused go first."""

MOST_BYTES = 16 * 1024 * 1024
"""What the documents of all kept prompts may weigh together. They are kept as JSON, which is far smaller."""

type Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Published:
    """A published version. `made` tells a prompt from another one under the same id."""

    made: str
    number: int
    raw: bytes = field(repr=False)


type Read = Callable[[str, str, Published | None], Awaitable[Published | None]]


class PublishedCache:
    """`read` gives what is published of an organization's prompt; it may give back what it is handed, if still so.

    `clock` gives epoch seconds: a frozen Lambda environment's rows grow old all the same.
    """

    def __init__(self, read: Read, clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._known: dict[Place, tuple[float, Published]] = {}
        self._absent: dict[Place, float] = {}
        self._reading: dict[Place, asyncio.Task[Published | None]] = {}
        self._bytes = 0

    async def find(self, organization: str, prompt: str) -> Published | None:
        """What is published, a minute old at most. Raises `Unavailable`."""
        place = organization, prompt
        if 0 <= self._clock() - self._absent.get(place, float("-inf")) < ABSENT_S:
            return None
        read_at, found = self._known.get(place, (float("-inf"), None))
        age_s = self._clock() - read_at
        if found is None or not 0 <= age_s < STALE_S:  # a clock that was set back makes nothing young
            return await asyncio.shield(self._task(place))
        if age_s >= FRESH_S:
            self._task(place)
        self._known[place] = self._known.pop(place)
        return found

    def forget(self, organization: str, prompt: str) -> None:
        """It was changed: what is being read just now counts no more, either."""
        place = organization, prompt
        self._drop(place)
        self._reading.pop(place, None)

    def _task(self, place: Place) -> "asyncio.Task[Published | None]":
        """The one reading that is under way: whoever waits, waits for the same."""
        loop = asyncio.get_running_loop()
        task = self._reading.get(place)
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._reading[place] = loop.create_task(self._refresh(place))
            task.add_done_callback(lambda done: self._ended(place, done))
        return task

    async def _refresh(self, place: Place) -> Published | None:
        began, known = self._clock(), self._known.get(place, (0.0, None))[1]
        found = await self._read(*place, known)
        if self._reading.get(place) is asyncio.current_task():  # else something was changed meanwhile
            self._drop(place)
            self._keep(place, found, began)
        return found

    def _ended(self, place: Place, task: "asyncio.Task[Published | None]") -> None:
        if self._reading.get(place) is task:
            del self._reading[place]
        if not task.cancelled():
            task.exception()  # whoever waited has it; the next request tries again

    def _keep(self, place: Place, found: Published | None, began: float) -> None:
        if found is None:
            self._absent[place] = began
            if len(self._absent) > MOST:
                del self._absent[next(iter(self._absent))]
            return
        self._known[place] = began, found
        self._bytes += len(found.raw)
        while len(self._known) > MOST or self._bytes > MOST_BYTES:
            self._drop(next(iter(self._known)))

    def _drop(self, place: Place) -> None:
        self._absent.pop(place, None)
        _, found = self._known.pop(place, (0.0, None))
        self._bytes -= len(found.raw) if found else 0
