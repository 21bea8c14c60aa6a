"""Requests and tokens a minute of a key, counted on the key's own row, which proves in the same write that it is good.

| PK          | SK | attribute    | what it is                                                                |
| AK#<key id> | K  | tat_r, tat_t | epoch nanoseconds: how far ahead its requests and tokens are used         |
|             |    | fix          | the last correction, so that a second arrival of it changes nothing       |

A gauge is behind now (idle) or ahead of it (busy), and a condition knows no arithmetic: each has an update of its own,
and who chose the wrong one is told what stands there and tries again. Both only ever move a gauge ahead, and only where
it stands `latest_ns` at most: whatever comes twice, late or with a wrong clock is counted once too often, never once
too few. A clock set back sees everything used; one that ran ahead leaves the key used up until that time comes, or
until its limit is taken away and set again (`KeyStore.limit`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from orrery.core.errors import Unauthenticated, Unavailable
from orrery.core.types import Json, Principal
from orrery.stores.attributes import unpack_item
from orrery.stores.gauges import ATTRIBUTE, SECOND_NS, Gauge, gauges_of, headers_of, refusal, too_large
from orrery.stores.key_rows import ACTIVE, is_live, key_of, successor
from orrery.stores.table import ConditionFailed, Table
from orrery.stores.tokens import random_text

TRIES = 8
KNOWN_NS = SECOND_NS
"""What was seen refuses without a write for this long: tokens that others give back are noticed then."""

SIZE = 4096
"""Keys in memory; the longest unused goes first."""

ALIVE = "st = :active AND kv = :version AND (attribute_not_exists(expires_at) OR expires_at > :s)"
IDLE, IDLE_IF = "{0} = :{0}_new", "(attribute_not_exists({0}) OR {0} < :now)"
BUSY, BUSY_IF = "{0} = {0} + :{0}_step", "{0} >= :now AND {0} <= :{0}_latest"

CORRECT = "SET tat_t = tat_t + :more, fix = :fix"
CORRECT_IF = "kv = :version AND attribute_exists(tat_t) AND (attribute_not_exists(fix) OR fix <> :fix)"


@dataclass(slots=True)
class Seen:
    """A key as it was seen last: with its limits of then, and where its gauges stood."""

    principal: Principal
    tats: dict[str, int]
    at_ns: int


class _Once(Exception):
    """What must not be sent a second time failed."""


class PaceStore:
    """`core.extras.Paces`. `clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock
        self._seen: dict[str, Seen] = {}

    async def take(self, principal: Principal, tokens: int) -> Mapping[str, str]:
        """See `core.extras.Paces.take`. One write, two where the gauges were not as they were seen last.

        Limits that were changed since `principal` was read are the ones that count.
        """
        seen = self._of(principal)
        for _ in range(TRIES):
            now_ns = self._now_ns()
            if seen.principal.pace is None:  # its limits were taken away: no write proves that it is good
                seen = self._learn(principal, await self._table.get(key_of(principal.key_id)))
                if seen.principal.pace is None:
                    return {}
                continue
            gauges = gauges_of(seen.principal.pace, tokens)
            _refuse(gauges, seen, now_ns)
            try:
                taken = await self._table.run("UpdateItem", _taking(seen, gauges, now_ns))
            except ConditionFailed as refused:
                seen = self._learn(principal, refused.item)
                continue
            seen.tats |= unpack_item(taken["Attributes"])
            seen.at_ns = now_ns
            return headers_of(gauges, seen.tats, now_ns)
        raise Unavailable("too many requests with this key at the same moment", retry_after_s=1.0)

    async def correct(self, principal: Principal, tokens: int) -> None:
        """See `core.extras.Paces.correct`. Harmless for a key whose limits were changed meanwhile.

        Giving back is tried once only: of two writes, one that was thought lost may have arrived, and what is not given
        back comes back with time.
        """
        seen = self._of(principal)
        pace = seen.principal.pace
        if pace is None or pace.tokens is None or not tokens:
            return
        (gauge,) = gauges_of(replace(pace, requests=None), 0)
        body: Json = {
            "Key": key_of(principal.key_id),
            "UpdateExpression": CORRECT,
            "ConditionExpression": CORRECT_IF,
            "ExpressionAttributeValues": {
                ":more": {"N": str(tokens * gauge.interval_ns)},
                ":version": {"N": str(seen.principal.version)},
                ":fix": {"S": random_text(12)},
            },
            "ReturnValues": "UPDATED_NEW",
        }
        try:
            corrected = await self._table.run("UpdateItem", body, again=_never if tokens < 0 else lambda: body)
        except (ConditionFailed, _Once):
            return
        seen.tats[gauge.attribute] = unpack_item(corrected["Attributes"])[gauge.attribute]

    def _of(self, principal: Principal) -> Seen:
        """What was seen of the key, unless the row was read later than that."""
        seen = self._seen.pop(principal.key_id, None)
        if seen is None or seen.principal.version < principal.version:
            seen = Seen(principal, {}, 0)
        self._seen[principal.key_id] = seen
        if len(self._seen) > SIZE:
            del self._seen[next(iter(self._seen))]
        return seen

    def _learn(self, principal: Principal, row: Json | None) -> Seen:
        """What stands there. Raises `Unauthenticated` where more was changed than limits."""
        current = successor(principal, row) if row is not None and is_live(row, self._clock()) else None
        if row is None or current is None:
            self._seen.pop(principal.key_id, None)
            raise Unauthenticated
        tats: dict[str, int] = {name: row[name] for name in ATTRIBUTE.values() if name in row}
        seen = self._seen[principal.key_id] = Seen(current, tats, self._now_ns())
        return seen

    def _now_ns(self) -> int:
        return int(self._clock() * SECOND_NS)


def _refuse(gauges: tuple[Gauge, ...], seen: Seen, now_ns: int) -> None:
    """Raises `LimitExceeded` for what cannot be taken as far as is known."""
    key_id = seen.principal.key_id
    for gauge in gauges:
        if gauge.amount > gauge.limit:
            raise too_large(gauge, key_id)
    if not 0 <= now_ns - seen.at_ns < KNOWN_NS:
        return
    for gauge in gauges:
        tat_ns = seen.tats.get(gauge.attribute)
        if tat_ns is not None and tat_ns > gauge.latest_ns(now_ns):
            raise refusal(gauge, gauges, seen.tats, now_ns, key_id)


def _taking(seen: Seen, gauges: tuple[Gauge, ...], now_ns: int) -> Json:
    """The write that takes from every gauge, or from none."""
    updates, conditions = [], [ALIVE]
    values = {":active": {"S": ACTIVE}, ":version": _number(seen.principal.version), ":s": _number(now_ns // SECOND_NS)}
    values[":now"] = _number(now_ns)
    for gauge in gauges:
        name = gauge.attribute
        is_busy = seen.tats.get(name, 0) >= now_ns
        updates.append((BUSY if is_busy else IDLE).format(name))
        conditions.append((BUSY_IF if is_busy else IDLE_IF).format(name))
        if is_busy:
            values |= {f":{name}_step": _number(gauge.step_ns), f":{name}_latest": _number(gauge.latest_ns(now_ns))}
        else:
            values[f":{name}_new"] = _number(now_ns + gauge.step_ns)
    return {
        "Key": key_of(seen.principal.key_id),
        "UpdateExpression": "SET " + ", ".join(updates),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": values,
        "ReturnValues": "UPDATED_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _number(value: int) -> Json:
    return {"N": str(value)}


def _never() -> Json:
    raise _Once
