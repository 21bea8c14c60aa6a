"""Every event in events/ through its function's own handler; those of streaming functions through both doors."""

import asyncio
import base64
import importlib.util
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from orrery.edge import buffered, sweep, wiring
from orrery.edge.embedded.engine import Engine
from orrery.edge.families import READERS
from orrery.edge.lambda_loop import persistent_loop
from orrery.stores.definition import DEFINITION
from orrery.stores.table import Table
from tests import fakes
from tests.edge.fake_runtime_api import FakeRuntimeApi
from tests.flow.responding import Extras

ROOT = Path(__file__).parents[2]
EVENTS = sorted(path.stem for path in (ROOT / "events").glob("*.json"))

STATUS = {
    "chat-bad-json": 400,
    "chat-missing-key": 401,
    "models-missing-key": 401,
    "manage-presign": 501,
    "manage-providers-list": 403,
    "manage-unserved": 404,
    "models-unknown": 404,
    "responses-missing": 404,
}
"""Of those that are not 200."""

APART = ("sweep", "background", "interpreter")
"""Functions that no request reaches."""

MODEL = "openai/gpt-4o-mini"
USAGE = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
VECTOR = {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}
IMAGE_USAGE = {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}
SAID = {"type": "output_text", "text": "They wander.", "annotations": []}
WANDERING = {"type": "message", "id": "msg_up", "role": "assistant", "status": "completed", "content": [SAID]}
RESPONSE_USAGE = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}
WORDS = {"text": "They wander.", "index": 0, "logprobs": None, "finish_reason": "stop"}

REPLIES = {
    "chat-legacy-completions": fakes.json_reply(
        {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [WORDS], "usage": USAGE}
    ),
    "embeddings-text": fakes.json_reply({"object": "list", "data": [VECTOR], "model": "m", "usage": USAGE}),
    "images-edits-form": fakes.json_reply({"created": 1, "data": [{"b64_json": "aGk="}], "usage": IMAGE_USAGE}),
    "audio-transcription-form": fakes.json_reply({"text": "They wander.", "usage": {"type": "duration", "seconds": 1}}),
    "audio-speech": fakes.FakeReply(200, {"content-type": "audio/mpeg"}, [b"\xff\xfb"]),
    "responses-created": fakes.json_reply(
        {"id": "resp_up", "object": "response", "status": "completed", "output": [WANDERING], "usage": RESPONSE_USAGE}
    ),
}
"""What the upstream says to events that are no chat completion."""

ANSWERED = {
    "chat-legacy-completions": b"They wander.",
    "embeddings-text": b'"embedding":[0.5,-0.25]',
    "images-edits-form": b"aGk=",
    "audio-transcription-form": b"They wander.",
    "audio-speech": b"\xff\xfb",
    "responses-created": b"They wander.",
    "responses-compact": b'"object":"response.compaction"',
    "responses-conversation": b'"object":"conversation"',
}
"""What their answers hold."""


def a_stream():
    return fakes.stream(fakes.chunk({"content": "hello"}), fakes.chunk({}, "stop"), fakes.usage_chunk(), fakes.DONE)


class Context:
    """What Lambda hands to a handler."""

    aws_request_id = "7d1a2c3e-4b5f-4c6d-8e9f-0a1b2c3d4e5f"

    def get_remaining_time_in_millis(self):
        return 30_000


@pytest.fixture(scope="module")
def lambda_thread():
    """One thread for all invocations, as an execution environment has: its event loop is made there and stays."""
    with ThreadPoolExecutor(1) as thread:
        yield thread
        thread.submit(lambda: persistent_loop().close()).result()
        persistent_loop.cache_clear()


@pytest.fixture
def room(monkeypatch, table):
    room = fakes.Room(extras=Extras(table))
    room.transport.replies = [fakes.completion()]
    monkeypatch.setattr(wiring, "_installed", [room.gateway()])
    return room


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    with closing(Engine(tmp_path_factory.mktemp("dynamodb") / "journal")) as engine:
        engine.run("CreateTable", DEFINITION | {"TableName": "events"})
        yield Table(engine.call, "events")


