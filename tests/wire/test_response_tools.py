"""The tools of a response: which are accepted, at which bounds, and what may be chosen among them."""

from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.wire.response_tools import ELSEWHERE, HOSTED, check_choice, sorted_out
from tests.wire.responding import asked, read, refusal

MODEL = {"model": "a/b"}
SERVER = {"server_url": "https://x.example/mcp"}
F, G = ({"type": "function", "name": name} for name in "fg")
MCP = {"type": "mcp", "server_label": "s", **SERVER}
CUSTOM = {"type": "custom", "name": "c"}

ORQ: tuple[list[Any], list[Any]] = (
    [
        {},
        {"files": [{"file_id": "a", "name": "b"}] * 10},
        {"network": {}},
        {"requires_approval": True},
        {"network": {"mode": "allowlist", "allowlist": ["x"] * 50}},
        {"tool_id": "t"},
    ],
    [
        {"files": [{"file_id": "a", "name": "b"}] * 11},
        {"files": [{"file_id": "a"}]},
        {"files": [{"name": "b"}]},
        {"network": {"mode": "open"}},
        {"network": {"allowlist": ["x"] * 51}},
        {"tool_id": 1},
        {"tool_id": ""},
    ],
)
STORED: tuple[list[Any], list[Any]] = ([{"tool_id": "t"}], [{}, {"tool_id": None}, {"tool_id": ""}])
SIDECAR: tuple[list[Any], list[Any]] = (
    [MODEL, {**MODEL, "max_tokens": 128_000, "max_uses": 0, "reasoning_effort": "max", "temperature": 2}],
    [{}, {"model": ""}]
    + [{**MODEL, **bad} for bad in ({"max_tokens": 128_001}, {"max_tokens": -1}, {"max_uses": -1})]
    + [{**MODEL, **bad} for bad in ({"reasoning_effort": "x"}, {"temperature": 2.1})],
)
SIDEKICK = (
    [*SIDECAR[0], {**MODEL, "system_prompt": "s", "output_format": "o"}],
    [*SIDECAR[1], {**MODEL, "system_prompt": 1}, {**MODEL, "output_format": {}}],
)
SEARCH: tuple[list[Any], list[Any]] = (
    [
        {},
        {"search_context_size": "low"},
        {"search_context_size": "high"},
        {"external_web_access": False},
        {"user_location": {"type": "approximate", "city": "x", "country": None}},
        {"filters": {"allowed_domains": ["a.b"]}},
        {"filters": None},
    ],
    [
        {"search_context_size": "huge"},
        {"user_location": "x"},
        {"user_location": {"city": 1}},
        {"filters": {"allowed_domains": "a.b"}},
        {"filters": []},
        {"external_web_access": 1},
    ],
)
PREVIEW: tuple[list[Any], list[Any]] = (
    [{}, {"domains": ["a.b"], "search_context_size": "medium", "user_location": {}}],
    [{"domains": "a.b"}, {"domains": [1]}, {"search_context_size": "x"}, {"user_location": []}],
)
TEAM: tuple[list[Any], list[Any]] = (
    [{}, {"agents": [{"key": "a", "role": "r"}, {"key": "b"}]}],
    [{"agents": ["a"]}, {"agents": [{}]}, {"agents": [{"key": ""}]}],
)
MEMORIES: tuple[list[Any], list[Any]] = (
    [{}, {"stores": ["m"], "top_k": 1}],
    [{"stores": "m"}, {"stores": [""]}, {"top_k": 0}, {"top_k": "1"}],
)
SERVERS: tuple[list[Any], list[Any]] = (
    [SERVER, {"key": "k"}, {"connector_id": "connector_gmail"}, {"tool_id": "t"}, {"tunnel_id": "x"}]
    + [{**SERVER, "server_label": "l", "server_description": "d", "authorization": "a", "headers": {"A": "{{b}}"}}]
    + [{**SERVER, "allowed_tools": good} for good in ([], ["a"], {}, {"tool_names": ["a"], "read_only": True})]
    + [{**SERVER, "require_approval": good} for good in ("always", "never", {"never": {"tool_names": ["a"]}}, None)],
    [{}, {"server_url": None}, {"server_url": ""}, {**SERVER, "headers": {"A": 1}}, {**SERVER, "headers": "x"}]
    + [{**SERVER, "allowed_tools": bad} for bad in ("a", [1], {"tool_names": "a"}, {"read_only": 1})]
    + [{**SERVER, "require_approval": bad} for bad in ("sometimes", True, {"always": "a"})]
    + [{**SERVER, "server_label": ""}, {**SERVER, "authorization": {}}],
)
CODE: tuple[list[Any], list[Any]] = (
    [{}, {"container": "c"}, {"container": {"type": "auto", "file_ids": ["f"]}}],
    [{"container": ""}, {"container": {"file_ids": "f"}}, {"container": 1}],
)

