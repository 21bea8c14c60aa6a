"""A whole response, as its provider would have sent it."""

import re
from typing import Any

from orrery.core.types import Call, Json, Usage

_NOT_ID = re.compile(r"[^A-Za-z0-9]")
LONGEST_ID = 40

_DEFAULTS: Json = {
    "completed_at": None,
    "previous_response_id": None,
    "instructions": None,
    "error": None,
    "tools": [],
    "tool_choice": "auto",
    "truncation": "disabled",
    "parallel_tool_calls": True,
    "text": {"format": {"type": "text"}},
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_logprobs": 0,
    "temperature": 1,
    "reasoning": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "store": False,
    "background": False,
    "service_tier": "default",
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
}
"""Source: ResponseResource of Open Responses 2026-04-24: none of its fields may be missing (read 2026-11-21)."""

_NUMBERS = frozenset(
    {"top_p", "presence_penalty", "frequency_penalty", "top_logprobs", "temperature", "max_output_tokens"}
    | {"parallel_tool_calls"}
)
"""What is told again of a request. What its caller wrote is not: there may be secrets in it that only providers get."""


def name_of(answer_id: str, call: Call) -> str:
    """What ids of an answer's items are made of: the provider's id for it, where there is one."""
    return _NOT_ID.sub("", answer_id.removeprefix("chatcmpl-") or call.answer_id)[:LONGEST_ID]


def resource(call: Call, name: str, head: Json, output: list[Json], *, reason: str, usage: Usage | None) -> Json:
    """The response to a call. `head` has its chat's `model`, `created` and `service_tier`; `reason`: why it is cut."""
    said: Json = {number: call.body[number] for number in _NUMBERS if call.body.get(number) is not None}
    tier = head.get("service_tier")
    return {
        "id": f"resp_{name}",
        "object": "response",
        "created_at": _whole(head.get("created")) or call.received_at,
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "model": head.get("model") or call.model,
        "output": output,
        **_DEFAULTS,
        **said,
        **({"service_tier": tier} if isinstance(tier, str) else {}),
        "usage": usage_of(usage) if usage else None,
    }


def usage_of(usage: Usage) -> Json:
    """Counts as a response has them. Source: `ResponseUsage` of OpenAI's Python SDK 3.52 (read 2026-11-21)."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write + usage.cache_write_1h,
        },
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0
