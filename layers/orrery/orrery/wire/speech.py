"""`POST /audio/speech` and `/speech`: the posted bytes as a `Call`, and speech as bytes or as events.

Source: OpenAI's API document (createSpeech), read 2026-11-21; Orbitrage's defaults (docs.orbitrage.ai, audio).
"""

from base64 import b64encode
from collections.abc import Mapping

from orrery.core.dialect import Event, Frame
from orrery.core.types import Call, Json, Operation, Usage
from orrery.wire.body import read_json
from orrery.wire.options import passed_on, read_options
from orrery.wire.posted import Posted
from orrery.wire.shapes import FILLED, STRING, Shape, checking, either, number, one_of, record

DEFAULT_MODEL = "deepgram/aura-2-thalia-en"
"""Orbitrage's, for requests that name none; its voice is the model."""

MEDIA_TYPES: Mapping[str, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""By `response_format`, for answers that do not say themselves what they are. Opus comes in Ogg from OpenAI."""

PARAMETERS: Mapping[str, Shape] = {
    "model": FILLED,
    "voice": either(text=FILLED, object=record({"id": FILLED})),
    "instructions": STRING,
    "response_format": FILLED,
    "speed": number(0.25, 4),
    "stream_format": one_of("sse", "audio"),
}

_check = checking(record({"input": FILLED}, PARAMETERS))


def read_speech(posted: Posted) -> Call:
    """The call that a speech request makes; its answer is handed on as it comes, as bytes unless events are asked for.

    Raises `InvalidRequest` for the first offence.
    """
    body = read_json(posted.raw)
    _check(body)
    model = body.get("model") or DEFAULT_MODEL
    return Call(
        operation=Operation.SPEECH,
        model=model,
        body={**passed_on(body), "model": model},
        stream=True,
        raw=body.get("stream_format") != "sse",
        options=read_options(body),
        body_bytes=len(posted.raw),
        strict=posted.strict,
    )


def format_of(call: Call) -> str:
    """The format that was asked for; OpenAI's default where none was."""
    return str(call.body.get("response_format") or "mp3")


def voice_of(call: Call) -> str:
    """The voice's name or id; "" where none was given."""
    voice = call.body.get("voice")
    return str(voice["id"] if isinstance(voice, dict) else voice or "")


def characters_of(call: Call) -> int:
    """What providers that sell speech by the character count: the text that is spoken."""
    return len(call.body["input"])


def spoken(call: Call) -> Usage:
    """A usage that counts characters, by our own count."""
    return Usage(units={"character": characters_of(call)}, ours=True)


class Chunks:
    """A reader of files: every piece of the body is an event, as it came."""

    def feed(self, chunk: bytes) -> list[Event]:
        return [Event("", chunk)] if chunk else []

    def close(self) -> list[Event]:
        return []


def delta(audio: bytes) -> Json:
    """OpenAI's event for a piece of speech."""
    return {"type": "speech.audio.delta", "audio": b64encode(audio).decode()}


def done(usage: Usage) -> Json:
    """OpenAI's last event. Its counts are the provider's tokens: none where nobody told any."""
    read, made = (0, 0) if usage.ours else (usage.prompt, usage.completion)
    counts = {"input_tokens": read, "output_tokens": made, "total_tokens": read + made}
    return {"type": "speech.audio.done", "usage": counts}


def frames_of(audio: bytes, call: Call, media_type: str, usage: Usage | None = None) -> list[Frame]:
    """A piece of speech for the caller: its bytes, or an event of them."""
    if call.raw:
        return [Frame(audio, usage, media_type=media_type)]
    return [Frame(delta(audio), usage)]
