"""Responses through the flow: an upstream that is scripted, a table that is real, and tools that tests make up."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from orrery.core.errors import GatewayError
from orrery.core.responses import Context, StoredResponse, Work
from orrery.core.tools import HostedTool, Opened, Outcome, Setting
from orrery.core.types import Call, Json, Principal
from orrery.edge.extras import TableExtras
from orrery.edge.reach import Reach
from orrery.edge.vault import NoVault
from orrery.flow.serve import serve
from orrery.stores.table import Table
from orrery.wire.posted import Posted
from orrery.wire.responses import read_compaction, read_response
from tests.fakes import DONE, FakeReply, Room, chunk, stream, usage_chunk
from tests.flow.asking import Told, arrive, heard

MODEL = "openai/gpt-4o-mini"
CHAT = "deepseek/deepseek-chat"
"""A model of a provider that only chats: it goes over the bridge."""

NOW = 1_800_000_000


@dataclass
class FakeQueue:
    """What was sent."""

    sent: list[Work] = field(default_factory=list)

    async def send(self, work: Work) -> None:
        self.sent.append(work)


@dataclass
class FakeTool:
    """`does` makes the outcome of a call; `ran` are the arguments it was called with."""

    name: str = "clock"
    does: Callable[[Json, Setting], Awaitable[Outcome]] | None = None
    hidden: bool = False
    approval: bool = False
    type: str = "orq:current_date"
    ran: list[Json] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)

    @property
    def function(self) -> Json:
        return {"type": "function", "name": self.name, "description": "", "parameters": {"type": "object"}}

    async def run(self, arguments: Json, setting: Setting) -> Outcome:
        self.ran.append(arguments)
        self.settings.append(setting)
        return await self.does(arguments, setting) if self.does else Outcome("noon")

    def shown(self, call: Json, outcome: Outcome) -> Json:
        status = "failed" if outcome.failed else "completed"
        told = {"call_id": call["call_id"], "name": self.name, "arguments": call["arguments"]}
        return {"type": self.type, **told, "output": outcome.output, "status": status}

    def asked(self, call: Json) -> Json:
        return {"type": "mcp_approval_request", "server_label": "s", "name": self.name, "arguments": call["arguments"]}


@dataclass
class FakeToolbox:
    """The tools by their type; what is not in it is opened by the real one."""

    tools: Mapping[str, HostedTool] = field(default_factory=dict)
    real: Any = None

    async def open(self, spec: Json, setting: Setting) -> Opened:
        if spec["type"] in self.tools:
            return Opened([self.tools[spec["type"]]])
        opened: Opened = await self.real.open(spec, setting)
        return opened


class Extras(TableExtras):
    """The real ones, but for the toolbox and the queue."""

    def __init__(self, table: Table, **tools: HostedTool) -> None:
        self.sent = FakeQueue()
        super().__init__(table, peppers=_no_peppers, reach=_reach(self.sent), blobs=Blobs, kept_blobs=Blobs)
        self.hosted = {tool.type: tool for tool in tools.values()}

    @property
    def toolbox(self) -> FakeToolbox:  # type: ignore[override]
        return FakeToolbox(self.hosted, super().toolbox)


class Memory:
    """Responses in a dictionary, for tests of many requests that do not look at the store."""

    def __init__(self) -> None:
        self.kept: dict[str, StoredResponse] = {}
        self._numbers = itertools.count()

    def new_id(self, context: Context | None = None) -> str:
        return f"resp_{next(self._numbers):027d}"

    async def context(self, organization: str, response: str) -> Context:
        found = self.kept[response]
        before = (await self.context(organization, found.parent)).items if found.parent else ()
        await asyncio.sleep(0)
        return Context([*before, *found.input, *found.output])

    async def begin(self, response: StoredResponse) -> None:
        self.kept.setdefault(response.id, response)

    async def save(self, response: StoredResponse) -> bool:
        return await self.finish(response)

    async def finish(self, response: StoredResponse) -> bool:
        assert response.id not in self.kept or self.kept[response.id].status == "in_progress"
        self.kept[response.id] = response
        return True


class Blobs:
    """What is too large for the table, in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    async def put(self, organization: str, name: str, data: bytes) -> None:
        self.kept[organization, name] = data

    async def get(self, organization: str, name: str) -> bytes | None:
        return self.kept.get((organization, name))

    async def delete(self, organization: str, name: str) -> None:
        self.kept.pop((organization, name), None)


async def _no_peppers() -> Mapping[int, bytes]:
    return {1: b"pepper" * 6}


async def _no_keys() -> Mapping[str, str]:
    return {}


def _reach(queue: FakeQueue) -> Reach:
    return Reach(None, None, _no_keys, lambda: queue, lambda: None, NoVault())  # type: ignore[arg-type]


def read(body: Json, *, compacts: bool = False) -> Call:
    """The call of a body, as the door reads it."""
    raw = orjson.dumps({"model": CHAT, **body})
    call = replace((read_compaction if compacts else read_response)(Posted(raw)), received_at=NOW)
    responding = call.options.responding
    assert responding is not None
    return replace(call, options=replace(call.options, responding=replace(responding, posted=raw)))


async def respond(room: Room, body: Json, *, token: str = "good", id: str = "r1", deadline_s: float = 600.0) -> Told:
    """The whole way. Raises what `serve` raises."""
    arrival = replace(await arrive(deadline_s), id=id)
    return await heard(await serve(token, lambda _: read(body), arrival, room.gateway()))


async def refused(room: Room, body: Json, **more: Any) -> GatewayError:
    """The error that `serve` raises for this request."""
    try:
        await respond(room, body, **more)
    except GatewayError as err:
        return err
    raise AssertionError("the request was served")


def final(told: Told) -> Json:
    """The resource that an answer ended with."""
    last: Json = told.payloads[-1]
    return last.get("response", last)


def said(resource: Json) -> str:
    """The words of all messages."""
    parts = [part for item in resource["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part.get("text", "") for part in parts)


def kinds(resource: Json) -> list[str]:
    return [item["type"] for item in resource["output"]]


def words(*texts: str, finish: str = "stop") -> FakeReply:
    """A streamed chat answer."""
    return stream(*(chunk({"content": text}) for text in texts), chunk({}, finish), usage_chunk(), DONE)


def calls(*wanted: tuple[str, str], text: str = "", id: str = "c") -> FakeReply:
    """A streamed chat answer that calls functions: (name, arguments)."""
    parts = [chunk({"content": text})] if text else []
    for index, (name, arguments) in enumerate(wanted):
        function = {"name": name, "arguments": arguments}
        call = {"index": index, "id": f"{id}{index}", "type": "function", "function": function}
        parts.append(chunk({"tool_calls": [call]}))
    return stream(*parts, chunk({}, "tool_calls"), usage_chunk(), DONE)


def function(name: str = "get_weather") -> Json:
    return {"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}}


def house(table: Table, *replies: Any, tools: Sequence[FakeTool] = (), **known: Principal) -> Room:
    """A room with a real table, whose upstream gives these replies."""
    room = Room(extras=Extras(table, **{tool.name: tool for tool in tools}))
    room.keys.known |= known
    room.transport.replies = list(replies)
    return room


async def soon(condition: Callable[[], bool]) -> None:
    """Lets others run until it is so."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be")
