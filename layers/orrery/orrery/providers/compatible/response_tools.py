"""Tools, and which of them may be called, as a provider knows them."""

from typing import Any

from orrery.core.types import Json
from orrery.providers.answer import object_of
from orrery.providers.compatible.response_facts import Facts
from orrery.providers.compatible.response_items import unmarked
from orrery.providers.compatible.row import Row
from orrery.providers.lost import Lost

SPOKEN = frozenset({"function", "custom", "namespace"})
"""Tools that callers run themselves."""


def choice_and_tools(body: Json, row: Row, facts: Facts, lost: Lost) -> Json:
    """`tools` and `tool_choice` as far as they change: without hosted tools that the provider does not have.

    `allowed_tools` keeps the list whole for the cache's sake (OpenAI's API document 2.3.0, ToolChoiceAllowed). Where
    the provider does not know it, the tools that may be called are all that it hears of.
    """
    given = body.get("tools")
    if not isinstance(given, list):
        return {}
    tools = [tool for tool in given if object_of(tool).get("type", "function") in SPOKEN | facts.tools]
    if len(tools) < len(given):
        lost.add("tools")
    tools = [unmarked(tool, row, lost) for tool in tools]
    choice = object_of(body.get("tool_choice"))
    if choice.get("type") != "allowed_tools" or facts.allows:
        return {"tools": tools}
    allowed = [_name(tool) for tool in choice.get("tools") or ()]
    mode = choice.get("mode") or "auto"
    return {"tools": [tool for tool in tools if _name(tool) in allowed], "tool_choice": mode}


def _name(tool: Any) -> tuple[Any, Any]:
    found = object_of(tool)
    return found.get("type"), found.get("name")
