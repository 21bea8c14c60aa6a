"""Which budgets a request matches, what it may use of each, and how its plan is made smaller where one is short:

a fallback target's provider or model     the target is left out
pooled targets behind the caller's key    they are left out: the key itself costs nothing
an answer that may be long                is cut to what is left, as a short balance does (`flow.admit`)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orrery.catalog.cost import cost_nano
from orrery.core.errors import LimitExceeded
from orrery.core.exchange import Exchange, Receipt
from orrery.core.limits import Budget, Period, Scope
from orrery.core.types import Plan, Target
from orrery.flow.admit import LARGEST_CLAMP, SMALLEST_ANSWER, clamp
from orrery.flow.estimate import WRITING, asked_output, worst_usage

EACH = "*"
OF_TARGETS = frozenset({"provider", "model"})
"""Scopes of which a request may spare one by going elsewhere."""


@dataclass(frozen=True, slots=True)
class Want:
    """A budget that the request matches. `target` is the one that counts, among an each-budget's."""

    budget: Budget
    target: str

    def concerns(self, target: Target) -> bool:
        """Whether a call of this target uses the budget."""
        return self._matches(target.provider, target.model)

    def counts(self, receipt: Receipt) -> bool:
        """Whether what the receipt says was used of the budget."""
        return self._matches(receipt.provider, receipt.model)

    def _matches(self, provider: str, model: str) -> bool:
        if self.budget.scope == "provider":
            return provider == self.target
        return self.budget.scope != "model" or f"{provider}/{model}" == self.target

    def worst(self, plan: Plan, output_tokens: int | None = None) -> tuple[int, int]:
        """The most that one of the targets could make of the call: nano-USD, and tokens."""
        costs, tokens = [0], [0]
        for target in filter(self.concerns, plan.targets):
            usage = worst_usage(plan.call, target, output_tokens)
            costs.append(cost_nano(target.price, usage) if target.price and not target.own else 0)
            tokens.append(usage.total)
        return max(costs), max(tokens)


type Refusal = tuple[Want, LimitExceeded]


def wanted(exchange: Exchange, budgets: Sequence[Budget]) -> list[Want]:
    """What the request matches. Of two budgets for the same target and period, the smaller limits count."""
    theirs = targets_of(exchange)
    found: dict[tuple[Scope, str, Period], Want] = {}
    for budget in budgets:
        for target in theirs[budget.scope]:
            if budget.target in (EACH, target):
                place = budget.scope, target, budget.period
                known = found.get(place)
                found[place] = Want(_stricter(budget, known.budget) if known else budget, target)
    return list(found.values())


def targets_of(exchange: Exchange) -> dict[Scope, tuple[str, ...]]:
    """What the request counts as, by scope. A label of a workflow counts beside the key's own, never instead of it."""
    principal, plan = exchange.principal, exchange.plan
    options = plan.call.options
    labels = options.attribution
    identity = options.identity.id if options.identity else labels.end_user if labels else ""
    named: dict[Scope, list[str]] = {
        "organization": [principal.organization],
        "workflow": [principal.workflow, labels.workflow if labels else ""],
        "key": [principal.key_id],
        "identity": [identity],
        "provider": [target.provider for target in plan.targets],
        "model": [f"{target.provider}/{target.model}" for target in plan.targets],
    }
    return {scope: tuple(dict.fromkeys(filter(None, names))) for scope, names in named.items()}


def _stricter(one: Budget, other: Budget) -> Budget:
    costs = [each.cost_nano for each in (one, other) if each.cost_nano is not None]
    tokens = [each.tokens for each in (one, other) if each.tokens is not None]
    return replace(one, cost_nano=min(costs, default=None), tokens=min(tokens, default=None))


def make_smaller(exchange: Exchange, refusals: Sequence[Refusal]) -> None:
    """Changes `exchange.plan` so that what refused may have room for it. Raises the first refusal where it cannot."""
    plan = exchange.plan
    first = plan.targets[0]
    spared = [want for want, _ in refusals if want.budget.scope in OF_TARGETS and not want.concerns(first)]
    targets = tuple(target for target in plan.targets if not any(want.concerns(target) for want in spared))
    hard = [(want, err) for want, err in refusals if want not in spared]
    if first.own and any(err.dimension == "cost" for _, err in hard) and not all(target.own for target in targets):
        targets = tuple(target for target in targets if target.own)
        hard = [(want, err) for want, err in hard if err.dimension != "cost"]
    exchange.plan = plan = replace(plan, targets=targets)
    if hard:
        limit = _affordable(plan, hard)
        if limit is None:
            raise hard[0][1]
        exchange.clamped_to = limit
        exchange.plan = clamp(plan, limit)


def _affordable(plan: Plan, refusals: Sequence[Refusal]) -> int | None:
    """The largest limit per choice that all of these have room for; None where that is no useful answer."""
    if plan.call.operation not in WRITING:
        return None
    largest = min(asked_output(plan.call) or LARGEST_CLAMP, LARGEST_CLAMP)
    low, high = min(SMALLEST_ANSWER, largest), largest

    def fits(limit: int) -> bool:
        for want, err in refusals:
            cost, tokens = want.worst(plan, limit)
            if err.available is None or (cost if err.dimension == "cost" else tokens) > err.available:
                return False
        return True

    if not fits(low):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
