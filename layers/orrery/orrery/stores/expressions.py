"""The ledger's writes, as DynamoDB payloads without their table: each is one atomic step, harmless when it comes twice.

The texts are constants of this module; the functions below fill in the values.
"""

from typing import Any

from orrery.core.exchange import Hold, Receipt
from orrery.core.types import Json
from orrery.stores.definition import BALANCES

STREAM, SETTLED, EXPIRED, RECLAIMED, LATE = "STREAM", "SETTLED", "EXPIRED", "RECLAIMED", "LATE"
"""A receipt's states: so far; final; nothing was known; the last checkpoint was charged; corrected after either."""

RESERVE = "SET bal = bal - :a, holds.#r = :h"
RESERVE_IF = "bal >= :a AND debt = :none AND attribute_not_exists(holds.#r)"

SETTLE = "SET bal = bal + :back, spent = spent + :paid, debt = debt + :owed REMOVE holds.#r"
SETTLE_IF = "holds.#r = :h"

# Nothing is known of this hold: there is no receipt, or it says that an earlier attempt at holding was given up.
UNKNOWN = "attribute_not_exists(PK) OR (st = :expired AND expires < :x)"
CHECKPOINT_IF = f"{UNKNOWN} OR (st = :stream AND held = :h AND cost <= :c)"
WRITE_AHEAD_IF = f"{UNKNOWN} OR (st = :stream AND held = :h)"
EXPIRE_IF = UNKNOWN
CLOSE = "SET st = :reclaimed"
CLOSE_IF = "st = :stream AND held = :h AND cost = :c"
CORRECT_IF = "st = :seen AND held = :h AND cost = :c"

ADJUST = "SET bal = bal + :back, spent = spent - :back, debt = debt + :owed"
PAY = "SET bal = bal - :p, spent = spent + :p, debt = debt - :p"
PAY_IF = "bal >= :p AND debt >= :p"
GRANT = "SET bal = bal + :x, granted = granted + :x"
EXISTS = "attribute_exists(PK)"
IS_NEW = "attribute_not_exists(PK)"

OF_ORGANIZATION = "PK = :p AND begins_with(SK, :s)"

KEPT_S = 90 * 86_400
"""How long a receipt stays."""

NONE = {"N": "0"}
STATE = {name: {"S": name} for name in (STREAM, SETTLED, EXPIRED, RECLAIMED, LATE)}


def account_key(organization: str, shard: int) -> Json:
    """Where a shard of the balance is."""
    return {"PK": {"S": f"ORG#{organization}"}, "SK": {"S": f"BAL#{shard}"}}


def receipt_key(hold: Hold) -> Json:
    """Where a request's receipt is."""
    return {"PK": {"S": f"TX#{hold.organization}#{hold.request_id}"}, "SK": {"S": "TX"}}