# type: (accepted, refused)
BOUNDS: dict[str, tuple[list[Any], list[Any]]] = {
    **dict.fromkeys(("orq:current_date", "orq:google_search", "orq:web_scraper", "orq:code_interpreter"), ORQ),
    **dict.fromkeys(("orq:mcp", "orq:http", "orq:function"), STORED),
    "orq:advisor": (
        [*SIDECAR[0], {**MODEL, "max_transcript_tokens": 0}],
        [*SIDECAR[1], {**MODEL, "max_transcript_tokens": -1}],
    ),
    "orq:sidekick": SIDEKICK,
    "orq:subagent": SIDEKICK,
    "orq:call_sub_agent": TEAM,
    "orq:retrieve_agents": TEAM,
    "orq:query_memory_store": MEMORIES,
    "orq:write_memory_store": MEMORIES,
    "orq:retrieve_memory_stores": MEMORIES,
    "orq:delete_memory_document": MEMORIES,
    "mcp": SERVERS,
    "web_search": SEARCH,
    "web_search_2025_08_26": SEARCH,
    "web_search_preview": PREVIEW,
    "web_search_preview_2025_03_11": PREVIEW,
    "code_interpreter": CODE,
    "function": (
        [
            {"name": "a-B_1" + "x" * 59},
            {"name": "f", "description": None, "parameters": None, "strict": None},
            {"name": "f", "parameters": {"type": "object"}, "strict": True, "cache_control": {"type": "ephemeral"}},
        ],
        [
            {},
            {"name": ""},
            {"name": "a b"},
            {"name": "x" * 65},
            {"name": "f", "parameters": []},
            {"name": "f", "strict": "yes"},
            {"name": "f", "description": 1},
            {"function": {"name": "f"}},
        ],
    ),
    **dict.fromkeys(ELSEWHERE, ([{}, {"anything": [1]}], [])),
}


def test_no_tool_is_missing_here() -> None:
    assert BOUNDS.keys() == {"function", *HOSTED, *ELSEWHERE}


@pytest.mark.parametrize(("kind", "fields"), [(kind, good) for kind, (some, _) in BOUNDS.items() for good in some])
def test_what_is_published_is_accepted_and_kept_as_it_came(kind: str, fields: dict[str, Any]) -> None:
    tool = {"type": kind, **fields}
    call = read(tools=[tool])
    kept = call.body.get("tools") if kind == "function" else call.options.responding and call.options.responding.hosted
    assert list(kept or ()) == [tool]


@pytest.mark.parametrize(("kind", "fields"), [(kind, bad) for kind, (_, some) in BOUNDS.items() for bad in some])
def test_what_is_outside_is_refused(kind: str, fields: dict[str, Any]) -> None:
    assert str(refusal(tools=[F, {"type": kind, **fields}]).param).startswith("tools[1]")


@pytest.mark.parametrize("tool", [{}, {"type": "x"}, {"type": "orq:x"}, {"type": 1}, {"type": None}])
def test_a_tool_that_nobody_has_is_refused(tool: dict[str, Any]) -> None:
    assert refusal(tools=[tool]).param == "tools[0].type"


