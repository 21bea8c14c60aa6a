"""Streams of completions, as events."""

from typing import Any

import orjson

from orrery.wire.assembly import whole_of

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}


def stream(*deltas: dict[str, Any], finish_reason: str = "stop") -> list[bytes]:
    """The events of one choice that says these deltas."""
    steps = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas]
    steps.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish_reason})
    return [orjson.dumps({**HEAD, "choices": [step]}) for step in steps]


def message(*deltas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = whole_of(stream(*deltas))["choices"][0]["message"]
    return found


def chunks(payloads: list[bytes]) -> list[Any]:
    return [orjson.loads(payload) for payload in payloads]


def said(payloads: list[bytes]) -> list[dict[str, Any]]:
    """The deltas, one after the other."""
    return [choice["delta"] for chunk in chunks(payloads) for choice in chunk["choices"]]
