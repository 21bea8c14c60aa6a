"""Files through both doors of Lambda: as large as a REST event can carry, byte for byte, both ways."""

import asyncio
import base64
import importlib.util
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from orrery.core.dialect import Form
from orrery.core.types import Upload
from orrery.edge import buffered, wiring
from orrery.edge.lambda_loop import persistent_loop
from orrery.wire.form import read_form, write_form
from tests import fakes
from tests.edge.fake_runtime_api import FakeRuntimeApi

ROOT = Path(__file__).parents[2]
RECORDING = bytes(range(256)) * (4_400_000 // 256)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100


class Context:
    aws_request_id = "7d1a2c3e-4b5f-4c6d-8e9f-0a1b2c3d4e5f"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture(scope="module")
def lambda_thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as thread:
        yield thread
        thread.submit(lambda: persistent_loop().close()).result()
        persistent_loop.cache_clear()


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> fakes.Room:
    room = fakes.Room()
    monkeypatch.setattr(wiring, "_installed", [room.gateway()])
    return room


def load(function: str) -> Any:
    path = ROOT / "functions" / function / "app.py"
    spec = importlib.util.spec_from_file_location(f"files_of_{function}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(path: str, content_type: str, body: bytes) -> dict[str, Any]:
    """A REST API's event, as API Gateway writes it for a binary media type."""
    found: dict[str, Any] = json.loads((ROOT / "events" / "chat-base64-body.json").read_text())
    headers = {**found["headers"], "Content-Type": content_type}
    several = {name: [value] for name, value in headers.items()}
    where = {"resource": path, "path": path, "headers": headers, "multiValueHeaders": several}
    return {**found, **where, "isBase64Encoded": True, "body": base64.b64encode(body).decode()}


def posted(**fields: str) -> tuple[str, bytes]:
    content_type, pieces = write_form(
        Form(tuple(fields.items()), (Upload("file", "talk.wav", "audio/wav", RECORDING),))
    )
    return content_type, b"".join(pieces)


def heard(room: fakes.Room) -> bytes:
    """The recording as the provider got it."""
    request = room.transport.requests[-1]
    assert not isinstance(request.body, bytes)
    (file,) = read_form(b"".join(request.body), request.headers["content-type"]).files
    return bytes(file.data)


async def streamed(thread: ThreadPoolExecutor, handler: Any, asked: Any) -> tuple[dict[str, Any], bytes]:
    async with FakeRuntimeApi() as api:
        call = api.invoke(asked)
        deliver = lambda: handler(asked, Context()).deliver(api.address, call.request_id, None)  # noqa: E731
        done = thread.submit(deliver)
        head, body = await call.answer()
        await asyncio.wrap_future(done)
    return head, body


async def test_a_recording_of_4_megabytes_arrives_through_the_streaming_door(room, lambda_thread):
    room.transport.replies = [fakes.json_reply({"text": "heard", "usage": {"type": "duration", "seconds": 3}})]
    content_type, body = posted(model="openai/whisper-1")
    asked = event("/v1/audio/transcriptions", content_type, body)
    assert len(json.dumps(asked)) < 6 * 1024 * 1024
    head, answer = await streamed(lambda_thread, load("audio").handler, asked)
    assert head["statusCode"] == 200, answer
    assert json.loads(answer)["text"] == "heard" and heard(room) == RECORDING


async def test_and_through_the_buffered_door(room, lambda_thread):
    room.transport.replies = [fakes.FakeReply(200, {"content-type": "text/plain; charset=utf-8"}, [b"heard"])]
    content_type, body = posted(model="openai/whisper-1", response_format="text")
    handler = buffered.door(load("audio").app)
    asked = event("/v1/audio/transcriptions", content_type, body)
    answer = await asyncio.wrap_future(lambda_thread.submit(handler, asked, Context()))
    assert (answer["statusCode"], answer["isBase64Encoded"], answer["body"]) == (200, False, "heard"), answer
    assert answer["headers"]["content-type"].startswith("text/plain") and heard(room) == RECORDING


def speech() -> fakes.FakeReply:
    return fakes.FakeReply(200, {"content-type": "audio/mpeg"}, [PICTURE, PICTURE])


SPEAK = json.dumps({"model": "openai/tts-1", "voice": "alloy", "input": "Hello"}).encode()


async def test_bytes_leave_as_they_are_through_the_streaming_door(room, lambda_thread):
    room.transport.replies = [speech()]
    asked = event("/v1/audio/speech", "application/json", SPEAK)
    head, answer = await streamed(lambda_thread, load("audio").handler, asked)
    assert (head["statusCode"], head["headers"]["content-type"]) == (200, "audio/mpeg")
    assert answer == PICTURE + PICTURE


async def test_and_as_base64_through_the_buffered_door(room, lambda_thread):
    room.transport.replies = [speech()]
    handler = buffered.door(load("audio").app)
    asked = event("/v1/audio/speech", "application/json", SPEAK)
    answer = await asyncio.wrap_future(lambda_thread.submit(handler, asked, Context()))
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert base64.b64decode(answer["body"]) == PICTURE + PICTURE


async def test_a_file_that_breaks_off_never_looks_whole(room, lambda_thread):
    for door in ("streaming", "buffered"):
        broken = fakes.FakeReply(200, {"content-type": "audio/mpeg"}, [PICTURE, fakes.cut()])
        room.transport.replies = [broken]
        asked = event("/v1/audio/speech", "application/json", SPEAK)
        if door == "buffered":
            handler = buffered.door(load("audio").app)
            answer = await asyncio.wrap_future(lambda_thread.submit(handler, asked, Context()))
            assert answer["statusCode"] >= 500
            continue
        async with FakeRuntimeApi() as api:
            call, handler = api.invoke(asked), load("audio").handler
            done = lambda_thread.submit(lambda: handler(asked, Context()).deliver(api.address, call.request_id, None))  # noqa: B023
            _, body = await call.answer()
            await asyncio.wrap_future(done)
        assert body == PICTURE and call.trailers
