"""What providers know someone by: the operator, or a caller who brings keys of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orrery.core.limits import Budget


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """What AWS knows someone by. `session_token` is empty for a user's long-lived keys."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A caller's own credential at one provider: `key`, or `aws`. None of its secrets shows in a repr.

    `base_url` is the only address that it is sent to ("": the provider's own, whatever the operator calls instead).
    """

    key: str = field(repr=False, default="")
    aws: AwsCredentials | None = field(repr=False, default=None)
    region: str = ""
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A stored credential, as its owner may see it; what it is stands encrypted in `sealed`.

    `version` differs whenever the credential was given anew. `hint` is the end of the key, or of its public half.
    """

    organization: str
    provider: str
    version: str
    sealed: bytes = field(repr=False)
    enabled: bool = True
    base_url: str = ""
    hint: str = ""
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """What an organization stored and decided: its keys by provider, its budgets, and its choices.

    `pooled_fallback`: what fails with its own key is tried with the operator's, for credit. `keeps_transcripts`: what
    is said in its threads is kept with them.
    """

    keys: Mapping[str, OwnKey] = field(default_factory=dict)
    pooled_fallback: bool = False
    budgets: tuple[Budget, ...] = ()
    keeps_transcripts: bool = False
