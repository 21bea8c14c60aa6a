"""What a caller may ask of the gateway itself, beside the model's own parameters. Every field has "nothing" as default.

Sources: seeds 001, 003 and 004; Orq's published field trees, read 2026-11-21.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from orrery.core.credentials import Credentials

if TYPE_CHECKING:  # only requests for responses bring any
    from orrery.core.responses import Responding

type Engine = Literal["text", "mustache", "jinja"]


@dataclass(frozen=True, slots=True)
class Retry:
    """Same target again: at most `count` more attempts, only when the status is in `on_codes`."""

    count: int = 0
    on_codes: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Weighted:
    """One of the models that share the requests. Weights are relative: 0.4 and 0.8 mean a third and two thirds."""

    model: str
    weight: float = 0.5


@dataclass(frozen=True, slots=True)
class Variables:
    """What placeholders stand for, by name. `secrets` are names whose values only the provider may see."""

    values: Mapping[str, Any] = field(repr=False)
    secrets: frozenset[str] = frozenset()
    engine: Engine = "text"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a caller serves. With a profile (all but `id`), the organization's record of them is changed to it."""

    id: str
    profile: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Thread:
    """The conversation that a request belongs to: a label. Nothing of it is put before a model."""

    id: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribution:
    """What headers say of a request's place among others (seed 004). "" and None: they say nothing.

    `user` is set only where the edge's signature proves it. `workflow` is a label: limits are the key's all the same.
    `metadata` are the pairs of `X-ORQ-METADATA-*` and of the body's `metadata`.
    """

    run: str = ""
    session: str = ""
    end_user: str = ""
    customer: str = ""
    tenant: str = ""
    workflow: str = ""
    user: str = ""
    parent: str = ""
    step: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """The gateway's own fields of a request, read from the top level and from `orq` (the top level wins), and headers.

    `credentials` are the caller's own, for this request and the requested model's provider alone. `balance` replaces
    the requested model. `cache_ttl_s` None: neither read from nor written to the cache. `prompt` is prepended to the
    messages, `registered_prompt` replaces them. `idempotency_key` "": each request is a new one. `responding` is what
    only requests for responses say.
    """

    retry: Retry = Retry()
    fallbacks: tuple[str, ...] = ()
    call_timeout_s: float | None = None
    credentials: Credentials | None = field(default=None, repr=False)
    balance: tuple[Weighted, ...] = ()
    cache_ttl_s: int | None = None
    variables: Variables | None = None
    prompt: str = ""
    registered_prompt: str = ""
    identity: Identity | None = None
    thread: Thread | None = None
    name: str = ""
    attribution: Attribution | None = None
    idempotency_key: str = ""
    responding: "Responding | None" = None
