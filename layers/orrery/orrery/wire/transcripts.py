"""What was heard, in every form of OpenAI's transcriptions: made here where a provider does not have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from orrery.core.dialect import Frame
from orrery.core.types import Call, Json, Operation, Usage
from orrery.wire.subtitles import Cue, Word, cues_of, srt, vtt

PLAIN = "text/plain; charset=utf-8"
"""What OpenAI says of `srt`, and so of `text` and `vtt`: headers quoted in morioka/tiny-openai-whisper-api#7
(2025-09-30)."""

UNTOLD: Mapping[str, Any] = {
    "seek": 0,
    "tokens": (),
    "temperature": 0.0,
    "avg_logprob": 0.0,
    "compression_ratio": 1.0,
    "no_speech_prob": 0.0,
}
"""What OpenAI's segments must have and Whisper alone can tell: values that mean nothing in particular."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a provider heard. `seconds` is what it says of the recording's length; None: it does not."""

    text: str
    language: str = ""
    seconds: float | None = None
    words: tuple[Word, ...] = ()
    segments: tuple[Cue, ...] = ()

    @property
    def cues(self) -> Sequence[Cue]:
        """Its segments, or its words put together; without either, all of it at once."""
        if self.segments:
            return self.segments
        return cues_of(self.words) if self.words else [Cue(self.text, 0.0, self.seconds or 0.0)]


def format_of(call: Call) -> str:
    """The form in which the caller wants the answer."""
    return str(call.body.get("response_format") or "json")


def granularities_of(call: Call) -> list[str]:
    """What the caller wants times for. OpenAI's default is segments."""
    return list(call.body.get("timestamp_granularities") or ["segment"])


def answer_of(transcript: Transcript, call: Call, usage: Usage) -> Frame:
    """The whole answer, in the form that was asked for."""
    form = format_of(call)
    if form in _TEXTS:
        return Frame(_TEXTS[form](transcript).encode(), usage, len(transcript.text), PLAIN)
    body = _BODIES.get(form, _plain)(transcript, call)
    return Frame({**body, "usage": told(usage)}, usage, len(transcript.text))


_TEXTS = {
    "text": lambda transcript: f"{transcript.text}\n",
    "srt": lambda transcript: srt(transcript.cues),
    "vtt": lambda transcript: vtt(transcript.cues),
}


def told(usage: Usage) -> Json:
    """A usage as OpenAI tells it: tokens where there are some, else seconds. All of its units are milliseconds."""
    if not usage.total:
        return {"type": "duration", "seconds": sum(usage.units.values()) / 1000}
    details = {"text_tokens": usage.prompt - usage.audio_input, "audio_tokens": usage.audio_input}
    return {
        "type": "tokens",
        "input_tokens": usage.prompt,
        "input_token_details": details,
        "output_tokens": usage.completion,
        "total_tokens": usage.total,
    }


def _plain(transcript: Transcript, call: Call) -> Json:
    """Besides the text: the length, the model and its provider, which Orbitrage's clients read."""
    provider, _, model = call.model.partition("/")
    body: Json = {"text": transcript.text, "model": model, "provider": provider}
    if transcript.seconds is not None:
        body["duration"] = transcript.seconds
    if call.body.get("diarize"):
        body["segments"] = diarized(transcript.cues)
    return body


def _verbose(transcript: Transcript, call: Call) -> Json:
    asked = granularities_of(call)
    body: Json = {
        "task": "translate" if call.operation is Operation.TRANSLATIONS else "transcribe",
        "language": transcript.language or str(call.body.get("language") or ""),
        "duration": _length(transcript),
        "text": transcript.text,
    }
    if "word" in asked:
        body["words"] = [
            {"word": word.text, "start": word.start, "end": word.end, **_by(word.speaker)} for word in transcript.words
        ]
    if "segment" in asked:
        body["segments"] = [
            {"id": number, "start": cue.start, "end": cue.end, "text": cue.text, **_by(cue.speaker), **UNTOLD}
            for number, cue in enumerate(transcript.cues)
        ]
    return body


def _diarized(transcript: Transcript, call: Call) -> Json:
    return {
        "task": "transcribe",
        "duration": _length(transcript),
        "text": transcript.text,
        "segments": diarized(transcript.cues),
    }


_BODIES = {"verbose_json": _verbose, "diarized_json": _diarized}


def diarized(cues: Sequence[Cue]) -> list[Json]:
    """Segments that say who speaks."""
    return [
        {
            "type": "transcript.text.segment",
            "id": f"seg_{number:03}",
            "start": cue.start,
            "end": cue.end,
            "text": cue.text,
            "speaker": cue.speaker,
        }
        for number, cue in enumerate(cues)
    ]


def _by(speaker: str) -> Json:
    return {"speaker": speaker} if speaker else {}


def _length(transcript: Transcript) -> float:
    return (
        transcript.seconds if transcript.seconds is not None else max((cue.end for cue in transcript.cues), default=0)
    )


def as_events(frame: Frame, call: Call) -> list[Frame]:
    """A whole answer as the events of a stream, for a caller who asked for one where a provider has none."""
    body = _body_of(frame)
    text = str(body.get("text") or "")
    events: list[Json] = []
    if format_of(call) == "diarized_json":
        events += body.get("segments") or ()
    events.append({"type": "transcript.text.delta", "delta": text})
    done: Json = {"type": "transcript.text.done", "text": text}
    usage = body.get("usage")
    if isinstance(usage, dict) and usage.get("type") == "tokens":  # the event has no other kind
        done["usage"] = usage
    return [*map(Frame, events), Frame(done, frame.usage, frame.output_chars)]


def _body_of(frame: Frame) -> Json:
    if isinstance(frame.payload, dict):
        return frame.payload
    whole = frame.payload or b""
    return {"text": whole.decode(errors="replace")} if frame.media_type else dict(orjson.loads(whole))
