"""The tools of a response and the choice among them, as requests write them.

Sources: Open Responses 2026-04-24, OpenAI's API document 2.3.0 with its Python SDK 3.52, Orq's field trees and its page
about web search (all read 2026-11-21). Of tools that only OpenAI has, nothing but the type is judged: the provider runs
them, where one does.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.wire.chat_messages import CACHE_CONTROL
from orrery.wire.shapes import (
    BOOLEAN,
    FILLED,
    FUNCTION_NAME,
    OBJECT,
    STRING,
    Shape,
    array,
    either,
    integer,
    number,
    one_of,
    record,
    rule,
    variants,
)

EFFORT = one_of("none", "minimal", "low", "medium", "high", "xhigh", "max")

FUNCTION = record(
    {"name": FUNCTION_NAME},
    {
        "description": STRING,
        "parameters": OBJECT,
        "strict": BOOLEAN,
        "output_schema": OBJECT,
        "defer_loading": BOOLEAN,
        "cache_control": CACHE_CONTROL,
    },
)

_APPROVED = {"requires_approval": BOOLEAN}
_PLACE = record({}, dict.fromkeys(("type", "country", "region", "city", "timezone"), STRING))
_WIDTH = one_of("low", "medium", "high")
_SEARCH = record(
    {},
    {
        "search_context_size": _WIDTH,
        "user_location": _PLACE,
        "filters": record({}, {"allowed_domains": array(STRING), "blocked_domains": array(STRING)}),
        "external_web_access": BOOLEAN,
        **_APPROVED,
    },
)
_SEARCH_PREVIEW = record(
    {},
    {"search_context_size": _WIDTH, "user_location": _PLACE, "domains": array(STRING), **_APPROVED},
)
_ORQ = {
    "files": array(record({"file_id": FILLED, "name": FILLED}), at_most=10),
    "network": record({}, {"mode": one_of("disabled", "allowlist"), "allowlist": array(STRING, at_most=50)}),
    **_APPROVED,
}
_BUILT_IN = record({}, {**_ORQ, "tool_id": FILLED})
_STORED = record({"tool_id": FILLED}, _ORQ)
_SIDECAR = {
    "max_tokens": integer(0, 128_000),
    "max_uses": integer(0),
    "reasoning_effort": EFFORT,
    "temperature": number(0, 2),
    **_APPROVED,
}
_SIDEKICK = record({"model": FILLED}, {**_SIDECAR, "system_prompt": STRING, "output_format": STRING})
_MEMORIES = record({}, {"stores": array(FILLED), "top_k": integer(1), **_APPROVED})
_TEAM = record({}, {"agents": array(record({"key": FILLED}, {"role": STRING})), **_APPROVED})

_PICKED = record({}, {"tool_names": array(STRING), "read_only": BOOLEAN})


def _texts(pairs: dict[str, Any]) -> str | None:
    return None if all(type(value) is str for value in pairs.values()) else "values that are strings"


def _place(server: dict[str, Any]) -> str | None:
    places = ("server_url", "key", "tool_id", "connector_id", "tunnel_id")
    return None if any(server.get(name) is not None for name in places) else "server_url or key"


MCP = rule(
    _place,
    record(
        {},
        {
            "server_label": FILLED,
            **dict.fromkeys(("server_url", "key", "tool_id", "connector_id", "tunnel_id"), FILLED),
            "server_description": STRING,
            "authorization": STRING,
            "headers": rule(_texts, OBJECT),
            "allowed_tools": either(array=array(STRING), object=_PICKED),
            "require_approval": either(
                text=one_of("always", "never"), object=record({}, {"always": _PICKED, "never": _PICKED})
            ),
            **_APPROVED,
        },
    ),
)

_CONTAINER = either(text=FILLED, object=record({}, {"type": STRING, "file_ids": array(STRING)}))

HOSTED: Mapping[str, Shape] = {
    **dict.fromkeys(("orq:current_date", "orq:google_search", "orq:web_scraper", "orq:code_interpreter"), _BUILT_IN),
    **dict.fromkeys(("orq:mcp", "orq:http", "orq:function"), _STORED),
    "orq:advisor": record({"model": FILLED}, {**_SIDECAR, "max_transcript_tokens": integer(0)}),
    "orq:sidekick": _SIDEKICK,
    "orq:subagent": _SIDEKICK,  # the newer name for the same
    **dict.fromkeys(("orq:call_sub_agent", "orq:retrieve_agents"), _TEAM),
    **dict.fromkeys(
        (
            *("orq:query_memory_store", "orq:write_memory_store"),
            *("orq:retrieve_memory_stores", "orq:delete_memory_document"),
        ),
        _MEMORIES,
    ),
    "mcp": MCP,
    **dict.fromkeys(("web_search", "web_search_2025_08_26"), _SEARCH),
    **dict.fromkeys(("web_search_preview", "web_search_preview_2025_03_11"), _SEARCH_PREVIEW),
    "code_interpreter": record({}, {"container": _CONTAINER, **_APPROVED}),
}
"""Tools that can run here, by type."""

ELSEWHERE = (
    *("file_search", "computer", "computer_use_preview", "image_generation", "local_shell", "shell", "custom"),
    *("apply_patch", "namespace", "tool_search", "programmatic_tool_calling"),
)
"""Tools that exist at OpenAI and not here."""

TOOL = variants("type", {"function": FUNCTION, **HOSTED, **dict.fromkeys(ELSEWHERE, OBJECT)})

_CHOSEN = record({"name": FILLED})
_OF_SERVER = record({"server_label": FILLED}, {"name": STRING})
_BY_TYPE = {**dict.fromkeys((*HOSTED, *ELSEWHERE, "computer_use"), OBJECT), "custom": _CHOSEN, "mcp": _OF_SERVER}
_ONE = variants("type", {"function": _CHOSEN, **_BY_TYPE})

TOOL_CHOICE = either(
    text=one_of("none", "auto", "required"),
    object=variants(
        "type",
        {
            "function": _CHOSEN,
            "allowed_tools": record(
                {"tools": array(_ONE, at_least=1, at_most=128)}, {"mode": one_of("none", "auto", "required")}
            ),
            **_BY_TYPE,
        },
    ),
)


def sorted_out(tools: Sequence[Json] | None) -> tuple[list[Json], tuple[Json, ...]]:
    """The functions, which the caller answers, and all others."""
    tools = tools or ()
    functions = [tool for tool in tools if tool["type"] == "function"]
    return functions, tuple(tool for tool in tools if tool["type"] != "function")


def check_choice(choice: Any, names: Collection[str] | None, hosted: Sequence[Json] | None) -> None:
    """Raises `InvalidRequest` where `tool_choice` names what is none of the request's tools.

    `names` are those of all functions that a model is told of, `hosted` all other tools. None: not known yet, as hosted
    tools bring functions of their own, and agents bring both.
    """
    if not isinstance(choice, Mapping):
        return
    if choice["type"] != "allowed_tools":
        _check_one(choice, "tool_choice", names, hosted)
        return
    for place, one in enumerate(choice["tools"]):
        _check_one(one, f"tool_choice.tools[{place}]", names, hosted)


def _check_one(
    choice: Mapping[str, Any], param: str, names: Collection[str] | None, hosted: Sequence[Json] | None
) -> None:
    kind = choice["type"]
    key = _NAMED_BY.get(kind, "type")
    if kind == "function":
        found = names is None or choice["name"] in names
    else:
        found = hosted is None or any(_is_chosen(tool, choice, key) for tool in hosted)
    if not found:
        raise InvalidRequest(
            f"Invalid value for '{param}.{key}': no tool of this request is '{choice[key][:80]}'.",
            param=f"{param}.{key}",
        )


_NAMED_BY: Mapping[str, str] = {"function": "name", "custom": "name", "mcp": "server_label"}
"""What names one tool among several of its type."""

_SAME: Mapping[str, str] = {
    "web_search_2025_08_26": "web_search",
    "web_search_preview_2025_03_11": "web_search_preview",
    "computer_use": "computer",
    "computer_use_preview": "computer",
    "orq:subagent": "orq:sidekick",
}


def _is_chosen(tool: Mapping[str, Any], choice: Mapping[str, Any], key: str) -> bool:
    """Whether a choice means this tool. One kind may have several names, of which any will do."""
    kind, chosen = tool["type"], choice["type"]
    same = _SAME.get(kind, kind) == _SAME.get(chosen, chosen)
    return same and (key == "type" or tool.get(key) == choice[key])
