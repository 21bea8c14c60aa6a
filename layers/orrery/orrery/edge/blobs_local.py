"""Blobs on a laptop: files in the state folder, for their owner alone; `core.ports.Blobs`."""

import asyncio
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from orrery.core.errors import Unavailable
from orrery.edge.blobs import place_of

KEPT_S = 4 * 86_400
"""As long as the bucket's lifecycle rule keeps recorded answers."""

RESPONSES_KEPT_S = 31 * 86_400
"""The same of what stored responses say: a day longer than the rows that name it."""


class LocalBlobs:
    """Files `<folder>/<organization>/<name>`; those older than `kept_s` go when new ones come."""

    def __init__(self, folder: Path, *, kept_s: float = KEPT_S, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._kept_s = kept_s
        self._clock = clock

    async def put(self, organization: str, name: str, data: bytes) -> None:
        await _unless_broken(self._put, self._folder / place_of(organization, name), data)

    async def get(self, organization: str, name: str) -> bytes | None:
        return await _unless_broken(_read, self._folder / place_of(organization, name))

    async def delete(self, organization: str, name: str) -> None:
        await _unless_broken(_remove, self._folder / place_of(organization, name))

    def _put(self, path: Path, data: bytes) -> None:
        self._sweep()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A name that no blob can have, and nobody else is writing at: readers see the old file or the new one.
        partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def _sweep(self) -> None:
        for path in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):  # somebody else sweeps, or has just finished writing
                if path.stat().st_mtime < self._clock() - self._kept_s:
                    path.unlink()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _unless_broken[*Given, Found](work: Callable[[*Given], Found], *given: *Given) -> Found:
    """`work` in a thread. Raises `Unavailable` where the disk is full, or not ours."""
    try:
        return await asyncio.to_thread(work, *given)
    except OSError as err:
        raise Unavailable(f"the gateway's state folder cannot be used: {err.strerror}") from err
