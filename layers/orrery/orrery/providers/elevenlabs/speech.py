"""`POST /text-to-speech/{voice}/stream`: the voice is an id of its own; the format stands in the query.

Source: elevenlabs 2.78.0, text_to_speech.stream, its output formats and VoiceSettings (`speed`), read 2026-11-21. Its
price is by the character (elevenlabs.io/pricing/api); how long a text may be depends on the model, and is its matter.
"""

from collections.abc import Mapping
from urllib.parse import quote

from orrery.core.dialect import Adapter, Encoded
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of
from orrery.providers.speaking import SpeechDecoder, lose, never_whole
from orrery.wire.speech import MEDIA_TYPES, Chunks, format_of, spoken, voice_of

FORMATS: Mapping[str, str] = {"mp3": "mp3_44100_128", "opus": "opus_48000_128", "pcm": "pcm_24000"}
"""OpenAI's formats that it has, as nearly as they may be."""

OWN = frozenset(
    {f"mp3_{kind}" for kind in ("22050_32", "24000_48", *(f"44100_{rate}" for rate in (32, 64, 96, 128, 192)))}
    | {f"pcm_{rate}" for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000)}
    | {f"opus_48000_{rate}" for rate in (32, 64, 96, 128, 192)}
    | {"ulaw_8000", "alaw_8000"}
)
"""Names of its own, which go on as they are."""

TELEPHONY: Mapping[str, str] = {"ulaw": "audio/basic", "alaw": "audio/alaw"}
"""Media types of what OpenAI does not have; `audio/basic` is u-law at 8 kHz (RFC 2046)."""

TAKEN = frozenset({"seed", "language_code", "previous_text", "next_text", "apply_text_normalization"})
"""Parameters of its own that a caller may give beside OpenAI's."""


def path(call: Call, target: Target) -> str:
    wanted = format_of(call)
    form = wanted if wanted in OWN else FORMATS.get(wanted, FORMATS["mp3"])
    return f"/text-to-speech/{quote(voice_of(call), safe='')}/stream?output_format={form}"


def encode(call: Call, target: Target) -> Encoded:
    """Raises `InvalidRequest` without a voice: it is part of the address."""
    if not voice_of(call):
        raise InvalidRequest("Missing required parameter: 'voice', the id of a voice at ElevenLabs.", param="voice")
    body: Json = {"text": call.body["input"], "model_id": target.model}
    body |= {name: value for name, value in call.body.items() if name in TAKEN and value is not None}
    settings = dict(object_of(call.body.get("voice_settings")))
    if call.body.get("speed") is not None:
        settings["speed"] = call.body["speed"]
    if settings:
        body["voice_settings"] = settings
    lost = lose(call, TAKEN | {"voice", "voice_settings", "speed"}, FORMATS.keys() | OWN)
    return Encoded(body, lost.names())


def decoder(call: Call) -> SpeechDecoder:
    kind = format_of(call).partition("_")[0]
    return SpeechDecoder(call, spoken(call), TELEPHONY.get(kind) or MEDIA_TYPES[kind if kind in FORMATS else "mp3"])


def most(call: Call, target: Target) -> Usage:
    return spoken(call)


ADAPTER = Adapter(path=path, encode=encode, decode=never_whole, decoder=decoder, reader=Chunks, most=most)
