"""`POST /speak`: the voice is the model; format and speed stand in the query. Sold by the character.

Source: deepgram-sdk 7.17.0, speak/v1/audio, and its types of encodings and containers, read 2026-11-21. How
long a text may be is left to it: its documents that could be read do not agree.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from orrery.core.dialect import Adapter, Encoded
from orrery.core.types import Call, Target, Usage
from orrery.providers.speaking import SpeechDecoder, lose, never_whole
from orrery.wire.speech import MEDIA_TYPES, Chunks, format_of, spoken, voice_of

FORMATS: Mapping[str, Mapping[str, str]] = {
    "mp3": {"encoding": "mp3"},
    "opus": {"encoding": "opus", "container": "ogg"},
    "aac": {"encoding": "aac"},
    "flac": {"encoding": "flac"},
    "wav": {"encoding": "linear16", "container": "wav"},
    "pcm": {"encoding": "linear16", "container": "none", "sample_rate": "24000"},
}
"""OpenAI's formats; its PCM has 24 kHz."""

DEFAULT = "mp3"
"""Its own, too, and so what comes instead of a format that it does not have."""


def path(call: Call, target: Target) -> str:
    query = {"model": target.model, **FORMATS.get(format_of(call), {})}
    if (speed := call.body.get("speed")) not in (None, 1):
        query["speed"] = f"{speed:g}"
    return f"/speak?{urlencode(query)}"


def encode(call: Call, target: Target) -> Encoded:
    """The text alone. A voice that is not the model's own is lost."""
    is_model = voice_of(call).lower() in (target.model, *target.model.split("-"))
    lost = lose(call, frozenset({"speed"} | ({"voice"} if is_model else set())), FORMATS)
    return Encoded({"text": call.body["input"]}, lost.names())


def decoder(call: Call) -> SpeechDecoder:
    return SpeechDecoder(call, spoken(call), MEDIA_TYPES[format_of(call) if format_of(call) in FORMATS else DEFAULT])


def most(call: Call, target: Target) -> Usage:
    return spoken(call)


ADAPTER = Adapter(path=path, encode=encode, decode=never_whole, decoder=decoder, reader=Chunks, most=most)
