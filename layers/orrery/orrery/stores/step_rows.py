"""Steps, and the runs, sessions, threads and identities that they are summed up in, as they are stored.

| PK                    | SK           | what it is                                                         |
| RUN#<org>#<digest>    | HEAD         | a run: its label, its sums, where it stands in the list            |
| RUN#<org>#<digest>    | S#<ms>#<id>  | a step of it, by when the request began, and the request's id      |

The same for SESSION#, for THREAD#, whose steps may hold a transcript, and for IDENTITY#, which has a head alone.
Labels are texts of callers: in keys stands a digest of them, which has one length, and nothing that reaches another
partition. Steps and heads go 30 days after they were last written; identities stay.
"""

import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from orrery.core.activity import Kind, StoredStep, Tracked
from orrery.core.records import Step
from orrery.core.types import Json
from orrery.stores.attributes import pack
from orrery.stores.definition import TRACKED, organization_id

HEAD = "HEAD"
STEP = "S#"
KEPT_S = 30 * 86_400

DEFLATED_BYTES = 1_024
LARGEST_SAID_BYTES = 2 * 1024 * 1024
LARGEST_KEPT_BYTES = 280 * 1024
"""Of a transcript: compressed beyond the first; not kept where it is more than the second, or is stored as more than
the third: an item has 400 KB, and the embedded table counts the bytes of its Base64."""

TEXTS = (
    "response",
    "run",
    "operation",
    "provider",
    "model",
    "key_id",
    "workflow",
    "user",
    "name",
    "session",
    "end_user",
    "customer",
    "tenant",
    "parent",
    "identity",
    "thread",
)
NUMBERS = ("duration_ms", "status", "cost_nano", "input_tokens", "output_tokens")
LONGEST_MODEL = 256

SUMS = ("requests", "failures", "cost_nano", "input_tokens", "output_tokens", "duration_ms")

PROFILE = ("display_name", "email", "metadata", "logo_url", "tags")
"""What may be known of an identity. Stored as JSON, each by itself, with this before its name:"""
KNOWN = "is:"
LARGEST_FACT_BYTES = 8 * 1024

_STEP_ID = re.compile(r"step_([0-9]{13})_([0-9A-Za-z_-]{1,64})")


def partition(organization: str, kind: Kind, label: str) -> str:
    """Where everything of one of them is."""
    digest = hashlib.sha256(label.encode(errors="surrogatepass")).hexdigest()
    return f"{kind.upper()}#{organization_id(organization)}#{digest}"


def key_of(organization: str, kind: Kind, label: str) -> Json:
    """The primary key of a head."""
    return {"PK": {"S": partition(organization, kind, label)}, "SK": {"S": HEAD}}


def place_of(created_ms: int, partition_key: str) -> str:
    """The place in the list: by age, then by the digest."""
    return f"{created_ms:013d}#{partition_key.rpartition('#')[2]}"


def listing_of(organization: str, kind: Kind) -> str:
    """The list of all heads of a kind."""
    return TRACKED[kind] + organization_id(organization)


def labels_of(step: Step) -> dict[Kind, str]:
    """What a step belongs to; a request without a run is one by itself."""
    labels: dict[Kind, str] = {
        "run": step.run or step.request_id,
        "session": step.session,
        "thread": step.thread,
        "identity": step.identity,
    }
    return {kind: label for kind, label in labels.items() if label}


def step_item(step: Step, kind: Kind, label: str, expires: int) -> Json:
    """What is stored of a step, as Python values: what it says nothing of is left out."""
    item: Json = {
        "PK": partition(step.organization, kind, label),
        "SK": sort_of(step.started_ms, step.request_id),
        "ttl": expires,
        **{name: text for name in TEXTS if (text := getattr(step, name))},
        **{name: getattr(step, name) for name in NUMBERS},
        "model": step.model[:LONGEST_MODEL],
    }
    if step.step is not None:
        item["step"] = step.step
    if step.metadata:
        item["metadata"] = dict(step.metadata)
    if step.cached:
        item["cached"] = True
    return item | _said(step.transcript) if kind == "thread" else item


def _said(transcript: bytes | None) -> Json:
    if transcript is None:
        return {}
    if len(transcript) > LARGEST_SAID_BYTES:
        return {"omitted": True}
    deflated = len(transcript) > DEFLATED_BYTES
    data = zlib.compress(transcript) if deflated else transcript
    if len(data) > LARGEST_KEPT_BYTES:
        return {"omitted": True}
    return {"said": data, "z": deflated}


def step_of(item: Mapping[str, Any]) -> StoredStep:
    """What an item says."""
    _, started_ms, request_id = item["SK"].split("#", 2)
    said = item.get("said")
    facts: Json = {name: item.get(name, "") for name in TEXTS} | {name: item[name] for name in NUMBERS}
    step = Step(
        request_id=request_id,
        organization=item["PK"].split("#", 2)[1],
        started_ms=int(started_ms),
        step=item.get("step"),
        metadata=item.get("metadata", {}),
        cached=item.get("cached", False),
        transcript=zlib.decompress(said) if said is not None and item["z"] else said,
        **facts,
    )
    return StoredStep(f"step_{started_ms}_{request_id}", step, item.get("omitted", False))


def sort_of(started_ms: int, request_id: str) -> str:
    """Steps stand in the order in which their requests began."""
    return f"{STEP}{started_ms:013d}#{request_id}"


def sort_of_id(step_id: str) -> str | None:
    """Where the step of this id would stand; None where it is no id of a step."""
    found = _STEP_ID.fullmatch(step_id)
    return sort_of(int(found[1]), found[2]) if found else None


def tracked_of(item: Mapping[str, Any], kind: Kind) -> Tracked:
    """What a head says."""
    profile = {name: orjson.loads(item[KNOWN + name]) for name in PROFILE if KNOWN + name in item}
    return Tracked(
        kind=kind,
        id=item["label"],
        created_ms=int(item["GSK"].partition("#")[0]),
        last_ms=item["last_ms"],
        tags=tuple(item.get("tags", ())),
        profile=profile,
        **{name: item[name] for name in SUMS},
    )


def facts_of(profile: Mapping[str, Any]) -> Json:
    """A profile as it is stored, by field. What is no field of it, or is too large, is left out."""
    facts = {name: orjson.dumps(profile[name]) for name in PROFILE if profile.get(name) is not None}
    return {name: pack(fact.decode()) for name, fact in facts.items() if len(fact) <= LARGEST_FACT_BYTES}


def weight_of(item: Mapping[str, Any]) -> int:
    """About how many bytes an item becomes in an answer, and no fewer."""
    said = item.get("said", b"")
    size = len(zlib.decompress(said) if item.get("z") else said)
    return size + sum(4 * len(str(value)) for name, value in item.items() if name != "said") + 1_024
