"""Where a call may go: the requested model, or the one picked of several, then the fallbacks, each resolved to targets.

A model has one target, or two: with the caller's own key, and then with the operator's, where its organization lets
pooled credit serve what its own key failed at.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from orrery import providers
from orrery.catalog import models as catalog
from orrery.catalog.cost import covers
from orrery.core.credentials import Credentials
from orrery.core.dialect import Adapter, Provider
from orrery.core.errors import BadCredential, GatewayError, InvalidRequest, UnknownModel
from orrery.core.types import Call, Plan, Target
from orrery.flow.buckets import refuse_buckets
from orrery.flow.credentials import (
    APPLIED,
    POOLED,
    UNMAPPED,
    Own,
    own_of,
    own_target,
    told,
    without_credentials,
)
from orrery.flow.gateway import Account, Gateway
from orrery.providers.serving import adapter_for

DEARER_TIERS = frozenset({"priority", "fast", "scale"})
"""Service tiers above the catalog's prices: a provider would charge up to twice what was held."""

AUTOMATIC = frozenset(
    {"auto", "router", "default", "orbitrage", "orqen/auto", "orqen/cheap", "orqen/fast", "orqen/capable"}
)
"""What the other gateways take for a choice of theirs (Orbitrage's chat page, Orqen's model routing, 2026-11-20)."""

NOTHING = Own()


async def make_plan(call: Call, gateway: Gateway, organization: str = "") -> Plan:
    """Every target is resolved before any is called: a typing error in a fallback shows at once, not in an outage.

    `organization` says whose stored keys may be used ("": nobody's).
    """
    refuse_buckets(call, gateway.policy.media_buckets)
    own = await own_of(call, organization, gateway)
    call = without_credentials(call)
    if call.options.balance:
        from orrery.flow.balance import balanced

        return await balanced(call, gateway, organization, own)
    targets = list(await resolve(call.model, call, gateway, "model", own))
    own = replace(own, given_for=targets[0].provider)
    for number, model in enumerate(call.options.fallbacks):
        targets += await resolve(model, call, gateway, f"fallbacks[{number}].model", own)
    return Plan(call, tuple(targets))


@dataclass(frozen=True, slots=True)
class _Named:
    """What a caller's name for a model means. `account` is None where only the caller's own key can reach it."""

    provider: str
    model: str
    account: Account | None


async def resolve(model: str, call: Call, gateway: Gateway, param: str, own: Own = NOTHING) -> Sequence[Target]:
    """`provider/model`, else a name that the catalog knows, else a name for the default provider.

    Raises `InvalidRequest` (no prefix and no match), `UnknownModel`, `BadCredential` (no key for the provider).
    """
    named = await _named(model, gateway, own)
    if named is not None:
        return await _targets(named, call, gateway, param, own)
    if model in AUTOMATIC:
        raise InvalidRequest(
            f"Unsupported value for '{param}': this gateway does not choose models by itself yet; name one.",
            param=param,
            code="unsupported_parameter",
        )
    meant = await _meant(model, gateway)
    if model.partition("/")[2]:
        err: GatewayError = UnknownModel(f"Model '{_shown(model)}' not found or is not available{meant}", param=param)
    else:
        err = InvalidRequest(
            f"invalid model format: '{_shown(model)}' is not in the catalog{meant or '; write provider/model'}",
            param=param,
        )
    err.told = told(POOLED, UNMAPPED)
    raise err


async def _named(model: str, gateway: Gateway, own: Own) -> _Named | None:
    prefix, _, name = model.partition("/")
    if name and (account := await gateway.accounts.find(prefix)):
        return _Named(account.provider.name, name, account)
    if name and (provider := providers.get(prefix)) and own.has(provider.name):
        return _Named(provider.name, name, None)
    if found := await _serving(model, gateway, own):
        return found
    default = gateway.policy.default_provider
    # A key that came with the request goes where its sender says, not where the operator does.
    if default and not own.is_unbound and (account := await gateway.accounts.find(default)):
        return _Named(account.provider.name, model, account)
    return None


async def _serving(model: str, gateway: Gateway, own: Own) -> _Named | None:
    """The first provider that can be called among those that have a model of this name; else the first of them.

    For a key of this request it is the first that the built-in catalog knows, be the operator's choice another.
    """
    if own.is_unbound:
        known = [*catalog.named(model), *await gateway.catalog.named(model)]
        return _Named(known[0], model, await gateway.accounts.find(known[0])) if known else None
    first: _Named | None = None
    for provider in await gateway.catalog.named(model):
        account = await gateway.accounts.find(provider)
        if own.has(provider) or (account and account.usable):
            return _Named(provider, model, account)
        if first is None and account:
            first = _Named(provider, model, account)
    return first


