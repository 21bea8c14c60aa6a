"""Cohere's log probabilities in OpenAI's shape.

Cohere gives a text chunk with the probabilities of its tokens. Their texts are not told apart, so each chunk counts as
one token here, whose log probability is the sum of theirs. Source: `LogprobItem` of the cohere Python SDK 7.3.1.
"""

from typing import Any

from orrery.core.types import Json


def read_logprobs(items: Any) -> Json | None:
    """`logprobs` of a choice, of one item or a list; None when there is nothing to tell."""
    found = [_entry(item) for item in (items if isinstance(items, list) else [items])]
    content = [entry for entry in found if entry is not None]
    return {"content": content, "refusal": None} if content else None


def _entry(item: Any) -> Json | None:
    text, logprobs = (item.get("text"), item.get("logprobs")) if isinstance(item, dict) else (None, None)
    if not isinstance(text, str) or not isinstance(logprobs, list) or not logprobs:
        return None
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in logprobs):
        return None
    return {"token": text, "logprob": float(sum(logprobs)), "bytes": list(text.encode()), "top_logprobs": []}
