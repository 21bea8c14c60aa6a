"""Voxtral's speech: OpenAI's address and names of events, with `voice_id`, and sound in `audio_data`.

Sources: mistralai 3.7.0 (`SpeechRequest`, `SpeechStreamEvents`, `SpeechOutputFormat`), read 2026-11-21. Its PCM is of
32-bit floats (`RealtimeSpeechSessionUpdatePayload`), not OpenAI's of 16-bit numbers, and so not offered. Sold by the
character.
"""

from base64 import b64decode
from collections.abc import Iterable

from orrery.core.dialect import Adapter, Encoded, Event, Frame
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.mistral.errors import failure
from orrery.providers.speaking import lose, never_whole
from orrery.wire.speech import MEDIA_TYPES, done, format_of, frames_of, spoken, voice_of
from orrery.wire.sse import Reader

FORMATS = ("mp3", "opus", "flac", "wav")

DEFAULT = "mp3"
"""What is asked for instead of a format that it does not have."""

TAKEN = frozenset({"ref_audio", "expressiveness", "phoneme_hints", "conversation_history"})
"""Parameters of its own that a caller may give beside OpenAI's."""


def encode(call: Call, target: Target) -> Encoded:
    """Without a voice, `ref_audio` is one, or Mistral says what is missing."""
    body: Json = {"model": target.model, "input": call.body["input"], "stream": True, "response_format": _format(call)}
    if voice := voice_of(call):
        body["voice_id"] = voice
    body |= {name: value for name, value in call.body.items() if name in TAKEN and value is not None}
    return Encoded(body, lose(call, TAKEN | {"voice"}, FORMATS).names())


def _format(call: Call) -> str:
    return format_of(call) if format_of(call) in FORMATS else DEFAULT


class SpeechEvents:
    """Its events as OpenAI's, or their sound as bytes."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._usage: Usage | None = spoken(call)
        self._has_sound = False
        self.done = False

    def feed(self, event: Event) -> Iterable[Frame]:
        if self.done or event.data == b"[DONE]":
            return []
        told = object_in(event.data, "an event")
        if told.get("error") or told.get("object") == "error":
            raise failure(told)
        kind = text_of(told.get("type")) or event.name
        if kind == "speech.audio.done":
            return self._end()
        return self._take(_sound(told)) if kind == "speech.audio.delta" else []

    def close(self) -> Iterable[Frame]:
        if not self.done:
            raise Truncated(f"{self._call.model} ended before its speech did", upstream_status=200)
        return []

    def _take(self, sound: bytes) -> list[Frame]:
        if not sound:
            return []
        usage, self._usage, self._has_sound = self._usage, None, True
        return frames_of(sound, self._call, MEDIA_TYPES[_format(self._call)], usage)

    def _end(self) -> list[Frame]:
        if not self._has_sound:
            raise UpstreamError("the provider sent no sound", upstream_status=200)
        self.done = True
        return [] if self._call.raw else [Frame(done(spoken(self._call)))]


def _sound(told: Json) -> bytes:
    try:
        return b64decode(told["audio_data"], validate=True)
    except (KeyError, TypeError, ValueError) as err:
        raise UpstreamError("the provider sent an event without sound", upstream_status=200) from err


def most(call: Call, target: Target) -> Usage:
    return spoken(call)


ADAPTER = Adapter(
    path=lambda call, target: "/audio/speech",
    encode=encode,
    decode=never_whole,
    decoder=SpeechEvents,
    reader=Reader,
    most=most,
)
