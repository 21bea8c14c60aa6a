"""What a request may say of an MCP server: which tools, with whose word, with which headers, stored or not."""

from typing import Any

import pytest

from orrery.core.errors import InvalidRequest, NotFound
from tests.tools.mcp_room import Room, Scripted, listing, result, tool

READ = {"annotations": {"readOnlyHint": True}}
WRITE = {"annotations": {"readOnlyHint": False}}


@pytest.fixture
def room():
    made = Room()
    made.outside.hosts["mcp.test"] = Scripted(
        tools__list=listing(tool("read", **READ), tool("write", **WRITE), tool("unsaid")), tools__call=result("done")
    )
    return made


async def names(room: Room, **spec: Any) -> str:
    return " ".join(one.function["name"] for one in (await room.open(**spec)).tools)


async def asks(room: Room, **spec: Any) -> str:
    return " ".join(one.function["name"] for one in (await room.open(**spec)).tools if one.approval)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (None, "read write unsaid"),
        ([], ""),
        (["write", "missing"], "write"),
        ({}, "read write unsaid"),
        ({"tool_names": ["read", "unsaid"]}, "read unsaid"),
        ({"read_only": True}, "read"),
        ({"read_only": False}, "write unsaid"),
        ({"read_only": True, "tool_names": ["write", "unsaid"]}, ""),
    ],
)
async def test_only_allowed_tools_are_there(room, allowed, expected):
    assert await names(room, allowed_tools=allowed) == expected


@pytest.mark.parametrize(
    ("approval", "expected"),
    [
        ("always", "read write unsaid"),
        ("never", ""),
        (None, "read write unsaid"),
        (..., "read write unsaid"),
        ({}, "read write unsaid"),
        ({"never": {"tool_names": ["read"]}}, "write unsaid"),
        ({"never": {"read_only": True}}, "write unsaid"),
        ({"never": {}}, "read write unsaid"),
        ({"always": {}, "never": {"tool_names": ["read"]}}, "write unsaid"),
        ({"always": {"tool_names": ["read"]}, "never": {"tool_names": ["read", "write"]}}, "read unsaid"),
        ({"always": {"tool_names": ["write"]}, "never": {"read_only": False}}, "read write"),
    ],
)
async def test_a_word_is_asked_for_where_it_is_wanted(room, approval, expected):
    assert await asks(room, require_approval=approval) == expected


async def test_a_spec_without_label_asks_for_nothing_unless_it_says_so(room):
    """Orq's form has neither."""
    assert await asks(room, server_label=..., require_approval=...) == ""
    assert await asks(room, server_label=..., require_approval="always") == "read write unsaid"


@pytest.mark.parametrize("wanted", [True, False])
async def test_an_agents_own_word_comes_first(room, wanted):
    expected = "read write unsaid" if wanted else ""
    assert await asks(room, require_approval="never" if wanted else "always", requires_approval=wanted) == expected


async def test_what_was_approved_is_found_and_shown(room):
    opened = await room.open(require_approval="always")
    [found] = [one for one in opened.tools if (one.server_label, one.name) == ("srv", "write")]
    call = {"type": "function_call", "call_id": "c", "name": "write", "arguments": '{"a":1}'}
    asked = found.asked(call)
    assert asked == {"type": "mcp_approval_request", "server_label": "srv", "name": "write", "arguments": '{"a":1}'}
    _, shown = await room.run(opened, "write", a=1)
    assert shown["approval_request_id"] is None
    outcome, _ = await room.run(opened, "write", a=1)
    assert found.shown({**call, "approval_request_id": "mcpr_1"}, outcome)["approval_request_id"] == "mcpr_1"
    assert (found.type, found.hidden) == ("mcp", True)


