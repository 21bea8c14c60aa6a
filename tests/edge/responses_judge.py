"""What passes the wire between a client and a server of responses, byte for byte, judged as its strictest reader would.

`Recorder` and `AsyncRecorder` are transports for the OpenAI SDK's client: they carry its requests as ever, and keep the
raw bytes of each answer. `judge_all` reads those by the models of `openresponses_types` and of OpenAI's SDK, strictly,
and streams by the rules of Open Responses, "Streaming HTTP Responses" (2026-04-24).
"""

import json
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, get_args
from urllib.parse import parse_qs

import httpx2
import openresponses_types as theirs
from openai import AsyncOpenAI, OpenAI
from openai.types import responses as openai
from openai.types.conversations import Conversation, ConversationDeletedResource, ConversationItem
from openai.types.responses.response_item import ResponseItem
from pydantic import TypeAdapter

from tests.edge.running import Running
from tests.wire.composing import CORE, judge

ERROR_FIELDS = {"message", "type", "param", "code"}
BARE = {"message", "type"}
"""Those of an error that says no more to who has no key."""
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""No certificates: there is none on loopback, and a client for each test would read all that there are."""

TERMINAL = ("response.completed", "response.incomplete", "response.failed")


@dataclass
class Exchange:
    """A request, and what came back. `closed`: its reader had all of it that there was."""

    method: str
    path: str
    query: dict[str, list[str]]
    sent: bytes = field(repr=False)
    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    whole: bool = False


class Tee(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that is kept while it is read."""

    def __init__(self, stream: Any, exchange: Exchange) -> None:
        self._stream, self._exchange = stream, exchange

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            self._exchange.body += part
            yield part
        self._exchange.whole = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self._exchange.body += part
            yield part
        self._exchange.whole = True

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


class Recorder(httpx2.HTTPTransport):
    """For `OpenAI(http_client=httpx2.Client(transport=…))`. `seen` are the exchanges, in the order of their answers."""

    def __init__(self, seen: list[Exchange]) -> None:
        super().__init__(verify=PLAIN)
        self.seen = seen

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        response.stream = _kept(request, response, self.seen)
        return response


class AsyncRecorder(httpx2.AsyncHTTPTransport):
    """For `AsyncOpenAI(http_client=httpx2.AsyncClient(transport=…))`."""

    def __init__(self, seen: list[Exchange]) -> None:
        super().__init__(verify=PLAIN)
        self.seen = seen

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        response.stream = _kept(request, response, self.seen)
        return response


def _kept(request: httpx2.Request, response: httpx2.Response, seen: list[Exchange]) -> Tee:
    query = parse_qs(request.url.query.decode())
    headers = {name.lower(): value for name, value in response.headers.items()}
    seen.append(Exchange(request.method, request.url.path, query, request.content, response.status_code, headers))
    return Tee(response.stream, seen[-1])


@contextmanager
def judged(server: Running, api_key: str = "") -> Iterator[OpenAI]:
    """A client; all that it was told is judged at the end of the block."""
    seen: list[Exchange] = []
    there = httpx2.Client(transport=Recorder(seen), timeout=60)
    with OpenAI(
        base_url=server.base_url, api_key=api_key or server.api_key, max_retries=0, http_client=there
    ) as client:
        yield client
    assert seen
    judge_all(seen)


@asynccontextmanager
async def async_judged(server: Running) -> AsyncIterator[AsyncOpenAI]:
    """The same for coroutines."""
    seen: list[Exchange] = []
    there = httpx2.AsyncClient(transport=AsyncRecorder(seen), timeout=60)
    async with AsyncOpenAI(
        base_url=server.base_url, api_key=server.api_key, max_retries=0, http_client=there
    ) as client:
        yield client
    assert seen
    judge_all(seen)


def judge_all(seen: Sequence[Exchange]) -> None:
    """Asserts that every answer is as it must be. Streams that were taken up again are judged with their beginnings."""
    told: dict[str, list[Any]] = {}
    for exchange in seen:
        assert "content-encoding" not in exchange.headers
        assert exchange.headers["x-request-id"].startswith("req_")
        if exchange.headers["content-type"].startswith("text/event-stream"):
            _judge_stream(exchange, told)
        elif exchange.whole:
            assert exchange.headers["content-type"] == "application/json"
            judge_body(exchange.body, exchange.status)


def judge_body(body: bytes, status: int = 200) -> None:
    """A whole answer of any of these endpoints."""
    found = json.loads(body)
    if status >= 400:
        assert set(found) == {"error"} and set(found["error"]) == (BARE if status == 401 else ERROR_FIELDS), found
        assert found["error"]["message"] and found["error"]["type"]
        return
    assert status == 200
    _BY_OBJECT.get(found.get("object"), _judge_item)(found)


def _judge_response(found: Any) -> None:
    _strictly(_RESOURCE, specified(found))
    _strictly(_RESPONSE, documented(found))
    assert not found["error"] or set(found["error"]) == {"code", "message"}
    if found["status"] not in ("failed", "cancelled"):  # those may have used something
        assert (found["usage"] is None) == (found["status"] in ("queued", "in_progress"))


