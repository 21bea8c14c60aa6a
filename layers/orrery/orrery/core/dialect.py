"""How providers speak: requests, events and frames, and the pure functions that turn one into the other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Operation, Target, Upload, Usage


@dataclass(slots=True)  # not frozen: that would triple the cost of making one, and a burst makes thousands
class Frame:
    """One unit of answer: a whole reply, or one streamed event.

    `payload` is an OpenAI body or chunk, already encoded (bytes: forwarded as it came) or not yet (a mapping);
    None when the caller gets nothing of it. `usage` is the provider's count so far (each one replaces the last).
    `output_chars` counts the generated characters in it: the evidence where the provider sends no usage.
    `media_type` says of an answer's first frame what the answer is; "" JSON, or events of JSON.
    """

    payload: Json | bytes | None
    usage: Usage | None = None
    output_chars: int = 0
    media_type: str = ""


@dataclass(slots=True)  # not frozen: that would triple the cost of making one, and a burst makes thousands
class Event:
    """One event of an upstream stream: its name ("" where the wire has none) and its data."""

    name: str
    data: bytes


class Reader(Protocol):
    """Cuts an upstream's bytes into events; any cut of the bytes gives the same events."""

    def feed(self, chunk: bytes) -> Iterable[Event]: ...

    def close(self) -> Iterable[Event]:
        """What the bytes so far hold when no more will come."""
        ...


class Decoder(Protocol):
    """Turns a provider's events into frames; has state, lives for one stream.

    `close` ends the stream: it gives what is left, or raises `Truncated` when the answer is not whole.
    `feed` raises `UpstreamError` when an event says that the provider failed.
    `done` is True once the answer is whole: what follows is not read.
    """

    @property
    def done(self) -> bool: ...

    def feed(self, event: Event) -> Iterable[Frame]: ...

    def close(self) -> Iterable[Frame]: ...


type Pieces = tuple[bytes | memoryview, ...]
"""A body in pieces that are sent one after another, never joined: files are not copied."""


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """An HTTP request to a provider, complete but for the connection."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | Pieces = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Reply:
    """A provider's whole answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart/form-data body: text fields and files, each in order; names may repeat."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[Upload, ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A body in the provider's dialect, the parameters that it cannot take, and headers that the body needs.

    An object goes as JSON, a `Form` as multipart/form-data, an `Upload` as the body itself, under its media type.
    """

    body: Json | Form | Upload
    dropped: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adapter:
    """How one provider serves one operation: pure functions only.

    `path` is appended to the target's base URL. `encode` raises `InvalidRequest` for what cannot be said in the
    dialect. `decode` reads a whole reply; `decoder` and `reader` read a streamed one (None: it cannot stream).
    `needs_bytes` says of a content part's URL (the part's type, the URL) whether the dialect cannot pass it on: then
    its content is fetched, and stands there as a data URL when `encode` is called. None: it passes on or refuses all.
    For `Call.links` the part's type is the last name of the link's path; one with an `upload` is fetched always.
    A streamed call whose `decoder` is None is answered by the whole reply, as one frame, when it is `raw`.
    `most` gives what a call may use at most, for holds, and is what an answer that broke off costs; it raises
    `InvalidRequest`. None: tokens, by the size of the body. `split` makes several calls of one that is larger than the
    provider takes, `join` one frame of their answers, in the same order; None: always one. `as_events` makes the
    events of a stream out of a whole answer: without a `decoder`, the provider is asked for a whole one; with one, it
    is for models that ignore `stream`. `later` is the path at which a job that was accepted is found again, by its id;
    "/content" is the part of it that is the file.
    """

    path: Callable[[Call, Target], str]
    encode: Callable[[Call, Target], Encoded]
    decode: Callable[[bytes, Call], Frame]
    decoder: Callable[[Call], Decoder] | None = None
    reader: Callable[[], Reader] | None = None
    needs_bytes: Callable[[str, str], bool] | None = None
    most: Callable[[Call, Target], Usage] | None = None
    split: Callable[[Call, Target], Sequence[Call]] | None = None
    join: Callable[[Sequence[Frame], Call], Frame] | None = None
    as_events: Callable[[Frame, Call], Sequence[Frame]] | None = None
    later: Callable[[str, str, Target], str] | None = None


type CredentialKind = Literal["key", "aws", "google", "entra"]
"""What an account's secret is: sent as it is, or exchanged before each call for what proves who we are."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A company or server that serves models: where it is, how its requests are signed, what it can do.

    `sign` gives the headers that prove who we are, to be added to the request's own (epoch seconds are the third
    argument). `explain` turns a reply of 400 and above into the error to raise. `locate` completes a target whose model
    name says where it is served (a region, an ARN); it raises `InvalidRequest`. `needs_key` is False for servers of
    one's own (Ollama, vLLM).
    """

    name: str
    base_url: str
    sign: Callable[[UpstreamRequest, Target, float], Mapping[str, str]]
    adapters: Mapping[Operation, Adapter]
    explain: Callable[[Reply], UpstreamError]
    locate: Callable[[Target], Target] | None = None
    credential: CredentialKind = "key"
    needs_key: bool = True
