"""ElevenLabs' Scribe: a form, and words with the spaces between them.

Source: elevenlabs 2.78.0 (`speech_to_text.convert` and its response types), read 2026-11-21. Parameters of its own that
cost extra (keyterms, edits, entities, roles of speakers, channels apart) are not sent: no price here knows of them.
"""

from typing import Any

import orjson

from orrery.core.dialect import Adapter, Encoded, Form, Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Target
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.hearing import file_of, heard, lose, most
from orrery.wire.subtitles import Word
from orrery.wire.transcripts import Transcript, answer_of, as_events, format_of

NAMES = {"language": "language_code", "num_speakers": "num_speakers", "tag_audio_events": "tag_audio_events"} | {
    name: name for name in ("timestamps_granularity", "diarize", "temperature", "seed")
}
"""Parameters, and what they are called there."""

TAKEN = frozenset(NAMES) | {"model", "response_format", "timestamp_granularities", "enable_logging", "stream"}

TIMED = frozenset({"srt", "vtt", "verbose_json", "diarized_json"})
"""Forms that need the times of words."""


def path(call: Call, target: Target) -> str:
    return "/speech-to-text?enable_logging=false" if call.body.get("enable_logging") is False else "/speech-to-text"


def encode(call: Call, target: Target) -> Encoded:
    fields: Json = {"model_id": target.model}
    fields |= {NAMES[name]: value for name, value in call.body.items() if name in NAMES and value is not None}
    lost = lose(call, TAKEN)
    if format_of(call) in TIMED and fields.get("timestamps_granularity") == "none":
        lost.add("timestamps_granularity")
        del fields["timestamps_granularity"]
    if format_of(call) == "diarized_json":
        fields["diarize"] = True
    return Encoded(Form(tuple((name, _text(value)) for name, value in fields.items()), (file_of(call),)), lost.names())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def decode(body: bytes, call: Call) -> Frame:
    """Raises `UpstreamError` for what is no transcript."""
    answer = object_in(body, "a reply")
    if not isinstance(answer.get("text"), str):
        raise UpstreamError("the provider's reply has no text", upstream_status=200)
    seconds = answer.get("audio_duration_secs")
    words = answer.get("words")
    transcript = Transcript(
        text=answer["text"],
        language=text_of(answer.get("language_code")),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        words=tuple(_word(object_of(word)) for word in words if object_of(word).get("type") != "spacing")
        if isinstance(words, list)
        else (),
    )
    return answer_of(transcript, call, heard(call, seconds))


def _word(word: Json) -> Word:
    start, end = (value if isinstance(value, int | float) else 0.0 for value in (word.get("start"), word.get("end")))
    return Word(text_of(word.get("text")), float(start), float(end), text_of(word.get("speaker_id")))


ADAPTER = Adapter(path=path, encode=encode, decode=decode, most=most, as_events=as_events)
