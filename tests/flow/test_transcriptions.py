"""Recordings on their way through the flow: read once, sent in pieces, held and charged by their length."""

import gc
import tracemalloc
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.dialect import Form
from orrery.core.errors import GatewayError, InvalidRequest, UnknownModel
from orrery.core.exchange import Receipt
from orrery.core.types import Call, Fetched, Price, Rates, Upload
from orrery.edge.http import HttpTransport
from orrery.flow.gateway import Gateway, Policy
from orrery.flow.serve import serve
from orrery.stores.model_rows import OwnModel
from orrery.wire.form import read_form, write_form
from orrery.wire.posted import Posted
from orrery.wire.transcriptions import read_transcription, read_translation
from tests.edge.faulty import serve as serving
from tests.fakes import FakeAccounts, FakeModels, FakeReply, FakeTransport, FakeWeb, Room, json_reply, stream
from tests.flow.asking import arrive
from tests.wire.test_sound import mp3, wav

URL = "https://files.example/talk.mp3"
OPEN = Policy(allow_unpriced=True)
BY_MINUTE = Price(Rates(0, 0), units={"audio_ms": 100_000})
BY_TOKEN = Price(Rates(2_500_000, 10_000_000, audio_input=6_000_000))


def posted(*fields: tuple[str, str], data: bytes = b"", model: str = "openai/gpt-4o-transcribe") -> Posted:
    file = Upload("file", "talk.wav", "audio/wav", data or wav(2.0))
    content_type, pieces = write_form(Form((("model", model), *fields), (file,)))
    return Posted(b"".join(pieces), content_type)


def linked(model: str = "openai/whisper-1", **body: Any) -> Call:
    return read_transcription(Posted(orjson.dumps({"model": model, "url": URL, **body})))


async def told(call: Call, gateway: Gateway) -> list[bytes]:
    answer = await serve("good", lambda _: replace(call, received_at=7), await arrive(), gateway)
    try:
        return [payload async for batch in answer.batches for payload in batch]
    finally:
        await answer.batches.aclose()
        await answer.close()


def room(*replies: Any, price: Price | None = None, model: str = "openai/whisper-1") -> Room:
    provider, _, name = model.partition("/")
    rows = [OwnModel(provider, name, price=price)] if price else []
    found = Room(transport=FakeTransport(*replies), policy=OPEN, models=FakeModels(rows))
    found.web = FakeWeb({URL: Fetched("audio/mpeg", mp3(1000))})
    return found


def receipt(found: Room) -> Receipt:
    return found.ledger.settled["r1"]


def file_in(found: Room, number: int = -1) -> Upload:
    request = found.transport.requests[number]
    (file,) = read_form(b"".join(request.body), request.headers["content-type"]).files
    return file


def busy() -> FakeReply:
    return json_reply({"error": {"message": "busy", "type": "server_error"}}, 503)


async def test_a_url_is_read_once_across_a_retry_and_a_fallback():
    found = room(busy(), busy(), json_reply({"text": "hi", "duration": 26.1}))
    call = linked(retry={"count": 1, "on_codes": [503]}, fallbacks=[{"model": "groq/whisper-large-v3"}])
    assert orjson.loads((await told(call, found.gateway()))[0])["text"] == "hi"
    assert found.web.read == [URL]
    assert {file_in(found, number).name for number in range(3)} == {"file.mp3"}
    assert all(file_in(found, number).data == mp3(1000) for number in range(3))


async def test_a_url_that_cannot_be_read_is_the_callers_to_repair():
    found = room()
    found.web = FakeWeb()
    with pytest.raises(InvalidRequest) as caught:
        await told(linked(), found.gateway())
    assert caught.value.param == "url" and not found.transport.requests


async def test_what_is_charged_is_the_length_that_the_provider_tells():
    found = room(json_reply({"text": "hi", "usage": {"type": "duration", "seconds": 9}}), price=BY_MINUTE)
    await told(read_transcription(posted(model="openai/whisper-1")), found.gateway())
    assert (receipt(found).cost_nano, receipt(found).evidence) == (9_000 * 100, "provider")


async def test_where_the_provider_tells_none_our_own_measure_counts():
    reply = FakeReply(200, {"content-type": "text/plain; charset=utf-8"}, [b"hi\n"])
    found = room(reply, price=BY_MINUTE)
    call = read_transcription(posted(("response_format", "text"), model="openai/whisper-1"))
    assert await told(call, found.gateway()) == [b"hi\n"]
    assert (receipt(found).cost_nano, receipt(found).evidence) == (2_000 * 100, "counted")


async def test_tokens_are_charged_where_the_model_has_a_price_for_them():
    details = {"audio_tokens": 20, "text_tokens": 0}
    usage = {"type": "tokens", "input_tokens": 20, "input_token_details": details, "output_tokens": 4}
    found = room(json_reply({"text": "hi", "usage": usage}), price=BY_TOKEN, model="openai/gpt-4o-transcribe")
    await told(read_transcription(posted()), found.gateway())
    assert receipt(found).cost_nano == (20 * 6_000_000 + 4 * 10_000_000) // 1000


@pytest.mark.parametrize(
    ("data", "least_ms"), [(wav(60.0), 60_000), (wav(60.0)[:40] + bytes(4) + wav(60.0)[44:], 59_000)]
)
async def test_as_much_is_held_as_the_bytes_can_cost(data, least_ms):
    found = room(busy(), price=BY_MINUTE)
    with pytest.raises(GatewayError):
        await told(read_transcription(posted(data=data, model="openai/whisper-1")), found.gateway())
    assert found.logged[0].held_nano >= least_ms * 100
    assert receipt(found).cost_nano == 0


