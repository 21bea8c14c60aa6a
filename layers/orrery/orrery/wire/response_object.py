"""The response itself, as its caller gets it: all 31 fields of Open Responses, and what was asked for in the rest.

Sources: Open Responses 2026-04-24, OpenAI's API document 2.3.0, Orq's field trees (all read 2026-11-21).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from orrery.core.responses import Responding
from orrery.core.types import Call, Json, Usage
from orrery.wire.template import MASK

DEFAULTS: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "top_p": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "top_logprobs": 0,
    "truncation": "disabled",
}
"""Parameters that every response echoes, and what they are where nobody says."""

WHERE_USED = ("user", "prompt_cache_retention", "prompt_cache_options", "top_k", "moderation")
"""Parameters beyond those of Open Responses: only who sends them gets them back."""

SECRET = frozenset({"headers", "authorization"})
"""Fields of a tool that nobody gets to see again."""

NANO = 1_000_000_000

_UNTOLD = Responding()


def begun(
    call: Call,
    *,
    id: str,
    created_at: int,
    status: str,
    model: str,
    previous: str | None,
    conversation: str | None,
    background: bool,
) -> Json:
    """The resource of a response that has yet to say something. Times are epoch seconds.

    `previous` and `conversation` are ids, None or "" for none. Secret variables are `***` wherever `call.body` has them
    so.
    """
    body, responding = call.body, call.options.responding or _UNTOLD
    echoed = {name: _or(body.get(name), default) for name, default in DEFAULTS.items()}
    return {
        "id": id,
        "object": "response",
        "created_at": created_at,
        "completed_at": None,
        "status": status,
        "background": background,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "previous_response_id": previous or None,
        **echoed,
        "metadata": dict(body.get("metadata") or {}),
        "max_tool_calls": responding.max_tool_calls,
        "reasoning": _reasoning(body.get("reasoning")),
        "store": responding.store,
        "text": _text(body.get("text")),
        "tool_choice": _choice(body.get("tool_choice")),
        "tools": [shown_tool(tool) for tool in (*(body.get("tools") or ()), *responding.hosted)],
        "usage": None,
        **_where_used(call, responding, conversation),
    }


def usage_of(usage: Usage, cost_nano: int | None) -> Json:
    """The `usage` of a response. With the cost, nano-USD, Orq's `total_cost` in USD (wire.md 1.A.9)."""
    counts: Json = {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write + usage.cache_write_1h,
            "cache_creation_tokens": usage.cache_write + usage.cache_write_1h,
        },
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }
    return counts if cost_nano is None else {**counts, "total_cost": cost_nano / NANO}


def shown_tool(tool: Json) -> Json:
    """A tool as its caller wrote it, without what is secret in it; a function with every field that functions have."""
    if tool["type"] == "function":
        return {"description": None, "parameters": None, "strict": None, **tool}
    told = {name: value for name, value in tool.items() if name not in SECRET}
    if isinstance(told.get("server_url"), str):
        told["server_url"] = _server(told["server_url"])
    return told


def _server(url: str) -> str:
    """Where a server is, without the rest: some carry a key there. OpenAI leaves out paths, too (its guide to MCP)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return MASK
    if not parts.scheme or not parts.hostname:
        return MASK
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}"


def _or(given: Any, default: Any) -> Any:
    return default if given is None else given


def _reasoning(given: Json | None) -> Json | None:
    return None if given is None else {"effort": None, "summary": None, **given}


def _text(given: Json | None) -> Json:
    """Its verbosity is left out where there is none; the form of a schema has every field."""
    given = {name: value for name, value in (given or {}).items() if value is not None}
    form = given.get("format") or {"type": "text"}
    if form["type"] == "json_schema":
        form = {"description": None, **form, "strict": form.get("strict") is True}
    return {**given, "format": form}


def _choice(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given or "auto"
    if given["type"] == "allowed_tools":
        return {**given, "mode": given.get("mode") or "auto"}
    return given


def _where_used(call: Call, responding: Responding, conversation: str | None) -> Json:
    """What is told only to those who asked for it. Open Responses knows none of these."""
    found = {name: call.body[name] for name in WHERE_USED if call.body.get(name) is not None}
    if found.get("prompt_cache_retention") == "in-memory":  # as older SDKs write it
        found["prompt_cache_retention"] = "in_memory"
    if conversation:
        found["conversation"] = {"id": conversation}
    if call.options.prompt:
        found["prompt"] = {"id": call.options.prompt}
    if responding.memory:
        found["memory"] = {"entity_id": responding.memory}
    variables = call.options.variables
    if variables is not None:
        found["variables"] = {
            name: MASK if name in variables.secrets else value for name, value in variables.values.items()
        }
    return found
