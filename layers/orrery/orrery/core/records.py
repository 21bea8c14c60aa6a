"""What is kept of requests and for requests: prompts, recorded answers, and the steps of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Prompt:
    """A version of a stored prompt, as a request uses it. `model` "": the request's own.

    `parameters` are further fields of a chat body; a request's own come before them. `version` counts from 1.
    """

    id: str
    version: int
    messages: Sequence[Mapping[str, Any]]
    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole answer, as it was sent: `payloads` are its events in order, or the one body.

    `stream` says which; `media_type` is what `flow.serve.Answer` has. `headers` are those of the answer.
    """

    stream: bool
    media_type: str
    headers: Mapping[str, str]
    payloads: Sequence[bytes] = field(repr=False)

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.payloads))


@dataclass(frozen=True, slots=True)
class Claim:
    """What stands under an idempotency key.

    `mine`: nobody was there, and now we are. `running`: somebody is at it, for `retry_after_s` more at most. `done`:
    `answer` is what it was answered with. `other`: the key was used with another body. `token` proves a claim of ours.
    """

    state: Literal["mine", "running", "done", "other"]
    token: str = ""
    answer: Recording | None = None
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One finished request as it is tracked: who, in which run, what it cost. Texts are the caller's own labels.

    `started_ms` is epoch milliseconds. `transcript` is what was said and answered, JSON, where its organization keeps
    that; None otherwise. `response` is the id of the response that the request made, "" for other requests.
    `identity_profile` None: the record of the identity keeps what it has.
    """

    request_id: str
    organization: str
    started_ms: int
    duration_ms: int
    run: str
    operation: str
    provider: str
    model: str
    status: int
    cost_nano: int
    input_tokens: int
    output_tokens: int
    key_id: str
    workflow: str
    user: str = ""
    name: str = ""
    session: str = ""
    end_user: str = ""
    customer: str = ""
    tenant: str = ""
    parent: str = ""
    step: int | None = None
    identity: str = ""
    identity_profile: Mapping[str, Any] | None = None
    thread: str = ""
    thread_tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    cached: bool = False
    response: str = ""
    transcript: bytes | None = field(default=None, repr=False)
