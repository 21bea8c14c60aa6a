"""MCP tools against real servers of the official library: listed, called, shown, in every manner that it serves."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from mcp.server import MCPServer
from mcp_types import CallToolResult, ImageContent, TextContent, ToolAnnotations
from openai.types.responses import ResponseOutputItem
from pydantic import TypeAdapter
from starlette.types import ASGIApp, Receive, Scope, Send

from orrery.edge.http import HttpTransport
from tests.edge.running import free_port
from tests.tools.mcp_room import Room, reply, setting

ITEM: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)


def weather_server() -> MCPServer:
    server = MCPServer("weather")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def weather(city: str, days: int = 1) -> str:
        """Says the weather of a city."""
        return f"{city}: sun for {days} days"

    @server.tool()
    def report(city: str) -> dict[str, Any]:
        """Gives numbers."""
        return {"city": city, "celsius": 21}

    @server.tool(structured_output=False)
    def picture() -> CallToolResult:
        """Gives a picture and numbers that no text says."""
        return CallToolResult(
            content=[TextContent(text="look:"), ImageContent(data="aGVsbG8=", mime_type="image/png")],
            structured_content={"width": 1},
        )

    @server.tool()
    def broken() -> str:
        """Fails."""
        raise ValueError("no barometer")

    return server


class Guarded:
    """What stands before a server in the world: it lets in who has the token, and keeps what it saw."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: list[dict[str, str]] = []
        self.methods: list[str] = []
        self.modern = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.seen.append(headers)
            self.methods.append(scope["method"])
            if headers.get("authorization") != "Bearer token-of-alice":
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await self.app(scope, receive, send)


@pytest.fixture(scope="module", params=["streams", "json", "handshake", "stateless"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, Guarded]]:
    manner = request.param
    app = Guarded(
        weather_server().streamable_http_app(stateless_http=manner == "stateless", json_response=manner == "json")
    )
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="critical", ws="none"))
    started = threading.Event()
    was = server.startup

    async def startup(sockets: Any = None) -> None:
        await was(sockets)
        started.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(30)
    app.modern = manner in ("streams", "json")
    yield f"http://127.0.0.1:{port}", app
    server.should_exit = True
    thread.join()


@pytest.fixture
async def room(served):
    """`mcp.test` is the server on this machine: for this test alone, the way outside leads there."""
    root, app = served
    transport = HttpTransport()
    made = Room()

    def there(request):
        if b"server/discover" in request.body and not app.modern:
            return reply(None, 404)  # as servers do that know the handshake only
        return transport.send(replace(request, url=request.url.replace("https://mcp.test", root)), 10)

    made.outside.hosts["mcp.test"] = there
    yield made
    assert made.outside.open == 0, "everything was closed"
    await transport.aclose()


ALLOWED = {"authorization": "token-of-alice"}


async def test_tools_are_listed_and_called(room):
    opened = await room.open(**ALLOWED)
    [item] = opened.items
    assert ITEM.validate_python({"id": "mcpl_1", **item}).type == "mcp_list_tools"
    assert item["error"] is None
    assert [tool["name"] for tool in item["tools"]] == ["weather", "report", "picture", "broken"]
    assert item["tools"][0]["annotations"] == {"readOnlyHint": True}
    weather = opened.tools[0].function
    assert (weather["type"], weather["name"], weather["description"]) == (
        "function",
        "weather",
        "Says the weather of a city.",
    )
    assert weather["parameters"]["required"] == ["city"]

    outcome, shown = await room.run(opened, "weather", city="Ulm", days=2)
    assert (outcome.output, outcome.failed) == ("Ulm: sun for 2 days", False)
    assert shown == {
        "type": "mcp_call",
        "server_label": "srv",
        "name": "weather",
        "arguments": '{"city": "Ulm", "days": 2}',
        "output": "Ulm: sun for 2 days",
        "error": None,
        "status": "completed",
        "approval_request_id": None,
    }
    assert ITEM.validate_python({"id": "mcp_1", **shown}).type == "mcp_call"


async def test_numbers_and_pictures_are_told_in_words(room):
    opened = await room.open(**ALLOWED)
    outcome, _ = await room.run(opened, "report", city="Ulm")
    assert json.loads(outcome.output) == {"city": "Ulm", "celsius": 21}, "once, though the server says it twice"
    outcome, _ = await room.run(opened, "picture")
    assert outcome.output.splitlines() == [
        "look:",
        "[image: image/png, about 6 bytes, which cannot be shown here]",
        '{"width":1}',
    ]


async def test_a_tool_that_fails_is_a_failed_call(room):
    opened = await room.open(**ALLOWED)
    outcome, shown = await room.run(opened, "broken")
    assert outcome.failed
    assert outcome.output == "Error executing tool broken"
    assert shown["status"] == "failed"
    assert shown["output"] is None
    assert shown["error"]["type"] == "mcp_tool_execution_error"
    assert ITEM.validate_python({"id": "mcp_1", **shown}).error.type == "mcp_tool_execution_error"


async def test_arguments_that_the_server_refuses_are_a_failed_call(room):
    opened = await room.open(**ALLOWED)
    outcome, shown = await room.run(opened, "weather", town="Ulm")
    assert outcome.failed
    assert shown["status"] == "failed"


async def test_a_server_that_refuses_the_token_has_no_tools(room):
    opened = await room.open(authorization="another-token")
    assert opened.tools == []
    [item] = opened.items
    assert item["error"] == "The MCP server 'srv' answered with status 401."
    assert "another-token" not in str(opened)


async def test_the_token_may_go_while_the_tools_stay(room):
    opened = await room.open(**ALLOWED)
    lost = replace(opened.tools[0], server=replace(opened.tools[0].server, headers={}))
    outcome = await lost.run({"city": "Ulm"}, setting())
    assert outcome.failed
    error = lost.shown({"arguments": "{}"}, outcome)["error"]
    assert error == {"type": "http_error", "code": 401, "message": "The MCP server 'srv' answered with status 401."}
    assert ITEM.validate_python({"id": "m", **lost.shown({"arguments": "{}"}, outcome)}).error.code == 401


async def test_headers_arrive_with_their_variables(room, served):
    _, app = served
    app.seen.clear()
    await room.open(
        headers={"Authorization": "Bearer {{token}}", "X-Team": "{{team.name}}"},
        variables={"token": "token-of-alice", "team": {"name": "Blue"}},
    )
    assert {seen.get("x-team") for seen in app.seen} == {"Blue"}
    assert {seen["user-agent"] for seen in app.seen} == {"orrery"}


async def test_sessions_are_ended(room, served):
    _, app = served
    app.methods.clear()
    app.seen.clear()
    opened = await room.open(**ALLOWED)
    await room.run(opened, "weather", city="Ulm")
    sessions = {seen["mcp-session-id"] for seen in app.seen if "mcp-session-id" in seen}
    assert app.methods.count("DELETE") == len(sessions)
    assert len(sessions) in (0, 2), "one for each operation, where the server has sessions"
    assert "GET" not in app.methods


async def test_many_calls_at_once_do_not_meet(room):
    opened = await room.open(**ALLOWED)
    cities = [f"City {number}" for number in range(8)]
    outcomes = await asyncio.gather(*[room.run(opened, "weather", city=city) for city in cities])
    assert [outcome.output for outcome, _ in outcomes] == [f"{city}: sun for 1 days" for city in cities]