async def _targets(named: _Named, call: Call, gateway: Gateway, param: str, own: Own) -> Sequence[Target]:
    choice = await own.choose(named.provider, gateway)
    if choice.credentials is None:
        if named.account is None:
            raise _without_key(named.provider, param)
        try:
            return (replace(await _pooled(named.account, named.model, call, gateway, param), reason=choice.reason),)
        except GatewayError as err:
            err.told = told(POOLED, choice.reason)
            raise
    target = await _own(named, choice.credentials, call, gateway, param)
    if own.falls_back and named.account is not None:
        with suppress(BadCredential, InvalidRequest, UnknownModel):  # then there is only the own key
            return target, replace(await _pooled(named.account, named.model, call, gateway, param), reason=APPLIED)
    return (target,)


async def _own(named: _Named, credentials: Credentials, call: Call, gateway: Gateway, param: str) -> Target:
    """The target of the caller's own key: any model, at no price."""
    provider = providers.get(named.provider)
    if provider is None:
        raise InvalidRequest(f"'{named.provider}' is this gateway's own: it takes no key of yours.", param="api_key")
    target = await _known(own_target(provider, named.model, credentials), named.model, gateway)
    _adapter(provider, call, target, param)
    return replace(target, price=None)


async def _pooled(account: Account, name: str, call: Call, gateway: Gateway, param: str) -> Target:
    """The target of the operator's account, for credit."""
    provider = account.provider
    if call.body.get("service_tier") in DEARER_TIERS:
        raise InvalidRequest("this gateway knows no price for that service tier", param="service_tier")
    target = Target(provider.name, name, account.base_url, account.region, secret=account.secret)
    target = provider.locate(target) if provider.locate else target
    target = await _known(target, name, gateway)
    adapter = _adapter(provider, call, target, param)
    target = replace(target, most=adapter.most(call, target)) if adapter.most else target
    if not _is_priced(target) and not gateway.policy.allow_unpriced:
        raise await _unpriced(target, name, gateway, param)
    if not account.usable:
        raise _without_key(provider.name, param)
    return target


def _adapter(provider: Provider, call: Call, target: Target, param: str) -> Adapter:
    adapter = adapter_for(provider, call.operation, target)
    if adapter is None:
        raise InvalidRequest(f"provider '{provider.name}' does not serve {call.operation.value} here", param=param)
    return adapter


def _without_key(provider: str, param: str) -> BadCredential:
    return BadCredential(f"No credential for provider '{provider}' is configured", param=param)


def _is_priced(target: Target) -> bool:
    """Whether the catalog says what this call may cost: a price per token does not pay for pictures."""
    return target.price is not None and covers(target.price, target.most)


async def _known(target: Target, name: str, gateway: Gateway) -> Target:
    """The target with what the catalog says of the model as the caller wrote it, else as its provider knows it."""
    found = await gateway.catalog.find(target.provider, name) if name != target.model else None
    row = found or await gateway.catalog.find(target.provider, target.model, target.region)
    if row is None:
        return target
    return replace(
        target,
        price=row.price,
        context_window=row.context_window,
        max_output=row.max_output,
        operations=row.operations,
    )


async def _unpriced(target: Target, name: str, gateway: Gateway, param: str) -> UnknownModel:
    """The error for a model that nobody can be charged for: mistaken, or known without a price."""
    provider = target.provider
    meant = "" if target.operations else await _meant(f"{provider}/{name}", gateway)
    return UnknownModel(
        f"Model '{_shown(name)}' not found or is not available{meant or ':'} provider '{provider}' has no price for "
        "it, and this gateway refuses models without one (`orrery models set` gives it one, "
        "ORRERY_ALLOW_UNPRICED_MODELS=true lets them through at zero)",
        param=param,
    )


async def _meant(model: str, gateway: Gateway) -> str:
    """`: did you mean 'openai/gpt-4o'?`, of models that this gateway can call; "" when none is like it."""
    providers = [account.provider.name for account in await gateway.accounts.usable()]
    found = [f"'{name}'" for name in await gateway.catalog.near(model, providers)]
    return f": did you mean {' or '.join([*filter(None, [', '.join(found[:-1])]), found[-1]])}?" if found else ""


def _shown(model: str) -> str:
    """A caller's model name, short enough for an error message."""
    return model if len(model) <= 80 else model[:80] + "…"
