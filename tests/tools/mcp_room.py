"""A place where MCP tools are opened and run: servers by host name, a toolbox, and a setting."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from orrery.core.agents import StoredDocument
from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import NotFound, Unreachable
from orrery.core.tools import Opened, Outcome, Setting
from orrery.core.types import Json
from orrery.tools import Outfit, Tools
from tests.fakes import FakeReply

URL = "https://mcp.test/mcp"

type Answer = Callable[[UpstreamRequest], Any]


class Outside:
    """`core.ports.Transport` that knows the servers it is told of, and refuses the rest as the real one does."""

    def __init__(self) -> None:
        self.asked: list[UpstreamRequest] = []
        self.hosts: dict[str, Answer] = {}
        self.open = 0

    @asynccontextmanager
    async def send(self, request: UpstreamRequest, timeout_s: float) -> AsyncIterator[Any]:
        self.asked.append(request)
        host = request.url.split("/")[2]
        if not request.url.startswith("https://") or host not in self.hosts:
            raise Unreachable(f"no connection to {host}")
        found = self.hosts[host](request)
        self.open += 1
        try:
            if hasattr(found, "__aenter__"):
                async with found as reply:
                    yield reply
            else:
                yield await found if hasattr(found, "__await__") else found
        finally:
            self.open -= 1


@dataclass
class Shelf:
    """`core.keeping.StoredTools` in a dictionary, by organization and id or key."""

    kept: dict[tuple[str, str], Json] = field(default_factory=dict)

    async def find(self, organization: str, tool: str) -> StoredDocument:
        try:
            body = self.kept[organization, tool]
        except KeyError:
            raise NotFound(f"Tool '{tool}' not found") from None
        return StoredDocument("tool_1", tool, body, 0.0, 0.0)


async def nothing(*_: Any) -> Any:
    raise AssertionError("nothing here asks for that")


def setting(timeout_s: float = 10.0, **variables: Any) -> Setting:
    return Setting("org-alice", timeout_s, 1_800_000_000.0, nothing, nothing, variables)


class Room:
    def __init__(self) -> None:
        self.outside = Outside()
        self.shelf = Shelf()
        unused: Any = nothing
        self.tools = Tools(Outfit(self.outside, unused, unused, self.shelf, unused))

    async def open(self, spec: Json | None = None, *, timeout_s: float = 10.0, **more: Any) -> Opened:
        variables = more.pop("variables", {})
        told = {"type": "mcp", "server_label": "srv", "server_url": URL, "require_approval": "never", **more}
        told = {name: value for name, value in (spec or told).items() if value is not ...}
        return await self.tools.open(told, setting(timeout_s, **variables))

    async def run(
        self, opened: Opened, name: str, *, timeout_s: float = 10.0, **arguments: Any
    ) -> tuple[Outcome, Json]:
        """The outcome, and the item that shows it."""
        tool = next(tool for tool in opened.tools if tool.function["name"] == name)
        outcome = await tool.run(arguments, setting(timeout_s))
        call = {"type": "function_call", "call_id": "c1", "name": name, "arguments": json.dumps(arguments)}
        return outcome, tool.shown(call, outcome)


class Scripted:
    """A server that answers each method with what a test says: a result, a reply, or a function of the request."""

    def __init__(self, **answers: Any) -> None:
        self.methods: list[str] = []
        self.answers = {
            "initialize": {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "scripted", "version": "1"},
            },
            **{name.replace("__", "/"): answer for name, answer in answers.items()},
        }

    def __call__(self, request: UpstreamRequest) -> Any:
        if request.method != "POST":
            self.methods.append(request.method)
            return reply(None, 204)
        said = json.loads(bytes(request.body))  # type: ignore[arg-type]
        self.methods.append(said["method"])
        if "id" not in said:
            return reply(None, 202)
        answer = self.answers.get(said["method"])
        if callable(answer):
            answer = answer(said)
        if answer is None:
            return reply({"jsonrpc": "2.0", "id": said["id"], "error": {"code": -32601, "message": "Method not found"}})
        if isinstance(answer, dict):
            return reply({"jsonrpc": "2.0", "id": said["id"], "result": answer})
        return answer


def reply(body: Any, status: int = 200, media_type: str = "application/json", **headers: str) -> FakeReply:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named: Mapping[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}
    return FakeReply(status=status, headers={"content-type": media_type, **named}, parts=[data])


def tool(name: str, **more: Any) -> Json:
    return {"name": name, "description": f"does {name}", "inputSchema": {"type": "object", "properties": {}}, **more}


def listing(*tools: Json, **more: Any) -> Json:
    return {"tools": list(tools), **more}


def result(*texts: str, **more: Any) -> Json:
    return {"content": [{"type": "text", "text": text} for text in texts], **more}
