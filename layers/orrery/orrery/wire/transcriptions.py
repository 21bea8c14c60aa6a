"""`POST /audio/transcriptions` and `/audio/translations`: what was posted as a `Call`.

Three ways in: a form with the file, as OpenAI has it; the file alone as the body, its parameters in the query; JSON
with the file's URL. Sources: OpenAI's API document 2.3.0; Orq's fields and Orbitrage's audio page, 2026-11-21.
"""

import re
from collections.abc import Mapping
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Link, Operation, Upload
from orrery.wire.credentials import FIELDS
from orrery.wire.media import bytes_of, is_http
from orrery.wire.options import passed_on, read_options
from orrery.wire.posted import Posted, body_of, read_body
from orrery.wire.shapes import BOOLEAN, FILLED, OBJECT, STRING, Shape, array, checking, either, integer, number, one_of
from orrery.wire.shapes import record as fields_of
from orrery.wire.sound import SUFFIXES

OWN = frozenset({"prompt"})
"""Fields of these endpoints that are the gateway's elsewhere."""

DEFAULT_MODEL = "deepgram/nova-3"
"""Orbitrage's, for transcriptions without a model. It does not translate, so translations name one."""

URLS = ("url", "file_url")

_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")

_SHARED: Mapping[str, Shape] = {
    "prompt": STRING,
    "temperature": number(0, 1),
    "diarize": BOOLEAN,
    "num_speakers": integer(1, 32),
    "tag_audio_events": BOOLEAN,
    "timestamps_granularity": one_of("none", "word", "character"),
    "enable_logging": BOOLEAN,
    **dict.fromkeys(URLS, FILLED),
}
_TRANSLATION: Mapping[str, Shape] = {**_SHARED, "response_format": one_of(*_FORMATS)}
_TRANSCRIPTION: Mapping[str, Shape] = {
    **_SHARED,
    "response_format": one_of(*_FORMATS, "diarized_json"),
    "language": STRING,
    "languages": array(STRING, at_least=1),
    "keywords": array(STRING),
    "timestamp_granularities": array(one_of("word", "segment")),
    "include": array(one_of("logprobs")),
    "stream": BOOLEAN,
    "chunking_strategy": either(text=one_of("auto"), object=OBJECT),
    "known_speaker_names": array(STRING, at_most=4),
    "known_speaker_references": array(STRING, at_most=4),
}
_LISTS = frozenset(name for name, shape in _TRANSCRIPTION.items() if shape["type"] == "list")

_SHAPES = {Operation.TRANSCRIPTIONS: _TRANSCRIPTION, Operation.TRANSLATIONS: _TRANSLATION}
_CHECKS = {operation: checking(fields_of({"model": FILLED}, shapes)) for operation, shapes in _SHAPES.items()}

_RAW = re.compile(r"(?:audio|video)/[\w.+-]+|application/(?:ogg|octet-stream)", re.ASCII)
_NEVER_STREAMS = re.compile(r"(?:.*/)?whisper-1")
"""OpenAI's document: "Streaming is not supported for the `whisper-1` model and will be ignored"."""


def read_transcription(posted: Posted) -> Call:
    """The call that a request for a transcript makes. Raises `InvalidRequest` for the first offence."""
    return _read(posted, Operation.TRANSCRIPTIONS)


def read_translation(posted: Posted) -> Call:
    """The call that a request for a transcript in English makes. Raises as `read_transcription` does."""
    return _read(posted, Operation.TRANSLATIONS)


def _read(posted: Posted, operation: Operation) -> Call:
    body, files = _taken(posted, _SHAPES[operation])
    body = {name: [value] if name in _LISTS and isinstance(value, str) else value for name, value in body.items()}
    if operation is Operation.TRANSCRIPTIONS and body.get("model") is None:
        body["model"] = DEFAULT_MODEL
    _CHECKS[operation](body)
    links, files = _sources(body, files)
    kept = passed_on(body, OWN)
    return Call(
        operation=operation,
        model=body["model"],
        body={name: value for name, value in kept.items() if name not in URLS or links},
        stream=body.get("stream") is True and not _NEVER_STREAMS.fullmatch(body["model"]),
        options=read_options(body, own=OWN),
        body_bytes=len(posted.raw),
        strict=posted.strict,
        files=files,
        links=links,
    )


def _taken(posted: Posted, shapes: Mapping[str, Shape]) -> tuple[Json, tuple[Upload, ...]]:
    """The parameters and the files. What the query says counts where the body says nothing of it."""
    shapes = {"model": FILLED, **shapes}
    if in_url := FIELDS.intersection(posted.query):
        raise InvalidRequest("A key in a URL ends in logs; send it in the body, or store it.", param=min(in_url))
    media_type = posted.content_type.partition(";")[0].strip().lower()
    if _RAW.fullmatch(media_type):
        if not posted.raw:
            raise InvalidRequest("The request has no body: the recording was to be in it.", param="file")
        upload = Upload("file", f"file.{SUFFIXES.get(media_type, 'bin')}", media_type, memoryview(posted.raw))
        return body_of(posted.query.items(), shapes), (upload,)
    body, files = read_body(posted, shapes)
    query = ((name, text) for name, text in posted.query.items() if name.removesuffix("[]") in shapes)
    return {**body_of(query, shapes), **body}, files


def _sources(body: Json, files: tuple[Upload, ...]) -> tuple[tuple[Link, ...], tuple[Upload, ...]]:
    """The one recording: a file, or the URL of one."""
    for file in files:
        if file.field_name != "file":
            raise InvalidRequest(f"This endpoint takes no file '{file.field_name}'.", param=file.field_name)
    named = [name for name in URLS if body.get(name) is not None]
    given = [*(file.field_name for file in files), *named]
    if not given:
        raise InvalidRequest("Missing required parameter: 'file'.", param="file")
    if len(given) > 1:
        raise InvalidRequest(f"One recording at a time: {' and '.join(map(repr, given))} came.", param=given[1])
    if files:
        if not files[0].data:
            raise InvalidRequest("The file is empty.", param="file")
        return (), files
    return _linked(named[0], body[named[0]])


def _linked(name: str, url: Any) -> tuple[tuple[Link, ...], tuple[Upload, ...]]:
    """A data URL is a file already; another one is read when it is known who will listen."""
    if is_http(url):
        return (Link((name,), url, upload="file"),), ()
    held = bytes_of(url)
    if held is None or not held.data:
        raise InvalidRequest("This is neither a web address nor a data URL.", param=name, code="invalid_file_url")
    suffix = SUFFIXES.get(held.media_type, "bin")
    return (), (Upload("file", f"file.{suffix}", held.media_type or "application/octet-stream", held.data),)
