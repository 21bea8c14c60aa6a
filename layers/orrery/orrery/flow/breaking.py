"""Tells the breakers how the targets of a request were, once it is over; `flow.balance` asks them."""

from orrery.core.exchange import Exchange
from orrery.core.extras import Breakers
from orrery.flow.attempts import blamed, names_of
from orrery.flow.gateway import Gateway


async def note(exchange: Exchange, gateway: Gateway) -> None:
    """Each attempt, in its turn. Never raises. `flow.attempts.is_news` says whether there is anything to tell."""
    breakers = breakers_of(gateway)
    if breakers is None:
        return
    organization = exchange.principal.organization
    for attempt in exchange.attempts:
        if name := blamed(attempt, organization):
            await breakers.failed(name, retry_after_s=attempt.retry_after_s if attempt.status == 429 else None)
        elif attempt.status == 200 and exchange.outcome != "cut":
            for name in names_of(attempt, organization):
                breakers.worked(name)


def breakers_of(gateway: Gateway) -> Breakers | None:
    """None where this gateway keeps none: then everything is tried."""
    found: Breakers | None = getattr(gateway.extras, "breakers", None)
    return found
