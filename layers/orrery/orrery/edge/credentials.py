"""`core.ports.OwnCredentials`: what is stored, kept for a while in this process, and opened when it is used.

Rows are kept as `stores.catalog` keeps its own: those read less than half a minute ago are used as they stand; within
two minutes they are used while they are read again behind the request; older, or never read, they are waited for. So a
change counts everywhere after two minutes at most, and in a busy process after half a minute. Opened credentials are
kept for five minutes, by the version: another credential has another one, whatever happened between.
"""

import asyncio
import secrets
import time
from collections.abc import Callable

import orjson

from orrery.core.credentials import AwsCredentials, Credentials, OrganizationSettings, OwnKey
from orrery.core.errors import BadCredential, InvalidRequest
from orrery.core.limits import Budget
from orrery.edge.vault import LARGEST_BYTES, Context, Vault
from orrery.stores.credentials import CredentialStore

FRESH_S = 30.0
STALE_S = 120.0
OPEN_S = 300.0
REMEMBERED = 4_096
"""Organizations whose rows are kept, and opened credentials; the longest unused go first."""

HINTED = 20
"""Characters that a key must have for its last four to tell nothing."""


class StoredCredentials:
    """`clock` gives epoch seconds: a frozen Lambda environment's rows grow old all the same."""

    def __init__(self, store: CredentialStore, vault: Vault, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._rows: dict[str, tuple[float, OrganizationSettings]] = {}
        self._reading: dict[str, asyncio.Task[OrganizationSettings]] = {}
        self._opened: dict[tuple[str, str, str], tuple[float, Credentials]] = {}

    def prepare(self, organization: str) -> None:
        if self._age_s(organization) >= FRESH_S:
            self._task(organization)

    async def find(self, organization: str) -> OrganizationSettings:
        age_s = self._age_s(organization)
        if age_s >= STALE_S:
            return await asyncio.shield(self._task(organization))
        if age_s >= FRESH_S:
            self._task(organization)
        read_at, found = self._rows.pop(organization)
        self._rows[organization] = read_at, found
        return found

    async def open(self, key: OwnKey) -> Credentials:
        place = key.organization, key.provider, key.version
        opened_at, known = self._opened.pop(place, (0.0, None))
        if known is None or not 0 <= self._clock() - opened_at < OPEN_S:
            opened_at, known = self._clock(), _parsed(await self._vault.open(key.sealed, context_of(*place)))
        self._opened[place] = opened_at, known
        if len(self._opened) > REMEMBERED:
            del self._opened[next(iter(self._opened))]
        return known

    async def put(self, organization: str, provider: str, credentials: Credentials, *, enabled: bool = True) -> OwnKey:
        secret = _written(credentials)
        if len(secret) > LARGEST_BYTES:
            raise InvalidRequest(
                f"a credential has {LARGEST_BYTES} bytes at most, this one {len(secret)}", param="api_key"
            )
        version = secrets.token_hex(8)
        sealed = await self._vault.seal(secret, context_of(organization, provider, version))
        hint, base_url = hint_of(credentials), credentials.base_url
        stored = await self._store.put(OwnKey(organization, provider, version, sealed, enabled, base_url, hint))
        self._forget(organization)
        return stored

    async def enable(self, organization: str, provider: str, *, enabled: bool) -> OwnKey:
        changed = await self._store.enable(organization, provider, enabled=enabled)
        self._forget(organization)
        return changed

    async def remove(self, organization: str, provider: str) -> None:
        await self._store.remove(organization, provider)
        self._forget(organization)

    async def read(self, organization: str) -> OrganizationSettings:
        return await self._store.read(organization)

    async def allow_fallback(self, organization: str, *, allowed: bool) -> None:
        await self._store.allow_fallback(organization, allowed=allowed)
        self._forget(organization)

    async def keep_transcripts(self, organization: str, *, kept: bool) -> None:
        await self._store.keep_transcripts(organization, kept=kept)
        self._forget(organization)

    async def put_budget(self, organization: str, budget: Budget) -> None:
        await self._store.put_budget(organization, budget)
        self._forget(organization)

    async def remove_budget(self, organization: str, budget_id: str) -> None:
        await self._store.remove_budget(organization, budget_id)
        self._forget(organization)

    def _age_s(self, organization: str) -> float:
        """Seconds since the rows were read; infinite for never, and for a clock that was set back."""
        read_at, _ = self._rows.get(organization, (float("-inf"), None))
        age_s = self._clock() - read_at
        return age_s if age_s >= 0 else float("inf")

    def _task(self, organization: str) -> "asyncio.Task[OrganizationSettings]":
        """The one reading that is under way: whoever waits, waits for the same."""
        loop = asyncio.get_running_loop()
        task = self._reading.get(organization)
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._reading[organization] = loop.create_task(self._refresh(organization))
            task.add_done_callback(lambda done: self._ended(organization, done))
        return task

    async def _refresh(self, organization: str) -> OrganizationSettings:
        began = self._clock()
        found = await self._store.read(organization)
        if self._reading.get(organization) is asyncio.current_task():  # else something was changed meanwhile
            self._rows.pop(organization, None)
            self._rows[organization] = began, found
            if len(self._rows) > REMEMBERED:
                del self._rows[next(iter(self._rows))]
        return found

    def _ended(self, organization: str, task: "asyncio.Task[OrganizationSettings]") -> None:
        if self._reading.get(organization) is task:
            del self._reading[organization]
        if not task.cancelled():
            task.exception()  # whoever waited has it; the next request tries again

    def _forget(self, organization: str) -> None:
        self._rows.pop(organization, None)
        self._reading.pop(organization, None)


def hint_of(credentials: Credentials) -> str:
    """The last four characters of a key, or of the public half of an AWS one; "" where they would tell too much."""
    text = credentials.aws.access_key if credentials.aws else credentials.key
    return text[-4:] if len(text) >= (HINTED if credentials.aws is None else 16) and not text.startswith("{") else ""


def context_of(organization: str, provider: str, version: str) -> Context:
    return {"organization": organization, "provider": provider, "version": version}


def _written(credentials: Credentials) -> bytes:
    """The address goes with the secret, so that nobody who can write to the table can send it elsewhere."""
    aws = credentials.aws
    held = {
        "key": credentials.key,
        "aws": [aws.access_key, aws.secret_key, aws.session_token] if aws else None,
        "region": credentials.region,
        "base_url": credentials.base_url,
    }
    return orjson.dumps(held)


def _parsed(secret: bytes) -> Credentials:
    try:
        held = orjson.loads(secret)
        aws = AwsCredentials(*held["aws"]) if held["aws"] else None
        return Credentials(held["key"], aws, held["region"], held["base_url"])
    except (ValueError, KeyError, TypeError):
        raise BadCredential("a stored credential of yours cannot be read: store it anew") from None
