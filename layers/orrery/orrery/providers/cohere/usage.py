"""Token counts as Cohere bills them.

`tokens` holds what the model read and wrote, with instructions of Cohere's own; `billed_units` what is paid for, and is
all that counts here. Both are floats. `cached_tokens` are of `tokens`, so those of them that surely were billed ones
are no more than what exceeds the unbilled. Sources: `Usage` of the cohere Python SDK 7.3.1; "How Does Cohere's Pricing
Work?" (docs.cohere.com), read 2026-11-21.
"""

from math import isfinite
from typing import Any

from orrery.core.types import Usage
from orrery.providers.answer import object_of


def read_usage(usage: Any) -> Usage | None:
    """None when neither of the two counts is there. Zeros are honoured."""
    told = object_of(usage)
    billed, read = object_of(told.get("billed_units")), object_of(told.get("tokens"))
    prompt, completion = _either("input_tokens", billed, read), _either("output_tokens", billed, read)
    if prompt is None and completion is None:
        return None
    unbilled = max(0, (_count(read.get("input_tokens")) or 0) - (prompt or 0))
    cached = max(0, (_count(told.get("cached_tokens")) or 0) - unbilled)
    return Usage(prompt=prompt or 0, completion=completion or 0, cache_read=min(cached, prompt or 0))


def _either(name: str, billed: Any, read: Any) -> int | None:
    count = _count(billed.get(name))
    return count if count is not None else _count(read.get(name))


def _count(value: Any) -> int | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0:
        return int(value)
    return None
