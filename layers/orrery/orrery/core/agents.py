"""Agents, stored tools and memory stores: what organizations set up once and requests name.

Sources: Orq's field trees (`POST /v2/agents`, `/v2/tools`, `/v2/memory-stores`), read 2026-11-21.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from orrery.core.options import Engine
from orrery.core.responses import UNBOUNDED, Bounds
from orrery.core.types import Json

type Approval = Literal["all", "respect_tool", "none"]


@dataclass(frozen=True, slots=True)
class Agent:
    """A version of an agent, as a request uses it.

    `parameters` are fields of a Responses body (temperature, max_output_tokens, reasoning, text …). `tools` are entries
    of a Responses body's `tools`, with `requires_approval` beside their own fields where it is set. `team` are the keys
    of its sub-agents with what each is for; `memory_stores` are keys.
    """

    key: str
    version: str
    model: str
    instructions: str = field(repr=False)
    role: str = ""
    description: str = ""
    system_prompt: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    retry: Mapping[str, Any] | None = None
    fallbacks: tuple[str, ...] = ()
    tools: Sequence[Json] = ()
    approval: Approval = "respect_tool"
    bounds: Bounds = UNBOUNDED
    memory_stores: tuple[str, ...] = ()
    team: tuple[tuple[str, str], ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    engine: Engine = "text"


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document of an organization under a key of its own: an agent, a tool, a memory store.

    `body` is what was posted, validated; secrets in it are sealed. Times are epoch seconds.
    """

    id: str
    key: str
    body: Json = field(repr=False)
    created_at: float
    updated_at: float
    version: str = "1.0.0"
    by: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """A document that a memory store keeps of an entity. `score` is 1 - cosine distance, where it was searched for."""

    id: str
    store: str
    entity: str
    text: str = field(repr=False)
    created_at: float
    updated_at: float
    metadata: Mapping[str, str] = field(default_factory=dict)
    score: float | None = None
