"""What tools need from outside, in one value; `edge/extras.py` joins it, tests fake it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orrery.core.keeping import Agents, StoredTools
from orrery.core.ports import Fetch, Transport
from orrery.core.registries import MemoryStores
from orrery.core.types import Json


class Interpreter(Protocol):
    """Runs a caller's code where nothing of ours is, and no network."""

    async def run(self, code: str, files: Mapping[str, bytes], *, timeout_s: float, tenant: str) -> Json:
        """`{"stdout", "stderr", "error"}`; `error` is null, or why it did not come to its end. No two tenants meet.

        Raises `InvalidRequest` (`unsupported_parameter`) where such a place cannot be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outfit:
    """`outside` is the only way out: https to public addresses, nothing else, redirects not followed. `fetch` reads
    pages (GET), with redirects, bounded. `keys` gives the operator's variables (`TAVILY_API_KEY` …) as they are now.
    """

    outside: Transport
    fetch: Fetch
    keys: Callable[[], Awaitable[Mapping[str, str]]] = field(repr=False)
    stored: StoredTools
    agents: Agents
    memories: Callable[[], MemoryStores] | None = None
    interpreter: Interpreter | None = None
