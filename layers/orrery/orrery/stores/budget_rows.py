"""What was used of a budget: one item for each target and period, with the holds of requests that run inside.

| PK                          | SK       | attribute      | what it is                                                |
| BUD#<org>#<scope>#<target>  | <period> | cost, tokens   | used, holds included: nano-USD, and prompt and completion |
|                             |          | running        | how many holds there are                                  |
|                             |          | h:<request id> | `<cost>|<tokens>|<expiry in epoch seconds>`: a hold       |
|                             |          | ttl            | five weeks after the period's end                         |

<period> is UTC's: 2026-11-21, 2026-W47, 2026-11, or ALL. No organization's id has a `#`, and scopes are ours: a target
may have any text. The texts of the writes are constants; each is harmless when it comes twice.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orrery.core.limits import Budget, Period
from orrery.core.types import Json
from orrery.stores.attributes import pack
from orrery.stores.definition import organization_id

PARTITION = "BUD#"
HOLD = "h:"
ALWAYS = "ALL"
KEPT_S = 35 * 86_400
"""How long a period that is over can be looked at."""

LONGEST_TARGET = 512
"""Bytes; longer ones stand as their digest: a partition key has at most 2,048."""

MOST_RUNNING = 512
"""Holds in one item: about 40 KB, and so what each write of it costs, stay below this."""

GRACE_S = 60.0
"""A hold is dead when its request must have ended this long ago: clocks differ."""

HOLDING = (
    "SET cost = if_not_exists(cost, :none) + :c, tokens = if_not_exists(tokens, :none) + :t, "
    "running = if_not_exists(running, :none) + :one, #h = :h"
)
UNTIL = ", #ttl = :ttl"
IS_NEW = "attribute_not_exists(#h)"
HAS_ROOM = " AND (attribute_not_exists(running) OR running < :most)"
COST_FITS = " AND (attribute_not_exists(cost) OR cost <= :cost_left)"
TOKENS_FIT = " AND (attribute_not_exists(tokens) OR tokens <= :tokens_left)"

SETTLE = "SET cost = cost + :c, tokens = tokens + :t, running = running - :one REMOVE #h"
SETTLE_IF = "#h = :h"


@dataclass(frozen=True, slots=True)
class Held:
    """`core.extras.BudgetHold`: where it stands, and the exact text that stands there."""

    budget: Budget
    key: Json
    request_id: str
    cost_nano: int
    tokens: int
    value: str


@dataclass(frozen=True, slots=True)
class Used:
    """What was used of a budget in a period. `held_…` is set aside for requests that run, and not in the others."""

    cost_nano: int = 0
    tokens: int = 0
    held_cost_nano: int = 0
    held_tokens: int = 0
    running: int = 0


def period_key(period: Period, now: float) -> str:
    """The name of the period that `now` lies in."""
    day = datetime.fromtimestamp(now, UTC)
    if period == "daily":
        return day.strftime("%Y-%m-%d")
    if period == "weekly":
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}"
    return day.strftime("%Y-%m") if period == "monthly" else ALWAYS


def period_end(period: Period, now: float) -> int | None:
    """When that period is over, in epoch seconds; None: never."""
    day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "daily":
        end = day + timedelta(days=1)
    elif period == "weekly":
        end = day + timedelta(days=7 - day.weekday())
    elif period == "monthly":
        end = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        return None
    return int(end.timestamp())


def key_of(organization: str, budget: Budget, target: str, now: float) -> Json:
    """The primary key of the item for what `target` uses in this period."""
    text = target.encode(errors="surrogatepass")
    name = target if len(text) <= LONGEST_TARGET else f"sha256:{hashlib.sha256(text).hexdigest()}"
    return {
        "PK": {"S": f"{PARTITION}{organization_id(organization)}#{budget.scope}#{name}"},
        "SK": {"S": period_key(budget.period, now)},
    }


def holding(held: Held, ttl: int | None) -> Json:
    """Sets aside, where the limits leave room for it. What wants nothing of a limit fits always."""
    budget, condition, update = held.budget, IS_NEW + HAS_ROOM, HOLDING
    names = {"#h": HOLD + held.request_id}
    values = _amounts(held.cost_nano, held.tokens) | {
        ":none": pack(0),
        ":h": pack(held.value),
        ":most": pack(MOST_RUNNING),
    }
    if budget.cost_nano is not None and held.cost_nano:
        condition += COST_FITS
        values[":cost_left"] = pack(budget.cost_nano - held.cost_nano)
    if budget.tokens is not None and held.tokens:
        condition += TOKENS_FIT
        values[":tokens_left"] = pack(budget.tokens - held.tokens)
    if ttl is not None:
        update += UNTIL
        names["#ttl"] = "ttl"
        values[":ttl"] = pack(ttl)
    return {
        "Key": held.key,
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def settling(held: Held, cost_nano: int, tokens: int) -> Json:
    """Ends exactly this hold: what was used stands in its place."""
    return {
        "Key": held.key,
        "UpdateExpression": SETTLE,
        "ConditionExpression": SETTLE_IF,
        "ExpressionAttributeNames": {"#h": HOLD + held.request_id},
        "ExpressionAttributeValues": _amounts(cost_nano - held.cost_nano, tokens - held.tokens)
        | {":h": pack(held.value)},
    }


def _amounts(cost_nano: int, tokens: int) -> Json:
    return {":c": pack(cost_nano), ":t": pack(tokens), ":one": pack(1)}


def hold_value(cost_nano: int, tokens: int, expires_at: int) -> str:
    """What is stored for a hold."""
    return f"{cost_nano}|{tokens}|{expires_at}"


def parsed(value: str) -> tuple[int, int, int]:
    """Cost, tokens and expiry of a stored hold."""
    cost_nano, tokens, expires_at = map(int, value.split("|"))
    return cost_nano, tokens, expires_at


def holds_of(item: Mapping[str, Any], budget: Budget, key: Json) -> list[Held]:
    """The holds inside, as they stand."""
    found = {name.removeprefix(HOLD): value for name, value in item.items() if name.startswith(HOLD)}
    return [Held(budget, key, request_id, *parsed(value)[:2], value) for request_id, value in found.items()]


def dead_holds(item: Mapping[str, Any], budget: Budget, key: Json, now: float) -> list[Held]:
    """The holds whose requests must have ended."""
    return [held for held in holds_of(item, budget, key) if parsed(held.value)[2] + GRACE_S < now]


def used_of(item: Mapping[str, Any] | None, budget: Budget, key: Json) -> Used:
    """What an item says."""
    if item is None:
        return Used()
    holds = holds_of(item, budget, key)
    cost_nano, tokens = sum(held.cost_nano for held in holds), sum(held.tokens for held in holds)
    return Used(item["cost"] - cost_nano, item["tokens"] - tokens, cost_nano, tokens, len(holds))