def reserve(organization: str, shard: int, request_id: str, amount_nano: int, value: str) -> Json:
    """Moves an amount from the balance into a hold; refused while there is debt."""
    return {
        "Key": account_key(organization, shard),
        "UpdateExpression": RESERVE,
        "ConditionExpression": RESERVE_IF,
        "ExpressionAttributeNames": {"#r": request_id},
        "ExpressionAttributeValues": {":a": {"N": str(amount_nano)}, ":h": {"S": value}, ":none": NONE},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def settle(hold: Hold, cost_nano: int) -> Json:
    """Ends exactly this hold: as much as it covers is spent, the rest goes back, what it lacks becomes debt."""
    paid = min(cost_nano, hold.amount_nano)
    return {
        "Key": account_key(hold.organization, hold.shard),
        "UpdateExpression": SETTLE,
        "ConditionExpression": SETTLE_IF,
        "ExpressionAttributeNames": {"#r": hold.request_id},
        "ExpressionAttributeValues": {
            ":h": {"S": hold.value},
            ":back": {"N": str(hold.amount_nano - paid)},
            ":paid": {"N": str(paid)},
            ":owed": {"N": str(cost_nano - paid)},
        },
    }


def write_ahead(hold: Hold, receipt: Receipt, now: int) -> Json:
    """The final receipt: from here on the cost is certain, whoever ends the hold."""
    row = receipt_row(hold, receipt, SETTLED, now)
    values = {":expired": STATE[EXPIRED], ":x": row["expires"], ":stream": STATE[STREAM], ":h": row["held"]}
    return _put(row, WRITE_AHEAD_IF, values)


def checkpoint(hold: Hold, receipt: Receipt, now: int) -> Json:
    """The receipt so far; never lowers an earlier one."""
    row = receipt_row(hold, receipt, STREAM, now)
    values = {
        ":expired": STATE[EXPIRED],
        ":x": row["expires"],
        ":stream": STATE[STREAM],
        ":h": row["held"],
        ":c": row["cost"],
    }
    return _put(row, CHECKPOINT_IF, values)


def expire(hold: Hold, now: int) -> Json:
    """The receipt of a request of which nothing is known: no cost, and no other receipt from now on."""
    row = _row(hold, EXPIRED, 0, now)
    return _put(row, EXPIRE_IF, {":expired": STATE[EXPIRED], ":x": row["expires"]})


def close(hold: Hold, cost_nano: int) -> Json:
    """Makes a dead request's checkpoint final."""
    return {
        "Key": receipt_key(hold),
        "UpdateExpression": CLOSE,
        "ConditionExpression": CLOSE_IF,
        "ExpressionAttributeValues": {
            ":reclaimed": STATE[RECLAIMED],
            ":stream": STATE[STREAM],
            ":h": {"S": hold.value},
            ":c": {"N": str(cost_nano)},
        },
    }


def correct(hold: Hold, receipt: Receipt, seen: str, was_nano: int, now: int) -> Json:
    """The final receipt of a request that was given up too early; replaces exactly the state that was seen."""
    values = {":seen": STATE[seen], ":h": {"S": hold.value}, ":c": {"N": str(was_nano)}}
    return _put(receipt_row(hold, receipt, LATE, now), CORRECT_IF, values)


def adjust(hold: Hold, more_nano: int) -> Json:
    """What a correction does to the balance: more becomes debt (to be paid at once), less goes back."""
    return {
        "Key": account_key(hold.organization, hold.shard),
        "UpdateExpression": ADJUST,
        "ConditionExpression": EXISTS,
        "ExpressionAttributeValues": {":back": {"N": str(max(0, -more_nano))}, ":owed": {"N": str(max(0, more_nano))}},
    }


def pay(organization: str, shard: int, amount_nano: int) -> Json:
    """Pays debt from the balance; no more than there is of either, so paying twice pays what is owed anyway."""
    return {
        "Key": account_key(organization, shard),
        "UpdateExpression": PAY,
        "ConditionExpression": PAY_IF,
        "ExpressionAttributeValues": {":p": {"N": str(amount_nano)}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def grant(organization: str, shard: int, amount_nano: int) -> Json:
    """Adds credit; goes with `grant_event`."""
    return {
        "Key": account_key(organization, shard),
        "UpdateExpression": GRANT,
        "ConditionExpression": EXISTS,
        "ExpressionAttributeValues": {":x": {"N": str(amount_nano)}},
    }


def grant_event(organization: str, event_id: str, amount_nano: int, source: str, now: int) -> Json:
    """The grant's own row, never deleted: the same event adds nothing twice."""
    row = {
        "PK": {"S": f"TOPUP#{organization}#{event_id}"},
        "SK": {"S": "T"},
        "amount": {"N": str(amount_nano)},
        "origin": {"S": source},
        "ts": {"N": str(now)},
    }
    return _put(row, IS_NEW, None)


def organization(organization_id: str, name: str, now: int) -> Json:
    """An organization's own row."""
    row = {
        "PK": {"S": f"ORG#{organization_id}"},
        "SK": {"S": "ORG"},
        "name": {"S": name},
        "created_at": {"N": str(now)},
    }
    return _put(row, IS_NEW, None)


def account(organization_id: str, shard: int) -> Json:
    """A shard with nothing in it."""
    row = account_key(organization_id, shard) | {
        "GPK": {"S": BALANCES},
        "GSK": {"S": f"{organization_id}#{shard:04d}"},
        "bal": NONE,
        "granted": NONE,
        "spent": NONE,
        "debt": NONE,
        "holds": {"M": {}},
    }
    return _put(row, IS_NEW, None)


def receipt_row(hold: Hold, receipt: Receipt, state: str, now: int) -> Json:
    """A receipt as it is stored and audited: numbers and names, nothing that a caller or a model said."""
    usage = receipt.usage
    row = _row(hold, state, receipt.cost_nano, now) | {
        "key_id": {"S": hold.key_id},
        "provider": {"S": receipt.provider},
        "model": {"S": receipt.model[:256]},
        "input": {"N": str(usage.prompt)},
        "output": {"N": str(usage.completion)},
        "cached": {"N": str(usage.cache_read)},
        "evidence": {"S": receipt.evidence},
        "http": {"N": str(receipt.status)},
    }
    return row | {"own": {"BOOL": True}} if receipt.own else row


def _row(hold: Hold, state: str, cost_nano: int, now: int) -> Json:
    return {
        "PK": {"S": f"TX#{hold.organization}#{hold.request_id}"},
        "SK": {"S": "TX"},
        "st": STATE[state],
        "cost": {"N": str(cost_nano)},
        "held": {"S": hold.value},
        "expires": {"N": str(hold.expires_at)},
        "organization": {"S": hold.organization},
        "shard": {"N": str(hold.shard)},
        "ts": {"N": str(now)},
        "ttl": {"N": str(now + KEPT_S)},
    }


def _put(item: Json, condition: str, values: dict[str, Any] | None) -> Json:
    body: Json = {
        "Item": item,
        "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return body if values is None else body | {"ExpressionAttributeValues": values}
