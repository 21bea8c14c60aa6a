"""Prompts that an organization keeps: what is said of one, its versions, and a page of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST_KEY = 64
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*")


def is_key(text: str) -> bool:
    """Whether a prompt could be called so, by its maker or by us: fit for a URL, a header, a file's name, a table."""
    return len(text) <= LONGEST_KEY and _KEY.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class PromptFacts:
    """What is said of a prompt beside its versions; these are changed in place. "" where nothing is said."""

    display_name: str
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True, slots=True)
class PromptDraft:
    """A prompt that is to be. `key` is the id that it shall have ("": one is made); `document` its first version."""

    facts: PromptFacts
    document: Mapping[str, Any] = field(repr=False)
    key: str = ""
    publish: bool = True


@dataclass(frozen=True, slots=True)
class PromptChange:
    """What is to be different: only the facts that are named, and a new version where there is a `document`."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    document: Mapping[str, Any] | None = field(default=None, repr=False)
    publish: bool = True


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """One version, which never changes. `document` has `messages`, and may have `model` and parameters of a chat."""

    number: int
    document: Mapping[str, Any] = field(repr=False)
    created_at: int


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """A prompt and one of its versions: the one that was asked for.

    `published` is the number of the version that requests get, 0 for none; `newest` that of the last one made.
    """

    id: str
    facts: PromptFacts
    published: int
    newest: int
    created_at: int
    updated_at: int
    version: PromptVersion
