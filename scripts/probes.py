"""What is asked of every dialect to fill the tables of docs/providers.md: a feature, and a request that uses it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

PNG = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhg"
    "GAWjR9awAAAABJRU5ErkJggg=="
)
PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
FUNCTION = {"name": "f", "description": "d", "parameters": SCHEMA}
TOOL = {"type": "function", "function": FUNCTION}
OTHER = {"type": "function", "function": {"name": "g", "description": "d", "parameters": SCHEMA}}
CALLED = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"n":1}'}}
USER = {"role": "user", "content": "Hi"}


class Probe(NamedTuple):
    """`body` is added to a plain request, and `without` is the same but for the feature."""

    feature: str
    body: dict[str, Any]
    without: Mapping[str, Any] = MappingProxyType({})


def parts(*content: dict[str, Any]) -> dict[str, Any]:
    """A request with these content parts after a text."""
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "See"}, *content]}]}


TEXT_ONLY = parts()
TOOLS = {"tools": [TOOL, OTHER]}
ASKED = [USER, {"role": "assistant", "content": None, "tool_calls": [CALLED]}]


def answered(content: Any) -> dict[str, Any]:
    """A request in which a tool has answered."""
    return {**TOOLS, "messages": [*ASKED, {"role": "tool", "tool_call_id": "call_1", "content": content}]}


def replayed(**fields: Any) -> dict[str, Any]:
    """A request whose history holds an assistant's message with these fields."""
    return {"messages": [USER, {"role": "assistant", "content": "Ho", **fields}, USER]}


def schema(strict: bool) -> dict[str, Any]:
    """A structured answer's format."""
    return {"type": "json_schema", "json_schema": {"name": "s", "strict": strict, "schema": SCHEMA}}


PROBES: dict[str, tuple[Probe, ...]] = {
    "Input": (
        Probe("system message", {"messages": [{"role": "system", "content": "S"}, USER]}, without={"messages": [USER]}),
        Probe("developer message", {"messages": [{"role": "developer", "content": "S"}, USER]}),
        Probe("image by URL", parts({"type": "image_url", "image_url": {"url": "https://x.test/a.png"}})),
        Probe("image as base64", parts({"type": "image_url", "image_url": {"url": PNG}})),
        Probe("PDF", parts({"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}})),
        Probe("audio", parts({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}})),
    ),
    "Tools": (
        Probe("tools", TOOLS),
        Probe("tool_choice required", {**TOOLS, "tool_choice": "required"}, TOOLS),
        Probe("tool_choice by name", {**TOOLS, "tool_choice": {"type": "function", "function": {"name": "f"}}}, TOOLS),
        Probe("tool_choice none", {**TOOLS, "tool_choice": "none"}, TOOLS),
        Probe("parallel_tool_calls off", {**TOOLS, "parallel_tool_calls": False}, TOOLS),
        Probe(
            "strict tools",
            {"tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}]},
            {"tools": [TOOL]},
        ),
        Probe("tool results", answered("42")),
        Probe("images in tool results", answered([{"type": "image_url", "image_url": {"url": PNG}}])),
    ),
    "Output": (
        Probe("json_object", {"response_format": {"type": "json_object"}}),
        Probe("json_schema", {"response_format": schema(True)}),
        Probe("audio out", {"modalities": ["text", "audio"], "audio": {"voice": "v", "format": "mp3"}}),
        Probe("n", {"n": 2}),
        Probe("stop", {"stop": ["END"]}),
        Probe("max_completion_tokens", {"max_completion_tokens": 99}),
        Probe("logprobs", {"logprobs": True, "top_logprobs": 2}),
        Probe("verbosity", {"verbosity": "low"}),
    ),
    "Reasoning": (
        Probe("reasoning_effort", {"reasoning_effort": "high"}),
        Probe(
            "thinking budget",
            {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 8192},
            {"max_tokens": 8192},
        ),
        Probe("thinking level", {"thinking": {"type": "enabled", "thinking_level": "high"}}),
        Probe("thinking off", {"thinking": {"type": "disabled"}}),
    ),
    "Sampling": (
        Probe("temperature", {"temperature": 0.5}),
        Probe("top_p", {"top_p": 0.5}),
        Probe("top_k", {"top_k": 40}),
        Probe("seed", {"seed": 7}),
        Probe("frequency_penalty", {"frequency_penalty": 0.5}),
        Probe("presence_penalty", {"presence_penalty": 0.5}),
        Probe("logit_bias", {"logit_bias": {"5": 1}}),
    ),
    "Service": (
        Probe(
            "cache_control",
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}],
                    }
                ]
            },
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
        ),
        Probe("prompt_cache_key", {"prompt_cache_key": "k"}),
        Probe("metadata", {"metadata": {"a": "b"}}),
        Probe("user", {"user": "u"}),
        Probe("service_tier", {"service_tier": "flex"}),
        Probe("store", {"store": True}),
    ),
}
"""By the part of the table that it stands in."""
