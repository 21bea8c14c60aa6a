"""What a caller is told whose budget is used up: the words and headers of Orq's router (see `LimitExceeded`)."""

from typing import Literal

from orrery.core.errors import LimitExceeded
from orrery.core.limits import Budget
from orrery.stores.budget_rows import MOST_RUNNING, Held, Used

type Dimension = Literal["cost", "tokens"]

KIND = {
    "organization": "ORGANIZATION",
    "workflow": "WORKFLOW",
    "key": "API_KEY",
    "identity": "IDENTITY",
    "provider": "PROVIDER",
    "model": "MODEL",
}
CODE: dict[Dimension, str] = {"cost": "cost_budget_exceeded", "tokens": "token_budget_exceeded"}

SOON_S = 2.0
"""When to come back where only requests that run stand in the way."""

PATIENT_S = 60.0
"""A client that tries again by itself waits this long at most: beyond, it is told not to."""

NANO_PER_USD = 10**9


def short_of(held: Held, cost_nano: int, tokens: int) -> Dimension | None:
    """Which limit has no room for the hold beside what is used already; None where both have."""
    budget = held.budget
    if budget.cost_nano is not None and held.cost_nano and cost_nano + held.cost_nano > budget.cost_nano:
        return "cost"
    if budget.tokens is not None and held.tokens and tokens + held.tokens > budget.tokens:
        return "tokens"
    return None


def refusal(held: Held, target: str, used: Used, short: Dimension, *, end: int | None, now: float) -> LimitExceeded:
    """The 429. It says when to come back: soon, where running requests alone are in the way; else with the period."""
    limit = _limit(held.budget, short)
    spent, asked = (used.cost_nano, held.cost_nano) if short == "cost" else (used.tokens, held.tokens)
    blocked = spent + (used.held_cost_nano if short == "cost" else used.held_tokens)
    left = max(0, limit - blocked)
    wait_s = SOON_S if spent + asked <= limit else None if end is None or asked > limit else max(1.0, end - now)
    err = LimitExceeded(
        f"{_named(held.budget)} exceeded: {_shown(left, short)} of {_shown(limit, short)} left, and this request may "
        f"use {_shown(asked, short)}.{' A smaller limit on the answer may fit.' if left else ''}",
        code=CODE[short],
        scope_kind=KIND[held.budget.scope],
        scope_target_id=target,
        dimension=short,
        available=left,
        retry_after_s=wait_s,
    )
    suffix = "-cost" if short == "cost" else ""
    told = {
        f"x-ratelimit-limit{suffix}": _number(limit, short),
        f"x-ratelimit-remaining{suffix}": _number(left, short),
    }
    if end is not None:
        told[f"x-ratelimit-reset{suffix}"] = f"{max(1, int(-(-(end - now) // 1)))}s"
    if wait_s is None or wait_s > PATIENT_S:
        told["x-should-retry"] = "false"
    err.told = told
    return err


def too_many(held: Held, target: str) -> LimitExceeded:
    """The 429 where not the amounts are in the way, but the number of requests at once."""
    return LimitExceeded(
        f"Too many requests at once under one {held.budget.scope} budget: at most {MOST_RUNNING}.",
        code="rate_limit_exceeded",
        scope_kind=KIND[held.budget.scope],
        scope_target_id=target,
        dimension="requests",
        retry_after_s=SOON_S,
    )


def _limit(budget: Budget, short: Dimension) -> int:
    return (budget.cost_nano if short == "cost" else budget.tokens) or 0


def _named(budget: Budget) -> str:
    period = {"one_time": "one-time"}.get(budget.period, budget.period)
    return f"{period.capitalize()} budget of this {budget.scope}"


def _shown(amount: int, short: Dimension) -> str:
    return f"${_number(amount, short)}" if short == "cost" else f"{amount} tokens"


def _number(amount: int, short: Dimension) -> str:
    """US dollars with all the digits that there are, at least two; tokens as they are."""
    if short == "tokens":
        return str(amount)
    whole, rest = divmod(amount, NANO_PER_USD)
    return f"{whole}.{f'{rest:09d}'.rstrip('0').ljust(2, '0')}"
