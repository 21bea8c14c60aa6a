"""Where a call may go: the requested model, then its fallbacks, each resolved to a target with a price."""

from dataclasses import replace

from orrery.catalog import models
from orrery.core.errors import BadCredential, InvalidRequest, UnknownModel
from orrery.core.types import Call, Plan, Target
from orrery.flow.gateway import Account, Gateway

DEARER_TIERS = frozenset({"priority", "fast", "scale"})
"""Service tiers above the catalog's prices: a provider would charge up to twice what was held."""


async def make_plan(call: Call, gateway: Gateway) -> Plan:
    """Every target is resolved before any is called: a typing error in a fallback shows at once, not in an outage."""
    if call.body.get("service_tier") in DEARER_TIERS:
        raise InvalidRequest("this gateway knows no price for that service tier", param="service_tier")
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
        return _target(account, name, call, gateway, param)
    known = [await gateway.accounts.find(row.provider) for row in models.named(model)]
    accounts = [account for account in known if account is not None]
    if accounts:
        account = next((a for a in accounts if a.usable), accounts[0])
        return _target(account, model, call, gateway, param)
    if gateway.policy.default_provider:
        default = await gateway.accounts.find(gateway.policy.default_provider)
        if default:
            return _target(default, model, call, gateway, param)
    if name:
        raise UnknownModel(f"Model '{_shown(model)}' not found or is not available", param=param)
    raise InvalidRequest(
        f"invalid model format: '{_shown(model)}' is not in the catalog; write provider/model", param=param
    )


def _target(account: Account, name: str, call: Call, gateway: Gateway, param: str) -> Target:
    provider = account.provider
    if call.operation not in provider.adapters:
        raise InvalidRequest(f"provider '{provider.name}' does not serve {call.operation.value} here", param=param)
    target = Target(provider.name, name, account.base_url, account.region, secret=account.secret)
    target = provider.locate(target) if provider.locate else target
    row = models.find(provider.name, target.model)
    if (row is None or row.price is None) and not gateway.policy.allow_unpriced:
        raise UnknownModel(
            f"Model '{_shown(name)}' not found or is not available: provider '{provider.name}' has no price for it, "
            "and this gateway refuses models without one (ORRERY_ALLOW_UNPRICED_MODELS=true lets them through at zero)",
            param=param,
        )
    if not account.usable:
        raise BadCredential(f"No credential for provider '{provider.name}' is configured", param=param)
    if row is None:
        return target
    return replace(target, price=row.price, context_window=row.context_window, max_output=row.max_output)


def _shown(model: str) -> str:
    """A caller's model name, short enough for an error message."""
    return model if len(model) <= 80 else model[:80] + "…"
