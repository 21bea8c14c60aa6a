"""Agents as they are stored, beside what `stores.documents` says of every document.

| PK                | SK                | what it is                                                                   |
| AGENT#<org>#<key> | HEAD              | its newest version; in `more` which version each environment has            |
| AGENT#<org>#<key> | V#<n>.<n>.<n>     | a version, which never changes: its document as JSON, `z` where deflated     |

A version's row says in `made` whose it is, so that a late deletion spares a new agent of the same key.
"""

import re
import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from orrery.core.errors import Conflict, NotFound
from orrery.core.registries import AGENT_KEY, AgentVersion, Increment
from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.definition import AGENTS
from orrery.stores.document_rows import DEFLATED_BYTES, Head, Kind, inflated

VERSION = "V#"
FIRST = "1.0.0"
DIGITS = 5
_NUMBER = re.compile(r"(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})", re.ASCII)


def missing(key: str) -> NotFound:
    return NotFound(f"Agent '{key[:80]}' not found", code="agent_not_found")


def no_version(key: str, version: str) -> NotFound:
    return NotFound(f"version @{version[:80]} not found for agent {key}", code="agent_version_not_found")


def _taken(key: str) -> Conflict:
    return Conflict(f"There is an agent {key!r} already.", param="key", code="agent_exists")


KIND = Kind("AGENT", AGENTS, AGENT_KEY, missing, _taken)


def is_version(text: str) -> bool:
    """Whether it is three numbers, as in `1.2.0`."""
    return _NUMBER.fullmatch(text) is not None


def next_version(version: str, increment: Increment) -> str:
    """Semantic Versioning 2.0.0: what is to the right of the number that is raised begins anew."""
    major, minor, patch = (int(part) for part in version.split("."))
    after = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}
    return ".".join(map(str, after[increment]))


def sort_of(version: str) -> str:
    """Sorts as versions do."""
    return VERSION + ".".join(part.zfill(DIGITS) for part in version.split("."))


def version_item(partition: str, head: Head, note: str) -> Json:
    """The row of the version that a head has."""
    deflated = len(head.raw) > DEFLATED_BYTES
    item = {
        "PK": partition,
        "SK": sort_of(head.version),
        "made": head.made,
        "v": head.version,
        "doc": zlib.compress(head.raw) if deflated else head.raw,
        "note": note,
        "created_at": head.updated_at,
    }
    return pack_item(item | {"z": True} if deflated else item)


def version_of(item: Mapping[str, Any]) -> AgentVersion:
    """What a row says."""
    return AgentVersion(item["v"], orjson.loads(inflated(item)), item["created_at"], item["note"])


def environments_of(head: Head) -> Mapping[str, str]:
    found: Mapping[str, str] = head.more.get("environments") or {}
    return found
