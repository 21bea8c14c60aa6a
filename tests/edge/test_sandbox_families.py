"""The practice provider's other families: what each makes, by itself."""

import base64
import io
import struct
import wave
import zlib
from typing import Any

import orjson
import pytest
from mistralai.client.models import OCRResponse
from openai.types import Completion, CreateEmbeddingResponse, ImagesResponse, ModerationCreateResponse, Video
from openai.types.audio import Transcription, TranscriptionVerbose

from orrery.core.dialect import Form
from orrery.core.types import Upload
from orrery.edge.sandbox import MODEL_OF, MODELS, app
from orrery.edge.sandbox_sound import RATE, tones, wav
from orrery.edge.sandbox_texts import vector
from orrery.wire.form import write_form
from tests.edge.asgi import Heard, request


def whole(text: str) -> bytes:
    return b"".join(wav(text))


async def ask(route: str, body: Any, method: str = "POST") -> Heard:
    extra = ((b"content-type", b"application/json"),)
    return await request(app, body, path=f"/sandbox/v1{route}", method=method, extra=extra)


async def post(route: str, data: bytes, **fields: str) -> Heard:
    content_type, pieces = write_form(Form(tuple(fields.items()), (Upload("file", "a.wav", "audio/wav", data),)))
    extra = ((b"content-type", content_type.encode()),)
    return await request(app, b"".join(pieces), path=f"/sandbox/v1{route}", extra=extra)


async def test_it_lists_its_models() -> None:
    listed = (await ask("/models", b"", "GET")).json()
    assert [row["id"] for row in listed["data"]] == list(MODELS)


