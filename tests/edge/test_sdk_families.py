"""The OpenAI SDK's own methods for every family, against the server of `make run` and its sandbox."""

import io
import struct
import wave
import zlib
from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from tests.edge.running import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("state")) as server:
        yield server


@pytest.fixture
def client(server: Running) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url, api_key=server.api_key, max_retries=0) as client:
        yield client


def wav(seconds: float = 1.0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(int(8000 * seconds) * 2))
    return file.getvalue()


def png(width: int = 8, height: int = 8) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + b"\x80\x40\xff" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_completions(client):
    whole = client.completions.create(model="sandbox/echo", prompt="Hello planets")
    assert whole.choices[0].text and whole.usage.total_tokens
    chunks = list(client.completions.create(model="sandbox/echo", prompt="Hello planets", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == whole.choices[0].text


def test_embeddings_are_the_same_floats_whichever_way_they_come(client):
    asked = {"model": "sandbox/embed", "input": ["one", "two"], "dimensions": 8}
    packed = client.embeddings.create(**asked)  # the SDK asks for base64 and decodes it
    plain = client.embeddings.create(**asked, encoding_format="float")
    assert [len(row.embedding) for row in packed.data] == [8, 8]
    assert [row.embedding for row in packed.data] == [pytest.approx(row.embedding) for row in plain.data]


def test_moderations(client):
    found = client.moderations.create(model="sandbox/moderate", input=["fine", "FLAG ME"])
    assert [result.flagged for result in found.results] == [False, True]


@pytest.mark.filterwarnings("ignore:.*deprecated.*:DeprecationWarning")
def test_images(client):  # the SDK calls variations deprecated
    drawn = client.images.generate(model="sandbox/draw", prompt="a comet", n=2, response_format="b64_json")
    assert len(drawn.data) == 2 and all(image.b64_json for image in drawn.data)
    edited = client.images.edit(model="sandbox/draw", prompt="brighter", image=[("a.png", png()), ("b.png", png())])
    assert edited.data
    varied = client.images.create_variation(model="sandbox/draw", image=("a.png", png()))
    assert varied.data
    types = [event.type for event in client.images.generate(model="sandbox/draw", prompt="x", stream=True)]
    assert types[-1] == "image_generation.completed"


def test_speech_streams_and_is_heard_again(client, tmp_path):
    asked = {"model": "sandbox/speak", "voice": "alloy", "input": "Hello planets", "response_format": "wav"}
    with client.audio.speech.with_streaming_response.create(**asked) as answer:
        assert answer.headers["content-type"] == "audio/wav"
        answer.stream_to_file(tmp_path / "speech.wav")
    with (tmp_path / "speech.wav").open("rb") as file:
        heard = client.audio.transcriptions.create(model="sandbox/listen", file=file)
    assert "sandbox" in heard.text


@pytest.mark.parametrize("format", ["json", "text", "srt", "vtt", "verbose_json"])
def test_transcriptions_in_every_format(client, format):
    heard = client.audio.transcriptions.create(model="sandbox/listen", file=("a.wav", wav()), response_format=format)
    text = heard if isinstance(heard, str) else heard.text
    assert "sandbox" in text


def test_transcriptions_stream(client):
    events = list(client.audio.transcriptions.create(model="sandbox/listen", file=("a.wav", wav()), stream=True))
    assert events[-1].type == "transcript.text.done"
    deltas = "".join(event.delta for event in events if event.type == "transcript.text.delta")
    assert deltas == events[-1].text


@pytest.mark.filterwarnings("ignore:.*deprecated.*:DeprecationWarning")
def test_translations(client):
    assert "sandbox" in client.audio.translations.create(model="sandbox/listen", file=("a.wav", wav())).text


def test_rerank_and_ocr_by_their_paths(client):
    ranked = client.post(
        "/rerank",
        cast_to=dict,
        body={"model": "sandbox/rerank", "query": "red planet", "documents": ["a blue moon", "the red planet"]},
    )
    assert [row["index"] for row in ranked["results"]] == [1, 0]
    document = {"type": "image_url", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    read = client.post("/ocr", cast_to=dict, body={"model": "sandbox/read", "document": document})
    assert read["pages"][0]["markdown"]


def test_a_recording_that_no_request_can_hold_goes_by_a_place_of_its_own(client, server):
    """25 MB: more than Lambda's and API Gateway's limits, and this server's."""
    import httpx

    recording = wav(25 * 1024 * 1024 / 16_000)
    with pytest.raises(openai.APIStatusError) as refused:
        client.audio.transcriptions.create(model="sandbox/listen", file=("a.wav", recording))
    assert refused.value.status_code == 413 and "/v1/uploads/presign" in refused.value.message
    place = client.post("/uploads/presign", cast_to=dict, body={"content_type": "audio/wav", "bytes": len(recording)})
    with httpx.Client(trust_env=False) as plain:
        assert plain.put(place["upload_url"], content=recording, headers=place["headers"]).status_code == 200
    asked = {"model": "sandbox/listen", "url": place["url"]}
    assert "sandbox" in client.post("/audio/transcriptions", cast_to=dict, body=asked)["text"]
    with pytest.raises(openai.BadRequestError):
        client.post("/audio/transcriptions", cast_to=dict, body=asked)


@pytest.mark.parametrize("mount", ["/v3/router", "/v2/router", "/v2/gateway"])
def test_every_mount_has_every_family(server, mount):
    url = server.base_url.removesuffix("/v1") + mount
    with OpenAI(base_url=url, api_key=server.api_key, max_retries=0) as client:
        assert client.embeddings.create(model="sandbox/embed", input="x").data
        assert client.images.generate(model="sandbox/draw", prompt="x").data
        assert client.audio.transcriptions.create(model="sandbox/listen", file=("a.wav", wav())).text
        assert client.completions.create(model="sandbox/echo", prompt="x").choices
        with pytest.raises(openai.NotFoundError, match="keeps no files"):
            client.files.list()
