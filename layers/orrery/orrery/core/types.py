"""The values that travel: who calls, what they ask, where it goes, what comes back.

Money is integers: prices in pico-USD (1e-12) per token or unit, balances and costs in nano-USD (1e-9).
Times are seconds as float, epoch for instants, unless a name says `_ms`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from orrery.core.credentials import AwsCredentials
from orrery.core.limits import Pace
from orrery.core.options import Options

type Json = dict[str, Any]

NO_OPTIONS = Options()


class Operation(StrEnum):
    """What a caller asks for; the value is `gen_ai.operation.name` where the conventions have one."""

    CHAT = "chat"
    COMPLETIONS = "text_completion"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    MODERATIONS = "moderation"
    RERANK = "rerank"
    OCR = "ocr"
    IMAGES = "image_generation"
    IMAGE_EDITS = "image_edit"
    IMAGE_VARIATIONS = "image_variation"
    VIDEOS = "video_generation"
    SPEECH = "speech"
    TRANSCRIPTIONS = "transcription"
    TRANSLATIONS = "translation"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who pays. `key_id` is the public prefix of the key; `version` rises whenever the key's row changes.

    `pace` None: the key has no limit of its own.
    """

    key_id: str
    organization: str
    workflow: str
    user: str
    scopes: frozenset[str] = frozenset()
    version: int = 0
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a request. `field_name` is the form field it came in, or goes out in.

    `name` is made here of the field and the file's suffix: what the caller called it goes nowhere. `data` may be a view
    into the posted bytes: it is not copied on its way.
    """

    field_name: str
    name: str
    media_type: str
    data: bytes | memoryview = field(repr=False)


@dataclass(frozen=True, slots=True)
class Link:
    """A URL in a body behind which a file stands. `path` leads to it; `param` is the same as OpenAI writes it.

    Where its content is needed, it becomes a file of the form field `upload`, or, without one, a data URL in its place.
    """

    path: tuple[str | int, ...]
    url: str
    upload: str = ""

    @property
    def param(self) -> str:
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, validated. Replaced, never changed.

    `body` is the caller's own mapping without the gateway's fields: unknown fields survive in it. A form's fields are
    in it as the types that they mean, its files in `files`; `links` are URLs of files.
    `body_bytes` is the size of what was posted; `wants_usage` is the caller's own `stream_options.include_usage`;
    `strict` refuses parameters that a target cannot take instead of dropping them; `received_at` is epoch seconds.
    `stream`: the answer is handed on as it comes, as events, or, when `raw`, as the bytes of one file.
    While a target is called, `model` is that target's; `answer_id` names an answer to which its provider gives no id;
    `reply_type` is the media type of its reply where that is neither JSON nor events.
    `private` is `body` with the values of secret variables, where there are any: only providers get it, and nothing
    else may look at it. In `body` they are `***`.
    """

    operation: Operation
    model: str
    body: Json
    stream: bool = False
    options: Options = NO_OPTIONS
    body_bytes: int = 0
    wants_usage: bool = False
    strict: bool = False
    received_at: int = 0
    answer_id: str = ""
    raw: bool = False
    files: tuple[Upload, ...] = ()
    links: tuple[Link, ...] = ()
    reply_type: str = ""
    private: Json | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Rates:
    """Pico-USD per token, for each class of token; None means: charged like its parent class.

    The three `cache_…`, `audio_input` and `image_input` are parts of the input; `audio_output` and `image_output` are
    parts of the output.
    """

    input: int
    output: int
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image_input: int | None = None
    image_output: int | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs. `above`: rates for whole requests whose input exceeds so many tokens, ascending.

    `units`: pico-USD for each of what is not counted in tokens (see `Usage.units`), under the same names or less
    particular ones: `image/high/1024x1024` costs what stands there for `image/high/1024x1024`, else for `image/high`,
    else for `image`.
    """

    rates: Rates
    above: tuple[tuple[int, Rates], ...] = ()
    request: int = 0
    source: str = ""
    units: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Model:
    """A catalog row: a fact about a model at a provider, with where and when it was read."""

    provider: str
    name: str
    price: Price | None = None
    context_window: int | None = None
    max_output: int | None = None
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    operations: tuple[Operation, ...] = (Operation.CHAT,)
    reasoning: bool = False
    created: int = 0
    source: str = ""
    checked: str = ""

    @property
    def id(self) -> str:
        """`provider/name`: what a caller puts into `model`."""
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True, slots=True)
class Target:
    """One place a call may go. `model` is the provider's own name for it.

    `secret` is the account's key, as its operator gave it. What a call is signed with besides is made when the call is
    made: `token`, a bearer token that the secret was exchanged for, or `aws`. None of the three shows in a repr.
    `query` is what its URLs end with, where the operator's URL had a query: a version of the API.
    `operations` is what the catalog says that the model serves; () unknown. `most` is what the call may use at most
    there, where tokens by the size of the body do not tell.
    `own`: the credential is the caller's, so that the call costs no credit; `reason` is the word for that, or for why
    it is not (see `flow.credentials`). `outside`: the address is the caller's, too, and must be a public one.
    """

    provider: str
    model: str
    base_url: str
    region: str = ""
    price: Price | None = None
    context_window: int | None = None
    max_output: int | None = None
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    aws: AwsCredentials | None = field(default=None, repr=False)
    query: str = ""
    operations: tuple[Operation, ...] = ()
    most: "Usage | None" = None
    own: bool = False
    reason: str = ""
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A call and the targets to try, in order.

    `skipped` are the names (`provider/model`) of those that were left out, as they are cooling down. `balanced`: the
    first target was picked among several by weight.
    """

    call: Call
    targets: tuple[Target, ...]
    skipped: tuple[str, ...] = ()
    balanced: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as OpenAI counts them: the parts lie inside `prompt` and `completion`, never beside them.

    `cache_read`, `cache_write` (5 minutes), `cache_write_1h`, `audio_input` and `image_input` are parts of `prompt`;
    `reasoning`, `audio_output` and `image_output` are parts of `completion`.
    `units` counts what is not tokens: `image/<quality>/<width>x<height>`, `audio_ms`, `character`, `page`, `search`,
    `video_ms/<width>x<height>`. `ours`: these counts are made here, not told by the provider.
    """

    prompt: int = 0
    completion: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    audio_input: int = 0
    reasoning: int = 0
    audio_output: int = 0
    image_input: int = 0
    image_output: int = 0
    units: Mapping[str, int] = field(default_factory=dict)
    ours: bool = False

    @property
    def total(self) -> int:
        return self.prompt + self.completion


@dataclass(slots=True)
class Attempt:
    """One try at one target. `status` is 200, or what the caller would have seen had it been the last.

    `own`: with the caller's own key. `blame` says what a failure speaks against: the provider, or a `limit` of this
    request that was over before the provider had the time which this gateway gives it; "" for neither.
    `retry_after_s` is what the provider asked for. `recovered`: it worked, and the last one there had failed.
    """

    provider: str
    model: str
    status: int
    seconds: float
    message: str = ""
    own: bool = False
    blame: Literal["", "provider", "limit"] = ""
    retry_after_s: float | None = None
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """What stands behind a URL. `media_type` is what its server says, in lower case without parameters; "" unknown."""

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Presigned:
    """A place for one file. `put_url` takes it, once, with these `headers`, until `expires_at` (epoch seconds).

    `url` is what a request names it by afterwards; only requests of the same organization may.
    """

    put_url: str = field(repr=False)
    headers: Mapping[str, str]
    url: str
    expires_at: int


type Evidence = Literal["provider", "partial", "counted", "none", "recorded"]
"""Where a cost comes from: the provider's final usage, its usage so far, our count of what came, or nothing came.

