"""Speech by Gemini models: `streamGenerateContent` with sound for an answer, PCM of 24 kHz in base64.

Sources: "Speech generation" (ai.google.dev/gemini-api/docs/generate-content/speech-generation, 2026-10-02) and
"Migrate to Gemini 3.8 TTS" (docs.cloud.google.com), read 2026-11-21: streams bring raw samples, whatever the model;
directions on style stand beside the text since 3.8, within it before; `voice` takes voices of one's own since 3.8.
"""

from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from orrery.core.dialect import Adapter, Encoded, Event, Frame
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.errors import upstream_error
from orrery.providers.gemini.errors import fault
from orrery.providers.gemini.usage import Counts
from orrery.providers.speaking import lose, never_whole, sound_tokens
from orrery.wire.speech import MEDIA_TYPES, done, format_of, frames_of, voice_of
from orrery.wire.sse import Reader
from orrery.wire.wav import with_header

FORMATS = ("wav", "pcm")
"""WAV is what comes instead of any other: it has no compressed ones."""

BEFORE_STYLE = ("gemini-2.", "gemini-3.1-")
"""The models whose style is directed within the text."""

RATE_HZ = 24_000

MOST_TOKENS = 16_384
"""Of sound in one answer. Source: vercel.com/ai-gateway/models/gemini-3.8-flash-lite-tts, read 2026-11-21."""

EVENT_LIMIT_BYTES = 48 * 2**20
"""The longest answer has 11 minutes, which models that do not stream send as one event: 42 MB of base64."""


def encode(call: Call, target: Target) -> Encoded:
    """The body of `streamGenerateContent`. How fast it is spoken can only be said as a matter of style."""
    text, style = call.body["input"], str(call.body.get("instructions") or "")
    is_early = target.model.startswith(BEFORE_STYLE)
    part: Json = {"text": f"{style.rstrip(' .:')}: {text}" if style and is_early else text}
    if style and not is_early:
        part["speechMetadata"] = {"style": style}
    config: Json = {"responseModalities": ["AUDIO"]}
    if voice := voice_of(call):
        config["speechConfig"] = {
            "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}} if is_early else {"voice": voice}
        }
    lost = lose(call, frozenset({"voice", "instructions"}), FORMATS)
    return Encoded({"contents": [{"role": "user", "parts": [part]}], "generationConfig": config}, lost.names())


def most(call: Call, target: Target) -> Usage:
    tokens = sound_tokens(call)
    sound = min(tokens.completion, target.max_output or MOST_TOKENS)
    return replace(tokens, completion=sound, audio_output=sound)


class SoundDecoder:
    """One answer: raw samples as they come, or, for WAV, all of them behind a header that tells their number."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._counts = Counts()
        self._kept: list[bytes] | None = None if format_of(call) == "pcm" else []
        self._has_sound = False
        self._end = ""
        self._rate_hz = RATE_HZ
        self.done = False

    def feed(self, event: Event) -> Iterable[Frame]:
        answer = object_in(event.data, "an event")
        if err := fault(answer):
            raise err
        if blocked := text_of(object_of(answer.get("promptFeedback")).get("blockReason")):
            raise upstream_error(400, f"the speech was withheld: {blocked}", code="content_policy_violation")
        rose = self._counts.add(answer.get("usageMetadata"))
        frames = [frame for sound in self._sounds(answer) for frame in self._take(sound)]
        told = rose and self._has_sound and self._kept is None
        return frames or ([Frame(None, self._usage())] if told else [])

    def close(self) -> Iterable[Frame]:
        """Raises `Truncated` for what did not end, `UpstreamError` for what ended otherwise than well."""
        if not self._end:
            raise Truncated(f"{self._call.model} ended before its speech did", upstream_status=200)
        if self._end != "STOP" or not self._has_sound:
            raise UpstreamError(f"the model's speech ended with {self._end}", upstream_status=200, code="no_speech")
        usage, self.done = self._usage(), True
        frames = []
        if self._kept is not None:
            frames += frames_of(with_header(self._kept, self._rate_hz), self._call, MEDIA_TYPES["wav"], usage)
        return frames if self._call.raw else [*frames, Frame(done(usage or Usage()), usage)]

    def _sounds(self, answer: Json) -> Iterable[bytes]:
        """Of the first candidate, as only one is asked for; notes how it ended."""
        listed = answer.get("candidates")
        candidate = object_of(listed[0]) if isinstance(listed, list) and listed else {}
        self._end = text_of(candidate.get("finishReason")) or self._end
        parts = object_of(candidate.get("content")).get("parts")
        for part in parts if isinstance(parts, list) else ():
            inline = object_of(object_of(part).get("inlineData"))
            if text_of(inline.get("mimeType")).lower().startswith("audio/"):
                yield self._samples(inline)

    def _samples(self, inline: Json) -> bytes:
        kind = text_of(inline.get("mimeType")).lower()
        if not kind.startswith(("audio/l16", "audio/pcm")):
            raise UpstreamError(f"the provider sent {kind[:40]} where it streams samples", upstream_status=200)
        for parameter in kind.split(";")[1:]:
            name, _, value = parameter.strip().partition("=")
            if name == "rate" and value.isdigit():
                self._rate_hz = int(value)
        try:
            return b64decode(inline.get("data") or b"", validate=True)
        except (TypeError, ValueError) as err:
            raise UpstreamError("the provider sent an event without sound", upstream_status=200) from err

    def _take(self, sound: bytes) -> list[Frame]:
        self._has_sound |= bool(sound)
        if self._kept is not None:
            self._kept.append(sound)
            return []
        return frames_of(sound, self._call, MEDIA_TYPES["pcm"], self._usage()) if sound else []

    def _usage(self) -> Usage | None:
        """All that such a model writes is sound, whether or not the details say so."""
        usage = self._counts.usage()
        return replace(usage, audio_output=usage.completion - usage.reasoning) if usage else None


def adapter(path: Callable[[Call, Target], str]) -> Adapter:
    """Speech at the address of the Gemini API, or of Vertex AI."""
    reader: Any = partial(Reader, EVENT_LIMIT_BYTES)
    return Adapter(path=path, encode=encode, decode=never_whole, decoder=SoundDecoder, reader=reader, most=most)