def _judge_list(found: Any) -> None:
    for item in found["data"]:
        _judge_item(item)
    ids = [item["id"] for item in found["data"]]
    assert len(set(ids)) == len(ids)
    assert (found["first_id"], found["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
    assert isinstance(found["has_more"], bool)


def _judge_item(found: Any) -> None:
    if ":" not in found["type"]:
        for model in _ITEMS:
            _strictly(model, found)


def _judge_compaction(found: Any) -> None:
    _strictly(_COMPACT, found)
    _strictly(_COMPACTED, found)


def _same(found: Any, expected: Any) -> None:
    assert found == expected


_BY_OBJECT = {
    "response": _judge_response,
    "list": _judge_list,
    "response.compaction": _judge_compaction,
    "conversation": lambda found: _strictly(_CONVERSATION, found),
    "conversation.deleted": lambda found: _strictly(_DELETED, found),
    "response.deleted": lambda found: _same(found, {"id": found["id"], "object": "response.deleted", "deleted": True}),
}


def _judge_stream(exchange: Exchange, told: dict[str, list[Any]]) -> None:
    assert exchange.status == 200
    events = events_of(exchange.body, ended=exchange.whole)
    for event in events:
        judge_event(event)
    after = int(exchange.query.get("starting_after", ["-1"])[0])
    id = _id_of(exchange, events)
    before = told.get(id, [])[: after + 1]
    assert len(before) == after + 1, "what was told before was seen"
    whole = before + events
    if exchange.whole:
        judge(whole)
    seen = told.setdefault(id, whole)
    assert all(mine == known for mine, known in zip(whole, seen, strict=False)), "an event is told the same again"
    if len(whole) > len(seen):
        told[id] = whole


def _id_of(exchange: Exchange, events: Sequence[Any]) -> str:
    if exchange.method == "GET":
        return exchange.path.rpartition("/")[2]
    return str(events[0]["response"]["id"])


def events_of(body: bytes, *, ended: bool = True) -> list[Any]:
    """The events of a stream, strictly framed; without what was still to come where its reader left it."""
    assert b"\r" not in body
    frames = body.decode().split("\n\n")
    rest, is_done = frames.pop(), frames[-1:] == ["data: [DONE]"]
    if ended:
        assert rest == "" and is_done, "a blank line follows every event; the last one says that it is"
    if is_done:
        frames.pop()
    events = []
    for frame in frames:
        lines = frame.split("\n")
        if all(line.startswith(":") for line in lines):
            continue
        assert [line.partition(": ")[0] for line in lines] == ["event", "data"], frame
        event = json.loads(lines[1].removeprefix("data: "))
        assert lines[0] == f"event: {event['type']}"
        events.append(event)
    return events


def judge_event(event: Any) -> None:
    """One event by itself, as both know it."""
    name = event["type"]
    if "item" in event and ":" in event["item"]["type"]:
        return  # of another slug: `judge` reads it
    both = [event, event]
    if "response" in event:
        _judge_response(event["response"])
        both = [event | {"response": told(event["response"])} for told in (specified, documented)]
    if name in _SPECIFIED:
        _strictly(_SPECIFIED[name], both[0])
    _strictly(_OPENAI[name], both[1])


def _strictly(model: TypeAdapter[Any], found: Any) -> None:
    """As JSON, where enumerations may be strings although all is strict."""
    model.validate_json(json.dumps(found), strict=True)


def specified(resource: Any) -> Any:
    """Without what Open Responses' models cannot hold: items and tools of other slugs, and an echoed schema.

    Those take null only for the schema that was asked for; OpenAI, and every SDK, has it back.
    """
    found = resource | {
        "output": [item for item in resource["output"] if item["type"] in CORE],
        "tools": [tool for tool in resource["tools"] if tool["type"] == "function"],
    }
    form = resource["text"]["format"]
    if form["type"] == "json_schema":
        assert isinstance(form["schema"], dict)
        found["text"] = resource["text"] | {"format": form | {"schema": None}}
    return found


def documented(resource: Any) -> Any:
    """Without what only others than OpenAI have: prefixed items and tools, and reasons that it does not list."""
    found = resource | {
        "output": [item for item in resource["output"] if ":" not in item["type"]],
        "tools": [tool for tool in resource["tools"] if ":" not in tool["type"]],
    }
    if resource["error"]:
        found["error"] = resource["error"] | {"code": "server_error"}
    if resource["incomplete_details"]:
        assert resource["incomplete_details"]["reason"]
        found["incomplete_details"] = {"reason": "max_output_tokens"}
    return found


def _models(models: Iterable[Any]) -> dict[str, Any]:
    """By the `type` of the event that each is for."""
    found: dict[str, Any] = {}
    for model in models:
        named = model.model_fields["type"].annotation
        for value in get_args(named) or [each.value for each in named]:
            found[value] = TypeAdapter(model)
    return found


_SPECIFIED = _models(model for name, model in vars(theirs).items() if name.endswith("StreamingEvent"))
_OPENAI = _models(get_args(get_args(openai.ResponseStreamEvent)[0]))
_RESOURCE, _COMPACT = TypeAdapter(theirs.ResponseResource), TypeAdapter(theirs.CompactResource)
_RESPONSE, _COMPACTED = TypeAdapter(openai.Response), TypeAdapter(openai.CompactedResponse)
_CONVERSATION, _DELETED = TypeAdapter(Conversation), TypeAdapter(ConversationDeletedResource)
_ITEMS: list[TypeAdapter[Any]] = [TypeAdapter(ConversationItem), TypeAdapter(ResponseItem)]
