"""Azure OpenAI: OpenAI's wire at an address of the customer's own, where a model's name is that of its deployment.

The operator's URL decides which API is spoken: the one with a dated `api-version` where the URL names a date, else v1.
It may be the resource's alone, or any that Azure's portal shows. Sources, read 2026-11-21: "Azure OpenAI API version
lifecycle" and "Azure OpenAI REST API reference" (learn.microsoft.com); `AzureOpenAI` of the openai Python SDK 3.52.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote, urlsplit, urlunsplit

import orjson

from orrery.core.dialect import Adapter, Decoder, Encoded, Event, Frame, Provider, Reply, UpstreamRequest
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.answer import object_of
from orrery.providers.compatible import NOT_OPENAI, Controls, Row, serving
from orrery.providers.compatible.row import EFFORTS, HEARING
from orrery.providers.errors import explain_openai, read_json
from orrery.providers.lazily import Lazily

ROW = Row(
    name="azure",
    base_url="https://{resource}.openai.azure.com",
    source="Azure OpenAI REST API reference (learn.microsoft.com): OpenAI's parameters",
    checked="2026-11-21",
    drop=NOT_OPENAI - {"thinking"},
    controls=Controls(efforts=EFFORTS),
    by_content=frozenset({"file"}),  # as the API that it is a copy of
    serves=frozenset(
        {
            Operation.CHAT,
            Operation.COMPLETIONS,
            Operation.RESPONSES,
            Operation.EMBEDDINGS,
            Operation.IMAGES,
            Operation.IMAGE_EDITS,
            Operation.VIDEOS,
            Operation.SPEECH,
        }
    )
    | HEARING,
)

_OPENAI = serving(ROW).adapters
_V1 = _OPENAI[Operation.CHAT]
_WITHOUT_USAGE = serving(replace(ROW, stream_usage=False)).adapters[Operation.CHAT]
_BEFORE_REASONING = serving(replace(ROW, stream_usage=False, rename={"max_completion_tokens": "max_tokens"})).adapters[
    Operation.CHAT
]

USAGE_SINCE = "2024-08-01"
"""Versions of before say "Unknown parameter: 'stream_options'", 400.

Sources on GitHub: jamesrochabrun/SwiftOpenAI#67 (2024-08-02), Azure/azure-rest-api-specs#30810 (2024-10-01: the schema
has it since 2024-08-01-preview), griptape-ai/griptape#1640 (2025-02-04: 2024-10-21 takes it).
"""

_DATED = re.compile(r"(?:^|&)api-version=(\d{4}-\d\d-\d\d(?:-preview)?)(?=&|$)")
_API = re.compile(r"/(?:openai|models)(?:/.*)?$")


def version_of(query: str) -> str:
    """The date of the API that a target speaks; "" for v1, whose versions are words or none."""
    match = _DATED.search(query)
    return match[1] if match else ""


def locate(target: Target) -> Target:
    """The target with the bare address of its resource, and the query apart.

    A URL that ends in `/openai/v1` is v1's, whatever version it names beside that.
    """
    parts = urlsplit(target.base_url)
    query = _DATED.sub("", parts.query).lstrip("&") if parts.path.rstrip("/").endswith("/openai/v1") else parts.query
    root = urlunsplit((parts.scheme, parts.netloc, _API.sub("", parts.path).rstrip("/"), "", ""))
    return replace(target, base_url=root, query=query or target.query)


def at(suffix: str) -> Callable[[Call, Target], str]:
    """The path of one operation: of the deployment under a dated version of the API, else of v1."""

    def path(call: Call, target: Target) -> str:
        return _path(suffix, target)

    return path


path = at("/chat/completions")


def _path(tail: str, target: Target) -> str:
    query = f"{'&' if '?' in tail else '?'}{target.query}" if target.query else ""
    if version_of(target.query):
        return f"/openai/deployments/{quote(target.model, safe='')}{tail}{query}"
    return f"/openai/v1{tail}{query}"


def _at_azure(operation: Operation) -> Callable[[], Adapter]:
    """OpenAI's adapter of an operation, at Azure's addresses."""

    def make() -> Adapter:
        adapter = _OPENAI[operation]
        later = adapter.later
        encoding = _legacy(adapter) if operation is Operation.COMPLETIONS else adapter.encode
        return replace(
            adapter,
            path=lambda call, target: _path(adapter.path(call, target), target),
            encode=encoding,
            later=later and (lambda id, part, target: _path(later(id, part, target), target)),
        )

    return make


def _legacy(v1: Adapter) -> Callable[[Call, Target], Encoded]:
    """Of completions: that a dated API takes `stream_options` there is not documented, so it is not asked."""
    dated = serving(replace(ROW, stream_usage=False)).adapters[Operation.COMPLETIONS]

    def encode(call: Call, target: Target) -> Encoded:
        return (dated if version_of(target.query) else v1).encode(call, target)

    return encode


def sign(request: UpstreamRequest, target: Target, now: float) -> Mapping[str, str]:
    """A token of Microsoft Entra's where one was minted, else the resource's key."""
    if target.token:
        return {"authorization": f"Bearer {target.token}"}
    return {"api-key": target.secret} if target.secret else {}


def encode(call: Call, target: Target) -> Encoded:
    """OpenAI's body. Usage is not asked of versions that refuse to be, nor beside the customer's own data.

    `stream_options` with `data_sources` is a 400: github.com/Azure/azure-sdk-for-js/issues/30751 (2024-08-14).
    """
    version = version_of(target.query)
    if version and version < USAGE_SINCE:
        return _BEFORE_REASONING.encode(call, target)
    return (_WITHOUT_USAGE if call.body.get("data_sources") else _V1).encode(call, target)


def explain(reply: Reply) -> UpstreamError:
    """OpenAI's error body. A prompt that the content filter stopped is a 400 with the code `content_filter`."""
    err = explain_openai(reply)
    if err.code == "DeploymentNotFound":
        err.code = "model_not_found"
    return err


