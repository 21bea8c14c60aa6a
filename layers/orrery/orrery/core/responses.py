"""A response: what its caller asks of the gateway itself, what is kept of it, and what it becomes step by step.

`queued → in_progress → completed | incomplete | failed | cancelled`; what has ended never changes again.
Sources: Open Responses 2026-04-24 and OpenAI's API document 2.3.0; Orq's field trees for the rest (read 2026-11-21).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from orrery.core.types import Json

type Status = Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]

ENDED: frozenset[str] = frozenset({"completed", "incomplete", "failed", "cancelled"})

KEPT_S = 30 * 24 * 3600
"""How long responses and conversations are kept after they were last written; OpenAI keeps responses 30 days."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far tools may carry a response. None: the gateway's own bound; `max_cost_nano` 0: no bound but the credit."""

    max_iterations: int | None = None
    max_execution_s: float | None = None
    max_cost_nano: int = 0
    max_depth: int | None = None
    tool_timeout_s: float | None = None


UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True)
class Responding:
    """What a request for a response says to the gateway, beside `core.options.Options`.

    `previous` and `conversation` are ids, at most one of them is set. `hosted` are the tools that run here, as their
    caller wrote them (validated); function tools stay in the call's body. `include` names what is shown only on demand.
    `posted` is the whole body as it came, where it must be read again later; `compacts`: a summary is wanted.
    `agent` is the key in `agent/<key>`, `agent_version` what follows its `@`: a version, an environment, "latest", "".
    `memory` is the entity whose memories an agent may see. `depth`: how many responses this one is inside of.
    """

    store: bool = True
    previous: str = ""
    conversation: str = ""
    background: bool = False
    include: frozenset[str] = frozenset()
    hosted: tuple[Json, ...] = ()
    max_tool_calls: int | None = None
    bounds: Bounds = UNBOUNDED
    agent: str = ""
    agent_version: str = ""
    memory: str = ""
    depth: int = 0
    posted: bytes = field(default=b"", repr=False)
    compacts: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a response belongs: for its organization's eyes, and for who works on it later."""

    key_id: str = ""
    workflow: str = ""
    user: str = ""
    identity: str = ""
    thread: str = ""
    run: str = ""


NOBODY = Origin()


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response as it is kept.

    `shown` is the resource as its caller gets it (its `output` with all that only providers may read, which `GET`
    leaves out where nobody asked for it); `input` are the items that its own request brought, each with an id. Secret
    variables are `***` in both. `parent` is the response before it, "" for none; `conversation` likewise.
    `request` is what a background response still needs to be worked on. `events`: its events are logged.
    `deadline` (epoch seconds) is when whoever works on it must be done: unfinished after that, it is read as failed.
    """

    id: str
    organization: str
    status: Status
    created_at: int
    shown: Json = field(repr=False)
    input: Sequence[Json] = field(default=(), repr=False)
    parent: str = ""
    conversation: str = ""
    origin: Origin = NOBODY
    request: Json | None = field(default=None, repr=False)
    events: bool = False
    deadline: float = 0.0

    @property
    def output(self) -> Sequence[Json]:
        found: Sequence[Json] = self.shown.get("output") or ()
        return found


@dataclass(frozen=True, slots=True)
class Context:
    """What came before a request: every item of its ancestors, in order, oldest first.

    `place` says where the next response stands; only the store that gave it understands it.
    """

    items: Sequence[Json] = field(repr=False)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation's own record."""

    id: str
    created_at: int
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventLog:
    """Events of a response after a number: JSON, as they were sent. `ended`: no more will come."""

    events: Sequence[bytes] = field(repr=False)
    ended: bool = False


def item_id(prefix: str, response: str, number: int) -> str:
    """The id of the output item `number` of a response: it says where the item is kept."""
    return f"{prefix}_{response.partition('_')[2]}{number:03d}"


def home_of(item: str) -> str:
    """The response that an output item's id names; "" for other ids."""
    found = _ITEM.fullmatch(item)
    return f"resp_{found[1]}" if found else ""


_ITEM = re.compile(r"[a-z]{1,16}_([0-9A-Za-z]{27})\d{3,5}")

type Work = Mapping[str, Any]
"""A message of the queue: `{"organization", "response"}`, ids and nothing else."""
