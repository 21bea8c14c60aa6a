"""A stored response as a row, and each write of one: conditions make the second arrival of any of them harmless.

| `st`      | its status; ITEMS for items that were added to a conversation; GONE for one that was deleted          |
| `conv`    | the conversation that it is in, "" for none                                                           |
| `ev`      | whether its events are logged                                                                         |
| `tips`    | in the first row of a tree: where its ancestors' trees were left, the nearest first (`Place.name`s)   |
| `b`, `blobs` | what was said (see `response_bodies`)                                                              |
| `facts`   | a map of all else that is known of it; `flat` brings them beside the others:                          |
| . `made`  | when it was created, epoch s                                                                          |
| . `prev`  | the response before it, "" for none                                                                   |
| . `ids`   | in a conversation: the ids of its items; None where they are too many                                 |
| . `bg`    | whether it is in the background                                                                       |
| . `dl`    | until when it must be done, epoch ms; 0: without end                                                  |
| . `wrote` | when its body was written, epoch ms: an older one does not replace it                                 |
| . `said`  | whether nothing is to be added to what it said: it was finished, or was cancelled and then was        |
| . `sha`, `n` | of what was said                                                                                   |
| `worker`, `lease`, `tk` | who works on it, until when (epoch ms), and which claim, or deletion, that was          |
| `ttl`     | 30 days after it was written, or brought into a context                                               |
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from orrery.core.responses import ENDED, KEPT_S, Origin, StoredResponse
from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.response_bodies import BODY, Body
from orrery.stores.response_places import Place, place_of

QUEUED, PROGRESS, FAILED, CANCELLED = "queued", "in_progress", "failed", "cancelled"
ITEMS, GONE, LIVE = "items", "gone", "live"
CONTINUED = frozenset({"completed", "incomplete"})
"""What can be continued."""

LATE_S = 86_400
"""How long something deleted is remembered: no write is under way, and nobody works on one, for longer."""

MOST_ID_BYTES = 64 * 1024
"""What a row may say of the ids of its items: where they are more, its body is unpacked for each page."""

INTERRUPTED = {"code": "server_error", "message": "The response was interrupted before it was complete."}

WRITE = f"SET st = :st, conv = :conv, ev = :ev, tips = if_not_exists(tips, :tips), facts = :facts, {BODY}, #ttl = :ttl"
WRITE_LAST = WRITE + " REMOVE worker, lease, tk"
IS_NEW = "attribute_not_exists(PK)"
SAVE_IF = f"{IS_NEW} OR (st IN (:queued, :progress) AND facts.wrote < :wrote)"
FINISH_IF = f"{IS_NEW} OR st IN (:queued, :progress)"

KEEP = f"SET facts = :facts, {BODY}, #ttl = :ttl"
KEEP_IF = "st = :cancelled AND facts.said = :no"

FAIL = "SET st = :failed REMOVE worker, lease, tk"
FAIL_IF = "st = :was AND facts.dl = :dl"
FAIL_UNCLAIMED_IF = f"{FAIL_IF} AND attribute_not_exists(lease)"
FAIL_CLAIMED_IF = f"{FAIL_IF} AND lease = :lease"

CANCEL = "SET st = :cancelled REMOVE worker, lease, tk"
CANCEL_IF = "st IN (:queued, :progress) AND facts.bg = :yes"

CLAIM = "SET st = :progress, worker = :worker, lease = :lease, tk = :tk"
CLAIM_IF = "st = :queued AND #ttl > :now AND (facts.dl = :zero OR facts.dl > :ms)"

BEAT = "SET lease = :lease"
BEAT_IF = "st = :progress AND worker = :worker AND lease < :lease"

FORGET = "SET st = :gone, tk = :tk, #ttl = :ttl REMOVE facts, tips, b, worker, lease, meta"
FORGET_IF = "attribute_exists(PK) AND st <> :gone AND #ttl > :now"
FORGOTTEN = "REMOVE blobs, ev"
FORGOTTEN_IF = "st = :gone"

RENEW = "SET #ttl = :ttl"
RENEW_IF = "#ttl = :seen"

STATES = {":queued": {"S": QUEUED}, ":progress": {"S": PROGRESS}}


def first_of(response: StoredResponse, tips: str, body: Body, now_ms: int) -> Json:
    """A Put of what nobody has written yet."""
    item = _attributes_of(response, body, now_ms, said=response.status in ENDED) | {"tips": {"S": tips}}
    return {
        "Item": must_place(response).key(response.organization) | item,
        "ConditionExpression": IS_NEW,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def save_of(response: StoredResponse, tips: str, body: Body, now_ms: int) -> Json:
    """An Update to what it says by now."""
    values = _values(_attributes_of(response, body, now_ms, said=False)) | STATES
    values |= pack_item({":none": [], ":tips": tips, ":wrote": now_ms})
    return update(must_place(response).key(response.organization), WRITE, SAVE_IF, values)


def finish_of(response: StoredResponse, tips: str, body: Body, now_ms: int) -> Json:
    """An Update to what it became."""
    values = _values(_attributes_of(response, body, now_ms, said=True)) | STATES
    values |= pack_item({":none": [], ":tips": tips})
    return update(must_place(response).key(response.organization), WRITE_LAST, FINISH_IF, values)


def keep_of(response: StoredResponse, body: Body, now_ms: int) -> Json:
    """An Update that gives a cancelled response what it had said, once."""
    attributes = _attributes_of(response, body, now_ms, said=True)
    values = _values({name: attributes[name] for name in ("facts", "b", "blobs", "ttl")})
    values |= pack_item({":none": [], ":no": False, ":cancelled": CANCELLED})
    return update(must_place(response).key(response.organization), KEEP, KEEP_IF, values)


def _attributes_of(response: StoredResponse, body: Body, now_ms: int, *, said: bool) -> Json:
    facts = {
        "made": response.created_at,
        "prev": response.parent,
        "ids": ids_of([*response.input, *response.output]) if response.conversation else [],
        "bg": response.shown.get("background") is True,
        "dl": round(response.deadline * 1000),
        "wrote": now_ms,
        "said": said,
    }
    rest = {
        "st": response.status,
        "conv": response.conversation,
        "ev": response.events,
        "facts": facts | body.facts(),
        "ttl": now_ms // 1000 + KEPT_S,
    }
    return pack_item(rest) | body.attributes()


def _values(attributes: Json) -> Json:
    return {f":{name}": value for name, value in attributes.items()}


def flat(item: Mapping[str, Any]) -> Json:
    """A row with its facts beside what else it says."""
    return {**item, **item.get("facts", {})}


def update(key: Json, expression: str, condition: str, values: Json) -> Json:
    """An update that tells what stood in its way."""
    body: Json = {
        "Key": key,
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return body | ({"ExpressionAttributeNames": {"#ttl": "ttl"}} if "#ttl" in expression + condition else {})


def must_place(response: StoredResponse) -> Place:
    """Raises `ValueError` for an id that is none of `new_id`'s, or of another place: that is a fault of ours."""
    place = place_of(response.id)
    if place is None or (response.conversation and response.conversation != f"conv_{place.tree}"):
        raise ValueError("no response can be stored under this id")
    return place