class StreamDecoder:
    """OpenAI's stream, with what Azure's content filter puts between made fit for clients that know OpenAI's only.

    It begins with a chunk that has no choices and no id, and what the filter found in the prompt; that stands in the
    first true chunk here. A filter that works beside the stream sends chunks without delta and id ("Content streaming",
    learn.microsoft.com; github.com/microsoft/autogen/issues/6465, 2025-05-07): they get both, or are left out where
    their choice has ended.
    """

    def __init__(self, call: Call) -> None:
        assert _V1.decoder is not None
        self._decoder: Decoder = _V1.decoder(call)
        self._id = b""
        self._head: Json = {}
        self._prompt: Json = {}
        self._finished: set[object] = set()

    @property
    def done(self) -> bool:
        return self._decoder.done

    def feed(self, event: Event) -> Iterable[Frame]:
        if self._id and event.data.find(self._id) >= 0 and not _END.search(event.data):
            return self._decoder.feed(event)
        chunk = read_json(event.data)
        if not isinstance(chunk, dict) or "error" in chunk:
            return self._decoder.feed(event)
        if not chunk.get("id"):
            return self._annotation(event, chunk)
        if not self._head:
            self._id = str(chunk["id"]).encode()
            self._head = {name: chunk.get(name) for name in ("id", "object", "created", "model")}
            if self._prompt:
                event = Event(event.name, orjson.dumps({**chunk, **self._prompt}))
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if object_of(choice).get("finish_reason") is not None:
                self._finished.add(choice.get("index"))
        return self._decoder.feed(event)

    def close(self) -> Iterable[Frame]:
        return self._decoder.close()

    def _annotation(self, event: Event, chunk: Json) -> Iterable[Frame]:
        choices = chunk.get("choices")
        told = [object_of(choice) for choice in choices] if isinstance(choices, list) else []
        open = [choice for choice in told if choice.get("index") not in self._finished]
        if not self._head or not open:
            found = {name: chunk[name] for name in ("prompt_filter_results", "prompt_annotations") if chunk.get(name)}
            self._prompt |= {} if self._head else found
            return ()
        self._finished |= {choice.get("index") for choice in open if choice.get("finish_reason") is not None}
        return self._decoder.feed(Event(event.name, orjson.dumps({**chunk, **self._head, "choices": open})))


_END = re.compile(rb'"finish_reason":\s*"')


CHAT = Adapter(
    path=path,
    encode=encode,
    decode=_V1.decode,
    decoder=StreamDecoder,
    reader=_V1.reader,
    needs_bytes=_V1.needs_bytes,
)

PROVIDER = Provider(
    name=ROW.name,
    base_url=ROW.base_url,
    sign=sign,
    adapters=Lazily(
        {operation: _at_azure(operation) for operation in _OPENAI if operation is not Operation.CHAT}
        | {Operation.CHAT: lambda: CHAT}
    ),
    explain=explain,
    locate=locate,
    credential="entra",
)
