"""What one attempt says of how its target is, and whether that is news.

A failure speaks against its provider, for everybody; or, where a limit of the request itself was over first, only for
its organization: a call timeout of a millisecond must not take a model away from others. What a provider said of the
request (4xx, an answer that cannot be used) speaks against nobody.
"""

from typing import Literal

from orrery.core.errors import GatewayError, Truncated, UpstreamError, UpstreamTimeout
from orrery.core.exchange import Attempt, Exchange
from orrery.core.types import Target

MOST_FAILING = 1024

_failing: dict[str, None] = {}
"""The breakers that last heard of a failure in this process, oldest first: only to them a success is news."""


def names_of(place: Target | Attempt, organization: str) -> tuple[str, ...]:
    """The breakers that a target stands behind: everybody's (for the operator's key), then its organization's."""
    name = f"{place.provider}/{place.model}"
    return (f"{organization}|{name}",) if place.own else (name, f"{organization}|{name}")


def blamed(attempt: Attempt, organization: str) -> str:
    """The breaker that hears of this failure; "" for none."""
    if not attempt.blame:
        return ""
    return names_of(attempt, organization)[0 if attempt.blame == "provider" else -1]


def mark_failure(attempt: Attempt, err: GatewayError, organization: str, *, had_time: bool) -> None:
    """Writes down why an attempt failed. `had_time`: it went on for as long as this gateway waits for providers."""
    attempt.status, attempt.message, attempt.retry_after_s = err.status, err.message, err.retry_after_s
    attempt.blame = _blame(err, had_time)
    if name := blamed(attempt, organization):
        _failing.pop(name, None)
        _failing[name] = None
        if len(_failing) > MOST_FAILING:
            del _failing[next(iter(_failing))]


def mark_success(attempt: Attempt, organization: str) -> None:
    """Writes down whether an attempt that worked is the first one to do so after failures."""
    if _failing:
        for name in names_of(attempt, organization):
            if name in _failing:
                del _failing[name]
                attempt.recovered = True


def is_news(exchange: Exchange) -> bool:
    """Whether `flow.breaking.note` has something to tell: a failure, a recovery, or how it went after a pick."""
    return bool(exchange.plan.call.options.balance) or any(a.blame or a.recovered for a in exchange.attempts)


def _blame(err: GatewayError, had_time: bool) -> Literal["", "provider", "limit"]:
    if not isinstance(err, UpstreamError) or not (err.status == 429 or err.status >= 500):
        return ""
    if isinstance(err, UpstreamTimeout):
        return "provider" if had_time else "limit"
    has_answered = 200 <= err.upstream_status < 300 and not isinstance(err, Truncated)
    return "" if has_answered else "provider"
