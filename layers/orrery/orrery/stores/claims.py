"""Idempotency keys: who is at a request, and what it was answered with; `core.extras.Claims`.

| PK                       | SK   | attributes                                                                        |
| IDEM#<org>#<sha256(key)> | IDEM | `st`; `tk`: the claim's token; `dg`: the digest of what was asked; `x`: until     |
|                          |      | when it runs, epoch s; `b`, or `sha` and `n`: the answer; `ttl`                   |

    RUNNING ── complete ──> DONE      for a day, or until its answer is found to be lost
       │  └─── release ───> FREE      nobody's, but for a write of the same claim that arrives late
       └────── after `x` ─> whoever asks next

Everything is decided by one conditional write, and what stood in its way comes back with the refusal.
"""

import hashlib
import math
import secrets
import time
from collections.abc import Callable
from contextlib import suppress

from orrery.core.errors import InvalidRequest, Unavailable
from orrery.core.ports import Blobs
from orrery.core.records import Claim, Recording
from orrery.core.types import Json
from orrery.stores.answers import Shelf
from orrery.stores.attributes import pack, pack_item
from orrery.stores.definition import organization_id
from orrery.stores.table import ConditionFailed, Table

RUNNING, DONE, FREE = "RUNNING", "DONE", "FREE"

CLAIM_IF = (
    "attribute_not_exists(PK) OR (st = :free AND tk <> :tk)"
    " OR (st = :running AND x <= :now) OR (st = :done AND #ttl <= :now)"
)
COMPLETE_INLINE = "SET st = :done, #ttl = :ttl, b = :b REMOVE x"
COMPLETE_BESIDE = "SET st = :done, #ttl = :ttl, sha = :sha, n = :n REMOVE x"
FREE_AGAIN = "SET st = :free, #ttl = :ttl REMOVE x"
IS_AS_SEEN = "tk = :tk AND st = :was"

KEPT_S = 86_400
"""How long an answer is given again under its key."""

LATE_S = 3600
"""How long a key that is free remembers whose it was: no write is under way for longer."""

LONGEST_KEY = 255
TRIES = 3


class ClaimStore:
    """`clock` gives epoch seconds. Without `blobs`, a key whose answer fits into no item is free again after it."""

    def __init__(self, table: Table, blobs: Blobs | None, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._shelf = Shelf(blobs)
        self._clock = clock

    async def claim(self, organization: str, key: str, digest: str, *, lifetime_s: float) -> Claim:
        """See `core.extras.Claims.claim`. Raises `InvalidRequest` for a key that is none."""
        token = secrets.token_urlsafe(12)
        for _ in range(TRIES):
            try:
                await self._table.run("PutItem", self._claiming(organization, key, digest, token, lifetime_s))
            except ConditionFailed as refused:
                found = await self._found(organization, key, digest, token, refused.item or {})
                if found is not None:
                    return found
            else:
                return Claim("mine", token)
        return Claim("running", retry_after_s=1.0)

    async def complete(self, organization: str, key: str, token: str, answer: Recording) -> None:
        """See `core.extras.Claims.complete`. A key whose answer cannot be kept is free again. Raises `Unavailable`."""
        try:
            fields = await self._shelf.put(organization, answer)
        except Unavailable:
            await self.release(organization, key, token)
            raise
        if fields is None:
            await self.release(organization, key, token)
            return
        update = COMPLETE_INLINE if "b" in fields else COMPLETE_BESIDE
        values = {":done": pack(DONE), **{f":{name}": value for name, value in fields.items()}}
        await self._change(key_of(organization, key), update, KEPT_S, values | _seen(token, RUNNING))

    async def release(self, organization: str, key: str, token: str) -> None:
        """See `core.extras.Claims.release`. Raises `Unavailable`."""
        await self._free(organization, key, _seen(token, RUNNING))

    async def _free(self, organization: str, key: str, seen: Json) -> None:
        await self._change(key_of(organization, key), FREE_AGAIN, LATE_S, {":free": pack(FREE)} | seen)

    async def _change(self, key: Json, update: str, kept_s: int, values: Json) -> None:
        """Does nothing where the claim is another by now, or not as it was seen: another write has been there."""
        body: Json = {
            "Key": key,
            "UpdateExpression": update,
            "ConditionExpression": IS_AS_SEEN,
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {**values, ":ttl": pack(int(self._clock()) + kept_s)},
        }
        with suppress(ConditionFailed):
            await self._table.run("UpdateItem", body)

    async def _found(self, organization: str, key: str, digest: str, token: str, item: Json) -> Claim | None:
        """What the item that refused us says; None: ask again."""
        state = item.get("st")
        if state == RUNNING and item["tk"] == token:
            return Claim("mine", token)  # our own write, whose answer was lost
        if state is None or state == FREE:
            return None
        if item["dg"] != digest:
            return Claim("other")
        if state == RUNNING:
            return Claim("running", retry_after_s=max(1.0, item["x"] - self._clock()))
        answer = await self._shelf.get(organization, item)
        if answer is not None:
            return Claim("done", answer=answer)
        await self._free(organization, key, _seen(item["tk"], DONE))
        return None

    def _claiming(self, organization: str, key: str, digest: str, token: str, lifetime_s: float) -> Json:
        now = self._clock()
        until = math.ceil(now + lifetime_s)
        facts = {"st": RUNNING, "tk": token, "dg": digest, "x": until, "ttl": until + KEPT_S}
        return {
            "Item": key_of(organization, key) | pack_item(facts),
            "ConditionExpression": CLAIM_IF,
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": pack_item(
                {":free": FREE, ":running": RUNNING, ":done": DONE, ":tk": token, ":now": int(now)}
            ),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def _seen(token: str, state: str) -> Json:
    return pack_item({":tk": token, ":was": state})


def key_of(organization: str, key: str) -> Json:
    """The primary key of a claim. What callers call it stands nowhere."""
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidRequest(f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.", param="Idempotency-Key")
    name = hashlib.sha256(key.encode()).hexdigest()
    return pack_item({"PK": f"IDEM#{organization_id(organization)}#{name}", "SK": "IDEM"})