@pytest.mark.parametrize(
    "spec",
    [
        {"server_url": ...},
        {"server_url": ""},
        {"server_url": 5},
        {"server_url": "http://mcp.test/mcp"},
        {"server_url": "ftp://mcp.test/mcp"},
        {"server_url": "//mcp.test/mcp"},
        {"server_url": "https:///mcp"},
        {"server_url": "https://user:word@mcp.test/mcp"},
        {"server_url": "https://user@mcp.test/mcp"},
        {"server_url": "https://mcp.test/mcp#part"},
        {"server_url": "https://mcp.test:99999/mcp"},
        {"server_url": "https://mcp.test/m cp"},
        {"server_url": "https://mcp.test/\r\nx: y"},
        {"server_url": "https://[::1/mcp"},
        {"server_label": "x" * 65},
        {"server_label": "a\nb"},
        {"server_label": 5},
        {"connector_id": "connector_gmail"},
        {"tunnel_id": "tunnel_1"},
        {"authorization": 5},
        {"authorization": "a\r\nx: y"},
        {"authorization": "{{bad}}"},
        {"headers": []},
        {"headers": {"X": 5}},
        {"headers": {"X": "a\nb"}},
        {"headers": {"X": " padded"}},
        {"headers": {"X": "{{bad}}"}},
        {"headers": {"X": "名"}},
        {"headers": {"X": "{{long}}"}},
        {"headers": {"": "a"}},
        {"headers": {"a b": "a"}},
        {"headers": {"a\r\nb": "a"}},
        {"headers": {"Host": "169.254.169.254"}},
        {"headers": {"Content-Length": "1"}},
        {"headers": {"transfer-encoding": "chunked"}},
        {"headers": {"Mcp-Session-Id": "x"}},
        {"headers": {f"x{n}": "a" for n in range(33)}},
        {"allowed_tools": "all"},
        {"allowed_tools": [5]},
        {"allowed_tools": {"tool_names": "a"}},
        {"allowed_tools": {"read_only": "yes"}},
        {"require_approval": "sometimes"},
        {"require_approval": True},
        {"require_approval": {"sometimes": {}}},
        {"require_approval": {"never": "all"}},
        {"key": 5, "server_url": ...},
        {"key": "stored"},
        {"server_description": 5},
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_sent(room, spec):
    with pytest.raises(InvalidRequest) as raised:
        await room.open(**spec, variables={"bad": "a\r\nx-evil: 1", "long": "x" * 40_000})
    assert raised.value.param == "tools"
    assert "evil" not in raised.value.message
    assert "word" not in raised.value.message
    assert room.outside.asked == []


async def test_an_unknown_variable_is_sent_as_it_stands(room):
    """As everywhere: a name that stands for nothing is left as it is."""
    await room.open(headers={"X-A": "{{missing}}"})
    assert room.outside.asked[0].headers["x-a"] == "{{missing}}"


async def test_one_header_is_sent_once_whatever_its_case(room):
    await room.open(headers={"Authorization": "Bearer one"}, authorization="two")
    assert room.outside.asked[0].headers["authorization"] == "Bearer two"


async def test_a_description_of_the_server_goes_before_those_of_its_tools(room):
    opened = await room.open(server_description="Our warehouse")
    assert opened.tools[0].function["description"] == "[srv: Our warehouse] does read"
    assert opened.items[0]["tools"][0]["description"] == "does read"


STORED = {
    "type": "mcp",
    "key": "warehouse",
    "description": "Stock",
    "mcp": {
        "server_url": "https://mcp.test/mcp",
        "headers": {"X-Api-Key": {"value": "stored-{{own}}", "encrypted": True}, "X-Plain": "plain"},
        "connection_type": "http",
    },
}


@pytest.mark.parametrize("spec", [{"type": "mcp", "key": "warehouse"}, {"type": "orq:mcp", "tool_id": "warehouse"}])
async def test_a_stored_tool_is_used(room, spec):
    room.shelf.kept["org-alice", "warehouse"] = STORED
    opened = await room.open(spec, variables={"own": "secret"})
    assert opened.items[0]["server_label"] == "warehouse"
    assert {one.type for one in opened.tools} == {spec["type"]}
    assert [one.function["name"] for one in opened.tools if not one.approval] == ["read", "write", "unsaid"]
    assert opened.tools[0].function["description"] == "[warehouse: Stock] does read"
    headers = room.outside.asked[0].headers
    assert (headers["x-api-key"], headers["x-plain"]) == ("stored-secret", "plain")
    assert opened.tools[0].server.secrets == ("stored-secret",)


async def test_a_request_may_narrow_a_stored_tool(room):
    room.shelf.kept["org-alice", "one"] = {**STORED, "mcp": {**STORED["mcp"], "tool_name": "read"}}  # type: ignore[dict-item]
    room.shelf.kept["org-alice", "all"] = {**STORED, "mcp": {**STORED["mcp"], "allowed_tools": ["read", "write"]}}  # type: ignore[dict-item]
    assert [one.name for one in (await room.open({"type": "mcp", "key": "one"})).tools] == ["read"]
    assert [one.name for one in (await room.open({"type": "mcp", "key": "all"})).tools] == ["read", "write"]
    more = {"allowed_tools": ["write"], "headers": {"x-plain": "mine"}, "server_label": "other"}
    opened = await room.open({"type": "mcp", "key": "all", **more})
    assert [(one.name, one.server_label) for one in opened.tools] == [("write", "other")]
    assert room.outside.asked[-1].headers["x-plain"] == "mine"
    assert (await room.open({"type": "mcp", "key": "one", **more})).tools == []


async def test_a_stored_tool_of_somebody_else_is_missing(room):
    room.shelf.kept["org-bob", "warehouse"] = STORED
    with pytest.raises(NotFound):
        await room.open({"type": "mcp", "key": "warehouse"})


@pytest.mark.parametrize(
    "stored",
    [{"type": "http", "http": {}}, {**STORED, "mcp": {**STORED["mcp"], "connection_type": "sse"}}],  # type: ignore[dict-item]
)
async def test_a_stored_tool_of_another_kind_is_refused(room, stored):
    room.shelf.kept["org-alice", "warehouse"] = stored
    with pytest.raises(InvalidRequest):
        await room.open({"type": "mcp", "key": "warehouse"})


@pytest.mark.parametrize(
    "spec", [{"type": "orq:mcp"}, {"type": "orq:mcp", "tool_id": 5}, {"type": "orq:mcp", "tool_id": ""}]
)
async def test_a_stored_tool_must_be_named(room, spec):
    with pytest.raises(InvalidRequest, match="tool_id"):
        await room.open(spec)


async def test_without_label_the_host_is_the_label(room):
    assert (await room.open(server_label=...)).items[0]["server_label"] == "mcp.test"