@pytest.mark.parametrize("route", MODEL_OF)
async def test_another_model_is_unknown(route: str) -> None:
    heard = await ask(route, {"model": "gpt-5", "input": "x"})
    assert (heard.status, heard.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("route", MODEL_OF)
async def test_every_route_can_be_told_to_fail(route: str) -> None:
    heard = await ask(route, {"model": "x", "metadata": {"sandbox_status": "503", "sandbox_retry_after": "2"}})
    assert (heard.status, heard.headers["retry-after"]) == (503, "2")


async def test_vectors_follow_from_their_input_and_have_the_length_one() -> None:
    asked = {"model": "embed", "input": ["a", "b", "a"], "dimensions": 10}
    found = CreateEmbeddingResponse.model_validate((await ask("/embeddings", asked)).json())
    first, second, third = [row.embedding for row in found.data]
    assert first == third != second and len(first) == 10
    assert sum(each * each for each in first) == pytest.approx(1)
    packed = (await ask("/embeddings", asked | {"encoding_format": "base64"})).json()["data"][0]["embedding"]
    assert list(struct.unpack("<10f", base64.b64decode(packed))) == first


@pytest.mark.parametrize("dimensions", [1, 7, 8, 9, 4096])
def test_a_vector_has_as_many_numbers_as_were_asked_for(dimensions: int) -> None:
    assert len(vector("x", dimensions)) == dimensions


async def test_a_text_is_flagged_where_it_says_so() -> None:
    asked = {"model": "moderate", "input": ["fine", "please FLAG ME"]}
    found = ModerationCreateResponse.model_validate((await ask("/moderations", asked)).json())
    assert [result.flagged for result in found.results] == [False, True]


async def test_documents_rank_by_the_words_that_they_share_with_the_query() -> None:
    asked = {"model": "rerank", "query": "red planet", "documents": ["blue moon", "red planet", "red moon"], "top_n": 2}
    rows = (await ask("/rerank", asked)).json()["results"]
    assert [(row["index"], row["relevance_score"]) for row in rows] == [(1, 1.0), (2, 0.5)]


def pixels(png: bytes) -> tuple[int, int, bytes]:
    """Width, height and the unpacked rows of a PNG whose chunks are sound."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, packed, head = 8, b"", b""
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        kind, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        assert struct.unpack(">I", png[place + 8 + size : place + 12 + size])[0] == zlib.crc32(kind + data)
        head, packed = (data if kind == b"IHDR" else head), packed + (data if kind == b"IDAT" else b"")
        place += 12 + size
    width, height = struct.unpack(">II", head[:8])
    return width, height, zlib.decompress(packed)


@pytest.mark.parametrize("size", ["256x256", "1024x512", "7x3", "1x1"])
async def test_a_picture_has_the_size_that_was_asked_for(size: str) -> None:
    asked = {"model": "draw", "prompt": "a comet", "size": size, "n": 2}
    found = ImagesResponse.model_validate((await ask("/images/generations", asked)).json())
    assert found.data is not None and len({picture.b64_json for picture in found.data}) == 2
    width, height, rows = pixels(base64.b64decode(found.data[0].b64_json or ""))
    assert f"{width}x{height}" == size and len(rows) == height * (1 + 3 * width)


async def test_a_large_picture_bears_the_sandboxs_name() -> None:
    asked = {"model": "draw", "prompt": "x", "size": "512x512", "response_format": "url"}
    url = (await ask("/images/generations", asked)).json()["data"][0]["url"]
    _, _, rows = pixels(base64.b64decode(url.removeprefix("data:image/png;base64,")))
    assert rows.count(b"\xff\xff\xff") > 1000


async def test_a_streamed_picture_comes_to_be() -> None:
    asked = {"model": "draw", "prompt": "x", "size": "16x16", "stream": True, "partial_images": 2}
    *events, done = (await ask("/images/edits", asked)).events()
    types = [orjson.loads(event)["type"] for event in events]
    assert types == ["image_edit.partial_image"] * 2 + ["image_edit.completed"] and done == b"[DONE]"


async def test_speech_is_a_tone_for_every_word() -> None:
    heard = await ask("/audio/speech", {"model": "speak", "input": "one two three"})
    assert heard.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(heard.body)) as file:
        assert (file.getframerate(), file.getnframes()) == (RATE, 3 * int(RATE * 0.12))
    raw = await ask("/audio/speech", {"model": "speak", "input": "one two three", "response_format": "pcm"})
    assert raw.headers["content-type"] == "audio/pcm" and raw.body == b"".join(tones("one two three"))
    assert len(raw.steps) == 3


async def test_speech_as_events() -> None:
    *events, last, _ = (await ask("/audio/speech", {"model": "speak", "input": "hi", "stream_format": "sse"})).events()
    sound = b"".join(base64.b64decode(orjson.loads(event)["audio"]) for event in events)
    assert sound == whole("hi") and orjson.loads(last)["type"] == "speech.audio.done"


async def test_it_hears_how_long_a_recording_is() -> None:
    heard = await post("/audio/transcriptions", whole("one two three"), model="listen", response_format="verbose_json")
    found = TranscriptionVerbose.model_validate(heard.json())
    assert found.duration == pytest.approx(0.36) and "0.36 seconds" in found.text
    plain = await post("/audio/translations", b"no wave at all", model="listen")
    assert "sandbox" in Transcription.model_validate(plain.json()).text


@pytest.mark.parametrize(
    ("format", "begins"), [("text", b"This is"), ("srt", b"1\n00:00:00,000 -->"), ("vtt", b"WEBVTT")]
)
async def test_a_transcript_as_text(format: str, begins: bytes) -> None:
    heard = await post("/audio/transcriptions", whole("x"), model="listen", response_format=format)
    assert heard.body.startswith(begins) and heard.headers["content-type"].startswith("text/")


async def test_a_streamed_transcript_adds_up() -> None:
    *events, _ = (await post("/audio/transcriptions", whole("x"), model="listen", stream="true")).events()
    told = [orjson.loads(event) for event in events]
    assert "".join(event["delta"] for event in told[:-1]) == told[-1]["text"]


async def test_a_film_is_done_at_once_and_is_none() -> None:
    job = Video.model_validate((await ask("/videos", {"model": "film", "prompt": "x", "seconds": "8"})).json())
    assert (job.status, job.seconds) == ("queued", "8")
    assert Video.model_validate((await ask(f"/videos/{job.id}", b"", "GET")).json()).status == "completed"
    heard = await ask(f"/videos/{job.id}/content", b"", "GET")
    assert heard.headers["content-type"] == "video/mp4" and b"sandbox" in heard.body


PDF = b"%PDF-1.4 1 0 obj <</Type /Pages>> 2 0 obj <</Type /Page>> 3 0 obj <</Type/Page /Parent 1 0 R>>"


async def read(url: str, **more: Any) -> Any:
    document = {"type": "document_url", "document_url": url}
    return OCRResponse.model_validate((await ask("/ocr", {"model": "read", "document": document, **more})).json())


async def test_an_address_is_not_visited() -> None:
    told = await read("https://x.test/a.pdf")
    assert "does not visit" in told.pages[0].markdown and told.usage_info.pages_processed == 1


@pytest.mark.parametrize(
    ("pages", "indexes"), [(None, [0, 1]), ([1], [1]), ("0-1", [0, 1]), ("1,7", [1]), ("0-999999", [0, 1])]
)
async def test_a_document_has_its_pages_and_its_size(pages: Any, indexes: list[int]) -> None:
    url = f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"
    told = await read(url, pages=pages)
    assert [page.index for page in told.pages] == indexes
    assert f"{len(PDF)} bytes" in told.pages[0].markdown and told.usage_info.doc_size_bytes == len(PDF)


async def complete(**more: Any) -> Completion:
    return Completion.model_validate((await ask("/completions", {"model": "echo", **more})).json())


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        ({"prompt": ["one two", "three"], "n": 2}, ["one two", "one two", "three", "three"]),
        ({"prompt": [7, 8]}, ["<7> <8>"]),
        ({"prompt": [[7], [8]]}, ["<7>", "<8>"]),
        ({"prompt": "a b c d", "stop": "c"}, ["a b "]),
        ({"prompt": "a b", "echo": True}, ["a ba b"]),
        ({"prompt": "a b", "echo": True, "max_tokens": 0}, ["a b"]),
    ],
)
async def test_a_legacy_completion_says_its_prompts_again(asked: Any, texts: list[str]) -> None:
    whole = await complete(**asked)
    assert [choice.text for choice in whole.choices] == texts
    assert [choice.index for choice in whole.choices] == list(range(len(texts)))
    *events, done = (await ask("/completions", {"model": "echo", **asked, "stream": True})).events()
    told = [orjson.loads(event)["choices"][0] for event in events]
    streamed = ["".join(choice["text"] for choice in told if choice["index"] == n) for n in range(len(texts))]
    assert streamed == texts and done == b"[DONE]"


async def test_a_completion_ends_after_openais_sixteen_tokens() -> None:
    (choice,) = (await complete(prompt="w " * 20)).choices
    assert choice.finish_reason == "length" and len(choice.text.split()) == 16


async def test_a_completions_usage_comes_to_who_asks() -> None:
    usage = (await complete(prompt=["a b", "c"], n=2)).usage
    assert usage and (usage.prompt_tokens, usage.completion_tokens) == (3, 6)
    asked = {"model": "echo", "prompt": "a b", "stream": True, "stream_options": {"include_usage": True}}
    *before, last, _ = [event for event in (await ask("/completions", asked)).events()]
    assert orjson.loads(last)["usage"]["total_tokens"] == 4 and orjson.loads(before[0])["usage"] is None


@pytest.mark.parametrize(
    ("route", "asked", "param"),
    [
        ("/completions", {"model": "echo", "prompt": "a", "logprobs": 1}, "logprobs"),
        ("/completions", {"model": "echo", "prompt": "a", "suffix": "b", "stream": True}, "suffix"),
        ("/embeddings", {"model": "embed", "input": "a", "dimensions": 4097}, "dimensions"),
    ],
)
async def test_what_it_does_not_have_it_refuses(route: str, asked: Any, param: str) -> None:
    heard = await ask(route, asked)
    assert (heard.status, heard.json()["error"]["param"]) == (400, param)


async def test_pictures_that_were_sent_are_counted() -> None:
    told = (await post("/images/edits", b"1234", model="draw", prompt="x", size="8x8")).json()
    assert "1 file(s) of 4 bytes" in told["data"][0]["revised_prompt"]


async def test_as_many_pictures_are_streamed_as_are_wanted() -> None:
    asked = {"model": "draw", "prompt": "x", "size": "8x8", "stream": True, "partial_images": 1, "n": 2}
    *events, _ = (await ask("/images/generations", asked)).events()
    assert [orjson.loads(event)["type"].rpartition(".")[2] for event in events] == ["partial_image", "completed"] * 2


async def test_parts_of_one_input_are_judged_together() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "FLAG ME"}]
    (result,) = (await ask("/moderations", {"model": "moderate", "input": parts})).json()["results"]
    assert result["flagged"]


async def test_a_format_that_it_does_not_make_is_answered_by_wav_and_said_so() -> None:
    heard = await ask("/audio/speech", {"model": "speak", "input": "hi"})
    assert heard.headers["x-orrery-sandbox-format"] == "wav instead of mp3"
    told = await ask("/audio/speech", {"model": "speak", "input": "hi", "response_format": "wav"})
    assert "x-orrery-sandbox-format" not in told.headers and len(told.steps) == 3


async def test_a_file_can_break_off_too() -> None:
    told = {"sandbox_cut_after": "2"}
    heard = await ask("/audio/speech", {"model": "speak", "input": "one two", "metadata": told})
    assert not heard.ended and len(heard.steps) == 2


@pytest.mark.parametrize("metadata", ["nonsense", [1], 7, None])
async def test_metadata_that_is_no_object_changes_nothing(metadata: Any) -> None:
    assert (await ask("/embeddings", {"model": "embed", "input": "a", "metadata": metadata})).status == 200


async def test_a_form_can_ask_for_a_failure() -> None:
    heard = await post("/audio/transcriptions", b"x", model="listen", metadata='{"sandbox_status": "503"}')
    assert heard.status == 503
