"""The case folders of every operation but chat: what each holds, and how it is read.

A folder `tests/providers/<provider>/<case>/` with a file `operation` (the word in `core.types.Operation`) has an
`ORIGIN` (`recorded …`, `documented <URL>, <date>` or `composed from …, <date>`) and some of
- `call.json`, what a client posts, with `files.json` where it posts a form: a list of `{field_name, name, media_type,
  base64}`; and what goes upstream: `request.json` (a body; `{"form": [[name, value]], "files": […]}`; or
  `{"raw": {media_type, base64}}`), `path.txt` (path and query), with `dropped.json` and `headers.json` where they are
  not empty; where the call is split, `request.json` is that of the first part, and `parts.txt` says how many there are;
- `reply.json`, or `reply.bin` with `reply_type.txt`: the provider's whole reply; and what it becomes: `answer.json`, or
  `answer.bin` with `media_type.txt`;
- `stream.sse`, `stream.jsonl` or `stream.bin`, a streamed reply; and what it becomes: `chunks.json` (a list of events),
  or `answer.bin`;
- `usage.json`, what of the `Usage` is not zero; `most.json`, the same of what is held;
- `error.json` (`status`, `headers`, `body`), a refusal; `raised.json`, the error's class and fields: for the refusal,
  else for the stream, else for the reply, else for the call.
"""

import base64
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from orrery import providers
from orrery.core.dialect import Adapter, Encoded, Form, Frame, Provider
from orrery.core.types import Call, Operation, Target, Upload, Usage
from orrery.edge.families import READERS
from orrery.providers.serving import adapter_for
from orrery.wire.form import write_form
from orrery.wire.posted import Posted
from tests.providers.eventstream_writer import written

HERE = Path(__file__).parent
RECEIVED_AT = 1_795_219_200
REGIONS = {"bedrock": "us-east-1", "vertex": "global"}

PATHS = {
    Operation.COMPLETIONS: "/completions",
    Operation.RESPONSES: "/responses",
    Operation.EMBEDDINGS: "/embeddings",
    Operation.RERANK: "/rerank",
    Operation.MODERATIONS: "/moderations",
    Operation.OCR: "/ocr",
    Operation.IMAGES: "/images/generations",
    Operation.IMAGE_EDITS: "/images/edits",
    Operation.IMAGE_VARIATIONS: "/images/variations",
    Operation.VIDEOS: "/videos/generations",
    Operation.SPEECH: "/audio/speech",
    Operation.TRANSCRIPTIONS: "/audio/transcriptions",
    Operation.TRANSLATIONS: "/audio/translations",
}


def reader_of(operation: Operation) -> Any:
    """The function that turns what was posted into a call."""
    places = {path: place for routes in READERS.values() for path, place in routes.items()}
    module, _, name = places[PATHS[operation]].partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class Case:
    provider: str
    name: str

    @property
    def folder(self) -> Path:
        return HERE / self.provider / self.name

    @property
    def operation(self) -> Operation:
        return Operation(self.text_of("operation"))

    def has(self, *files: str) -> bool:
        return all((self.folder / file).exists() for file in files)

    def bytes_of(self, file: str) -> bytes:
        return (self.folder / file).read_bytes()

    def text_of(self, file: str, default: str = "") -> str:
        return self.bytes_of(file).decode().strip() if self.has(file) else default

    def json_of(self, file: str, default: Any = None) -> Any:
        return orjson.loads(self.bytes_of(file)) if self.has(file) else default

    def found(self) -> Provider:
        provider = providers.get(self.provider)
        assert provider is not None, f"no provider called {self.provider}"
        return provider

    def adapter(self) -> Adapter:
        found = adapter_for(self.found(), self.operation, self.target())
        assert found is not None, f"{self.provider} does not serve {self.operation}"
        return found

    def posted(self) -> Posted:
        body, files = self.json_of("call.json"), self.json_of("files.json")
        if files is None:
            return Posted(orjson.dumps(body))
        fields = tuple((name, text) for name, value in body.items() for text in texts_of(value))
        content_type, pieces = write_form(Form(fields, tuple(upload_of(file) for file in files)))
        return Posted(b"".join(pieces), content_type)

    def call(self) -> Call:
        call: Call = reader_of(self.operation)(self.posted())
        return replace(call, received_at=RECEIVED_AT, answer_id="answer-1", reply_type=self.text_of("reply_type.txt"))

    def target(self) -> Target:
        model = self.json_of("call.json", {"model": f"{self.provider}/some-model"})["model"]
        provider = self.found()
        region = REGIONS.get(self.provider, "")
        target = Target(provider.name, model.removeprefix(f"{self.provider}/"), provider.base_url, region)
        return provider.locate(target) if provider.locate else target