async def test_for_a_url_an_hour_is_held_before_it_is_read():
    found = room(json_reply({"text": "hi", "usage": {"type": "duration", "seconds": 3}}), price=BY_MINUTE)
    await told(linked(), found.gateway())
    assert found.logged[0].held_nano == 3_600_000 * 100
    assert receipt(found).cost_nano == 3_000 * 100


async def test_a_model_without_a_price_for_sound_is_refused():
    found = room(price=Price(Rates(0, 0), units={"character": 1}))
    found.policy = Policy()
    with pytest.raises(UnknownModel):
        await told(read_transcription(posted(model="openai/whisper-1")), found.gateway())


async def test_deepgram_gets_the_recording_as_the_body_and_nova_3_without_a_model():
    channel = {"alternatives": [{"transcript": "hi", "words": []}], "detected_language": "en"}
    found = room(json_reply({"metadata": {"duration": 2.0}, "results": {"channels": [channel]}}))
    call = read_transcription(Posted(wav(2.0), "audio/wav"))
    assert orjson.loads((await told(call, found.gateway()))[0])["text"] == "hi"
    request = found.transport.requests[0]
    assert request.url.startswith("https://api.deepgram.com/v1/listen?model=nova-3&")
    assert (b"".join(request.body), request.headers["content-type"]) == (wav(2.0), "audio/wav")


async def test_a_stream_is_made_where_the_provider_has_none():
    found = room(json_reply({"text": "Hello there.", "duration": 12.0}))
    call = read_transcription(posted(("stream", "true"), model="groq/whisper-large-v3"))
    events = [orjson.loads(event) for event in await told(call, found.gateway())]
    assert [event["type"] for event in events] == ["transcript.text.delta", "transcript.text.done"]
    assert events[0]["delta"] == events[1]["text"] == "Hello there."
    assert b'name="stream"' not in b"".join(found.transport.requests[0].body)


async def test_a_stream_that_breaks_off_costs_what_it_may_have_cost():
    delta = b'data: {"type":"transcript.text.delta","delta":"Hel"}\n\n'
    found = room(stream(delta), price=BY_MINUTE, model="openai/gpt-4o-transcribe")
    with pytest.raises(GatewayError):
        await told(read_transcription(posted(("stream", "true"))), found.gateway())
    assert (receipt(found).cost_nano, receipt(found).evidence) == (2_000 * 100, "counted")


@pytest.mark.parametrize("model", ["deepgram/nova-3", "mistral/voxtral-mini-latest", "elevenlabs/scribe_v2"])
async def test_who_does_not_translate_says_so(model):
    with pytest.raises(InvalidRequest, match="does not serve translation"):
        await told(read_translation(posted(model=model)), room().gateway())


class Here(FakeAccounts):
    """OpenAI, at an address of ours."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    async def find(self, name: str) -> Any:
        account = await super().find(name)
        return account and replace(account, base_url=self.url)


SIZE = 24 * 1024 * 1024


async def test_a_recording_of_24_mb_passes_through_without_a_copy():
    data = bytearray(wav(1.0)[:44]) + bytes(SIZE)
    request = posted(data=bytes(data), model="openai/whisper-1")
    del data
    received: list[int] = []

    async def upstream(peer: Any) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[16:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        left = length
        while left:
            left -= len(await peer.reader.read(min(left, 65_536)))
        received.append(length)
        body = b'{"text":"hi","usage":{"type":"duration","seconds":786}}'
        peer.writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        peer.writer.write(body)

    transport = HttpTransport()
    async with serving(upstream) as server:
        found = room()
        found.accounts = Here(server.url)
        gateway = replace(found.gateway(), transport=transport)
        gc.collect()
        tracemalloc.start()
        try:
            assert b"hi" in (await told(read_transcription(request), gateway))[0]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        await transport.aclose()
    assert received[0] > SIZE
    assert peak < 4 * 1024 * 1024, f"{peak} bytes at once"


@pytest.mark.parametrize("form", ["json", "text"])
async def test_tokens_that_nobody_told_are_not_free(form: str) -> None:
    found = room(json_reply({"text": "hello"}), price=BY_TOKEN, model="openai/gpt-4o-transcribe")
    await told(read_transcription(posted(("response_format", form))), found.gateway())
    assert receipt(found).evidence == "counted" and receipt(found).cost_nano > 0
    assert receipt(found).cost_nano <= found.logged[0].held_nano


async def test_a_text_is_asked_for_as_json_where_only_that_tells_its_tokens() -> None:
    usage = {"type": "tokens", "input_tokens": 20, "output_tokens": 3, "total_tokens": 23}
    reply = json_reply({"text": "hello", "usage": usage})
    found = room(reply, price=BY_TOKEN, model="openai/gpt-4o-transcribe")
    assert await told(read_transcription(posted(("response_format", "text"))), found.gateway()) == [b"hello\n"]
    sent = found.transport.requests[0]
    fields = dict(read_form(b"".join(sent.body), sent.headers["content-type"]).fields)
    assert fields["response_format"] == "json" and receipt(found).evidence == "provider"
    assert (receipt(found).usage.prompt, receipt(found).usage.completion) == (20, 3)
