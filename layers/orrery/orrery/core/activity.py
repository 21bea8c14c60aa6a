"""What was tracked, as its organization reads it: runs, sessions, threads and identities, and the steps in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orrery.core.records import Step

type Kind = Literal["run", "session", "thread", "identity"]


@dataclass(frozen=True, slots=True)
class Tracked:
    """One of them, with the sums of its requests. `id` is the caller's own label; instants are epoch milliseconds.

    `created_ms` is when the request began that was noted first, `last_ms` when the one ended that was noted last, and
    `duration_ms` what all took together. `failures` are those of the requests whose status is an error's.
    `tags` are those that a thread was last given; `profile` is what is known of an identity.
    """

    kind: Kind
    id: str
    created_ms: int
    last_ms: int
    requests: int
    failures: int
    cost_nano: int
    input_tokens: int
    output_tokens: int
    duration_ms: int
    tags: tuple[str, ...] = ()
    profile: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A step and its place in lists, `id`. `transcript_omitted`: it was too large to be kept."""

    id: str
    step: Step
    transcript_omitted: bool = False
