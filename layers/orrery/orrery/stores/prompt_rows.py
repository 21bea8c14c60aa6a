"""Prompts as they are stored.

| PK                | SK           | what it is                                                                    |
| PROMPT#<org>#<id> | HEAD         | what is said of it, its published and its newest version; `rev`, `made`       |
| PROMPT#<org>#<id> | V#<number>   | a version, which never changes: its document as JSON, `z` where deflated      |

`made` is drawn when a prompt is made: one that was deleted and made anew under the same id is another one. `rev` is
drawn at each change of the head: a change names the one that it saw, and is also known again by its own. A head with
`gone` is what is left of a prompt while its versions are deleted.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery.core.prompts import PromptDraft, PromptFacts, PromptVersion, StoredPrompt
from orrery.core.records import Prompt
from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.definition import PROMPTS, organization_id

HEAD = "HEAD"
VERSION = "V#"
DEFLATED_BYTES = 4 * 1024
"""Documents above this are deflated: a read costs by the 4 KB."""


@dataclass(frozen=True, slots=True)
class Head:
    """The row `HEAD`. `published` 0: no version is."""

    organization: str
    id: str
    facts: PromptFacts
    made: str
    rev: str
    published: int
    newest: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class VersionRow:
    """The row of a version. `raw` is its document as JSON, in its author's order: that of a schema's fields matters."""

    number: int
    raw: bytes = field(repr=False)
    created_at: int

    @property
    def version(self) -> PromptVersion:
        return PromptVersion(self.number, orjson.loads(self.raw), self.created_at)


def partition(organization: str, prompt: str) -> str:
    return f"PROMPT#{organization_id(organization)}#{prompt}"


def key_of(organization: str, prompt: str, sort: str = HEAD) -> Json:
    """The primary key of a prompt's head, or of another row of it."""
    return {"PK": {"S": partition(organization, prompt)}, "SK": {"S": sort}}


def sort_of(number: int) -> str:
    return f"{VERSION}{number:08d}"


def first_head(organization: str, prompt: str, draft: PromptDraft, token: str, now: int) -> Head:
    """The head of a prompt that begins."""
    published = 1 if draft.publish else 0
    return Head(organization, prompt, draft.facts, token, token, published, 1, now, now)


def head_item(head: Head) -> Json:
    """What is stored."""
    item = {
        "PK": partition(head.organization, head.id),
        "SK": HEAD,
        "GPK": PROMPTS + head.organization,
        "GSK": cursor_of(head.created_at, head.id),
        "made": head.made,
        "rev": head.rev,
        "name": head.facts.display_name,
        "description": head.facts.description,
        "metadata": orjson.dumps(head.facts.metadata),  # it may hold numbers that a table's number is not
        "path": head.facts.path,
        "published": head.published,
        "newest": head.newest,
        "created_at": head.created_at,
        "updated_at": head.updated_at,
    }
    return pack_item(item)


def cursor_of(created_at: int, prompt: str) -> str:
    """The place in the list: by age, then by id."""
    return f"{created_at:012d}#{prompt}"


def head_of(organization: str, item: Mapping[str, Any] | None) -> Head | None:
    """What an item says; None where there is none, or only what is left of one."""
    if item is None or "gone" in item:
        return None
    return Head(
        organization,
        item["PK"].rpartition("#")[2],
        PromptFacts(item["name"], item["description"], orjson.loads(item["metadata"]), item["path"]),
        item["made"],
        item["rev"],
        item["published"],
        item["newest"],
        item["created_at"],
        item["updated_at"],
    )


def tombstone(organization: str, prompt: str, made: str, rev: str) -> Json:
    """What is left of a prompt while its versions are deleted: nothing that anybody said, and no place in the list."""
    item = {"PK": partition(organization, prompt), "SK": HEAD, "made": made, "rev": rev, "gone": True}
    return pack_item(item)


def version_item(head: Head, row: VersionRow) -> Json:
    """What is stored. It names whose version it is, so that no late deletion meets another prompt's."""
    deflated = len(row.raw) > DEFLATED_BYTES
    item = {
        "PK": partition(head.organization, head.id),
        "SK": sort_of(row.number),
        "made": head.made,
        "doc": zlib.compress(row.raw) if deflated else row.raw,
        "created_at": row.created_at,
    }
    return pack_item(item | {"z": True} if deflated else item)


def version_of(item: Mapping[str, Any]) -> VersionRow:
    """What an item says."""
    raw = item["doc"]
    if item.get("z"):
        raw = zlib.decompress(raw)
    return VersionRow(int(item["SK"].removeprefix(VERSION)), raw, item["created_at"])


def raw_of(document: Mapping[str, Any]) -> bytes:
    """A document as it is stored."""
    return orjson.dumps(document)


def stored(head: Head, row: VersionRow) -> StoredPrompt:
    """A prompt with one of its versions, as its owner sees it."""
    return StoredPrompt(head.id, head.facts, head.published, head.newest, head.created_at, head.updated_at, row.version)


def prompt_of(prompt: str, number: int, raw: bytes) -> Prompt:
    """A version as a request uses it."""
    document: Json = orjson.loads(raw)
    messages, model = document.pop("messages"), document.pop("model", None)
    return Prompt(prompt, number, messages, model or "", document)