def ids_of(items: Sequence[Json]) -> list[str] | None:
    """The ids of a conversation's items, as far as an item of the table has room for them."""
    ids = [str(item.get("id", "")) for item in items]
    return ids if sum(len(id.encode()) + 3 for id in ids) <= MOST_ID_BYTES else None


def whole_of(response: StoredResponse) -> Json:
    """What is packed of a response; what is needed to work on it only until it has ended."""
    whole: Json = {"shown": response.shown, "input": list(response.input), "origin": asdict(response.origin)}
    if response.request is not None and response.status not in ENDED:
        whole["request"] = response.request
    return whole


def response_of(organization: str, id: str, item: Mapping[str, Any], whole: Json) -> StoredResponse:
    """The response of a row and its body."""
    status = item["st"]
    return StoredResponse(
        id=id,
        organization=organization,
        status=status,
        created_at=item["made"],
        shown=_shown(whole["shown"], status),
        input=whole["input"],
        parent=item["prev"],
        conversation=item["conv"],
        origin=Origin(**whole["origin"]),
        request=None if status in ENDED else whole.get("request"),
        events=item["ev"],
        deadline=item["dl"] / 1000,
    )


def _shown(shown: Json, status: str) -> Json:
    """The resource as it is by now: what it was written as may have been overtaken."""
    if shown.get("status") == status:
        return shown
    shown = shown | {"status": status}
    if status in (FAILED, CANCELLED):
        shown |= {name: None for name in ("completed_at", "incomplete_details") if name in shown}
        shown["error"] = dict(INTERRUPTED) if status == FAILED else None
    return shown


def items_of(item: Mapping[str, Any], whole: Json) -> list[Json]:
    """What a row adds to a context."""
    if item["st"] == ITEMS:
        return list(whole["items"])
    return [*whole["input"], *(whole["shown"].get("output") or ())]


def is_lost(item: Mapping[str, Any], now_ms: int) -> bool:
    """Whether nobody works any more on one that has not ended."""
    if item["st"] not in (QUEUED, PROGRESS):
        return False
    return bool(0 < item["dl"] <= now_ms or item.get("lease", now_ms + 1) <= now_ms)


def is_live(item: Mapping[str, Any] | None, now: float) -> bool:
    """Whether a row, or a conversation, is there: neither deleted nor expired."""
    return item is not None and item["st"] != GONE and item["ttl"] > now
