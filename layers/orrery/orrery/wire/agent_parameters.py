"""A model's parameters in an agent: names of a chat body, said in those of a Responses body.

Sources: Orq's field tree of POST /v2/agents for what is taken, of POST /v3/router/responses for what it becomes;
OpenAI's API document 2.3.0 for `text.format` and `tool_choice` (read 2026-11-21). What a Responses body cannot say is
refused when it is stored, not dropped when it is used.
"""

from collections.abc import Mapping
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.wire import option_shapes
from orrery.wire.chat_parameters import PARAMETERS as CHAT
from orrery.wire.shapes import FILLED, Shape, array, either, one_of, record, string, variants, whole

SAME = (
    "temperature",
    "top_p",
    "top_k",
    "frequency_penalty",
    "presence_penalty",
    "parallel_tool_calls",
    "prompt_cache_key",
    "cache_control",
)
OPTIONS = ("name", "cache", "load_balancer", "timeout")
"""The gateway's own, which a Responses body has, too."""

PARAMETERS: Mapping[str, Shape] = {
    **{name: CHAT[name] for name in (*SAME, "max_tokens", "max_completion_tokens", "response_format", "stop")},
    **{name: CHAT[name] for name in ("thinking", "modalities", "seed")},
    **{name: option_shapes.FIELDS[name] for name in (*OPTIONS, "fallbacks", "guardrails", "plugins")},
    "top_k": whole(1),
    "stop": either(text=FILLED, array=array(string(256), at_most=4)),
    "reasoning_effort": one_of("none", "minimal", "low", "medium", "high", "xhigh"),
    "verbosity": one_of("low", "medium", "high"),
    "tool_choice": either(
        text=one_of("none", "auto", "required"),
        object=variants("type", {"function": record({"function": record({"name": FILLED})})}, default="function"),
    ),
}


def refuse_unsaid(parameters: Mapping[str, Any], path: str) -> None:
    """Raises `InvalidRequest` for what a Responses body cannot say, and for names that nobody knows."""
    for name, value in parameters.items():
        if name not in PARAMETERS:
            raise InvalidRequest(f"Unknown parameter: '{path}.{name[:40]}'.", param=f"{path}.{name[:40]}")
        if value is not None and _is_unsaid(name, value):
            raise InvalidRequest(
                f"Unsupported parameter: '{path}.{name}' cannot be set for an agent here.",
                param=f"{path}.{name}",
                code="unsupported_parameter",
            )


def _is_unsaid(name: str, value: Any) -> bool:
    if name == "thinking":
        return value["type"] != "disabled" and value.get("thinking_level") is None
    if name == "modalities":
        return any(each != "text" for each in value)
    return name == "seed" or (name in ("guardrails", "plugins") and bool(value))


def responses_fields(parameters: Mapping[str, Any]) -> Json:
    """Fields of a Responses body."""
    given = {name: value for name, value in parameters.items() if value is not None}
    said: Json = {name: given[name] for name in (*SAME, *OPTIONS) if name in given}
    most = given.get("max_completion_tokens") or given.get("max_tokens")
    if most is not None:
        said["max_output_tokens"] = most
    text: Json = {}
    if "response_format" in given:
        text["format"] = _format(given["response_format"])
    if "verbosity" in given:
        text["verbosity"] = given["verbosity"]
    if text:
        said["text"] = text
    effort = given.get("reasoning_effort") or _effort(given.get("thinking"))
    if effort is not None:
        said["reasoning"] = {"effort": effort}
    if "stop" in given:
        said["stop_sequences"] = [given["stop"]] if type(given["stop"]) is str else given["stop"]
    if "tool_choice" in given:
        said["tool_choice"] = _choice(given["tool_choice"])
    return said


def _format(asked: Mapping[str, Any]) -> Json:
    """`{type, json_schema: {name, schema, …}}` → `{type, name, schema, …}`."""
    if asked["type"] != "json_schema":
        return {"type": asked["type"]}
    return {"type": "json_schema", **asked["json_schema"]}


def _choice(asked: Any) -> Any:
    """`{type, function: {name}}` → `{type, name}`."""
    return asked if type(asked) is str else {"type": "function", "name": asked["function"]["name"]}


def _effort(thinking: Mapping[str, Any] | None) -> str | None:
    if thinking is None:
        return None
    return "none" if thinking["type"] == "disabled" else thinking["thinking_level"]
