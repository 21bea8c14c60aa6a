"""The responses of the gateway that this one stands in for, as its page prints them, on every dialect of chats.

Upstreams are scripted in their own words, by their cases: a call of a tool first, then a text.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import orjson
import pytest

from orrery.core.dialect import UpstreamRequest
from orrery.core.pages import Page
from orrery.core.types import Json
from orrery.flow.gateway import Policy
from orrery.providers import DIALECTS
from orrery.stores.table import Table
from orrery.wire.agent_documents import read_agent
from tests.edge.responses_judge import judge_body
from tests.fakes import ALICE, FakeReply, FakeTransport, Room
from tests.flow.responding import Extras, final, respond, said
from tests.providers.cases import CHATTING, Case, stream_of
from tests.wire.composing import judge

MODEL = """{
    "model": "openai/gpt-4o",
    "input": "What is the current CET time? Answer in {{language}}",
    "tools": [
        {
            "type": "orq:current_date"
        }
    ],
    "variables": {
        "language": {
            "value": "hungarian"
        }
    },
    "identity": {
        "id": "user-123",
        "display_name": "Jane Doe",
        "email": "jane.doe@example.com"
    },
    "thread": {
        "id": "thread-001",
        "tags": ["support", "v3"]
    },
    "stream": false
}"""
AGENT = MODEL.replace("openai/gpt-4o", "agent/support_agent")
"""The page's two bodies: they differ in nothing else."""

SUPPORT = {
    "key": "support_agent",
    "role": "Support",
    "description": "Helps.",
    "instructions": "Be kind to customers.",
    "path": "Default",
    "settings": {"tools": [{"type": "current_date"}]},
}
PLACED = "What is the current CET time? Answer in hungarian"
PROVIDERS = [name for name in CHATTING if Case(name, "tool_call").is_streamed]
DIALECT = [name for name in PROVIDERS if name in DIALECTS or name in ("openai", "deepseek")]
"""One of each kind: those with a dialect of their own, OpenAI's own responses, and its chats elsewhere."""

each_way = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])


class Scripted(FakeTransport):
    """A provider that calls the clock, hears what it said, and answers; in whichever of its APIs it is asked."""

    def __init__(self, provider: str) -> None:
        super().__init__()
        self.provider = provider
        self.streamed: list[bool] = []

    @asynccontextmanager
    async def send(self, request: UpstreamRequest, timeout_s: float) -> AsyncIterator[FakeReply]:
        case = "text" if self.requests else "tool_call"
        self.streamed.append("stream" in request.url.lower() or self._asks_for_a_stream(request))
        self.replies = [self._native(case) if self.is_native(request.url) else self._chat(case)]
        async with super().send(request, timeout_s) as reply:
            yield reply

    def _asks_for_a_stream(self, request: UpstreamRequest) -> bool:
        return orjson.loads(request.body).get("stream") is True

    def is_native(self, url: str) -> bool:
        return url.partition("?")[0].endswith("/responses")

    def _chat(self, name: str) -> FakeReply:
        case = Case(self.provider, name)
        if not self.streamed[-1]:
            return _reply(_clocked(case.bytes_of("reply.json")))
        if not case.has("stream.jsonl"):
            return _reply(_clocked(stream_of(case)), "text/event-stream")
        return _reply(stream_of(Clocked(self.provider, name)), "application/vnd.amazon.eventstream")

    def _native(self, name: str) -> FakeReply:
        whole = _clocked(Case("openai", f"responses_{name}").bytes_of("reply.json"), b"get_current_weather")
        if not self.streamed[-1]:
            return _reply(whole)
        events = (b"data: " + orjson.dumps(event) + b"\n\n" for event in told_of(orjson.loads(whole)))
        return _reply(b"".join(events), "text/event-stream")

    def text(self) -> str:
        """What it says in the end."""
        if not self.is_native(self.requests[0].url):
            answer = Case(self.provider, "text").json_of("answer.json")
            return str(answer["choices"][0]["message"]["content"])
        return said(Case("openai", "responses_text").json_of("reply.json"))


class Clocked(Case):
    """A case whose call is the clock's: a stream in frames has sums over its bytes."""

    def bytes_of(self, file: str) -> bytes:
        return _clocked(super().bytes_of(file))


def _clocked(reply: bytes, name: bytes = b"get_weather") -> bytes:
    return reply.replace(name, b"current_date")


def _reply(body: bytes, kind: str = "application/json") -> FakeReply:
    return FakeReply(200, {"content-type": kind}, [body[at : at + 600] for at in range(0, len(body), 600)])


