"""The record of one request: when it came, what was tried, what it holds, and what it cost.

Units and times are those of `core.types`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from orrery.core.dialect import Frame
from orrery.core.types import Fetched, Plan, Principal, Target, Usage


@dataclass(slots=True)
class Attempt:
    """One try at one target. `status` is 200, or what the caller would have seen had it been the last.

    `own`: with the caller's own key. `blame` says what a failure speaks against: the provider, or a `limit` of this
    request that was over before the provider had the time which this gateway gives it; "" for neither.
    `retry_after_s` is what the provider asked for. `recovered`: it worked, and the last one there had failed.
    """

    provider: str
    model: str
    status: int
    seconds: float
    message: str = ""
    own: bool = False
    blame: Literal["", "provider", "limit"] = ""
    retry_after_s: float | None = None
    recovered: bool = False


type Evidence = Literal["provider", "partial", "counted", "none", "recorded"]
"""Where a cost comes from: the provider's final usage, its usage so far, our count of what came, or nothing came.

`recorded`: an answer was given again, for nothing."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a finished request cost and how we know. `own`: nothing, because its caller's own key paid for it."""

    cost_nano: int
    usage: Usage
    evidence: Evidence
    provider: str = ""
    model: str = ""
    status: int = 200
    own: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Credit set aside for one request, until `expires_at` (epoch seconds, whole).

    One of no amount is a mere name: it stands in no balance, and ends with its receipt.
    `value` is the exact string stored beside the request's id: settling names it, so nobody settles another's hold.
    """

    request_id: str
    organization: str
    shard: int
    amount_nano: int
    expires_at: int
    value: str
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request at the door: its ids, when it came and when it must be over (both on the event loop's clock)."""

    id: str
    trace_id: str
    started: float
    deadline: float
    parent_span_id: str = ""


@dataclass(slots=True)
class Exchange:
    """The one mutable record of a request: filled on its way, logged once at its end.

    `fetched` is what stood behind the URLs of its media, so that no retry and no fallback reads one again; `uploads`
    are those among them that were uploaded here, and are deleted once the request has been answered.
    `headers` are what options add to the answer's; `cache` says whether a cached answer served. `after` is what options
    still have to do once the request is settled: it must not raise `GatewayError`. `keep` is told that the answer is
    whole before it is charged, with the one frame of an answer that does not stream: what must not be lost once it is
    paid for is written then.
    """

    arrival: Arrival
    principal: Principal
    plan: Plan
    attempts: list[Attempt] = field(default_factory=list)
    target: Target | None = None
    dropped: tuple[str, ...] = ()
    usage: Usage | None = None
    output_chars: int = 0
    chunks: int = 0
    held_nano: int = 0
    clamped_to: int | None = None
    upstream_s: float = 0.0
    first_frame_s: float | None = None
    status: int = 200
    error_code: str | None = None
    outcome: Literal["completed", "failed", "cut", "abandoned"] = "completed"
    receipt: Receipt | None = None
    unsettled: bool = False
    fetched: dict[str, Fetched] = field(default_factory=dict, repr=False)
    uploads: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)
    cache: Literal["", "hit", "miss"] = ""
    after: list[Callable[["Exchange"], Awaitable[None]]] = field(default_factory=list, repr=False)
    keep: Callable[["Exchange", Sequence[Frame]], Awaitable[None]] | None = field(default=None, repr=False)
