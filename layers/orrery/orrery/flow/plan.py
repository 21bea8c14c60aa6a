"""Where a call may go: the requested model, then its fallbacks, each resolved to a target with a price."""

from dataclasses import replace

from orrery.core.errors import BadCredential, InvalidRequest, UnknownModel
from orrery.core.types import Call, Model, Plan, Target
from orrery.flow.buckets import refuse_buckets
from orrery.flow.gateway import Account, Gateway

DEARER_TIERS = frozenset({"priority", "fast", "scale"})
"""Service tiers above the catalog's prices: a provider would charge up to twice what was held."""


async def make_plan(call: Call, gateway: Gateway) -> Plan:
    """Every target is resolved before any is called: a typing error in a fallback shows at once, not in an outage."""
    if call.body.get("service_tier") in DEARER_TIERS:
        raise InvalidRequest("this gateway knows no price for that service tier", param="service_tier")
    refuse_buckets(call.body, gateway.policy.media_buckets)
    targets = [await resolve(call.model, call, gateway, "model")]
    for number, model in enumerate(call.options.fallbacks):
        targets.append(await resolve(model, call, gateway, f"fallbacks[{number}].model"))
    return Plan(call, tuple(targets))


async def resolve(model: str, call: Call, gateway: Gateway, param: str) -> Target:
    """`provider/model`, else a name that the catalog knows, else a name for the default provider.

    Raises `InvalidRequest` (no prefix and no match), `UnknownModel`, `BadCredential` (no key for the provider).
    """
    prefix, _, name = model.partition("/")
    if name and (account := await gateway.accounts.find(prefix)):
        return await _target(account, name, call, gateway, param)
    if account := await _serving(model, gateway):
        return await _target(account, model, call, gateway, param)
    if gateway.policy.default_provider:
        default = await gateway.accounts.find(gateway.policy.default_provider)
        if default:
            return await _target(default, model, call, gateway, param)
    meant = await _meant(model, gateway)
    if name:
        raise UnknownModel(f"Model '{_shown(model)}' not found or is not available{meant}", param=param)
    raise InvalidRequest(
        f"invalid model format: '{_shown(model)}' is not in the catalog{meant or '; write provider/model'}", param=param
    )


async def _serving(model: str, gateway: Gateway) -> Account | None:
    """The first account that can be called among those that have a model of this name; else the first of them."""
    first = None
    for provider in await gateway.catalog.named(model):
        account = await gateway.accounts.find(provider)
        if account and account.usable:
            return account
        first = first or account
    return first


async def _target(account: Account, name: str, call: Call, gateway: Gateway, param: str) -> Target:
    provider = account.provider
    if call.operation not in provider.adapters:
        raise InvalidRequest(f"provider '{provider.name}' does not serve {call.operation.value} here", param=param)
    target = Target(provider.name, name, account.base_url, account.region, secret=account.secret)
    target = provider.locate(target) if provider.locate else target
    row = await _row(target, name, gateway)
    if (row is None or row.price is None) and not gateway.policy.allow_unpriced:
        raise await _unpriced(provider.name, name, row, gateway, param)
    if not account.usable:
        raise BadCredential(f"No credential for provider '{provider.name}' is configured", param=param)
    if row is None:
        return target
    return replace(target, price=row.price, context_window=row.context_window, max_output=row.max_output)


async def _row(target: Target, name: str, gateway: Gateway) -> Model | None:
    """What the catalog says of the model as the caller wrote it, else as the provider knows it, where it is served."""
    found = None
    if name != target.model:
        found = await gateway.catalog.find(target.provider, name)
    return found or await gateway.catalog.find(target.provider, target.model, target.region)


async def _unpriced(provider: str, name: str, row: Model | None, gateway: Gateway, param: str) -> UnknownModel:
    """The error for a model that nobody can be charged for: mistaken, or known without a price."""
    meant = "" if row else await _meant(f"{provider}/{name}", gateway)
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
