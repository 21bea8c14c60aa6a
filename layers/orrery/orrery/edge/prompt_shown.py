"""Stored prompts as their owners see them, over HTTP and at the command line.

Source: Orq's answer to POST /v2/prompts (field tree read 2026-11-21). Ours: `version`, `published_version`,
`newest_version` and `path`.
"""

from datetime import UTC, datetime
from typing import Any

from orrery.core.prompts import PromptVersion, StoredPrompt


def shown(organization: str, prompt: StoredPrompt) -> dict[str, Any]:
    """A prompt with one of its versions; `version` says which."""
    return {
        "_id": prompt.id,
        "id": prompt.id,
        "type": "prompt",
        "owner": organization,
        "domain_id": organization,
        "display_name": prompt.facts.display_name,
        "description": prompt.facts.description or None,
        "metadata": prompt.facts.metadata,
        "path": prompt.facts.path or None,
        "prompt": prompt.version.document,
        "version": prompt.version.number,
        "published_version": prompt.published or None,
        "newest_version": prompt.newest,
        "created": instant(prompt.created_at),
        "updated": instant(prompt.updated_at),
    }


def version_shown(prompt: StoredPrompt, version: PromptVersion) -> dict[str, Any]:
    """One version by itself."""
    return {
        "_id": str(version.number),
        "id": str(version.number),
        "type": "prompt.version",
        "prompt_id": prompt.id,
        "version": version.number,
        "published": version.number == prompt.published,
        "prompt": version.document,
        "created": instant(version.created_at),
    }


def instant(epoch_s: int) -> str:
    """`2026-11-21T10:00:00.000Z`: the published shape of instants."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
