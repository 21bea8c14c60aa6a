"""Everything a request needs from outside, in one value: joined by `edge/wiring.py`, by fakes in tests."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from orrery.core.dialect import Provider
from orrery.core.errors import GatewayError
from orrery.core.exchange import Arrival, Exchange
from orrery.core.ports import Catalog, Fetch, Keys, Ledger, OwnCredentials, Seals, Transport, Uploads
from orrery.core.types import Principal, Target

if TYPE_CHECKING:  # a plain request needs none of it: it is not to wait for a dozen protocols
    from orrery.core.extras import Extras


@dataclass(frozen=True, slots=True)
class Account:
    """A provider as this deployment reaches it: where, and with which credential ("" for none).

    `region` is where its calls go unless a model's name says otherwise. `has_role`: without a secret, calls are signed
    with the credentials that this process itself has at AWS.
    """

    provider: Provider
    base_url: str
    secret: str = field(default="", repr=False)
    region: str = ""
    has_role: bool = False

    @property
    def usable(self) -> bool:
        """Whether a call can be signed."""
        return bool(self.secret) or self.has_role or not self.provider.needs_key


class Accounts(Protocol):
    """The providers that this deployment knows, built in or named by its operator."""

    async def find(self, name: str) -> Account | None:
        """The account at provider `name`, usable or not; None when there is no such provider."""
        ...

    async def usable(self) -> tuple[Account, ...]:
        """Every account that can be called."""
        ...

    async def authorize(self, target: Target) -> Target:
        """The target with what its call is signed with just now. Raises `UpstreamError` when that cannot be had.

        For a target of a caller's own, nothing of the operator's is used.
        """
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator decided. `deadline_s` bounds a whole request, `silence_s` each silence of an upstream.

    `max_media_bytes` is what one request's URLs may bring in together, where a dialect needs their content;
    `media_buckets` are the buckets (`gs://name`, `s3://name`) that providers may read with the operator's credentials.
    `edge_keys` are what an edge before this gateway signs with when it says which user calls; at most two are live.
    """

    default_provider: str | None = None
    allow_unpriced: bool = False
    deadline_s: float = 600.0
    silence_s: float = 300.0
    max_body_bytes: int = 6 * 1024 * 1024
    max_reply_bytes: int = 32 * 1024 * 1024
    max_media_bytes: int = 20 * 1024 * 1024
    media_buckets: frozenset[str] = frozenset()
    edge_keys: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The room behind every door.

    Each request is logged once, at its end: by `log`, or by `refused` when it never got as far as holding credit.
    `outside` is the way to addresses that callers named, public ones only; `own` what they stored and
    decided; `extras` is what only requests with options need.
    """

    keys: Keys
    ledger: Ledger
    transport: Transport
    fetch: Fetch
    accounts: Accounts
    catalog: Catalog
    log: Callable[[Exchange], None]
    refused: Callable[[Arrival, GatewayError, Principal | None], None]
    policy: Policy = Policy()
    uploads: Uploads | None = None
    seals: Seals | None = None
    own: OwnCredentials | None = None
    extras: "Extras | None" = None
    outside: Transport | None = None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
