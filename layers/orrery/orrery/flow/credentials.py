"""Whose credential a call is signed with: the caller's own, of this request or stored, or the operator's.

The caller is told in two headers of every answer after planning, with seed 004's words:

    X-Orbitrage-BYOK          the provider whose own key answered (or was refused), else `pooled`
    X-Orbitrage-BYOK-Reason   applied                     the caller's own key was used; beside `pooled`: it failed, and
                                                          the organization lets pooled credit serve then
                              applied-with-model-rewrite  the same, and the provider knows the model by another name
                              no-key-for-provider         nothing is stored for this provider
                              key-disabled                what is stored is switched off
                              unmapped-model              no provider has a model of this name
                              decrypt-failed              what is stored cannot be opened

A credential of a request goes to the requested model's provider and to no other; a stored one to the provider that it
was stored for. Either goes to that provider's own address, never to one that the operator set in its place, or to the
address that came with it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from orrery.core.credentials import Credentials, OrganizationSettings
from orrery.core.dialect import Provider
from orrery.core.errors import GatewayError, InvalidRequest
from orrery.core.types import Call, Target
from orrery.flow.gateway import Gateway
from orrery.wire.credentials import ACCESS_KEY, HOME

POOLED = "pooled"
APPLIED, REWRITTEN = "applied", "applied-with-model-rewrite"
NO_KEY, DISABLED = "no-key-for-provider", "key-disabled"
UNMAPPED, UNREADABLE = "unmapped-model", "decrypt-failed"

_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,62}")
_OPEN = re.compile(r"\{(?!region\})\w+\}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a target is called with: the caller's own credential, or, without one, the operator's, and why."""

    reason: str
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """All that a request may use of its caller's: `given` with it, for the provider `given_for` alone ("": for the
    requested model's, which is not known yet), and `stored`."""

    given: Credentials | None = field(default=None, repr=False)
    given_for: str = ""
    stored: OrganizationSettings = field(default_factory=OrganizationSettings)

    @property
    def falls_back(self) -> bool:
        """Whether pooled credit may serve what fails with an own key."""
        return self.stored.pooled_fallback

    @property
    def is_unbound(self) -> bool:
        """Whether a credential came with the request and it is not known yet for whom."""
        return self.given is not None and not self.given_for

    def has(self, provider: str) -> bool:
        """Whether a call of this provider would be tried with an own key."""
        stored = self.stored.keys.get(provider)
        return self._is_given(provider) or (stored is not None and stored.enabled)

    async def choose(self, provider: str, gateway: Gateway) -> Choice:
        """Raises `GatewayError` for a stored key that does not open, unless pooled credit may serve."""
        if self._is_given(provider):
            return Choice(APPLIED, self.given)
        stored = self.stored.keys.get(provider)
        if stored is None or gateway.own is None:
            return Choice(NO_KEY)
        if not stored.enabled:
            return Choice(DISABLED)
        try:
            return Choice(APPLIED, await gateway.own.open(stored))
        except GatewayError as err:
            if self.falls_back:
                return Choice(UNREADABLE)
            err.told = told(provider, UNREADABLE)
            raise

    def _is_given(self, provider: str) -> bool:
        return self.given is not None and self.given_for in ("", provider)


async def own_of(call: Call, organization: str, gateway: Gateway) -> Own:
    """What this call's caller has of its own. Raises `Unavailable`."""
    stored = await gateway.own.find(organization) if gateway.own and organization else OrganizationSettings()
    return Own(call.options.credentials, stored=stored)


def without_credentials(call: Call) -> Call:
    """The call as it goes on: what signs it is the target's affair."""
    if call.options.credentials is None:
        return call
    return replace(call, options=replace(call.options, credentials=None))


def own_target(provider: Provider, name: str, credentials: Credentials) -> Target:
    """The provider at its own address, or at the caller's. Raises `InvalidRequest` for a credential that is none there.

    It has no price: the caller's own bill is not ours.
    """
    refuse_misfit(provider, credentials)
    region = credentials.region or (HOME if provider.credential == "aws" else "")
    target = Target(
        provider.name,
        name,
        credentials.base_url or home_of(provider, credentials),
        region,
        secret=credentials.key,
        aws=credentials.aws,
        own=True,
        outside=bool(credentials.base_url),
    )
    target = provider.locate(target) if provider.locate else target
    return replace(target, reason=APPLIED if target.model == name else REWRITTEN)


def refuse_misfit(provider: Provider, credentials: Credentials) -> None:
    """Raises `InvalidRequest` for a kind of credential that the provider does not know, or that has no address."""
    kind, is_file = provider.credential, credentials.key.startswith("{")
    if credentials.aws is not None and kind != "aws":
        raise InvalidRequest(f"Provider '{provider.name}' takes no AWS credential but an api_key.", param=ACCESS_KEY)
    if kind == "google" and not is_file:
        raise InvalidRequest(
            f"Provider '{provider.name}' takes the JSON of a Google credentials file as api_key.", param="api_key"
        )
    if is_file and kind not in ("google", "entra"):
        raise InvalidRequest(f"Provider '{provider.name}' takes a plain key, no JSON, as api_key.", param="api_key")
    if not credentials.base_url:
        home_of(provider, credentials)


def home_of(provider: Provider, credentials: Credentials) -> str:
    """The provider's own address. Raises `InvalidRequest` where each customer has one of its own, or there is none."""
    url = provider.base_url
    if "{project}" in url and (project := _project(credentials.key)):
        url = url.replace("{project}", project)
    if not url.startswith("https://") or _OPEN.search(url):
        raise InvalidRequest(
            f"With a key of your own, provider '{provider.name}' needs a base_url beside it.", param="base_url"
        )
    return url


def _project(credentials_file: str) -> str:
    """The project that a Google credentials file names; "" for none that may stand in a path."""
    try:
        held = orjson.loads(credentials_file)
        found = held.get("project_id") or held.get("quota_project_id")
    except (ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) and _PROJECT.fullmatch(found) else ""


def told_of(target: Target) -> Mapping[str, str]:
    """The headers of an answer of this target, or of its failure."""
    return told(target.provider if target.own else POOLED, target.reason or NO_KEY)


def told(whose: str, reason: str) -> Mapping[str, str]:
    """The headers: see above."""
    return {"x-orbitrage-byok": whose, "x-orbitrage-byok-reason": reason}


SHORTEST = 8
"""Characters of a secret that is looked for: shorter ones are words."""


def hide(err: GatewayError, target: Target) -> None:
    """Takes what the call was signed with out of a provider's words: some repeat a key that they refuse."""
    aws = target.aws
    secrets = (target.secret, target.token, *((aws.access_key, aws.secret_key, aws.session_token) if aws else ()))
    for secret in secrets:
        if len(secret) >= SHORTEST:
            err.message = err.message.replace(secret, "[key]")
            err.param, err.code = _without(secret, err.param), _without(secret, err.code)
            err.type = err.type.replace(secret, "[key]")
    err.args = (err.message,)


def _without(secret: str, word: str | None) -> str | None:
    return word and word.replace(secret, "[key]")
