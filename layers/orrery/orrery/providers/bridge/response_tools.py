"""The tools of a response as those of a chat."""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.bridge.response_parts import marks_of

MODES = ("none", "auto", "required")


def tools_of(given: Json) -> Json:
    """`tools`, `tool_choice` and `parallel_tool_calls` of the chat: none of them where there is no tool.

    Where some tools are allowed, the others are left out: not all who speak a chat's wire know `allowed_tools`. Raises
    `InvalidRequest` for tools that are no functions.
    """
    tools = [_tool(tool, f"tools[{number}]") for number, tool in enumerate(given.get("tools") or ())]
    choice, allowed = _choice(given.get("tool_choice"))
    if allowed is not None:
        tools = [tool for tool in tools if tool["function"]["name"] in allowed]
    if not tools:
        if choice not in (None, "none", "auto"):
            raise InvalidRequest("A tool is to be called, and none is there.", param="tool_choice")
        return {}
    found = {"tool_choice": choice, "parallel_tool_calls": given.get("parallel_tool_calls")}
    return {"tools": tools, **{name: value for name, value in found.items() if value is not None}}


def _tool(tool: Json, where: str) -> Json:
    kind = tool.get("type", "function")
    if kind != "function":
        raise InvalidRequest(
            f"This model is served as a chat, which knows no tools of type '{kind}'.", param=f"{where}.type"
        )
    named = ("name", "description", "parameters", "strict")
    function = {name: tool[name] for name in named if tool.get(name) is not None}
    return {"type": "function", "function": function, **marks_of(tool)}


def _choice(asked: Any) -> tuple[str | Json | None, set[str] | None]:
    """How a chat says it, and the names of the tools that may be called; None for all."""
    if asked is None or isinstance(asked, str):
        return asked, None
    kind = asked.get("type")
    if kind == "function":
        return {"type": "function", "function": {"name": asked["name"]}}, None
    if kind != "allowed_tools":
        raise InvalidRequest(
            f"This model is served as a chat, which cannot be made to call a tool of type '{kind}'.",
            param="tool_choice.type",
        )
    mode = asked.get("mode") or "auto"
    return mode, {tool.get("name") for tool in asked.get("tools") or () if tool.get("type") == "function"}
