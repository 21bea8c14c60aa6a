"""Deepgram's pre-recorded transcription: the file is the body, everything else stands in the query.

Sources, read 2026-11-21: deepgram-sdk 7.17.0 (`listen.v1.media.transcribe_file` and its response types);
developers.deepgram.com/docs/language: "Default: en", and /docs/language-detection; diarization is an extra that is paid
for by the minute, so it is counted under a name of its own.
"""

from dataclasses import replace
from urllib.parse import urlencode

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import InvalidRequest, UpstreamError
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.hearing import file_of, heard, lose, most
from orrery.wire.subtitles import Cue, Word
from orrery.wire.transcripts import Transcript, answer_of, as_events, format_of

TAKEN = frozenset({"model", "file", "language", "diarize", "response_format", "timestamp_granularities", "stream"})

DIARIZED = "audio_ms/diarized"


def _diarizes(call: Call) -> bool:
    return bool(call.body.get("diarize")) or format_of(call) == "diarized_json"


def path(call: Call, target: Target) -> str:
    """Everything that changes the price stays unsaid but what is counted here: who speaks."""
    query = {"model": target.model, "smart_format": "true", "utterances": "true"}
    language = call.body.get("language")
    query |= {"language": language} if language else {"detect_language": "true"}
    if _diarizes(call):
        query["diarize_model"] = "latest"
    return f"/listen?{urlencode(query)}"


def encode(call: Call, target: Target) -> Encoded:
    if call.body.get("timestamps_granularity") == "character":
        raise InvalidRequest("Deepgram has times for words, not for characters.", param="timestamps_granularity")
    lost = lose(call, TAKEN | {"timestamps_granularity"})
    return Encoded(file_of(call), lost.names(), {"accept": "application/json"})


def decode(body: bytes, call: Call) -> Frame:
    """Raises `UpstreamError` for what is no transcript."""
    answer = object_in(body, "a reply")
    results = object_of(answer.get("results"))
    channels = results.get("channels")
    if not isinstance(channels, list) or not channels:
        raise UpstreamError("the provider's reply has no channels", upstream_status=200)
    heard_in = [_best(object_of(channel)) for channel in channels]
    seconds = object_of(answer.get("metadata")).get("duration")
    transcript = Transcript(
        text="\n".join(text_of(best.get("transcript")) for best in heard_in),
        language=text_of(object_of(channels[0]).get("detected_language")),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        words=tuple(_word(word) for best in heard_in for word in best.get("words") or () if isinstance(word, dict)),
        segments=tuple(_segment(each) for each in results.get("utterances") or () if isinstance(each, dict)),
    )
    return answer_of(transcript, call, _counted(heard(call, seconds), call))


def _best(channel: Json) -> Json:
    alternatives = channel.get("alternatives")
    return object_of(alternatives[0]) if isinstance(alternatives, list) and alternatives else {}


def _word(word: Json) -> Word:
    text = text_of(word.get("punctuated_word")) or text_of(word.get("word"))
    return Word(text, _s(word, "start"), _s(word, "end"), _speaker(word))


def _segment(utterance: Json) -> Cue:
    return Cue(text_of(utterance.get("transcript")), _s(utterance, "start"), _s(utterance, "end"), _speaker(utterance))


def _s(item: Json, name: str) -> float:
    value = item.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _speaker(item: Json) -> str:
    number = item.get("speaker")
    return f"speaker_{number}" if isinstance(number, int) else ""


def _counted(usage: Usage, call: Call) -> Usage:
    if not _diarizes(call):
        return usage
    return replace(usage, units={DIARIZED: usage.units["audio_ms"]})


ADAPTER = Adapter(
    path=path,
    encode=encode,
    decode=decode,
    most=lambda call, target: _counted(most(call, target), call),
    as_events=as_events,
)
