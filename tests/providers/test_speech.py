"""What the case folders of speech cannot ask: errors in pieces, answers that end oddly, and what a bound is made of."""

from dataclasses import replace

import pytest

from orrery.core.dialect import Event
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Operation
from orrery.providers.compatible.speech import EventDecoder
from orrery.providers.gemini.speech import MOST_TOKENS, SoundDecoder, most
from orrery.providers.speaking import SpeechDecoder, sound_tokens
from orrery.wire.speech import spoken
from tests.providers.families import Case

CALL = Call(Operation.SPEECH, "openai/tts-1", {"input": "Hello."}, stream=True, raw=True)
ERROR = b'{"error": {"message": "Overloaded.", "type": "server_error"}}'
GEMINI = Case("google", "speech_pcm")


def feed(decoder: SpeechDecoder | EventDecoder | SoundDecoder, *pieces: bytes) -> list[object]:
    return [frame.payload for piece in pieces for frame in decoder.feed(Event("", piece))]


@pytest.mark.parametrize("cut", [1, 7, len(ERROR) - 1])
def test_an_error_in_pieces_is_read_whole_and_is_no_sound(cut: int) -> None:
    decoder = SpeechDecoder(CALL, spoken(CALL))
    assert feed(decoder, ERROR[:cut], ERROR[cut:]) == []
    with pytest.raises(UpstreamError, match=r"Overloaded\."):
        decoder.close()


def test_what_looks_like_json_is_sound_where_the_provider_says_so() -> None:
    decoder = SpeechDecoder(replace(CALL, reply_type="audio/pcm"), spoken(CALL))
    assert feed(decoder, b"{", b"}") == [b"{", b"}"]
    assert decoder.close() == []


def test_only_the_first_piece_brings_the_cost() -> None:
    decoder = SpeechDecoder(CALL, spoken(CALL))
    frames = [frame for piece in (b"a", b"b") for frame in decoder.feed(Event("", piece))]
    assert [frame.usage for frame in frames] == [spoken(CALL), None]


def test_a_file_of_nothing_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="no sound"):
        SpeechDecoder(CALL, spoken(CALL)).close()


@pytest.mark.parametrize("audio", ["", "%%%", None])
def test_an_event_whose_sound_cannot_be_read_is_an_error(audio: str | None) -> None:
    told = b'data: {"type": "speech.audio.delta", "audio": %b}\n\n' % (
        b"null" if audio is None else b'"%b"' % audio.encode()
    )
    decoder = EventDecoder(CALL)
    if audio == "":
        assert feed(decoder, told) == []
        return
    with pytest.raises(UpstreamError, match="without sound"):
        feed(decoder, told)


def test_events_of_kinds_to_come_reach_who_reads_events() -> None:
    told = b'data: {"type": "speech.audio.marks"}\n\n'
    assert feed(EventDecoder(CALL), told) == []
    assert feed(EventDecoder(replace(CALL, raw=False)), told) == [{"type": "speech.audio.marks"}]


def test_speech_without_its_last_event_is_truncated() -> None:
    decoder = EventDecoder(CALL)
    assert feed(decoder, b'data: {"type": "speech.audio.delta", "audio": "aGk="}\n\n') == [b"hi"]
    with pytest.raises(Truncated):
        decoder.close()


def test_gemini_samples_at_another_rate_make_a_file_of_that_rate() -> None:
    decoder = SoundDecoder(Case("google", "speech_wav").call())
    part = b'{"inlineData": {"mimeType": "audio/L16; rate=16000", "data": "AAA="}}'
    feed(decoder, b'{"candidates": [{"content": {"parts": [%b]}, "finishReason": "STOP"}]}' % part)
    (frame,) = decoder.close()
    assert isinstance(frame.payload, bytes) and frame.payload[24:28] == (16_000).to_bytes(4, "little")


def test_gemini_sound_of_another_kind_is_an_error() -> None:
    told = b'{"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "AAA="}}]}}]}'
    with pytest.raises(UpstreamError, match="audio/wav"):
        feed(SoundDecoder(GEMINI.call()), told)


def test_bounds_grow_with_bytes_and_slowness_and_end_where_the_model_does() -> None:
    assert sound_tokens(CALL).completion == 24
    assert sound_tokens(replace(CALL, body={"input": "世", "speed": 0.5})).completion == 24
    assert sound_tokens(replace(CALL, body={"input": "Hello.", "speed": 4})).completion == 24
    long = replace(CALL, body={"input": "a" * 100_000})
    assert most(long, GEMINI.target()).completion == MOST_TOKENS
    assert most(long, replace(GEMINI.target(), max_output=500)).audio_output == 500
