"""What the flow needs from the outside, as protocols; `edge/wiring.py` supplies the real ones, tests the fakes."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from orrery.core.credentials import Credentials, OrganizationSettings, OwnKey
from orrery.core.dialect import UpstreamRequest
from orrery.core.exchange import Hold, Receipt
from orrery.core.limits import Budget
from orrery.core.types import Fetched, Json, Model, Presigned, Principal


class UpstreamReply(Protocol):
    """An answer whose head has arrived. Header names are lower case; `chunks` may be iterated once."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises `Truncated` when the connection breaks, `UpstreamTimeout` when it is idle."""
        ...


class Transport(Protocol):
    """Sends a request upstream."""

    def send(self, request: UpstreamRequest, timeout_s: float) -> AbstractAsyncContextManager[UpstreamReply]:
        """Enters when the head of the answer is there.

        `timeout_s` bounds connecting, waiting for the head, and each silence within the body.
        Raises `UpstreamTimeout`, `Unreachable`.
        """
        ...


class Fetch(Protocol):
    """Reads a URL that a caller named: only public addresses, only so many bytes, only so long."""

    async def __call__(self, url: str, *, limit_bytes: int, timeout_s: float) -> Fetched:
        """Raises `InvalidRequest` for a URL that may not or cannot be read, `TooLarge` beyond `limit_bytes`."""
        ...


class Uploads(Protocol):
    """Files that callers put aside because a request cannot hold them; deleted after use, or after a day."""

    most_bytes: int

    async def presign(self, organization: str, *, media_type: str, size_bytes: int) -> Presigned:
        """A place for a file of exactly this type and size, at most `most_bytes`."""
        ...

    def has(self, url: str) -> bool:
        """Whether `url` is one of ours, whoever's it is, and whether or not anything is there."""
        ...

    async def read(self, organization: str, url: str, *, timeout_s: float) -> Fetched:
        """Raises `InvalidRequest` where nothing is, or what belongs to another organization."""
        ...

    async def delete(self, organization: str, url: str) -> None:
        """Harmless where nothing is. Raises `GatewayError` when it cannot be done just now."""
        ...


class Blobs(Protocol):
    """What is too large for the table. Names are made here, of letters, digits, `-` and `_`: none is a caller's.

    They go by themselves, when their place says: recorded answers after four days, and not before three have passed;
    what stored responses say after 31, and not before 30.
    """

    async def put(self, organization: str, name: str, data: bytes) -> None:
        """Stores it, whole or not at all; the last one to come stays. Raises `Unavailable`."""
        ...

    async def get(self, organization: str, name: str) -> bytes | None:
        """None where nothing is. Raises `Unavailable`."""
        ...

    async def delete(self, organization: str, name: str) -> None:
        """Harmless where nothing is. Raises `Unavailable`."""
        ...


class Catalog(Protocol):
    """Which models there are and what they cost: those that ship with the gateway, and its operator's own before them.

    What only the operator's rows could know raises `Unavailable` while those cannot be read.
    """

    def prepare(self) -> None:
        """Begins what a first question would wait for; harmless at any time."""
        ...

    async def find(self, provider: str, name: str, region: str = "") -> Model | None:
        """The model called `name` at `provider`, at its price in `region` ("": everywhere); None for an unknown one."""
        ...

    async def named(self, name: str) -> tuple[str, ...]:
        """The providers that have a model called `name`, the preferred one first."""
        ...

    async def listed(self, providers: Collection[str]) -> list[Model]:
        """Every model of these providers that has a name of its own, sorted by id."""
        ...

    async def near(self, model: str, providers: Collection[str]) -> tuple[str, ...]:
        """At most three models of these providers, as `provider/name`, that a mistaken `model` may have meant."""
        ...


class Keys(Protocol):
    """Who a bearer token belongs to."""

    async def find(self, token: str) -> tuple[Principal, bool]:
        """The principal, and whether its row was read just now (False: it comes from this process's cache).

        Raises `Unauthenticated` for anything that is not a live key.
        """
        ...

    async def confirm(self, principal: Principal) -> None:
        """One consistent read; raises `Unauthenticated` when the key has changed since `principal` was read."""
        ...


class Ledger(Protocol):
    """Credit: set aside before, settled after, exactly once, whatever crashes in between."""

    async def hold(
        self, *, request_id: str, organization: str, key_id: str, amount_nano: int, lifetime_s: float
    ) -> Hold:
        """Sets `amount_nano` (at least 1) aside. Raises `OutOfCredit` with what is available."""
        ...

    async def record(self, hold: Hold, receipt: Receipt) -> None:
        """Writes ahead what the request cost, so that a crash before `settle` loses nothing. Idempotent."""
        ...

    async def checkpoint(self, hold: Hold, receipt: Receipt) -> None:
        """Writes what a long answer cost so far: charged should this process die. Never lowers an earlier one."""
        ...

    async def settle(self, hold: Hold, receipt: Receipt) -> None:
        """Turns the hold into spending and returns the rest. Idempotent; records first when nobody did."""
        ...


class Seals(Protocol):
    """Names that an organization is given, and that nobody can make up, or use in another's place."""

    async def seal(self, organization: str, text: str) -> str:
        """`text` as such a name, of letters, digits, `-` and `_`: whoever has it can read the text in it."""
        ...

    async def open(self, organization: str, name: str) -> str | None:
        """The text; None for a name that was not given to this organization as it stands."""
        ...


class OwnCredentials(Protocol):
    """What organizations stored of their own credentials at providers."""

    def prepare(self, organization: str) -> None:
        """Begins what `find` would wait for; harmless at any time."""
        ...

    async def find(self, organization: str) -> OrganizationSettings:
        """What the organization stored, as it was two minutes ago at most. Raises `Unavailable`."""
        ...

    async def open(self, key: OwnKey) -> Credentials:
        """The credential itself. Raises `BadCredential` where it does not decrypt, `Unavailable` when not just now."""
        ...

    async def put(self, organization: str, provider: str, credentials: Credentials, *, enabled: bool = True) -> OwnKey:
        """Stores a credential in place of what was. Raises `InvalidRequest` when it is too long, `Unavailable`."""
        ...

    async def enable(self, organization: str, provider: str, *, enabled: bool) -> OwnKey:
        """Whether what is stored is used. Raises `NotFound`, `Unavailable`."""
        ...

    async def remove(self, organization: str, provider: str) -> None:
        """Forgets what is stored. Raises `NotFound`, `Unavailable`."""
        ...

    async def read(self, organization: str) -> OrganizationSettings:
        """What is stored just now. Raises `Unavailable`."""
        ...

    async def allow_fallback(self, organization: str, *, allowed: bool) -> None:
        """The organization's choice between its own keys alone and pooled credit after them. Raises `Unavailable`."""
        ...

    async def keep_transcripts(self, organization: str, *, kept: bool) -> None:
        """The organization's choice whether what is said in its threads is kept. Raises `Unavailable`."""
        ...

    async def put_budget(self, organization: str, budget: Budget) -> None:
        """Stores a budget in place of the one of its id. Raises `InvalidRequest`, `Unavailable`."""
        ...

    async def remove_budget(self, organization: str, budget_id: str) -> None:
        """Forgets a budget. Raises `NotFound`, `Unavailable`."""
        ...


class AwsCall(Protocol):
    """A call of one AWS service, in one region, that speaks JSON over POST (DynamoDB, Secrets Manager, KMS)."""

    async def __call__(self, action: str, payload: Json) -> Json:
        """`action` is the bare name ("UpdateItem"). Makes one attempt; raises `AwsFault`."""
        ...