def test_functions_are_told_from_all_others() -> None:
    assert sorted_out([F, MCP, G]) == ([F, G], (MCP,))
    assert sorted_out(None) == sorted_out([]) == ([], ())


TOOLS = [
    F,
    MCP,
    CUSTOM,
    {"type": "web_search_preview"},
    {"type": "computer_use_preview"},
    {"type": "orq:subagent", **MODEL},
]


def allowed(*tools: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "allowed_tools", "tools": list(tools), **more}


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "name": "f"},
        {"type": "mcp", "server_label": "s"},
        {"type": "mcp", "server_label": "s", "name": "any"},
        {"type": "custom", "name": "c"},
        {"type": "web_search_preview"},
        {"type": "web_search_preview_2025_03_11"},
        {"type": "computer"},
        {"type": "computer_use"},
        {"type": "orq:sidekick"},
        allowed({"type": "function", "name": "f"}, {"type": "mcp", "server_label": "s"}, mode="required"),
        allowed(*[{"type": "function", "name": "f"}] * 128, mode="none"),
        allowed({"type": "function", "name": "f"}, mode=None),
    ],
)
def test_a_tool_of_the_request_may_be_chosen(choice: dict[str, Any]) -> None:
    assert read(tools=TOOLS, tool_choice=choice).body["tool_choice"] == choice


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ({"type": "mcp", "server_label": "t"}, "tool_choice.server_label"),
        ({"type": "mcp"}, "tool_choice.server_label"),
        ({"type": "custom", "name": "d"}, "tool_choice.name"),
        ({"type": "web_search"}, "tool_choice.type"),
        ({"type": "image_generation"}, "tool_choice.type"),
        ({"type": "function"}, "tool_choice.name"),
        (allowed(), "tool_choice.tools"),
        (allowed(*[{"type": "function", "name": "f"}] * 129), "tool_choice.tools"),
        (allowed({"type": "function", "name": "f"}, mode="sometimes"), "tool_choice.mode"),
        (allowed({"type": "function", "name": "f"}, {"type": "file_search"}), "tool_choice.tools[1].type"),
        (allowed({"type": "function"}), "tool_choice.tools[0].name"),
        (allowed({"type": "allowed_tools", "tools": []}), "tool_choice.tools[0].type"),
        ({"type": "allowed_tools"}, "tool_choice.tools"),
    ],
)
def test_a_tool_that_the_request_does_not_have_cannot_be_chosen(choice: dict[str, Any], param: str) -> None:
    assert refusal(tools=TOOLS, tool_choice=choice).param == param


def test_a_function_is_known_by_its_name_where_nothing_else_brings_functions() -> None:
    choice = {"type": "function", "name": "g"}
    assert refusal(tools=[F], tool_choice=choice).param == "tool_choice.name"
    assert refusal(tools=[F], tool_choice=allowed(F, choice)).param == "tool_choice.tools[1].name"
    assert refusal(tool_choice=choice).param == "tool_choice.name"
    read(tools=[F, G], tool_choice=choice)
    read(tools=[F, {"type": "orq:function", "tool_id": "g"}], tool_choice=choice)
    assert asked(model="agent/a", tool_choice=choice).agent == "a"
    assert asked(model="agent/a", tool_choice={"type": "web_search"}).agent == "a"


def test_a_choice_can_be_judged_again_once_all_functions_are_known() -> None:
    check_choice("required", (), ())
    check_choice(None, (), ())
    check_choice({"type": "function", "name": "f"}, {"f"}, ())
    with pytest.raises(InvalidRequest, match="no tool of this request is 'f'"):
        check_choice({"type": "function", "name": "f"}, {"g"}, ())
    with pytest.raises(InvalidRequest) as caught:
        check_choice({"type": "function", "name": "f" * 1000}, (), None)
    assert len(caught.value.message) < 200
