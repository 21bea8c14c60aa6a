"""Tools and the choice among them, and the JSON schemas in both places where the dialect takes them."""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.anthropic.models import Traits
from orrery.providers.lost import Lost

_CHOICES = {"auto": "auto", "none": "none", "required": "any"}

_SCHEMA = ("items", "additionalProperties", "contains", "not", "if", "then", "else")
_LIST_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")


def closed(schema: Any) -> Any:
    """A copy of a JSON schema in which each object that says nothing about other properties forbids them.

    Constrained output and strict tools insist on it ("Structured outputs", platform.claude.com, read 2026-11-21).
    """
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy: Json = dict(schema)
    for name in (*_SCHEMA, *_LIST_OF_SCHEMAS):
        if name in copy:
            copy[name] = closed(copy[name])
    for name in _SCHEMAS_BY_NAME:
        if isinstance(copy.get(name), dict):
            copy[name] = {key: closed(value) for key, value in copy[name].items()}
    kind = copy.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in copy:
        copy.setdefault("additionalProperties", False)
    return copy


def tools_of(body: Json, traits: Traits, lost: Lost) -> list[Json]:
    """The tools, in their order; only the allowed ones where `tool_choice` lists them."""
    allowed = _allowed(body.get("tool_choice"))
    tools = [_tool(tool, number, traits, lost) for number, tool in enumerate(body.get("tools") or ())]
    return [tool for tool in tools if allowed is None or tool["name"] in allowed]


def _tool(tool: Json, number: int, traits: Traits, lost: Lost) -> Json:
    function = tool.get("function")
    if tool.get("type", "function") != "function" or not isinstance(function, dict):
        raise InvalidRequest("Anthropic's models take function tools only.", param=f"tools[{number}].type")
    schema = {"type": "object", "properties": {}, **(function.get("parameters") or {})}
    encoded: Json = {"name": function["name"], "input_schema": schema}
    if function.get("description"):
        encoded["description"] = function["description"]
    if function.get("strict") is True:
        if traits.structured:
            encoded |= {"strict": True, "input_schema": closed(schema)}
        else:
            lost.add("tools.strict")
    if tool.get("cache_control"):
        encoded["cache_control"] = tool["cache_control"]
    return encoded


def choice_of(body: Json, tools: list[Json], traits: Traits, lost: Lost) -> Json | None:
    """`tool_choice` with `parallel_tool_calls` inside it, or None where the default says the same."""
    choice = _choice(body.get("tool_choice"))
    if choice is not None and is_forced(choice) and not (tools and traits.forced):
        lost.add("tool_choice")
        choice = None
    if not tools:
        return None
    if body.get("parallel_tool_calls") is False and (choice is None or choice["type"] != "none"):
        return {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return choice


def is_forced(choice: Json | None) -> bool:
    """Whether the model must call a tool."""
    return choice is not None and choice["type"] in ("any", "tool")


def _choice(choice: Any) -> Json | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        return {"type": _CHOICES[choice]}
    if "allowed_tools" in choice:
        return {"type": _CHOICES[choice["allowed_tools"]["mode"]]}
    if "function" not in choice:
        raise InvalidRequest("Anthropic's models can be made to call function tools only.", param="tool_choice.type")
    return {"type": "tool", "name": choice["function"]["name"]}


def _allowed(choice: Any) -> set[str] | None:
    if not isinstance(choice, dict) or "allowed_tools" not in choice:
        return None
    listed = choice["allowed_tools"].get("tools") or ()
    return {(tool.get("function") or tool).get("name") for tool in listed}
