"""Responses as the older way to ask an agent has them: messages of parts (`wire.agent_messages` has the requests).

Tools that ran stand in it as calls of the agent and results of the tool; what the client must answer is pending.
Sources: Orq's field tree of `POST /v2/agents/{key}/responses` and the models of its Python SDK (CreateAgentResponse,
AgentResponseMessage, the parts; read 2026-11-21). It has no word for a bound of cost: that is `length`, cut short.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from orrery.core.types import Json
from orrery.wire.body import dumps

FINISH_REASONS: Mapping[str, str] = {
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "max_iterations": "max_iterations",
    "max_execution_time": "max_time",
}
"""Why a response is incomplete, in that route's words; "length" for all else."""

UNTOLD = frozenset({"reasoning", "compaction", "mcp_list_tools"})
"""Items that no part of a message is for."""


def answered(resource: Json, trace_id: str, span_id: str) -> Json:
    """The answer that a resource is. One that was queued has no words yet, and no reason why it ended."""
    told: Json = {
        "_id": resource["id"],
        "task_id": resource["id"],
        "output": messages(resource),
        "created_at": instant(resource["created_at"]),
        "model": resource["model"],
        "usage": usage(resource),
        "pending_tool_calls": pending(resource["output"]),
        "telemetry": {"trace_id": trace_id, "span_id": span_id},
    }
    reason = finish_reason(resource)
    return {**told, "finish_reason": reason} if reason else told


def instant(epoch_s: float) -> str:
    """ISO 8601, in milliseconds."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def finish_reason(resource: Json) -> str:
    """Why it ended; "" for one that has not, or has failed."""
    if resource["status"] == "incomplete":
        why = (resource.get("incomplete_details") or {}).get("reason")
        return FINISH_REASONS.get(str(why), "length")
    if resource["status"] != "completed":
        return ""
    return "tool_calls" if pending(resource["output"]) else "stop"


def usage(resource: Json) -> Json | None:
    """The tokens of all turns, in a chat's words."""
    found = resource.get("usage")
    if found is None:
        return None
    read, said = found.get("input_tokens_details") or {}, found.get("output_tokens_details") or {}
    return {
        "completion_tokens": found["output_tokens"],
        "prompt_tokens": found["input_tokens"],
        "total_tokens": found["total_tokens"],
        "prompt_tokens_details": {
            "cached_tokens": read.get("cached_tokens", 0),
            "cache_creation_tokens": read.get("cache_creation_tokens", 0),
        },
        "completion_tokens_details": {"reasoning_tokens": said.get("reasoning_tokens", 0)},
    }


def pending(items: Sequence[Json]) -> list[Json]:
    """Calls that the client must answer: functions of its own, and calls that wait for its word, by their request."""
    ran = {item.get("call_id") for item in items if has_run(item)}
    waiting = [(item["id"], item) for item in items if item["type"] == "mcp_approval_request"]
    waiting += [
        (item["call_id"], item) for item in items if item["type"] == "function_call" and item["call_id"] not in ran
    ]
    return [
        {"id": id, "type": "function", "function": {"name": item["name"], "arguments": item["arguments"]}}
        for id, item in waiting
    ]


def has_run(item: Json) -> bool:
    """Whether it is a tool that ran here, or at a provider."""
    return item["type"] not in UNTOLD and item["type"] not in ("message", "function_call", "mcp_approval_request")


def messages(resource: Json) -> list[Json]:
    """All that was said and done, in order; last of all why it failed, if it did."""
    items = resource["output"]
    called = {item["call_id"] for item in items if item["type"] == "function_call"}
    found = [message for item in items for message in _messages(item, called)]
    if resource["status"] in ("failed", "cancelled"):
        found.append(_message(resource["id"], "agent", [failure(resource)]))
    return found


def failure(resource: Json) -> Json:
    """Why it failed, as a part."""
    error = resource.get("error") or {}
    return {"kind": "error", "error": str(error.get("message") or f"The response is {resource['status']}.")}


def _messages(item: Json, called: set[str]) -> list[Json]:
    kind = item["type"]
    if kind in UNTOLD:
        return []
    if kind == "message":
        return [_message(item["id"], "agent", [_part(part) for part in item["content"]])]
    if kind in ("function_call", "mcp_approval_request"):
        return [_message(item["id"], "agent", [_call(item)])]
    result = _message(item["id"], "tool", [{"kind": "tool_result", "tool_call_id": call_id(item), "result": ran(item)}])
    return [result] if item.get("call_id") in called else [_message(item["id"], "agent", [_call(item)]), result]


def _message(id: str, role: str, parts: list[Json]) -> Json:
    return {"messageId": id, "role": role, "parts": parts}


def _part(part: Json) -> Json:
    return {"kind": "text", "text": str(part.get("text") or part.get("refusal") or "")}


def _call(item: Json) -> Json:
    return {
        "kind": "tool_call",
        "tool_name": tool_name(item),
        "tool_call_id": call_id(item),
        "arguments": arguments(item),
    }


def tool_name(item: Json) -> str:
    return str(item.get("name") or item["type"])


def call_id(item: Json) -> str:
    """What a call is answered by: a request for approval by its own id, as are items of providers."""
    return str(item.get("call_id") or item["id"])


def arguments(item: Json) -> Json:
    """What a tool is called with, as an object; {} for what is none."""
    text: Any = item.get("arguments")
    try:
        found = orjson.loads(text) if text else item.get("action")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def ran(item: Json) -> Any:
    """What came of a call."""
    return next((item[name] for name in ("output", "error", "results", "outputs") if item.get(name) is not None), "")


def words(value: Any) -> str:
    """A text as it is, all else as JSON."""
    return value if isinstance(value, str) else dumps(value).decode()
