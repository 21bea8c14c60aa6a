"""Tools and the choice among them.

Sources, read 2026-11-21: `ToolConfiguration` in botocore 1.44.5's service model; "The toolConfig field must be defined
when using toolUse and toolResult content blocks" (the API's 400, quoted in aws-samples/bedrock-access-gateway#239,
2026-04-20, which also shows that the names of the called tools are enough).
"""

from orrery.core.types import Json
from orrery.providers.anthropic.tools import closed
from orrery.providers.bedrock.caching import Caching
from orrery.providers.bedrock.models import Traits
from orrery.providers.functions import functions_of
from orrery.providers.lost import Lost


def tools_of(body: Json, called: dict[str, None], traits: Traits, caching: Caching, lost: Lost) -> Json:
    """The `toolConfig`, or nothing where no tool may be called and none was. `called`: the tools of old calls."""
    functions, mode = functions_of(body)
    if mode == "none" or not functions:
        if mode == "required":
            lost.add("tool_choice")
        return _for_history(functions, called, lost)
    choice = _choice(body, functions, traits, lost) if mode == "required" else {}
    if "tool" in choice:
        functions, _ = functions_of({**body, "tool_choice": None})  # the others stay known: their cache stays valid
    marks = {(tool.get("function") or {}).get("name"): tool.get("cache_control") for tool in body["tools"]}
    tools: list[Json] = []
    for function in functions:
        tools.append(_tool(function, traits, lost))
        caching.mark(tools, marks.get(function["name"]), "tools")
    return {"tools": tools, **({"toolChoice": choice} if choice else {})}


def _for_history(functions: list[Json], called: dict[str, None], lost: Lost) -> Json:
    """There is no way to forbid tools but to send none, and a history with calls insists on some.

    They are those that were called. That they may be called again is what is lost.
    """
    if not called:
        return {}
    lost.add("tool_choice" if functions else "tools")
    known = {function["name"]: function for function in functions}
    bare = {"parameters": {"type": "object", "properties": {}}}
    return {"tools": [_spec(known.get(name) or {"name": name, **bare}) for name in called]}


def _tool(function: Json, traits: Traits, lost: Lost) -> Json:
    if function.get("strict") is not True:
        return _spec(function)
    if not traits.structured:
        lost.add("tools.strict")
        return _spec(function)
    tool = _spec({**function, "parameters": closed(function["parameters"])})
    tool["toolSpec"]["strict"] = True
    return tool


def _spec(function: Json) -> Json:
    schema = {"type": "object", "properties": {}, **function["parameters"]}
    spec: Json = {"name": function["name"], "inputSchema": {"json": schema}}
    if function.get("description"):
        spec["description"] = function["description"]
    return {"toolSpec": spec}


def _choice(body: Json, functions: list[Json], traits: Traits, lost: Lost) -> Json:
    """`any` or `tool`, as far as the model knows them; `any` of one tool alone says the same."""
    may = traits.choices if traits.claude is None or traits.claude.forced else ()
    is_named = isinstance(body["tool_choice"], dict) and "function" in body["tool_choice"]
    if is_named and "tool" in may:
        return {"tool": {"name": functions[0]["name"]}}
    if "any" in may:
        return {"any": {}}
    lost.add("tool_choice")
    return {}


def one_at_a_time(body: Json, tools: Json, traits: Traits, lost: Lost) -> Json:
    """What makes Claude call one tool at most, where `parallel_tool_calls` asks for it: a field of its own.

    Bedrock takes it for 4.5 and newer, and beside no `toolChoice` (BerriAI/litellm#34347, run against the API on
    2026-07-23, and #36536).
    """
    if body.get("parallel_tool_calls") is not False or not tools:
        return {}
    if traits.claude is None or not traits.claude.structured or "toolChoice" in tools:
        lost.add("parallel_tool_calls")
        return {}
    return {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
