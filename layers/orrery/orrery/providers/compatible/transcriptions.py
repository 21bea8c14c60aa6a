"""Transcriptions and translations on OpenAI's wire: the form and its file go on as they came."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from orrery.core.dialect import Adapter, Decoder, Encoded, Form, Frame
from orrery.core.errors import InvalidRequest, UpstreamError
from orrery.core.types import Call, Json, Operation, Target, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.compatible.row import Row
from orrery.providers.compatible.transcript_stream import TranscriptDecoder, tokens_in
from orrery.providers.compatible.transcription_facts import FACTS, OPENAI, Facts
from orrery.providers.errors import read_json, stream_error
from orrery.providers.hearing import NOTHING, file_of, heard, most
from orrery.providers.lost import Lost
from orrery.wire.sse import Reader
from orrery.wire.subtitles import Cue, Word
from orrery.wire.transcripts import PLAIN, UNTOLD, Transcript, answer_of, as_events, format_of

SOLD_BY_TOKENS = "gpt-"
"""OpenAI's models that are: as text alone they do not tell how many, so they are asked for JSON."""

TEXTS = frozenset({"text", "srt", "vtt"})


def transcriptions(row: Row) -> Adapter:
    """The adapter of the provider that a row describes."""
    return _adapter("/audio/transcriptions", row)


def translations(row: Row) -> Adapter:
    """The same into English."""
    return _adapter("/audio/translations", row)


def _adapter(path: str, row: Row) -> Adapter:
    facts = FACTS.get(row.name, OPENAI)
    streams = facts.streams and path.endswith("transcriptions")

    def encode(call: Call, target: Target) -> Encoded:
        return _encode(call, target, facts)

    def decode(body: bytes, call: Call) -> Frame:
        return _decode(body, call, facts)

    def decoder(call: Call) -> Decoder:
        return TranscriptDecoder(call)

    return Adapter(
        path=lambda call, target: path,
        encode=encode,
        decode=decode,
        decoder=decoder if streams else None,
        reader=Reader if streams else None,
        most=lambda call, target: _most(call, target, facts),
        as_events=as_events,
    )


def _most(call: Call, target: Target, facts: Facts) -> Usage:
    usage = most(call, target)
    return Usage(
        prompt=usage.prompt,
        completion=usage.completion,
        audio_input=usage.audio_input,
        units={"audio_ms": max(facts.least_ms, usage.units["audio_ms"])},
    )


def _encode(call: Call, target: Target, facts: Facts) -> Encoded:
    lost = Lost()
    body: Json = dict(facts.unstated) if call.operation is Operation.TRANSCRIPTIONS else {}
    for name, value in call.body.items():
        if value is None or (name == "stream" and not call.stream):
            continue
        if name not in facts.drop:
            body[facts.rename.get(name, name)] = value
        elif (name not in NOTHING or value != NOTHING[name]) and not _is_meant(name, target):
            lost.add(name)
    if facts.asks:
        if format_of(call) == "diarized_json":
            if not facts.diarizes:
                raise InvalidRequest(f"{target.provider} does not tell speakers apart.", param="response_format")
            body["diarize"] = True
        body["response_format"] = facts.asks
    elif format_of(call) == "text" and target.model.startswith(SOLD_BY_TOKENS):
        body["response_format"] = "json"
    body["model"] = target.model
    fields = tuple(pair for name, value in body.items() for pair in _fields(name, value))
    return Encoded(Form(fields, (file_of(call),)), lost.names())


def _is_meant(name: str, target: Target) -> bool:
    """OpenAI has a model that always tells speakers apart."""
    return name == "diarize" and "diarize" in target.model


def _fields(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A parameter as form fields, in the way of openai's SDKs (3.52, "brackets")."""
    if isinstance(value, list):
        for item in value:
            yield from _fields(f"{name}[]", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _fields(f"{name}[{key}]", item)
    else:
        yield name, value if isinstance(value, str) else orjson.dumps(value).decode()


def _decode(body: bytes, call: Call, facts: Facts) -> Frame:
    """Raises `UpstreamError` for an error under status 200, and for what is no transcript at all."""
    form = format_of(call)
    if not facts.asks and form in TEXTS:
        return _text(body, call, facts)
    answer = object_in(body, "a reply")
    if answer.get("error"):
        raise stream_error(answer)
    if not isinstance(answer.get("text"), str):
        raise UpstreamError("the provider's reply has no text", upstream_status=200)
    usage = heard(call, _seconds(answer), tokens_in(answer.get("usage")), facts.least_ms)
    if facts.asks and form != facts.asks:
        return answer_of(transcript_in(answer), call, usage)
    changed = form == "verbose_json" and _complete(answer, call, usage)
    return Frame(answer if changed else body, usage, len(answer["text"]))


def _text(body: bytes, call: Call, facts: Facts) -> Frame:
    """Some servers put a text into JSON all the same."""
    whole = None if call.reply_type.startswith("text/") else read_json(body)
    if isinstance(whole, dict) and whole.get("error"):
        raise stream_error(whole)
    said = whole.get("text") if isinstance(whole, dict) else whole
    text = f"{said}\n".encode() if isinstance(said, str) else body
    told = object_of(whole)
    usage = heard(call, _seconds(told), tokens_in(told.get("usage")), facts.least_ms)
    return Frame(text, usage, len(text), PLAIN)


def _seconds(answer: Json) -> Any:
    usage = object_of(answer.get("usage"))
    return answer["duration"] if answer.get("duration") is not None else usage.get("seconds")


def _complete(answer: Json, call: Call, usage: Usage) -> bool:
    """Fills in what OpenAI's verbose form always has; True when something was missing."""
    told: Mapping[str, Any] = {
        "task": "translate" if call.operation is Operation.TRANSLATIONS else "transcribe",
        "language": call.body.get("language") or "",
        "duration": usage.units["audio_ms"] / 1000,
    }
    changed = _fill(answer, told)
    segments = answer.get("segments")
    for number, segment in enumerate(segments if isinstance(segments, list) else ()):
        changed |= isinstance(segment, dict) and _fill(segment, {"id": number, **UNTOLD})
    return changed


def _fill(holder: Json, values: Mapping[str, Any]) -> bool:
    missing = {name: value for name, value in values.items() if holder.get(name) is None}
    holder.update(missing)
    return bool(missing)


def transcript_in(answer: Json) -> Transcript:
    """What a verbose answer says."""
    spoken = answer.get("speaker_segments") or answer.get("segments")
    seconds = answer.get("duration")
    return Transcript(
        text=answer["text"],
        language=text_of(answer.get("language")),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        words=tuple(Word(*timed("word", word)) for word in _objects(answer.get("words"))),
        segments=tuple(Cue(*timed("text", segment)) for segment in _objects(spoken)),
    )


def timed(name: str, item: Json) -> tuple[str, float, float, str]:
    """The text under `name`, its seconds, and its speaker."""
    start, end = (value if isinstance(value, int | float) else 0.0 for value in (item.get("start"), item.get("end")))
    return text_of(item.get(name)).strip(), float(start), float(end), text_of(item.get("speaker_id"))


def _objects(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
