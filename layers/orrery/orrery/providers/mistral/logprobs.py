"""Log probabilities of a choice, without the fields that OpenAI's do not have."""

from typing import Any

from orrery.core.types import Json

_FIELDS = ("token", "logprob", "bytes")


def read_logprobs(logprobs: Any) -> Json | None:
    """Source: `ChatCompletionResponseChoiceLogprobs` of the mistralai Python SDK 3.7, read 2026-11-21."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        return None
    told = [{**_bare(entry), "top_logprobs": [_bare(top) for top in _listed(entry)]} for entry in content]
    return {"content": told, "refusal": None}


def _bare(entry: Json) -> Json:
    return {name: entry.get(name) for name in _FIELDS}


def _listed(entry: Json) -> list[Json]:
    tops = entry.get("top_logprobs")
    return [top for top in tops if isinstance(top, dict)] if isinstance(tops, list) else []