def texts_of(value: Any) -> list[str]:
    """A form field's value, or values."""
    listed = value if isinstance(value, list) else [value]
    return [each if isinstance(each, str) else orjson.dumps(each).decode() for each in listed]


def upload_of(file: Any) -> Upload:
    return Upload(file["field_name"], file["name"], file["media_type"], base64.b64decode(file["base64"]))


def all_cases() -> list[Case]:
    folders = [operation.parent for operation in HERE.glob("*/*/operation")]
    return sorted((Case(f.parent.name, f.name) for f in folders), key=lambda case: (case.provider, case.name))


def with_files(*files: str) -> list[Case]:
    return [case for case in all_cases() if case.has(*files)]


def said(encoded: Encoded) -> Any:
    """An encoded body as `request.json` writes it."""
    if isinstance(encoded.body, Form):
        return {"form": [list(field) for field in encoded.body.fields], "files": list(map(_file, encoded.body.files))}
    if isinstance(encoded.body, Upload):
        return {"raw": {"media_type": encoded.body.media_type, "base64": _base64(encoded.body.data)}}
    return orjson.loads(orjson.dumps(encoded.body))


def _file(upload: Upload) -> Any:
    return {
        "field_name": upload.field_name,
        "name": upload.name,
        "media_type": upload.media_type,
        "base64": _base64(upload.data),
    }


def _base64(data: bytes | memoryview) -> str:
    return base64.b64encode(data).decode()


def parts_of(case: Case) -> list[Call]:
    """The call as it is sent: in one part, or in those that the provider's limit makes of it."""
    adapter, call = case.adapter(), case.call()
    return list(adapter.split(call, case.target())) if adapter.split else [call]


def reply_of(case: Case) -> bytes:
    return case.bytes_of("reply.bin" if case.has("reply.bin") else "reply.json")


def stream_of(case: Case) -> bytes:
    """A streamed reply's bytes, as the provider sends them."""
    if case.has("stream.jsonl"):
        return written(case.bytes_of("stream.jsonl"))
    return case.bytes_of("stream.bin" if case.has("stream.bin") else "stream.sse")


def frames_of(case: Case, stream: bytes, cuts: list[int]) -> Iterator[Frame]:
    """What the bytes of a stream become, cut at `cuts`; raises what the decoder raises."""
    adapter = case.adapter()
    assert adapter.reader is not None and adapter.decoder is not None
    reader, decoder = adapter.reader(), adapter.decoder(replace(case.call(), stream=True))
    places = [0, *sorted(cuts), len(stream)]
    for start, stop in pairwise(places):
        for event in reader.feed(stream[start:stop]):
            yield from decoder.feed(event)
    for event in reader.close():
        yield from decoder.feed(event)
    if not decoder.done:
        yield from decoder.close()


def payloads_of(frames: list[Frame]) -> list[Any]:
    return [_payload(frame) for frame in frames if frame.payload is not None]


def _payload(frame: Frame) -> Any:
    """JSON as what it holds; the bytes of a file as they are."""
    if isinstance(frame.payload, bytes) and not frame.media_type.startswith(("audio/", "image/", "text/")):
        try:
            return orjson.loads(frame.payload)
        except orjson.JSONDecodeError:
            return frame.payload
    return orjson.loads(orjson.dumps(frame.payload)) if not isinstance(frame.payload, bytes) else frame.payload


def told(usage: Usage | None) -> dict[str, Any]:
    """What of a usage is not zero."""
    return {name: value for name, value in asdict(usage).items() if value} if usage else {}
