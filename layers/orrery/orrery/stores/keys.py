"""API keys: whose is this token, is it still good, and making, listing and revoking them.

Of a key only HMAC-SHA256(pepper, whole token) is kept: who reads the table cannot use what stands there. Peppers are
numbered; new keys take the newest, keys of an older one work while that pepper is still given.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from orrery.core.errors import InvalidRequest, NotFound, Unauthenticated, Unavailable
from orrery.core.types import Json, Principal
from orrery.stores import tokens
from orrery.stores.attributes import pack, pack_item, unpack_item
from orrery.stores.definition import INDEX, KEYS, organization_id
from orrery.stores.key_cache import KeyCache
from orrery.stores.key_rows import (
    ACTIVE,
    REVOKED,
    KeyRow,
    is_live,
    item_of,
    key_of,
    principal_of,
    row_of,
    successor,
)
from orrery.stores.table import ConditionFailed, Table

IS_NEW = "attribute_not_exists(PK)"
STATE = "st, kv, expires_at"
REVOKE = "SET st = :revoked, kv = kv + :one, revoked_at = :now"
REVOKE_IF = "st = :active AND organization = :o"
REVOKE_ANYONES_IF = "st = :active"
LIMIT = "SET kv = kv + :one"
LIMITED = {"rpm": ", rpm = :rpm", "tpm": ", tpm = :tpm"}
UNLIMITED = {"rpm": "rpm, tat_r", "tpm": "tpm, tat_t"}
OF_ORGANIZATION = "GPK = :g"

MOST = 10**12
"""Requests or tokens a minute: more is a slip of the hand."""

NO_MAC = bytes(32)
"""Compared with when there is no row, so that an unknown id takes as long as a wrong secret."""


class KeyStore:
    """`core.ports.Keys`, and the management of keys.

    `peppers` maps version to secret, at least one. `clock` gives epoch seconds.
    """

    def __init__(self, table: Table, peppers: Mapping[int, bytes], *, clock: Callable[[], float] = time.time) -> None:
        if not peppers or not all(len(pepper) >= 16 for pepper in peppers.values()):
            raise ValueError("an API key needs a pepper of at least 16 bytes")
        self._table = table
        self._peppers = dict(peppers)
        self._newest = max(peppers)
        self._clock = clock
        self._cache = KeyCache()

    async def find(self, token: str) -> tuple[Principal, bool]:
        """See `core.ports.Keys.find`. A key that was never read costs one consistent read, a known one nothing."""
        if not tokens.looks_like_a_key(token):
            raise Unauthenticated
        digest = hashlib.sha256(token.encode("ascii")).digest()
        now = self._clock()
        principal = self._cache.find(digest, now)
        if principal is not None:
            return principal, False
        if self._cache.is_bad(digest, now) or not tokens.checksum_holds(token):
            raise Unauthenticated
        row = await self._table.get(key_of(tokens.key_id(token)))
        if not self._proves(token, row) or row is None or not is_live(row, now):
            self._cache.keep_bad(digest, now)
            raise Unauthenticated
        principal = principal_of(row)
        self._cache.keep_good(digest, principal, now, row.get("expires_at"))
        return principal, True

    async def confirm(self, principal: Principal) -> None:
        """See `core.ports.Keys.confirm`. Limits that were set since count for this request already.

        Raises `RateLimited` then, where they are used up.
        """
        row = await self._table.get(key_of(principal.key_id), STATE)
        if row is None or row["kv"] != principal.version or not is_live(row, self._clock()):
            self._cache.forget(principal.key_id)
            await self._readmit(principal)

    async def _readmit(self, principal: Principal) -> None:
        """A key whose limits alone were changed is still good."""
        row = await self._table.get(key_of(principal.key_id))
        current = successor(principal, row) if row is not None and is_live(row, self._clock()) else None
        if current is None:
            raise Unauthenticated
        if current.pace is not None:
            from orrery.stores.paces import PaceStore

            with suppress(Unavailable):  # functions that only read may not write it: their one request goes uncounted
                await PaceStore(self._table, clock=self._clock).take(current, 0)

    async def create(
        self,
        *,
        organization: str,
        workflow: str,
        user: str,
        name: str = "",
        scopes: Iterable[str] = (),
        expires_at: int | None = None,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
    ) -> tuple[str, KeyRow]:
        """A new key: the token, which nobody can read again, and its row. Raises `InvalidRequest`, `Unavailable`."""
        organization_id(organization)
        _refuse_misfits(requests_per_minute, tokens_per_minute)
        while True:
            token = tokens.mint()
            row = KeyRow(
                key_id=tokens.key_id(token),
                organization=organization,
                workflow=workflow,
                user=user,
                name=name,
                scopes=tuple(sorted(set(scopes))),
                status=ACTIVE,
                created_at=int(self._clock()),
                expires_at=expires_at,
                requests_per_minute=requests_per_minute,
                tokens_per_minute=tokens_per_minute,
            )
            item = item_of(row, self._mac(token, self._newest), self._newest)
            try:
                await self._table.run(
                    "PutItem",
                    {
                        "Item": pack_item(item),
                        "ConditionExpression": IS_NEW,
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    },
                )
            except ConditionFailed as refused:
                if refused.item is None or not hmac.compare_digest(refused.item["h"], item["h"]):
                    continue  # the id is taken: 62**10 to one
            return token, row

    async def list(self, organization: str) -> tuple[KeyRow, ...]:
        """Every key of that organization, revoked ones too, the oldest first. A key made this second may be missing."""
        body: Json = {
            "IndexName": INDEX,
            "KeyConditionExpression": OF_ORGANIZATION,
            "ExpressionAttributeValues": {":g": {"S": KEYS + organization}},
        }
        found = [entry["PK"].removeprefix("AK#") async for entry in self._table.query(body)]
        rows = await asyncio.gather(*(self._table.get(key_of(key_id)) for key_id in found))
        return tuple(row_of(row) for row in rows if row is not None and row["organization"] == organization)

    async def revoke(self, key_id: str, *, organization: str | None = None) -> None:
        """Ends a key for good, from the next request on; again changes nothing.

        With `organization`, only a key of that one. Raises `NotFound`, `Unavailable`.
        """
        values: Json = {
            ":revoked": {"S": REVOKED},
            ":active": {"S": ACTIVE},
            ":one": {"N": "1"},
            ":now": {"N": str(int(self._clock()))},
        }
        body: Json = {
            "Key": key_of(key_id),
            "UpdateExpression": REVOKE,
            "ConditionExpression": REVOKE_ANYONES_IF if organization is None else REVOKE_IF,
            "ExpressionAttributeValues": values if organization is None else values | {":o": {"S": organization}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            await self._table.run("UpdateItem", body)
        except ConditionFailed as refused:
            row = refused.item
            if row is None or organization not in (None, row["organization"]):
                raise _nothing(key_id) from None
        self._cache.forget(key_id)

    async def read(self, key_id: str, *, organization: str) -> KeyRow:
        """A key of that organization, revoked or not. Raises `NotFound`."""
        row = await self._table.get(key_of(key_id))
        if row is None or row["organization"] != organization:
            raise _nothing(key_id)
        return row_of(row)

    async def limit(
        self, key_id: str, *, organization: str, requests_per_minute: int | None, tokens_per_minute: int | None
    ) -> KeyRow:
        """Replaces both limits (None: as many as come), from the next request on; what was used still counts.

        Taking a limit away forgets what was used of it. Raises `NotFound` for revoked keys, too; `InvalidRequest`.
        """
        _refuse_misfits(requests_per_minute, tokens_per_minute)
        given = {"rpm": requests_per_minute, "tpm": tokens_per_minute}
        sets = LIMIT + "".join(LIMITED[name] for name, value in given.items() if value is not None)
        removes = ", ".join(UNLIMITED[name] for name, value in given.items() if value is None)
        values: Json = {":active": pack(ACTIVE), ":one": pack(1), ":o": pack(organization)}
        body: Json = {
            "Key": key_of(key_id),
            "UpdateExpression": f"{sets} REMOVE {removes}" if removes else sets,
            "ConditionExpression": REVOKE_IF,
            "ExpressionAttributeValues": values
            | {f":{name}": pack(value) for name, value in given.items() if value is not None},
            "ReturnValues": "ALL_NEW",
        }
        try:
            changed = await self._table.run("UpdateItem", body)
        except ConditionFailed:
            raise _nothing(key_id) from None
        self._cache.forget(key_id)
        return row_of(unpack_item(changed["Attributes"]))

    def _proves(self, token: str, row: Json | None) -> bool:
        """Whether the row is this very token's; takes as long without a row, or with a pepper that is gone."""
        version = row["pv"] if row else self._newest
        pepper_is_live = version in self._peppers
        mac = self._mac(token, version if pepper_is_live else self._newest)
        return hmac.compare_digest(mac, row["h"] if row else NO_MAC) and row is not None and pepper_is_live

    def _mac(self, token: str, version: int) -> bytes:
        return hmac.digest(self._peppers[version], token.encode("ascii"), "sha256")


def _nothing(key_id: str) -> NotFound:
    return NotFound(f"there is no API key {key_id[:40]!r}")


def _refuse_misfits(requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
    """Raises `InvalidRequest` for a limit that lets nothing through."""
    for name, value in (("requests_per_minute", requests_per_minute), ("tokens_per_minute", tokens_per_minute)):
        if value is not None and not 1 <= value <= MOST:
            raise InvalidRequest(f"'{name}' is between 1 and {MOST}, not {value}", param=name)
