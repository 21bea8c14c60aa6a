"""The values that travel: who calls, what they ask, where it goes, what comes back.

Money is integers: prices in pico-USD (1e-12) per token or unit, balances and costs in nano-USD (1e-9).
Times are seconds as float, epoch for instants, unless a name says `_ms`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

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