def told_of(resource: Json) -> Iterator[Json]:
    """The events of a whole response, as its provider would have streamed it."""
    numbers = count()

    def event(name: str, **fields: Any) -> Json:
        return {"type": f"response.{name}", "sequence_number": next(numbers), **fields}

    yield event("created", response=resource | {"status": "in_progress", "output": [], "usage": None})
    for index, item in enumerate(resource["output"]):
        at = {"output_index": index, "item_id": item["id"]}
        empty = {"arguments": ""} if item["type"] == "function_call" else {"content": []}
        yield event("output_item.added", output_index=index, item=item | {"status": "in_progress"} | empty)
        if item["type"] == "function_call":
            yield event("function_call_arguments.delta", **at, delta=item["arguments"])
            yield event("function_call_arguments.done", **at, arguments=item["arguments"])
        for place, part in enumerate(item.get("content", ())):
            yield event("content_part.added", **at, content_index=place, part=part | {"text": ""})
            yield event("output_text.delta", **at, content_index=place, delta=part["text"])
            yield event("output_text.done", **at, content_index=place, text=part["text"])
            yield event("content_part.done", **at, content_index=place, part=part)
        yield event("output_item.done", output_index=index, item=item)
    yield event("completed", response=resource)


def house(table: Table, provider: str) -> Room:
    return Room(transport=Scripted(provider), extras=Extras(table), policy=Policy(allow_unpriced=True))


async def ask(room: Room, posted: str, *, streams: bool) -> Json:
    """The resource at the end; each event on the way is judged, or else the whole."""
    told = await respond(room, {**orjson.loads(posted), "stream": streams})
    assert told.error is None
    if streams:
        judge(told.payloads)
    else:
        (payload,) = told.payloads
        judge_body(orjson.dumps(payload))
    assert room.transport.streamed == [streams] * 2
    return final(told)


def assert_clock_ran(room: Room, resource: Json) -> None:
    """A call, what came of it, and words; the second request has the tool's answer, and each its variable."""
    kinds = [item["type"] for item in resource["output"] if item["type"] not in ("reasoning", "message")]
    assert kinds == ["function_call", "orq:current_date"]
    assert resource["output"][-1]["type"] == "message"
    call, ran = (item for item in resource["output"] if item["type"] in kinds)
    assert (call["name"], ran["call_id"], ran["status"]) == ("current_date", call["call_id"], "completed")
    clock = orjson.loads(ran["output"])
    assert said({"output": [resource["output"][-1]]}) == room.transport.text()
    first, second = (request.body.decode() for request in room.transport.requests)
    assert PLACED in first and PLACED in second and "{{" not in first + second
    assert "current_date" in first and clock["iso"] not in first and clock["iso"] in second
    assert resource["status"] == "completed" and resource["variables"] == {"language": "hungarian"}


@each_way
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_seeds_body_with_a_model(table: Table, provider: str, streams: bool) -> None:
    room = house(table, provider)
    model = Case(provider, "text").call().model
    resource = await ask(room, MODEL.replace("openai/gpt-4o", model), streams=streams)
    assert resource["model"] == model
    assert_clock_ran(room, resource)
    assert len(room.ledger.settled) == 2 and room.ledger.holds == {}


@each_way
@pytest.mark.parametrize("provider", DIALECT)
async def test_the_seeds_body_with_an_agent(table: Table, provider: str, streams: bool) -> None:
    room = house(table, provider)
    made = read_agent({**SUPPORT, "model": Case(provider, "text").call().model})
    await room.extras.agent_registry.create(ALICE.organization, *made)
    resource = await ask(room, AGENT, streams=streams)
    assert resource["model"] == "agent/support_agent"
    assert_clock_ran(room, resource)
    assert all(SUPPORT["instructions"] in request.body.decode() for request in room.transport.requests)


@each_way
async def test_it_is_tracked_and_kept_under_its_labels(table: Table, streams: bool) -> None:
    room = house(table, "openai")
    resource = await ask(room, MODEL, streams=streams)
    listed = await room.extras.activity.steps(ALICE.organization, "thread", "thread-001", Page())
    (step,) = [stored.step for stored in listed.data]
    assert (step.response, step.identity) == (resource["id"], "user-123")
    thread = await room.extras.activity.read(ALICE.organization, "thread", "thread-001")
    identity = await room.extras.activity.read(ALICE.organization, "identity", "user-123")
    assert thread.tags == ("support", "v3")
    assert identity.profile == {"display_name": "Jane Doe", "email": "jane.doe@example.com"}
    kept = await room.extras.responses.read(ALICE.organization, resource["id"])
    assert (kept.shown, kept.origin.identity, kept.origin.thread) == (resource, "user-123", "thread-001")
