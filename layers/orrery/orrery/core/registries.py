"""The management of agents, stored tools and memory stores, as protocols; what requests use of them is in `keeping`.

Each method may raise `Unavailable`. What another organization has is like what is missing: `NotFound`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from orrery.core.agents import Memory, StoredDocument
from orrery.core.keeping import Agents, StoredTools
from orrery.core.pages import Listed, Page
from orrery.core.tools import Embed
from orrery.core.types import Json

type Increment = Literal["major", "minor", "patch"]
type Change = Callable[[Json], Json]
"""Makes of a document the one that is to be: a new one, or an equal one. Raises `InvalidRequest`."""

LIVE = "production"
"""The environment whose version requests get that name none."""

NEWEST = "latest"
"""What requests name the newest version by: no environment may be called so."""


@dataclass(frozen=True, slots=True)
class KeyRule:
    """How something may be called. A key is an id: fit for a URL, a file's name, the table."""

    pattern: re.Pattern[str]
    longest: int
    words: str

    def fits(self, text: str) -> bool:
        return 0 < len(text) <= self.longest and self.pattern.fullmatch(text) is not None


# Patterns and lengths are Orq's (field trees of POST /v2/agents, /v2/tools and /v2/memory-stores, read 2026-11-21).
AGENT_KEY = KeyRule(
    re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*"),
    255,
    "1 to 255 letters, digits and single . _ - between them, a letter first",
)
TOOL_KEY = KeyRule(
    re.compile(r"[A-Za-z](?:[A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*)?"),
    64,
    "1 to 64 letters, digits and single _ - between them, a letter first",
)
STORE_KEY = KeyRule(
    re.compile(r"[A-Za-z](?:[A-Za-z0-9]*(?:[._][A-Za-z0-9]+)*)?"),
    255,
    "1 to 255 letters, digits and single . _ between them, a letter first",
)
ENTITY = KeyRule(
    re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*"), 64, "1 to 64 letters, digits and single _ - between them"
)
ENVIRONMENT = KeyRule(
    re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*"),
    64,
    "1 to 64 letters, digits and single _ - between them, a letter first",
)


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """One version of an agent, which never changes. `note` is what its maker said of it."""

    version: str
    body: Json = field(repr=False)
    created_at: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class MemoryEntity:
    """Whom a memory store remembers something of, and how many documents."""

    id: str
    store: str
    documents: int
    created_at: float
    updated_at: float
    metadata: Mapping[str, str] = field(default_factory=dict)


class AgentRegistry(Agents, Protocol):
    """Agents and their versions."""

    async def create(self, organization: str, key: str, body: Json) -> StoredDocument:
        """Version 1.0.0. Raises `Conflict` (409, `agent_exists`)."""
        ...

    async def read(self, organization: str, key: str) -> StoredDocument:
        """Its newest version. Raises `NotFound`."""
        ...

    async def list(self, organization: str, page: Page) -> Listed[StoredDocument]:
        """The newest agents first, as `read` gives them. Raises `InvalidRequest` for a cursor that is none of them."""
        ...

    async def change(
        self, organization: str, key: str, change: Change, *, increment: Increment = "patch", note: str = ""
    ) -> StoredDocument:
        """A new version; none where the document is the newest one's. Raises `NotFound`, `InvalidRequest`."""
        ...

    async def remove(self, organization: str, key: str) -> None:
        """Deletes it with all of its versions. Raises `NotFound`."""
        ...

    async def version(self, organization: str, key: str, version: str) -> AgentVersion:
        """Raises `NotFound`."""
        ...

    async def versions(self, organization: str, key: str, page: Page) -> Listed[AgentVersion]:
        """The newest first; cursors are versions. Raises `NotFound`, `InvalidRequest`."""
        ...

    async def environments(self, organization: str, key: str) -> Mapping[str, str]:
        """Which version each environment has. Raises `NotFound`."""
        ...

    async def point(self, organization: str, key: str, environment: str, version: str) -> None:
        """Gives an environment a version. Raises `NotFound`, `InvalidRequest`."""
        ...

    async def unpoint(self, organization: str, key: str, environment: str) -> None:
        """Takes it away. Raises `NotFound`."""
        ...


