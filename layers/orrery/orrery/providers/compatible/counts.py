"""Token counts as servers of OpenAI's wire send them, and as a caller reads them."""

from typing import Any

from orrery.core.types import Json, Usage
from orrery.providers.answer import object_of
from orrery.providers.compatible.row import Row
from orrery.wire.usage import read_usage


def counted(usage: Any, row: Row) -> Usage | None:
    """The count; None where there is none. Zeros count."""
    return read_usage(usage, reasoning_apart=_is_apart(usage, row))


def told(usage: Json, count: Usage) -> bool:
    """Puts the sums, and a cached part that stands elsewhere, where OpenAI has them; True if that changed it."""
    found: Json = {"completion_tokens": count.completion, "total_tokens": count.total}
    of_prompt = usage.get("prompt_tokens_details")
    if count.cache_read and not object_of(of_prompt).get("cached_tokens"):
        found["prompt_tokens_details"] = {**object_of(of_prompt), "cached_tokens": count.cache_read}
    changed = any(usage.get(name) != value for name, value in found.items())
    usage |= found
    return changed


def taken(chunk: Json, row: Row, wants_usage: bool) -> tuple[bool, Usage | None, Json | None]:
    """What a chunk counts, and, where it counts, a last chunk that tells so: callers get the count in one of its own.

    The chunk itself has `usage` null for callers that asked for it, else none; True when that changed it.
    """
    if "usage" not in chunk:
        if wants_usage:
            chunk["usage"] = None
        return wants_usage, None, None
    usage, last = counted(chunk["usage"], row), None
    if usage is None and chunk["usage"] is None and wants_usage:
        return False, None, None
    if usage is not None:
        told(chunk["usage"], usage)
        last = {**chunk, "choices": []}
    if wants_usage:
        chunk["usage"] = None
    else:
        del chunk["usage"]
    return True, usage, last


def _is_apart(usage: Any, row: Row) -> bool:
    """Whether reasoning is counted beside `completion_tokens`, not within."""
    if row.reasoning_apart != "where larger" or not isinstance(usage, dict):
        return row.reasoning_apart == "always"
    reasoning = object_of(usage.get("completion_tokens_details")).get("reasoning_tokens")
    completion = usage.get("completion_tokens") or 0
    if isinstance(reasoning, int | float) and isinstance(completion, int | float):
        return reasoning > completion
    return False
