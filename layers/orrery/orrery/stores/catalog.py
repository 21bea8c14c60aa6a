"""The catalog that ships with the gateway, with its operator's own models before it: `core.ports.Catalog`.

The operator's rows are read by one Query and kept. What was read less than a minute ago is used as it stands; within
the next ten minutes it is used, too, while it is read again behind the request; older, or never read, it is waited for,
a second at most. So a process that is busy pays nothing for them, and one that was just started reads them beside the
caller's key (`prepare`). While the table fails, what was read last counts, and the built-in catalog.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from orrery.catalog import models
from orrery.catalog.near import near
from orrery.core.errors import GatewayError, Unavailable
from orrery.core.types import Model
from orrery.stores.model_rows import OwnModel, model_of

FRESH_S = 60.0
STALE_S = 600.0
WAIT_S = 1.0
AGAIN_S = 5.0
"""Seconds before a read that failed is tried again: a table in trouble is not asked by every request."""

type Rows = Mapping[tuple[str, str], OwnModel]


class OperatorCatalog:
    """`read` gives the operator's rows; `noted` hears in a line why it could not. `clock` gives epoch seconds."""

    def __init__(
        self,
        read: Callable[[], Awaitable[Collection[OwnModel]]],
        noted: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._read = read
        self._noted = noted
        self._clock = clock
        self._rows: Rows | None = None
        self._read_at = 0.0
        self._failed_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """Begins to read the rows if they are due and nobody reads them."""
        now = self._clock()
        if self._rows is not None and 0 <= now - self._read_at < FRESH_S:
            return
        if 0 <= now - self._failed_at < AGAIN_S or self._is_reading():
            return
        self._reading = asyncio.get_running_loop().create_task(self._refresh())

    async def find(self, provider: str, name: str, region: str = "") -> Model | None:
        """See `core.ports.Catalog.find`. An operator's row for the region comes before theirs for everywhere."""
        rows = await self._own()
        for spelling in (f"{region}/{name}", name) if region else (name,):
            if rows and (row := rows.get((provider, spelling))):
                return _model(row, region)
        found = models.find(provider, name, region)
        if found is None:
            _be_sure(rows)
        elif rows and (row := rows.get((provider, found.name))):
            return _model(row, region)  # set for the family that the catalog counts this name to
        return found

    async def named(self, name: str) -> tuple[str, ...]:
        """See `core.ports.Catalog.named`. Providers where an operator named a model so come first."""
        rows = await self._own()
        own = [provider for provider, known in rows or () if known == name]
        found = tuple(dict.fromkeys((*own, *models.named(name))))
        if not found:
            _be_sure(rows)
        return found

    async def listed(self, providers: Collection[str]) -> list[Model]:
        """See `core.ports.Catalog.listed`."""
        rows = await self._own() or {}
        found = {model.id: model for model in models.listed(providers)}
        found |= {row.id: _model(row) for row in rows.values() if row.provider in providers}
        return [found[name] for name in sorted(found)]

    async def near(self, model: str, providers: Collection[str]) -> tuple[str, ...]:
        """See `core.ports.Catalog.near`."""
        rows = await self._own() or {}
        known = {provider: list(models.names(provider)) for provider in providers}
        for provider, name in rows:
            if provider in known and name not in known[provider]:
                known[provider].append(name)
        return near(model, known)

    async def _own(self) -> Rows | None:
        """The operator's rows; None when they were never read and cannot be."""
        self.prepare()
        late = self._rows is None or not 0 <= self._clock() - self._read_at < STALE_S
        if late and self._reading is not None and self._is_reading():
            await asyncio.wait({self._reading}, timeout=WAIT_S)  # which ends nothing that others wait for, too
        return self._rows

    def _is_reading(self) -> bool:
        task = self._reading
        return task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop()

    async def _refresh(self) -> None:
        began = self._clock()
        try:
            rows = await self._read()
        except GatewayError as err:
            self._failed_at = began
            self._noted(f"the operator's models cannot be read: {err.message}")
            return
        self._rows = {(row.provider, row.name): row for row in rows}
        self._read_at = began


def _model(row: OwnModel, region: str = "") -> Model:
    """What a row says over the catalog's model that it is like, or of its own name."""
    provider, _, name = (row.like or row.id).partition("/")
    return model_of(row, models.find(provider, name, region))


def _be_sure(rows: Rows | None) -> None:
    """Raises `Unavailable` where only the operator's rows could tell, and those were never read."""
    if rows is None:
        raise Unavailable("the gateway's own list of models cannot be read just now", retry_after_s=1.0)
