"""What of a speech request is refused, what becomes of the rest, and speech as bytes or as events."""

from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.options import Retry
from orrery.core.types import Call, Operation, Usage
from orrery.wire.posted import Posted
from orrery.wire.speech import DEFAULT_MODEL, Chunks, characters_of, done, format_of, frames_of, read_speech, voice_of

SAID: dict[str, Any] = {"model": "openai/tts-1", "input": "Hello.", "voice": "alloy"}


def read(**body: Any) -> Call:
    return read_speech(Posted(orjson.dumps(SAID | body), strict=True))


def test_a_request_becomes_a_call_whose_answer_is_bytes_as_they_come() -> None:
    call = read(speed=1, response_format=None, unknown={"a": 1})
    assert (call.operation, call.model, call.stream, call.raw) == (Operation.SPEECH, "openai/tts-1", True, True)
    assert call.body == SAID | {"speed": 1, "response_format": None, "unknown": {"a": 1}}
    assert call.strict and call.body_bytes > len("Hello.")


def test_events_are_given_to_those_who_ask_for_them() -> None:
    assert not read(stream_format="sse").raw
    assert read(stream_format="audio").raw
    assert read(stream_format=None).raw


def test_the_gateways_own_fields_are_options_and_nothing_else() -> None:
    call = read(retry={"count": 2, "on_codes": [500]}, fallbacks=[{"model": "groq/x"}], orq={}, api_key=None)
    assert call.body == SAID
    assert call.options.retry == Retry(2, frozenset({500}))
    assert call.options.fallbacks == ("groq/x",)


@pytest.mark.parametrize("model", [None, "absent"])
def test_who_names_no_model_gets_orbitrages(model: str | None) -> None:
    body = {name: value for name, value in SAID.items() if name == "input"}
    call = read_speech(Posted(orjson.dumps(body if model else body | {"model": None})))
    assert call.model == call.body["model"] == DEFAULT_MODEL == "deepgram/aura-2-thalia-en"
    assert voice_of(call) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("input", wrong) for wrong in ("", None, 7, ["Hello."])),
        *(("model", wrong) for wrong in ("", 7)),
        *(("voice", wrong) for wrong in ("", 7, [])),
        ("voice.id", {"voice": {}}),
        ("voice.id", {"voice": {"id": ""}}),
        ("instructions", 7),
        *(("response_format", wrong) for wrong in ("", 7)),
        *(("speed", wrong) for wrong in (0.24, 4.01, "1", True)),
        *(("stream_format", wrong) for wrong in ("json", True)),
    ],
)
def test_what_cannot_be_spoken_is_refused_where_it_stands(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**value if isinstance(value, dict) else {name: value})
    assert (caught.value.param or "").startswith(name.partition(".")[0])


@pytest.mark.parametrize("speed", [0.25, 1, 4])
def test_speeds_are_lawful_up_to_their_bounds(speed: float) -> None:
    assert read(speed=speed).body["speed"] == speed


def test_formats_and_voices_are_read_from_the_call() -> None:
    assert (format_of(read()), format_of(read(response_format="opus"))) == ("mp3", "opus")
    assert (voice_of(read()), voice_of(read(voice={"id": "voice_1"}))) == ("alloy", "voice_1")


def test_characters_are_counted_not_bytes() -> None:
    assert characters_of(read(input="Grüße, 世界 🎧")) == 11


def test_pieces_of_a_file_go_on_as_they_came() -> None:
    reader = Chunks()
    assert [event.data for event in reader.feed(b"data: {}\n\n")] == [b"data: {}\n\n"]
    assert reader.feed(b"") == reader.close() == []


def test_sound_is_bytes_or_an_event_of_base64() -> None:
    (frame,) = frames_of(b"\xff\xfb", read(), "audio/mpeg")
    assert (frame.payload, frame.media_type) == (b"\xff\xfb", "audio/mpeg")
    (frame,) = frames_of(b"\xff\xfb", read(stream_format="sse"), "audio/mpeg")
    assert (frame.payload, frame.media_type) == ({"type": "speech.audio.delta", "audio": "//s="}, "")


def test_the_last_event_tells_tokens_that_the_provider_told() -> None:
    told = Usage(prompt=3, completion=40)
    assert done(told)["usage"] == {"input_tokens": 3, "output_tokens": 40, "total_tokens": 43}
    guessed = Usage(prompt=3, completion=40, ours=True)
    assert done(guessed)["usage"] == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
