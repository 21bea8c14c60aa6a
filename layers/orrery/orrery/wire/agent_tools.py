"""The tools of agents: as they are posted, as they are shown, and as entries of a request's `tools`.

Sources: Orq's field tree of POST /v2/agents and the models of its Python SDK (orq-ai/orq-python, AgentToolInputCRUD and
RetrieveAgentRequestTools; read 2026-11-21). What a tool does is set by `configuration`: here it is laid over the entry.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.wire.shapes import (
    BOOLEAN,
    FILLED,
    OBJECT,
    STRING,
    Shape,
    array,
    integer,
    number,
    one_of,
    record,
    rule,
    variants,
    whole,
)

TEAM = ("call_sub_agent", "retrieve_agents")
MEMORIES = ("query_memory_store", "write_memory_store", "retrieve_memory_stores", "delete_memory_document")
SIDECARS = ("advisor", "sidekick")
BUILT_IN = ("google_search", "web_scraper", "current_date", "code_interpreter", *TEAM, *MEMORIES, *SIDECARS)

STORED: Mapping[str, str] = {
    "http": "orq:http",
    "code": "orq:function",
    "function": "orq:function",
    "json_schema": "orq:function",
    "mcp": "orq:mcp",
}
"""Types of stored tools, and of the entry that names one."""

ABSENT = ("retrieve_knowledge_bases", "query_knowledge_base")
"""This gateway keeps no knowledge bases."""

MOST_TOOLS = 128
RESERVED = frozenset({"type", "requires_approval", "agents", "stores"})
"""What an entry says that no configuration may."""

_EFFORT = one_of("none", "minimal", "low", "medium", "high", "xhigh", "max")

# As Orq's field tree of POST /v3/router/responses has the two.
_SIDECAR: dict[str, Shape] = {
    "max_tokens": integer(0, 128_000),
    "max_uses": integer(0),
    "reasoning_effort": _EFFORT,
    "temperature": number(0, 2),
}
_ADVISOR = record({"model": FILLED}, {**_SIDECAR, "max_transcript_tokens": integer(0)})
_SIDEKICK = record({"model": FILLED}, {**_SIDECAR, "system_prompt": STRING, "output_format": STRING})


def _named(tool: dict[str, Any]) -> str | None:
    return None if tool.get("key") or tool.get("id") else "a 'key' or an 'id' of a stored tool"


_APPROVAL: dict[str, Shape] = {"requires_approval": BOOLEAN}
_CONFIGURED = record({}, {**_APPROVAL, "configuration": OBJECT})
_REFERENCE: dict[str, Shape] = {**_APPROVAL, "key": STRING, "id": STRING}

TOOLS = array(
    variants(
        "type",
        {
            **dict.fromkeys(BUILT_IN, _CONFIGURED),
            "advisor": record({"configuration": _ADVISOR}, _APPROVAL),
            "sidekick": record({"configuration": _SIDEKICK}, _APPROVAL),
            **dict.fromkeys(STORED, rule(_named, record({}, _REFERENCE))),
            "http": rule(_named, record({}, {**_REFERENCE, "timeout": number(1, 600)})),
            "mcp": rule(_named, record({}, {**_REFERENCE, "tool_id": FILLED})),
        },
    ),
    at_most=MOST_TOOLS,
)


def refuse_absent(tools: Any) -> None:
    """Raises `InvalidRequest` for tools that are known but cannot be had here, and for what no configuration may say.

    `tools` is whatever was posted.
    """
    for at, tool in enumerate(tools if type(tools) is list else ()):
        if type(tool) is not dict:
            continue
        named, configuration = tool.get("type"), tool.get("configuration")
        if type(named) is str and (named in ABSENT or ":" in named):
            what = "knowledge bases" if named in ABSENT else "tools of a provider's own in agents"
            raise InvalidRequest(
                f"Unsupported tool: '{named[:80]}'. This gateway has no {what}.",
                param=f"settings.tools[{at}].type",
                code="unsupported_parameter",
            )
        if type(configuration) is dict and (found := RESERVED & set(configuration)):
            path = f"settings.tools[{at}].configuration.{min(found)}"
            raise InvalidRequest(f"Invalid value for '{path}': that is not set so.", param=path)


def shown(tool: Mapping[str, Any]) -> Json:
    """A tool as `GET` gives it: other names than those it is posted with."""
    found: Json = {
        "action_type": tool["type"],
        "id": tool.get("id") or tool.get("key") or tool["type"],
        "key": tool.get("key") or tool.get("id") or tool["type"],
        "requires_approval": bool(tool.get("requires_approval")),
        "configuration": tool.get("configuration") or {},
    }
    return found | {name: tool[name] for name in ("tool_id", "timeout") if tool.get(name) is not None}


def entry(tool: Mapping[str, Any], team: Sequence[Json], stores: Sequence[str]) -> Json:
    """A tool as an entry of a Responses body's `tools`; `requires_approval` stands only where it is true."""
    kind = tool["type"]
    made: Json = {"type": STORED.get(kind, f"orq:{kind}")}
    if tool.get("requires_approval"):
        made["requires_approval"] = True
    if kind in STORED:
        made["tool_id"] = tool.get("key") or tool["id"]
        if kind == "mcp" and tool.get("tool_id"):
            made["allowed_tools"] = {"tool_names": [tool["tool_id"]]}
        return made | {name: tool[name] for name in ("timeout",) if tool.get(name) is not None}
    made |= tool.get("configuration") or {}
    if kind in TEAM:
        made["agents"] = list(team)
    if kind in MEMORIES:
        made["stores"] = list(stores)
    return made


RETRY = record({}, {"count": whole(1, 5), "on_codes": array(whole(100, 599), at_least=1)})
