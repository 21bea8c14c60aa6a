"""Speech from a provider's socket to the SDK's hands: as it comes, in bounded memory, whole only when it is."""

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from orrery.edge import families
from orrery.edge.embedded.folder import StateFolder
from orrery.edge.embedded.opening import open_state
from orrery.edge.founding import connect
from orrery.edge.settings import Settings
from orrery.stores.keys import KeyStore
from orrery.stores.ledger import DynamoLedger
from orrery.stores.table import Table
from tests import fakes
from tests.edge.asgi import request
from tests.edge.lambda_process import ROOT, environment
from tests.edge.running import Running, running
from tests.functions.test_chat_process import Deployed, Provider, provided, say

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
ASKED: Any = {"model": "openai/tts-1", "voice": "alloy", "input": "Hello planets"}
PIECE = bytes(range(256)) * 256
PIECES = 480
"""30 MB together."""

GROWTH_KB = 8 * 1024
"""What a process may grow by while a file of 30 MB passes through it."""


def digest() -> str:
    return hashlib.sha256(PIECE * PIECES).hexdigest()


def peak_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, listener: socket.socket) -> Iterator[Running]:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    with running(tmp_path_factory.mktemp("state"), {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": url}) as server:
        yield server


@pytest.fixture
async def provider(listener: socket.socket) -> AsyncIterator[Provider]:
    provider = Provider()
    accepting = await asyncio.start_server(provider.connection, sock=listener.dup())
    yield provider
    for writer in provider.writers:
        writer.close()
    accepting.close()
    await accepting.wait_closed()


@pytest.fixture
async def client(server: Running) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=server.base_url, api_key=server.api_key, max_retries=0) as client:
        yield client


@asynccontextmanager
async def begun(client: AsyncOpenAI, provider: Provider, **more: Any) -> AsyncIterator[tuple[Any, Any]]:
    """An answer whose first piece is here, and the provider's end of it."""

    async def begin() -> Any:
        _, writer = await provider.request()
        writer.write(HEAD)
        say(writer, b"first")
        return writer

    beginning = asyncio.create_task(begin())
    async with client.audio.speech.with_streaming_response.create(**ASKED | more) as answer:
        yield answer, await beginning


async def send(writer: Any) -> None:
    """A file of 30 MB, no faster than it is read."""
    for _ in range(PIECES):
        say(writer, PIECE)
        await writer.drain()
    say(writer, b"")
    await writer.drain()


async def test_each_piece_is_here_before_the_provider_says_the_next(client, provider):
    async with begun(client, provider) as (answer, writer):
        assert answer.headers["content-type"] == "audio/mpeg"
        heard = answer.iter_bytes()
        assert await anext(heard) == b"first"
        for number in range(20):
            say(writer, b"piece %d" % number)
            assert await anext(heard) == b"piece %d" % number
        say(writer, b"")
        assert [piece async for piece in heard] == []


async def test_events_are_made_of_pieces_as_they_come(client, provider):
    async with begun(client, provider, stream_format="sse") as (answer, writer):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (line async for line in answer.iter_lines() if line)
        assert await anext(lines) == 'data: {"type":"speech.audio.delta","audio":"Zmlyc3Q="}'
        say(writer, b"")
        assert [json.loads(line[6:])["type"] async for line in lines if line != "data: [DONE]"] == ["speech.audio.done"]


async def test_30_megabytes_wait_for_a_caller_who_reads_slowly_and_take_no_memory(client, provider, server):
    async with begun(client, provider) as (answer, writer):
        heard = answer.iter_bytes()
        assert await anext(heard) == b"first"
        before_kb = peak_kb(server.process.pid)
        sending = asyncio.create_task(send(writer))
        done, _ = await asyncio.wait({sending}, timeout=1.0)
        assert not done, "30 MB went somewhere while nobody read them"
        read = hashlib.sha256()
        async for piece in heard:
            read.update(piece)
        await sending
    assert read.hexdigest() == digest()
    assert peak_kb(server.process.pid) - before_kb < GROWTH_KB


async def test_the_file_on_disk_is_the_providers(client, provider, tmp_path):
    async with begun(client, provider) as (answer, writer):
        sending = asyncio.create_task(send(writer))
        await answer.stream_to_file(tmp_path / "speech.mp3")
        await sending
    data = (tmp_path / "speech.mp3").read_bytes()
    assert hashlib.sha256(data.removeprefix(b"first")).hexdigest() == digest()


async def test_a_whole_answer_has_all_of_it(client, provider):
    asking = asyncio.create_task(client.audio.speech.create(**ASKED))
    _, writer = await provider.request()
    writer.write(HEAD)
    await send(writer)
    assert hashlib.sha256((await asking).content).hexdigest() == digest()


async def test_a_file_that_breaks_off_is_an_error_at_the_caller(client, provider):
    async with begun(client, provider) as (answer, writer):
        heard = answer.iter_bytes()
        assert await anext(heard) == b"first"
        writer.close()
        with pytest.raises(httpx2.RemoteProtocolError):
            await anext(heard)


async def test_an_error_before_the_first_piece_is_the_sdks_own(client, provider):
    asking = asyncio.create_task(client.audio.speech.create(**ASKED))
    _, writer = await provider.request()
    body = b'{"error": {"message": "No such voice.", "type": "invalid_request_error", "param": "voice"}}'
    writer.write(b"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    with pytest.raises(openai.BadRequestError, match="No such voice") as caught:
        await asking
    assert caught.value.param == "voice"


async def test_a_caller_who_leaves_ends_the_providers_work(client, provider):
    async with begun(client, provider) as (answer, writer):
        assert await anext(answer.iter_bytes()) == b"first"
        await answer.close()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(send(writer), 60)


async def test_a_caller_who_leaves_is_charged_once():
    room, leave = fakes.Room(), asyncio.Event()

    async def leaves() -> None:
        leave.set()
        await asyncio.Event().wait()

    room.transport.replies = [fakes.FakeReply(200, {"content-type": "audio/mpeg"}, [b"first", leaves])]
    heard = await request(families.family("audio", room.gateway), ASKED, path="/v1/audio/speech", leave=leave)
    assert heard.body == b"first" and not heard.ended
    assert [said for said in room.ledger.said if said != "checkpoint"].count("settle") == 1
    (receipt,) = room.ledger.settled.values()
    assert receipt.usage.units == {"character": len(ASKED["input"])} and receipt.cost_nano > 0
    assert (room.logged[0].outcome, room.transport.open) == ("abandoned", 0)


async def test_silence_is_no_speech_and_costs_nothing():
    room = fakes.Room()
    room.transport.replies = [fakes.FakeReply(200, {"content-type": "audio/mpeg"}, [])]
    heard = await request(families.family("audio", room.gateway), ASKED, path="/v1/audio/speech")
    assert (heard.status, heard.json()["error"]["message"]) == (502, "the provider sent no sound")
    assert room.ledger.balance_nano == 10**12


@pytest.fixture
async def audio(tmp_path: Path) -> AsyncIterator[Deployed]:
    """The audio function as it is deployed, a provider, and the books."""
    async with open_state(tmp_path, serve=True) as table, provided() as (provider, port):
        secrets, settings = StateFolder(tmp_path).secrets(), Settings(state=tmp_path)
        books = Table(table.call, settings.table)
        keys = KeyStore(books, {1: secrets.key_pepper.encode()})
        token = (await connect(table.call, settings, keys, "")).api_key
        variables = {
            "ORRERY_DYNAMODB_ENDPOINT": table.url,
            "ORRERY_KEY_PEPPER": secrets.key_pepper,
            "AWS_ACCESS_KEY_ID": secrets.access_key_id,
            "AWS_SECRET_ACCESS_KEY": secrets.secret_access_key,
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        }
        async with environment(ROOT / "functions" / "audio", **variables) as function:
            yield Deployed(function, provider, token, DynamoLedger(books))


async def test_30_megabytes_through_the_streaming_door(audio):
    event = json.loads((ROOT / "events" / "audio-speech.json").read_text())
    event["multiValueHeaders"]["Authorization"] = [f"Bearer {audio.token}"]
    asked = audio.function.api.invoke(event | {"isBase64Encoded": False, "body": json.dumps(ASKED)})
    _, writer = await audio.provider.request()
    writer.write(HEAD)
    say(writer, b"first")
    head, _, rest = (await asked.chunk()).partition(bytes(8))
    assert json.loads(head)["headers"]["content-type"] == "audio/mpeg"
    while not rest:
        rest = await asked.chunk()
    before_kb = audio.function.facts()["peak_kb"]
    sending, read = asyncio.create_task(send(writer)), hashlib.sha256(rest.removeprefix(b"first"))
    while (piece := await asked.chunk()) is not None:
        read.update(piece)
    await sending
    await asked.end()
    assert (read.hexdigest(), asked.trailers) == (digest(), {})
    assert audio.function.facts()["peak_kb"] - before_kb < GROWTH_KB
    books = await audio.books()
    assert (books.drift_nano, books.held_nano) == (0, 0) and books.spent_nano > 0
