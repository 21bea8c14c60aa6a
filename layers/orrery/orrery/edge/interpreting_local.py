"""Code on this machine, beside `make run`: `tools.outfit.Interpreter` by a walled-in process. Source: ADR 0021."""

import asyncio
import tempfile
from collections.abc import Mapping

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.edge.interpreting_run import Refused, Run

MOST_S = 60.0
SHARE = 0.9
"""Of the time of a call that the code has: who is still waited for can say that it took too long."""

MOST_AT_ONCE = 4


class LocalInterpreter:
    """Each run has a process and a directory of its own; others wait while `MOST_AT_ONCE` are under way."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def run(self, code: str, files: Mapping[str, bytes], *, timeout_s: float, tenant: str = "") -> Json:
        """Raises `InvalidRequest` where this machine has not the walls. `tenant` changes nothing: nothing is kept."""
        async with self._turns:
            run = Run(
                code,
                files,
                seconds=max(0.1, min(timeout_s * SHARE, MOST_S)),
                walls_files=True,
                base=tempfile.gettempdir(),
            )
            waiting = asyncio.ensure_future(asyncio.to_thread(run.wait))
            try:
                return dict(await asyncio.shield(waiting))
            except Refused as err:
                raise InvalidRequest(
                    f"The code interpreter is not available: {err}", param="tools", code="unsupported_parameter"
                ) from err
            except asyncio.CancelledError:
                run.end()
                await asyncio.wait([waiting])
                raise
