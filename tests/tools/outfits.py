"""What tools get from outside, faked: a transport with prepared answers, pages, stored tools, models that answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orrery.core.agents import Agent, StoredDocument
from orrery.core.errors import GatewayError, InvalidRequest, NotFound
from orrery.core.tools import HostedTool, Outcome, Setting
from orrery.core.types import Fetched
from orrery.tools import Outfit, Tools
from tests.fakes import FakeReply, FakeTransport

NOW = 1_795_276_799.9  # 2026-11-21 15:59:59 UTC
ORG = "org-alice"


async def never(*_: Any, **__: Any) -> Any:
    """What hangs."""
    await asyncio.Event().wait()


def page(text: str | bytes, media_type: str = "text/html") -> Fetched:
    return Fetched(media_type, text if isinstance(text, bytes) else text.encode())


@dataclass
class FakeFetch:
    """Pages by URL; anything else is refused as the real one refuses it. A callable is called."""

    pages: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, int, float]] = field(default_factory=list)

    async def __call__(self, url: str, *, limit_bytes: int, timeout_s: float) -> Fetched:
        self.asked.append((url, limit_bytes, timeout_s))
        found = self.pages.get(url, InvalidRequest("This URL cannot be read: only https URLs are read."))
        if isinstance(found, BaseException):
            raise found
        fetched: Fetched = await found() if callable(found) else found
        return fetched


@dataclass
class FakeStored:
    """One organization's stored tools, by key."""

    bodies: Mapping[str, Any] = field(default_factory=dict)

    async def find(self, organization: str, tool: str) -> StoredDocument:
        if organization != ORG or tool not in self.bodies:
            raise NotFound(f"Tool '{tool}' not found")
        return StoredDocument(f"tool_{tool}", tool, self.bodies[tool], 0, 0)


@dataclass
class FakeAgents:
    agents: Mapping[str, Agent | GatewayError] = field(default_factory=dict)

    async def resolve(self, organization: str, key: str, version: str) -> Agent:
        found = self.agents.get(key, NotFound(f"Agent '{key}' not found"))
        if isinstance(found, GatewayError):
            raise found
        return found


@dataclass
class FakeInterpreter:
    answer: Any = field(default_factory=lambda: {"stdout": "", "stderr": "", "error": None})
    ran: list[str] = field(default_factory=list)

    async def run(self, code: str, files: Mapping[str, bytes], *, timeout_s: float, tenant: str) -> Any:
        self.ran.append(code)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return await self.answer() if callable(self.answer) else self.answer


@dataclass
class FakeModels:
    """What `ask` answers: a text, a resource, an error, or a callable."""

    answer: Any = "fine"
    asked: list[Any] = field(default_factory=list)

    async def ask(self, body: Any) -> Any:
        self.asked.append(body)
        if isinstance(self.answer, BaseException):
            raise self.answer
        if callable(self.answer):
            return await self.answer()
        return resource(self.answer) if isinstance(self.answer, str) else self.answer


def resource(text: str, **more: Any) -> Any:
    part = {"type": "output_text", "text": text}
    message = {"type": "message", "role": "assistant", "content": [part]}
    return {"status": "completed", "output": [{"type": "reasoning", "summary": []}, message], **more}


@dataclass
class Workshop:
    """An outfit of fakes, and a setting to run in."""

    transport: FakeTransport = field(default_factory=FakeTransport)
    fetch: FakeFetch = field(default_factory=FakeFetch)
    stored: FakeStored = field(default_factory=FakeStored)
    agents: FakeAgents = field(default_factory=FakeAgents)
    models: FakeModels = field(default_factory=FakeModels)
    keys: dict[str, str] = field(default_factory=dict)
    interpreter: Any = None
    outside: Any = None
    visits: Any = None
    setting: Setting = field(init=False)

    def __post_init__(self) -> None:
        self.setting = Setting(ORG, 5.0, NOW, self.models.ask, never)

    def given(self, **more: Any) -> "Workshop":
        """The same with another setting; variables are secret where nobody says otherwise."""
        if "variables" in more:
            more = {"secrets": frozenset(more["variables"]), **more}
        self.setting = replace(self.setting, **more)
        return self

    async def _keys(self) -> Mapping[str, str]:
        return self.keys

    async def opened(self, spec: Any) -> Any:
        fetch: Any = self.visits or self.fetch
        outfit = Outfit(
            self.outside or self.transport,
            fetch,
            self._keys,
            self.stored,
            self.agents,
            interpreter=self.interpreter,
        )
        return await Tools(outfit).open(spec, self.setting)

    async def tool(self, spec: Any) -> HostedTool:
        (tool,) = (await self.opened(spec)).tools
        found: HostedTool = tool
        return found

    async def run(self, spec: Any, arguments: Any) -> Outcome:
        return await (await self.tool(spec)).run(arguments, self.setting)


CALL = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_1",
    "name": "a_tool",
    "arguments": '{"a":1}',
    "status": "completed",
}


def reply(body: str | bytes, status: int = 200, media_type: str = "application/json", **headers: str) -> FakeReply:
    data = body.encode() if isinstance(body, str) else body
    return FakeReply(status, {"content-type": media_type, **headers}, [data])


class Endless:
    """A reply that does not end; `sent` counts the chunks that were taken of it."""

    def __init__(self, chunk: bytes = b"x" * 65_536, status: int = 200) -> None:
        self.status, self.headers = status, {"content-type": "text/plain"}
        self.chunk, self.sent, self.closed = chunk, 0, False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            while True:
                self.sent += 1
                yield self.chunk
        finally:
            self.closed = True


type Make = Callable[..., Workshop]


def texts(values: Sequence[Any]) -> str:
    """All that somebody may see of these."""
    return " ".join(map(repr, values))
