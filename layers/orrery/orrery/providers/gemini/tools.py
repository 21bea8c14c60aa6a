"""Tools and the choice among them.

Sources, read 2026-11-21: `FunctionDeclaration` and `FunctionCallingConfig` of the google-genai Python SDK 3.4;
"Function calling" (ai.google.dev): ANY and VALIDATED hold calls to their schema, AUTO does not.
"""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.gemini.schemas import adapted
from orrery.providers.lost import Lost

_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}


def tools_of(body: Json, lost: Lost) -> list[Json]:
    """All tools as one list of declarations, in their order."""
    listed = [_declaration(tool, number, lost) for number, tool in enumerate(body.get("tools") or ())]
    return [{"functionDeclarations": listed}] if listed else []


def _declaration(tool: Json, number: int, lost: Lost) -> Json:
    function = tool.get("function")
    if tool.get("type", "function") != "function" or not isinstance(function, dict):
        raise InvalidRequest("Gemini models take function tools only.", param=f"tools[{number}].type")
    declaration: Json = {"name": function["name"]}
    if function.get("description"):
        declaration["description"] = function["description"]
    schema, loosened = adapted({"type": "object", **(function.get("parameters") or {})})
    if any(schema.get(name) for name in ("properties", "additionalProperties", "anyOf")):
        # "For function with no parameters, this can be left unset": an object without any is refused in places.
        declaration["parametersJsonSchema"] = schema
    if loosened and function.get("strict") is True:
        lost.add("tools.strict")
    if tool.get("cache_control"):
        lost.add("cache_control")
    return declaration


def choice_of(body: Json, lost: Lost) -> Json | None:
    """The `toolConfig`, or None where the default says the same."""
    if body.get("parallel_tool_calls") is False:
        lost.add("parallel_tool_calls")
    choice, tools = body.get("tool_choice"), body.get("tools") or ()
    if not tools:
        if choice not in (None, "auto", "none"):
            lost.add("tool_choice")
        return None
    mode, names = _choice(choice)
    if mode == "AUTO" and (names or any((tool.get("function") or {}).get("strict") is True for tool in tools)):
        mode = "VALIDATED"
    if mode == "AUTO":
        return None
    return {"functionCallingConfig": {"mode": mode, **({"allowedFunctionNames": names} if names else {})}}


def _choice(choice: Any) -> tuple[str, list[str]]:
    if choice is None or isinstance(choice, str):
        return _MODES[choice or "auto"], []
    if "allowed_tools" in choice:
        allowed = choice["allowed_tools"]
        names = [(tool.get("function") or tool).get("name") for tool in allowed.get("tools") or ()]
        return (_MODES[allowed["mode"]], [name for name in names if name]) if names else ("NONE", [])
    if "function" not in choice:
        raise InvalidRequest("Gemini models can be made to call function tools only.", param="tool_choice.type")
    return "ANY", [choice["function"]["name"]]
