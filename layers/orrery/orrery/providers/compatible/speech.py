"""Speech on OpenAI's wire: the body goes on as it came; bytes come back, or events."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from orrery.core.dialect import Adapter, Decoder, Encoded, Event, Frame
from orrery.core.errors import InvalidRequest, Truncated, UpstreamError
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of
from orrery.providers.compatible.row import Row
from orrery.providers.errors import read_json, stream_error
from orrery.providers.lost import Lost
from orrery.providers.speaking import NOTHING, SpeechDecoder, never_whole, sound_tokens
from orrery.wire.speech import MEDIA_TYPES, Chunks, characters_of, format_of, frames_of, spoken, voice_of
from orrery.wire.sse import Reader


@dataclass(frozen=True, slots=True)
class Facts:
    """What is particular about a provider's speech; each has its `source`, with the day it was read.

    `formats`: the `response_format`s that it documents; () all. `default`: what comes where none is asked for, if
    that is known. `events`: models whose names begin so send events when asked to, and count their tokens in the last
    one. `by_character`: models whose names begin so are sold by the character alone. `drop`: parameters that it does
    not have. `longest`: characters at once. `voices`: whether a voice may be an object.
    """

    source: str
    formats: tuple[str, ...] = ()
    default: str = "mp3"
    events: tuple[str, ...] = ()
    by_character: tuple[str, ...] = ("",)
    drop: frozenset[str] = frozenset()
    longest: int = 0
    voices: bool = False


OPENAI = Facts(
    source="OpenAI API document 2.3.0, CreateSpeechRequest, 2026-11-21: `sse` is not supported for tts-1 or tts-1-hd",
    formats=tuple(MEDIA_TYPES),
    events=("gpt-",),
    by_character=("tts",),
    longest=4096,
    voices=True,
)

FACTS: Mapping[str, Facts] = {
    "openai": OPENAI,
    "azure": OPENAI,
    "groq": Facts(
        source="groq 1.7.0 (Python SDK), SpeechCreateParams: response_format, sample_rate, speed; read 2026-11-21",
        formats=("flac", "mp3", "mulaw", "ogg", "wav"),
        drop=frozenset({"instructions"}),
    ),
    "together": Facts(
        source="together 3.1.1 (Python SDK), SpeechCreateParams; read 2026-11-21; its `raw` has no encoding by default",
        formats=("mp3", "wav"),
        default="",
        drop=frozenset({"instructions", "speed"}),
    ),
    "deepinfra": Facts(
        source="'Openai Audio Speech' (docs.deepinfra.com/api-reference/openai-audio-speech-1), read 2026-11-21",
        formats=("mp3", "opus", "flac", "wav", "pcm"),
        default="wav",
        drop=frozenset({"instructions"}),
    ),
}
"""By provider; others are taken to know what OpenAI's first speech models knew."""

PLAIN = Facts(source="OpenAI's first speech models")


def adapter(row: Row) -> Adapter:
    """The adapter of the provider that a row describes."""
    facts = FACTS.get(row.name, PLAIN)

    def encode(call: Call, target: Target) -> Encoded:
        return encode_speech(call, target, facts)

    def decoder(call: Call) -> Decoder:
        return _decoder(call, facts)

    return Adapter(path=_path, encode=encode, decode=never_whole, decoder=decoder, reader=Chunks, most=most)


def _path(call: Call, target: Target) -> str:
    return "/audio/speech"


def _decoder(call: Call, facts: Facts) -> Decoder:
    """By the model's own name; `call.model` is the target's, with its provider.

    A server that knows nothing of events sends a file, whatever it was asked for.
    """
    model = call.model.partition("/")[2]
    if _is_one(model, facts.events) and not call.reply_type:
        return EventDecoder(call)
    usage = spoken(call) if _is_one(model, facts.by_character) else _tokens_and_characters(call)
    return SpeechDecoder(call, usage, MEDIA_TYPES.get(format_of(call) if _has(facts, call) else facts.default, ""))


def _has(facts: Facts, call: Call) -> bool:
    """Whether the provider has the format that the call asks for."""
    return not facts.formats or format_of(call) in facts.formats


def _is_one(model: str, beginnings: tuple[str, ...]) -> bool:
    return any(model.startswith(beginning) for beginning in beginnings)


def encode_speech(call: Call, target: Target, facts: Facts) -> Encoded:
    """Events are asked of models that count tokens, whatever the caller wants: nothing else tells what they cost.

    Raises `InvalidRequest` for a text that is longer than the provider takes.
    """
    if facts.longest and characters_of(call) > facts.longest:
        raise InvalidRequest(f"{target.provider} speaks at most {facts.longest} characters at once.", param="input")
    lost = Lost()
    body: Json = {name: value for name, value in call.body.items() if value is not None}
    body.pop("stream_format", None)
    for name in sorted(facts.drop & body.keys()):
        if body.pop(name) != NOTHING.get(name):
            lost.add(name)
    if not _has(facts, call):
        body.pop("response_format", None)
        lost.add("response_format")
    elif facts.default != "mp3":
        body["response_format"] = format_of(call)
    if isinstance(body.get("voice"), dict) and not facts.voices:
        body["voice"] = voice_of(call)
    if _is_one(target.model, facts.events):
        body["stream_format"] = "sse"
    return Encoded({**body, "model": target.model}, lost.names())


def most(call: Call, target: Target) -> Usage:
    """Characters, for models that are sold so, and a bound of tokens for the others."""
    return _tokens_and_characters(call)


def _tokens_and_characters(call: Call) -> Usage:
    return replace(sound_tokens(call), units=spoken(call).units)


class EventDecoder:
    """OpenAI's events, handed on, or their sound as bytes."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._reader = Reader()
        self._media_type = MEDIA_TYPES[format_of(call)] if format_of(call) in MEDIA_TYPES else MEDIA_TYPES["mp3"]
        self._has_sound = False
        self.done = False

    def feed(self, event: Event) -> Iterable[Frame]:
        for each in self._reader.feed(event.data):
            yield from self._frames(each)

    def close(self) -> Iterable[Frame]:
        frames = [frame for each in self._reader.close() for frame in self._frames(each)]
        if not self.done:
            raise Truncated(f"{self._call.model} ended before its speech did", upstream_status=200)
        return frames

    def _frames(self, event: Event) -> list[Frame]:
        if event.data == b"[DONE]":
            return []
        told = read_json(event.data)
        if not isinstance(told, dict) or told.get("error") or told.get("type") == "error":
            raise stream_error(object_of(told))
        if told.get("type") == "speech.audio.done":
            return [self._end(told)]
        if told.get("type") != "speech.audio.delta":
            return [] if self._call.raw else [Frame(told)]
        sound = _sound(told)
        self._has_sound |= bool(sound)
        return frames_of(sound, self._call, self._media_type) if sound else []

    def _end(self, told: Json) -> Frame:
        if not self._has_sound:
            raise UpstreamError("the provider sent no sound", upstream_status=200)
        self.done = True
        usage = _usage(told.get("usage")) or _tokens_and_characters(self._call)
        return Frame(None if self._call.raw else told, usage)


def _sound(told: Json) -> bytes:
    try:
        return b64decode(told["audio"], validate=True)
    except (KeyError, TypeError, ValueError) as err:
        raise UpstreamError("the provider sent an event without sound", upstream_status=200) from err


def _usage(told: object) -> Usage | None:
    counts = object_of(told)
    read, made = counts.get("input_tokens"), counts.get("output_tokens")
    if not isinstance(read, int) or not isinstance(made, int) or read < 0 or made < 0:
        return None
    return Usage(prompt=read, completion=made, audio_output=made)
