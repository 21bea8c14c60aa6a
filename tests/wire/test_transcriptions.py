"""The three ways in which a recording comes, and what is refused."""

from urllib.parse import parse_qsl

import orjson
import pytest

from orrery.core.dialect import Form
from orrery.core.errors import InvalidRequest
from orrery.core.types import Link, Operation, Upload
from orrery.wire.form import write_form
from orrery.wire.posted import Posted
from orrery.wire.transcriptions import read_transcription, read_translation
from tests.wire.test_sound import wav

WAV = wav(0.1)
FILE = Upload("file", "speech.wav", "audio/wav", WAV)


def form(*fields: tuple[str, str], files: tuple[Upload, ...] = (FILE,)) -> Posted:
    content_type, pieces = write_form(Form(fields, files))
    return Posted(b"".join(pieces), content_type)


def raw(query: str = "", content_type: str = "audio/wav", data: bytes = WAV) -> Posted:
    return Posted(data, content_type, dict(parse_qsl(query)))


def posted(**body: object) -> Posted:
    return Posted(orjson.dumps(body))


def test_a_form_is_read_as_openai_sdks_write_it():
    call = read_transcription(
        form(
            ("model", "openai/whisper-1"),
            ("prompt", "42"),
            ("temperature", "0"),
            ("stream", "false"),
            ("timestamp_granularities[]", "word"),
            ("timestamp_granularities[]", "segment"),
            ("known_speaker_names[]", "007"),
            ("chunking_strategy[type]", "server_vad"),
            ("chunking_strategy[threshold]", "0.4"),
        )
    )
    assert call.operation is Operation.TRANSCRIPTIONS and not call.stream
    assert call.body == {
        "model": "openai/whisper-1",
        "prompt": "42",
        "temperature": 0,
        "stream": False,
        "timestamp_granularities": ["word", "segment"],
        "known_speaker_names": ["007"],
        "chunking_strategy": {"type": "server_vad", "threshold": 0.4},
    }


def test_the_file_of_a_form_is_a_view_into_what_was_posted():
    request = form(("model", "openai/whisper-1"))
    (file,) = read_transcription(request).files
    assert isinstance(file.data, memoryview) and file.data.obj is request.raw and file.data == WAV
    assert (file.field_name, file.name, file.media_type) == ("file", "file.wav", "audio/wav")


@pytest.mark.parametrize(
    "fields",
    [
        [("orq", '{"retry": {"count": 2, "on_codes": [503]}, "fallbacks": [{"model": "groq/w"}]}')],
        [("retry", '{"count": 2, "on_codes": [503]}'), ("fallbacks", '[{"model": "groq/w"}]')],
        [("retry[count]", "2"), ("retry[on_codes][]", "503"), ("fallbacks[][model]", "groq/w")],
    ],
    ids=["orq", "json", "brackets"],
)
def test_options_come_as_form_fields_and_stay_out_of_the_body(fields):
    call = read_transcription(form(("model", "openai/whisper-1"), *fields))
    assert (call.options.retry.count, call.options.retry.on_codes) == (2, {503})
    assert call.options.fallbacks == ("groq/w",)
    assert call.body == {"model": "openai/whisper-1"}


def test_several_objects_of_a_list_come_one_after_another():
    call = read_transcription(form(("fallbacks[][model]", "groq/a"), ("fallbacks[][model]", "groq/b")))
    assert call.options.fallbacks == ("groq/a", "groq/b")


def test_a_recording_may_be_the_body_itself():
    call = read_transcription(raw("model=openai/whisper-1&language=en&diarize=true&timestamp_granularities=word"))
    assert call.body == {
        "model": "openai/whisper-1",
        "language": "en",
        "diarize": True,
        "timestamp_granularities": ["word"],
    }
    assert (call.files[0].name, call.files[0].media_type, call.files[0].data) == ("file.wav", "audio/wav", WAV)


@pytest.mark.parametrize("content_type", ["audio/mpeg; rate=1", "VIDEO/MP4", "application/octet-stream"])
def test_sound_and_film_of_every_kind_may_be_the_body(content_type):
    assert read_transcription(raw("model=openai/whisper-1", content_type)).files[0].data == WAV


@pytest.mark.parametrize("name", ["url", "file_url"])
def test_a_url_is_a_link_that_becomes_the_file(name):
    call = read_transcription(posted(model="openai/whisper-1", **{name: "https://x.test/a.mp3"}))
    assert call.links == (Link((name,), "https://x.test/a.mp3", upload="file"),)
    assert call.body[name] and not call.files


def test_a_data_url_is_a_file_at_once():
    call = read_transcription(posted(model="openai/whisper-1", url="data:audio/mpeg;base64,SUQz"))
    assert (call.files[0].name, call.files[0].data, call.links) == ("file.mp3", b"ID3", ())
    assert "url" not in call.body


def test_the_query_names_the_model_where_the_body_does_not():
    request = Posted(orjson.dumps({"url": "https://x.test/a"}), query={"model": "groq/w", "api-version": "1"})
    assert read_transcription(request).body == {"model": "groq/w", "url": "https://x.test/a"}
    request = Posted(orjson.dumps({"url": "https://x.test/a", "model": "openai/m"}), query={"model": "groq/w"})
    assert read_transcription(request).model == "openai/m"


def test_without_a_model_nova_3_listens_and_nobody_translates():
    assert read_transcription(raw()).model == "deepgram/nova-3"
    with pytest.raises(InvalidRequest) as caught:
        read_translation(raw())
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("model", "streams"), [("openai/gpt-4o-transcribe", True), ("openai/whisper-1", False), ("whisper-1", False)]
)
def test_whisper_1_ignores_stream_as_openai_says(model, streams):
    assert read_transcription(form(("model", model), ("stream", "true"))).stream is streams


BAD = [
    (posted(model="openai/w"), "file"),
    (posted(model="openai/w", url="ftp://x.test/a"), "url"),
    (posted(model="openai/w", url="https://x.test/a", file_url="https://x.test/b"), "file_url"),
    (form(("url", "https://x.test/a")), "url"),
    (form(files=(FILE, FILE)), "file"),
    (form(files=(FILE, Upload("mask", "m.png", "image/png", b"x"))), "mask"),
    (form(files=(Upload("file", "a.wav", "audio/wav", b""),)), "file"),
    (raw(data=b""), "file"),
    (form(("temperature", "hot")), "temperature"),
    (form(("temperature", "1.5")), "temperature"),
    (form(("response_format", "xml")), "response_format"),
    (form(("timestamp_granularities[]", "page")), "timestamp_granularities[0]"),
    (form(("num_speakers", "33")), "num_speakers"),
    (form(("retry[count]", "9")), "retry.count"),
    (posted(model=3, url="https://x.test/a"), "model"),
]


@pytest.mark.parametrize(("request_", "param"), BAD)
def test_what_is_wrong_is_named(request_, param):
    with pytest.raises(InvalidRequest) as caught:
        read_transcription(request_)
    assert caught.value.param == param


def test_translations_know_no_speakers():
    with pytest.raises(InvalidRequest) as caught:
        read_translation(form(("model", "openai/whisper-1"), ("response_format", "diarized_json")))
    assert caught.value.param == "response_format"


@pytest.mark.parametrize("name", ["api_key", "aws_secret_access_key", "base_url"])
def test_a_key_in_the_url_is_refused(name: str) -> None:
    posted = Posted(b"RIFF", "audio/wav", {"model": "openai/whisper-1", name: "sk-secret"})
    with pytest.raises(InvalidRequest) as caught:
        read_transcription(posted)
    assert caught.value.param == name and "sk-secret" not in caught.value.message