class ToolRegistry(StoredTools, Protocol):
    """Stored tools. What is secret in them is `***` wherever they are shown; only `find` opens it."""

    async def create(self, organization: str, key: str, body: Json) -> StoredDocument:
        """Raises `Conflict` (409, `tool_exists`), `InvalidRequest`, and what the vault raises."""
        ...

    async def read(self, organization: str, tool: str) -> StoredDocument:
        """Raises `NotFound`."""
        ...

    async def list(self, organization: str, page: Page) -> Listed[StoredDocument]:
        """The newest first. Raises `InvalidRequest` for a cursor that is none of them."""
        ...

    async def change(self, organization: str, tool: str, change: Change) -> StoredDocument:
        """A header that comes as `***` keeps its value, if it still goes to the same host.

        Raises `NotFound`, `InvalidRequest`, and what the vault raises.
        """
        ...

    async def remove(self, organization: str, tool: str) -> None:
        """Raises `NotFound`."""
        ...


class MemoryStores(Protocol):
    """Memory stores, the entities that they remember, and the documents about each."""

    async def create(self, organization: str, key: str, body: Json) -> StoredDocument:
        """Raises `Conflict` (409, `memory_store_exists`)."""
        ...

    async def read(self, organization: str, store: str) -> StoredDocument:
        """Raises `NotFound`."""
        ...

    async def list(self, organization: str, page: Page) -> Listed[StoredDocument]:
        """The newest first. Raises `InvalidRequest` for a cursor that is none of them."""
        ...

    async def change(self, organization: str, store: str, change: Change) -> StoredDocument:
        """Raises `NotFound`, `InvalidRequest`."""
        ...

    async def remove(self, organization: str, store: str) -> None:
        """Deletes it with all that it remembers. Raises `NotFound`."""
        ...

    async def add_entity(self, organization: str, store: str, entity: str, metadata: Mapping[str, str]) -> MemoryEntity:
        """Raises `NotFound`, `Conflict` (409, `memory_exists`)."""
        ...

    async def entity(self, organization: str, store: str, entity: str) -> MemoryEntity:
        """Raises `NotFound`."""
        ...

    async def entities(self, organization: str, store: str, page: Page) -> Listed[MemoryEntity]:
        """By their ids, which are the cursors. Raises `NotFound`."""
        ...

    async def change_entity(
        self, organization: str, store: str, entity: str, metadata: Mapping[str, str]
    ) -> MemoryEntity:
        """With this metadata in place of its own. Raises `NotFound`."""
        ...

    async def remove_entity(self, organization: str, store: str, entity: str) -> None:
        """Forgets it, with its documents. Raises `NotFound`."""
        ...

    async def add(self, organization: str, store: str, entity: str, text: str, metadata: Mapping[str, str]) -> Memory:
        """A document about an entity that is there; it gets its vector when it is first searched for.

        Raises `NotFound`, `InvalidRequest` (`memory_full`).
        """
        ...

    async def document(self, organization: str, store: str, entity: str, document: str) -> Memory:
        """Raises `NotFound`."""
        ...

    async def documents(self, organization: str, store: str, entity: str, page: Page) -> Listed[Memory]:
        """The newest first; cursors are ids. Raises `NotFound`."""
        ...

    async def change_document(
        self,
        organization: str,
        store: str,
        entity: str,
        document: str,
        *,
        text: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Memory:
        """None leaves what is there. Raises `NotFound`."""
        ...

    async def remove_document(self, organization: str, store: str, entity: str, document: str) -> None:
        """Raises `NotFound`."""
        ...

    async def write(self, organization: str, store: str, entity: str, text: str, embed: Embed) -> Memory:
        """A document with its vector, about an entity that is made where there is none.

        Raises `NotFound` for the store, `InvalidRequest` (`memory_full`), and what `embed` raises.
        """
        ...

    async def search(
        self, organization: str, store: str, entity: str, query: str, *, top_k: int, embed: Embed
    ) -> Sequence[Memory]:
        """The documents about an entity that are nearest to a query, the nearest first, each with its score.

        Nobody's for an entity that is not there. Documents without a vector get theirs, a bounded number at a time.
        Raises `NotFound` for the store, and what `embed` raises.
        """
        ...


class Vault(Protocol):
    """Encrypts secrets of a few thousand bytes, each bound to its context: under any other it does not open."""

    async def seal(self, secret: bytes, context: Mapping[str, str]) -> bytes: ...

    async def open(self, sealed: bytes, context: Mapping[str, str]) -> bytes: ...


class Registries(Protocol):
    """All three."""

    @property
    def agent_registry(self) -> AgentRegistry: ...

    @property
    def tool_registry(self) -> ToolRegistry: ...

    @property
    def memory_stores(self) -> MemoryStores: ...
