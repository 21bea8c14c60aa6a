"""Voxtral's transcriptions: OpenAI's form at first sight, with answers and events of its own.

Sources, read 2026-11-21: mistralai 3.7.0 (`AudioTranscriptionRequest`, `TranscriptionResponse`,
`TranscriptionStreamEvents`); that `language` and `timestamp_granularities` exclude each other, and that speakers are
told with segments only: docs.mistral.ai/capabilities/audio_transcription, quoted in livekit/agents#4399 (2025-12-27)
and fastrepl/anarlog#7078 (2026-08-25).
"""

from collections.abc import Iterable
from typing import Any

import orjson

from orrery.core.dialect import Adapter, Encoded, Event, Form, Frame
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.compatible.transcriptions import timed
from orrery.providers.hearing import file_of, heard, lose, most
from orrery.providers.mistral.errors import failure
from orrery.wire.sse import Reader
from orrery.wire.subtitles import Cue, Word
from orrery.wire.transcripts import Transcript, answer_of, diarized, format_of, granularities_of, told

TAKEN = frozenset({"model", "language", "temperature", "diarize", "context_bias", "stream", "response_format"}) | {
    "timestamp_granularities"
}
TIMED = frozenset({"srt", "vtt", "verbose_json", "diarized_json"})


def encode(call: Call, target: Target) -> Encoded:
    lost = lose(call, TAKEN)
    fields = [("model", target.model)]
    diarizes = bool(call.body.get("diarize")) or format_of(call) == "diarized_json"
    if diarizes:
        fields.append(("diarize", "true"))
    if diarizes or format_of(call) in TIMED:
        words_only = granularities_of(call) == ["word"] and not diarizes
        fields.append(("timestamp_granularities", "word" if words_only else "segment"))
        if call.body.get("language"):
            lost.add("language")
        if not words_only and "word" in granularities_of(call):
            lost.add("timestamp_granularities")
    elif call.body.get("language"):
        fields.append(("language", call.body["language"]))
    if call.body.get("temperature") is not None:
        fields.append(("temperature", orjson.dumps(call.body["temperature"]).decode()))
    bias = call.body.get("context_bias")
    fields += [("context_bias", str(term)) for term in (bias if isinstance(bias, list) else [bias] if bias else ())]
    if call.stream:
        fields.append(("stream", "true"))
    return Encoded(Form(tuple(fields), (file_of(call),)), lost.names())


def decode(body: bytes, call: Call) -> Frame:
    """Raises `UpstreamError` for what is no transcript."""
    answer = object_in(body, "a reply")
    if not isinstance(answer.get("text"), str):
        raise UpstreamError("the provider's reply has no text", upstream_status=200)
    usage = _usage(answer, call)
    pieces = [timed("text", object_of(piece)) for piece in answer.get("segments") or ()]
    seconds = object_of(answer.get("usage")).get("prompt_audio_seconds")
    words = format_of(call) == "verbose_json" and granularities_of(call) == ["word"]
    transcript = Transcript(
        text=answer["text"],
        language=text_of(answer.get("language")),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        words=tuple(Word(*piece) for piece in pieces) if words else (),
        segments=() if words else tuple(Cue(*piece) for piece in pieces),
    )
    return answer_of(transcript, call, usage)


def _usage(answer: Json, call: Call) -> Usage:
    counts = object_of(answer.get("usage"))
    prompt, completion = (_count(counts.get(name)) for name in ("prompt_tokens", "completion_tokens"))
    tokens = Usage(prompt, completion) if prompt or completion else None
    return heard(call, counts.get("prompt_audio_seconds"), tokens)


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and value >= 0 else 0


class StreamDecoder:
    """Mistral's events as OpenAI's. Its language has no event there; segments have one where speakers are told."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._segments = 0
        self.done = False

    def feed(self, event: Event) -> Iterable[Frame]:
        if self.done or event.data == b"[DONE]":
            return ()
        said = object_in(event.data, "an event")
        kind = text_of(said.get("type")) or event.name
        if said.get("error") or said.get("object") == "error":
            raise failure(said)
        text = text_of(said.get("text"))
        if kind == "transcription.text.delta":
            return (Frame({"type": "transcript.text.delta", "delta": text}, None, len(text)),)
        if kind == "transcription.segment":
            return self._segment(said)
        if kind != "transcription.done":
            return ()
        self.done = True
        usage = _usage(said, self._call)
        tokens = {"usage": told(usage)} if usage.total else {}
        return (Frame({"type": "transcript.text.done", "text": text, **tokens}, usage),)

    def _segment(self, said: Json) -> Iterable[Frame]:
        if format_of(self._call) != "diarized_json":
            return ()
        number, self._segments = self._segments, self._segments + 1
        return (Frame({**diarized([Cue(*timed("text", said))])[0], "id": f"seg_{number:03}"}),)

    def close(self) -> Iterable[Frame]:
        if not self.done:
            raise Truncated("the provider's stream ended before the transcript did", upstream_status=200)
        return ()


ADAPTER = Adapter(
    path=lambda call, target: "/audio/transcriptions",
    encode=encode,
    decode=decode,
    decoder=StreamDecoder,
    reader=Reader,
    most=most,
)
