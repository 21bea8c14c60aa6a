"""A stored response as a row, and each write of one: conditions make the second arrival of any of them harmless.

| `st`      | its status; ITEMS for items that were added to a conversation; GONE for one that was deleted          |
| `made`    | when it was created, epoch s                                                                          |
| `prev`    | the response before it, "" for none                                                                   |
| `tips`    | in the first row of a tree: where its ancestors' trees were left, the nearest first (`Place.name`s)   |
| `conv`    | the conversation that it is in, "" for none                                                           |
| `ids`     | in a conversation: the ids of its items                                                               |
| `b` …     | what was said (see `response_bodies`)                                                                 |
| `bg`      | whether it is in the background                                                                       |
| `ev`      | whether its events are logged                                                                         |
| `dl`      | until when it must be done, epoch ms; 0: without end                                                  |
| `wrote`   | when its body was written, epoch ms: an older one does not replace it                                 |
| `worker`, `lease`, `tk` | who works on it, until when (epoch ms), and which claim, or deletion, that was          |
| `said`    | whether one that was cancelled has got what it had said                                               |
| `ttl`     | 30 days after it was written, or brought into a context                                               |
"""

from collections.abc import Mapping
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

INTERRUPTED = {"code": "server_error", "message": "The response was interrupted before it was complete."}

WRITE = (
    f"SET st = :st, made = :made, prev = :prev, conv = :conv, tips = if_not_exists(tips, :tips), {BODY}, ids = :ids, "
    "bg = :bg, ev = :ev, dl = :dl, wrote = :wrote, #ttl = :ttl"
)
WRITE_LAST = WRITE + " REMOVE worker, lease, tk"
IS_NEW = "attribute_not_exists(PK)"
SAVE_IF = f"{IS_NEW} OR (st IN (:queued, :progress) AND wrote < :wrote)"
FINISH_IF = f"{IS_NEW} OR st IN (:queued, :progress)"

KEEP = f"SET {BODY}, ids = :ids, said = :yes, #ttl = :ttl"
KEEP_IF = "st = :cancelled AND attribute_not_exists(said)"

FAIL = "SET st = :failed REMOVE worker, lease, tk"
FAIL_IF = "st = :was AND dl = :dl"
FAIL_UNCLAIMED_IF = f"{FAIL_IF} AND attribute_not_exists(lease)"
FAIL_CLAIMED_IF = f"{FAIL_IF} AND lease = :lease"

CANCEL = "SET st = :cancelled REMOVE worker, lease, tk"
CANCEL_IF = "st IN (:queued, :progress) AND bg = :yes"

CLAIM = "SET st = :progress, worker = :worker, lease = :lease, tk = :tk"
CLAIM_IF = "st = :queued AND #ttl > :now AND (dl = :zero OR dl > :ms)"

BEAT = "SET lease = :lease"
BEAT_IF = "st = :progress AND worker = :worker AND lease < :lease"

FORGET = (
    "SET st = :gone, tk = :tk, #ttl = :ttl "
    "REMOVE made, prev, tips, b, sha, n, ids, bg, dl, wrote, worker, lease, said, meta"
)
FORGET_IF = "attribute_exists(PK) AND st <> :gone AND #ttl > :now"
FORGOTTEN = "REMOVE blobs, ev"
FORGOTTEN_IF = "st = :gone"

RENEW = "SET #ttl = :ttl"
RENEW_IF = "#ttl = :seen"

STATES = {":queued": {"S": QUEUED}, ":progress": {"S": PROGRESS}}


def write_of(response: StoredResponse, tips: str, body: Body, now_ms: int) -> Json:
    """What each write of a whole response has in common: an update but for its condition, and for its end."""
    place = must_place(response)
    facts = {
        ":st": response.status,
        ":made": response.created_at,
        ":prev": response.parent,
        ":conv": response.conversation,
        ":tips": tips,
        ":ids": ids_of(response),
        ":bg": response.shown.get("background") is True,
        ":ev": response.events,
        ":dl": round(response.deadline * 1000),
        ":wrote": now_ms,
        ":ttl": now_ms // 1000 + KEPT_S,
    }
    return update(place.key(response.organization), WRITE, body.values() | pack_item(facts))


def keep_of(response: StoredResponse, body: Body, now: int) -> Json:
    """Gives a cancelled response what it had said, once."""
    values = {":ids": ids_of(response), ":yes": True, ":cancelled": CANCELLED, ":ttl": now + KEPT_S}
    key = must_place(response).key(response.organization)
    return update(key, KEEP, body.values() | pack_item(values)) | {"ConditionExpression": KEEP_IF}


def update(key: Json, expression: str, values: Json) -> Json:
    """An update that tells what stood in its way."""
    body: Json = {
        "Key": key,
        "UpdateExpression": expression,
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return body | ({"ExpressionAttributeNames": {"#ttl": "ttl"}} if "#ttl" in expression else {})


def must_place(response: StoredResponse) -> Place:
    """Raises `ValueError` for an id that is none of `new_id`'s, or of another place: that is a fault of ours."""
    place = place_of(response.id)
    if place is None or (response.conversation and response.conversation != f"conv_{place.tree}"):
        raise ValueError("no response can be stored under this id")
    return place


def ids_of(response: StoredResponse) -> list[str]:
    """The ids of its items, where a conversation lists them."""
    if not response.conversation:
        return []
    return [str(item.get("id", "")) for item in (*response.input, *response.output)]


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
    return 0 < item["dl"] <= now_ms or item.get("lease", now_ms + 1) <= now_ms


def is_live(item: Mapping[str, Any] | None, now: float) -> bool:
    """Whether a row, or a conversation, is there: neither deleted nor expired."""
    return item is not None and item["st"] != GONE and item["ttl"] > now