`recorded`: an answer was given again, for nothing."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a finished request cost and how we know. `own`: nothing, because its caller's own key paid for it."""

    cost_nano: int
    usage: Usage
    evidence: Evidence
    provider: str = ""
    model: str = ""
    status: int = 200
    own: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Credit set aside for one request, until `expires_at` (epoch seconds, whole).

    One of no amount is a mere name: it stands in no balance, and ends with its receipt.
    `value` is the exact string stored beside the request's id: settling names it, so nobody settles another's hold.
    """

    request_id: str
    organization: str
    shard: int
    amount_nano: int
    expires_at: int
    value: str
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request at the door: its ids, when it came and when it must be over (both on the event loop's clock)."""

    id: str
    trace_id: str
    started: float
    deadline: float
    parent_span_id: str = ""


@dataclass(slots=True)
class Exchange:
    """The one mutable record of a request: filled on its way, logged once at its end.

    `fetched` is what stood behind the URLs of its media, so that no retry and no fallback reads one again; `uploads`
    are those among them that were uploaded here, and are deleted once the request has been answered.
    `headers` are what options add to the answer's; `cache` says whether a cached answer served. `after` is what options
    still have to do once the request is settled: it must not raise `GatewayError`.
    """

    arrival: Arrival
    principal: Principal
    plan: Plan
    attempts: list[Attempt] = field(default_factory=list)
    target: Target | None = None
    dropped: tuple[str, ...] = ()
    usage: Usage | None = None
    output_chars: int = 0
    chunks: int = 0
    held_nano: int = 0
    clamped_to: int | None = None
    upstream_s: float = 0.0
    first_frame_s: float | None = None
    status: int = 200
    error_code: str | None = None
    outcome: Literal["completed", "failed", "cut", "abandoned"] = "completed"
    receipt: Receipt | None = None
    unsettled: bool = False
    fetched: dict[str, Fetched] = field(default_factory=dict, repr=False)
    uploads: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)
    cache: Literal["", "hit", "miss"] = ""
    after: list[Callable[["Exchange"], Awaitable[None]]] = field(default_factory=list, repr=False)
