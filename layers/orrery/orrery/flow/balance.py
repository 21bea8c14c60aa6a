"""Requests with a load balancer: one of several models is picked for each, by weight; the fallbacks follow the pick.

What cools down is left out, unless nothing would be left. Of two targets of one model, the caller's own key and the
operator's, the first speaks for both: that a key is spared must not spend credit.
"""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Plan, Target
from orrery.flow.attempts import names_of
from orrery.flow.breaking import breakers_of
from orrery.flow.credentials import Own
from orrery.flow.gateway import Gateway
from orrery.flow.plan import resolve

MOST_MODELS = 50
"""Of one balance: each is resolved, and asked after, for every request."""

type Way = Sequence[Target]
"""The targets of one model: with the caller's own key, then with the operator's, or one of the two."""


def pick(weights: Sequence[float], chance: float) -> int:
    """The number of the weight that `chance`, even in [0, 1), falls on. Weights are relative: [0.4, 0.8] is 1 to 2."""
    sums = list(accumulate(weights))
    return bisect(sums, chance * sums[-1], hi=len(sums) - 1)


async def balanced(call: Call, gateway: Gateway, organization: str, own: Own) -> Plan:
    """The plan of a call with a balance. Raises what `flow.plan.resolve` raises, for any of the models.

    A credential of the request goes to one provider: `InvalidRequest` where the models of the balance have several.
    """
    options = call.options
    if len(options.balance) > MOST_MODELS:
        raise InvalidRequest(f"A load_balancer has at most {MOST_MODELS} models.", param="load_balancer.models")
    ways = [
        await resolve(each.model, call, gateway, f"load_balancer.models[{number}].model", own)
        for number, each in enumerate(options.balance)
    ]
    own = replace(own, given_for=_one_provider(ways) if own.given else "")
    fallbacks = [
        await resolve(model, call, gateway, f"fallbacks[{number}].model", own)
        for number, model in enumerate(options.fallbacks)
    ]
    weighted = [(way, each.weight) for way, each in zip(ways, options.balance, strict=True)]
    cooling = await _cooling([*ways, *fallbacks], organization, gateway)

    def is_spared(target: Target) -> bool:
        return not cooling.isdisjoint(names_of(target, organization))

    left = [(way, weight) for way, weight in weighted if not is_spared(way[0])]
    following = [way for way in fallbacks if not is_spared(way[0])]
    if not left and not following:
        return _plan(call, weighted, fallbacks, gateway)
    plan = _plan(call, left, following, gateway)
    spared = [target for way in (*ways, *fallbacks) for target in way if is_spared(target)]
    return replace(
        plan,
        targets=tuple(target for target in plan.targets if not is_spared(target)),
        skipped=tuple(dict.fromkeys(f"{target.provider}/{target.model}" for target in spared)),
    )


def _plan(call: Call, weighted: Sequence[tuple[Way, float]], following: Sequence[Way], gateway: Gateway) -> Plan:
    """One of the weighted, where there are any, and what follows it."""
    if not weighted:
        return Plan(call, tuple(target for way in following for target in way))
    picked, _ = weighted[pick([weight for _, weight in weighted], gateway.random())]
    return Plan(call, tuple(target for way in (picked, *following) for target in way), balanced=True)


def _one_provider(ways: Sequence[Way]) -> str:
    providers = {way[0].provider for way in ways}
    if len(providers) > 1:
        raise InvalidRequest(
            "A credential in the request is for one provider: with it, all models of the load_balancer must be of "
            f"that one, not of {', '.join(sorted(providers))}.",
            param="load_balancer.models",
        )
    return providers.pop()


async def _cooling(ways: Sequence[Way], organization: str, gateway: Gateway) -> frozenset[str]:
    """The names of breakers that are open now."""
    breakers = breakers_of(gateway)
    if breakers is None:
        return frozenset()
    names = (name for way in ways for target in way for name in names_of(target, organization))
    return await breakers.cooling(list(dict.fromkeys(names)))
