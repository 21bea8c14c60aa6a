"""An API key's row: as it is stored, as its owner sees it, and as the principal that it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orrery.core.limits import Pace
from orrery.core.types import Json, Principal
from orrery.stores.definition import KEYS

ACTIVE, REVOKED = "active", "revoked"

REQUESTS, TOKENS = "rpm", "tpm"
"""Attributes: what the key may use in a minute. What it has used of them stands beside them (`stores.paces`)."""

PROVIDERS = "providers"
"""The scope that lets a key see and change its organization's own credentials at providers.

Keys without scopes, as applications have them, may call models and nothing else: whoever finds one must not be able to
send an organization's prompts to an address of his own, or to spend pooled credit in place of its own keys.
"""

ACTIVITY = "activity"
"""The scope that lets a key see what was tracked in its organization: by whom, in which order, at what cost."""

PROMPTS = "prompts"
"""The scope that lets a key see and change its organization's stored prompts: to use one takes none."""

AGENTS = "agents"
"""The scope that lets a key see and change agents, stored tools and memory stores: to use them takes none."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as its owner may see it: all but the secret. Instants are epoch seconds, None: never.

    Of requests and tokens a minute, None: as many as come.
    """

    key_id: str
    organization: str
    workflow: str
    user: str
    name: str
    scopes: tuple[str, ...]
    status: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    version: int = 1
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


def key_of(key_id: str) -> Json:
    """The primary key of a key's row."""
    return {"PK": {"S": f"AK#{key_id}"}, "SK": {"S": "K"}}


def is_live(row: Mapping[str, Any], now: float) -> bool:
    """Neither revoked nor expired."""
    expires_at = row.get("expires_at")
    return row["st"] == ACTIVE and (expires_at is None or now < expires_at)


def principal_of(row: Mapping[str, Any]) -> Principal:
    """Whom a stored row speaks for."""
    return Principal(
        key_id=row["PK"].removeprefix("AK#"),
        organization=row["organization"],
        workflow=row["workflow"],
        user=row["user"],
        scopes=frozenset(row["scopes"]),
        version=row["kv"],
        pace=pace_of(row),
    )


def pace_of(row: Mapping[str, Any]) -> Pace | None:
    """The key's limits; None where it has none."""
    requests, tokens = row.get(REQUESTS), row.get(TOKENS)
    return None if requests is None and tokens is None else Pace(requests, tokens)


def successor(principal: Principal, row: Mapping[str, Any]) -> Principal | None:
    """The principal with the limits that its row has now; None where anything else was changed since it was read."""
    current = principal_of(row)
    same = replace(principal, version=current.version, pace=current.pace) == current
    return current if same and current.version >= principal.version else None


def item_of(row: KeyRow, mac: bytes, pepper_version: int) -> Json:
    """What is stored."""
    item: Json = {
        "PK": f"AK#{row.key_id}",
        "SK": "K",
        "GPK": KEYS + row.organization,
        "GSK": f"{row.created_at:012d}#{row.key_id}",
        "h": mac,
        "pv": pepper_version,
        "st": row.status,
        "kv": row.version,
        "organization": row.organization,
        "workflow": row.workflow,
        "user": row.user,
        "name": row.name,
        "scopes": list(row.scopes),
        "created_at": row.created_at,
    }
    more = {"expires_at": row.expires_at, REQUESTS: row.requests_per_minute, TOKENS: row.tokens_per_minute}
    return item | {name: value for name, value in more.items() if value is not None}


def row_of(item: Mapping[str, Any]) -> KeyRow:
    """What is shown of a stored row."""
    return KeyRow(
        key_id=item["PK"].removeprefix("AK#"),
        organization=item["organization"],
        workflow=item["workflow"],
        user=item["user"],
        name=item["name"],
        scopes=tuple(item["scopes"]),
        status=item["st"],
        created_at=item["created_at"],
        expires_at=item.get("expires_at"),
        revoked_at=item.get("revoked_at"),
        version=item["kv"],
        requests_per_minute=item.get(REQUESTS),
        tokens_per_minute=item.get(TOKENS),
    )
