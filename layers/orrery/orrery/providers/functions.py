"""Tools of dialects that take functions as OpenAI writes them, but know fewer ways to choose among them."""

from typing import Literal

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json

type Mode = Literal["auto", "required", "none"]


def functions_of(body: Json) -> tuple[list[Json], Mode]:
    """The functions that may be called, in their order, and whether one must be.

    A choice of one function, or of some, becomes a choice among those alone. Each is `{name, parameters}` with
    `description` and `strict` where the caller gave them. Raises `InvalidRequest` for tools that are no functions.
    """
    functions = [_function(tool, number) for number, tool in enumerate(body.get("tools") or ())]
    mode, allowed = _choice(body.get("tool_choice"))
    return [function for function in functions if allowed is None or function["name"] in allowed], mode


def _function(tool: Json, number: int) -> Json:
    function = tool.get("function")
    if tool.get("type", "function") != "function" or not isinstance(function, dict):
        raise InvalidRequest("These models take function tools only.", param=f"tools[{number}].type")
    known = {name: function[name] for name in ("name", "description", "strict") if function.get(name) is not None}
    return {**known, "parameters": function.get("parameters") or {"type": "object", "properties": {}}}


def _choice(choice: str | Json | None) -> tuple[Mode, set[str] | None]:
    """Whether a tool must be called, and the names of those that may; None for all."""
    if choice is None or isinstance(choice, str):
        return _mode(choice), None
    if "allowed_tools" in choice:
        listed = choice["allowed_tools"].get("tools") or ()
        names = {(tool.get("function") or tool).get("name") for tool in listed}
        return _mode(choice["allowed_tools"].get("mode")), names
    if "function" not in choice:
        raise InvalidRequest("These models can be made to call function tools only.", param="tool_choice.type")
    return "required", {choice["function"]["name"]}


def _mode(word: str | None) -> Mode:
    return "required" if word == "required" else "none" if word == "none" else "auto"