def read(name):
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def load(name):
    """The handler module of the function that an event is for: its name's first word."""
    folder = ROOT / "functions" / name.split("-")[0]
    spec = importlib.util.spec_from_file_location(f"events_of_{folder.name}", folder / "app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def whole(thread, handler, event):
    """Status, headers and body through the buffered door."""
    answer = await asyncio.wrap_future(thread.submit(handler, event, Context()))
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    return answer["statusCode"], answer["headers"], body


async def streamed(thread, handler, event):
    """The same through the streaming door, as API Gateway reads it at the Runtime API."""
    async with FakeRuntimeApi() as api:
        asked = api.invoke(event)
        deliver = lambda: handler(event, Context()).deliver(api.address, asked.request_id, None)  # noqa: E731
        posted = thread.submit(deliver)
        head, body = await asked.answer()
        await asyncio.wrap_future(posted)
    assert asked.trailers == {}
    return head["statusCode"], head["headers"], body


def prepare(name, room):
    """Has the upstream answer what the event asks."""
    if name.endswith("-streamed"):
        room.transport.replies = [a_stream()]
    elif name in REPLIES:
        room.transport.replies = [REPLIES[name]]


def check(name, status, headers, body):
    assert status == STATUS.get(name, 200), body
    assert headers["x-request-id"].startswith("req_")
    if status != 200:
        assert json.loads(body)["error"]["message"]
    elif name.endswith("-streamed"):
        assert headers["content-type"].startswith("text/event-stream")
        assert body.endswith(b"data: [DONE]\n\n")
    elif name in ANSWERED:
        assert ANSWERED[name] in body
    else:
        assert json.loads(body)["object"] in ("chat.completion", "list", "model")


@pytest.mark.parametrize("name", [name for name in EVENTS if name.split("-")[0] not in APART])
async def test_an_event_is_answered_through_the_buffered_door(name, room, lambda_thread):
    prepare(name, room)
    status, headers, body = await whole(lambda_thread, buffered.door(load(name).app), read(name))
    check(name, status, headers, body)


@pytest.mark.parametrize("name", [name for name in EVENTS if name.split("-")[0] in READERS])
async def test_an_event_is_answered_through_the_streaming_door(name, room, lambda_thread):
    prepare(name, room)
    status, headers, body = await streamed(lambda_thread, load(name).handler, read(name))
    check(name, status, headers, body)


@pytest.mark.parametrize("name", [name for name in EVENTS if name.split("-")[0] in ("models", "manage")])
async def test_what_is_buffered_answers_through_its_own_handler(name, room, lambda_thread):
    check(name, *await whole(lambda_thread, load(name).handler, read(name)))


@pytest.mark.parametrize("name", ["chat-base64-body", "chat-buffered", "chat-multi-value-headers-and-query"])
async def test_what_the_caller_wrote_reaches_the_upstream(name, room, lambda_thread):
    await streamed(lambda_thread, load(name).handler, read(name))
    assert room.transport.body()["messages"] == [{"role": "user", "content": "Why do planets wander? ☿"}]


@pytest.mark.parametrize("name", ["models-one", "models-one-encoded-slash", "models-one-decoded-parameter"])
async def test_a_model_is_found_by_its_id_however_the_slash_came(name, room, lambda_thread):
    _, _, body = await whole(lambda_thread, load(name).handler, read(name))
    assert json.loads(body)["id"] == MODEL


async def test_the_schedule_sweeps(monkeypatch, lambda_thread):
    swept = []
    monkeypatch.setattr(sweep, "sweep", lambda ledger: _done(swept, ledger))
    monkeypatch.setattr(wiring, "current_ledger", lambda: "the ledger")
    handler = load("sweep-schedule").handler
    await asyncio.wrap_future(lambda_thread.submit(handler, read("sweep-schedule"), Context()))
    assert swept == ["the ledger"]


def test_code_is_run():
    """In a process of its own, as Lambda would: the handler hides the process that it is in."""
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import app; "
        "print(json.dumps(app.handler(json.load(open(sys.argv[2])))))"
    )
    where = [str(ROOT / "functions" / "interpreter"), str(ROOT / "events" / "interpreter-sum.json")]
    ran = subprocess.run([sys.executable, "-c", program, *where], capture_output=True, text=True, check=True)
    answer = json.loads(ran.stdout)
    assert "refused" in answer or answer["stdout"].strip() == "45", answer


async def test_a_message_of_the_queue_is_worked_on(room, lambda_thread):
    """It is of a response that is not there any more: nothing is to be done."""
    handler = load("background-message").handler
    done = await asyncio.wrap_future(lambda_thread.submit(handler, read("background-message"), Context()))
    assert (done, room.transport.requests) == ({"worked": 0}, [])


async def _done(swept, ledger):
    swept.append(ledger)
    return {"swept_holds": 0}


def test_every_event_is_for_a_function():
    assert {name.split("-")[0] for name in EVENTS} == {path.parent.name for path in ROOT.glob("functions/*/app.py")}


def test_every_listed_status_is_of_an_event():
    assert set(STATUS) <= set(EVENTS)
