"""Responses: what `flow.serve` does for a request, once for each turn, with state, tools and agents around it.

who asks, idempotency, labels           serve
agent, prompt, variables, what was      asked
before, which tools there are
in the background: accepted, queued     background
the first turn, then events             course
"""

import asyncio
from functools import partial

from orrery.core.exchange import Exchange, Receipt
from orrery.core.types import Plan, Usage
from orrery.flow.gateway import Gateway
from orrery.flow.responding.asked import Asked, prepared
from orrery.flow.responding.course import Course
from orrery.flow.responding.handing import answer_of
from orrery.flow.serve import Answer, is_tracked, refusals
from orrery.flow.settle import mark_failed, run_after
from orrery.flow.visit import Visit

NOTHING = Receipt(0, Usage(), "none", status=499)


async def responded(visit: Visit, gateway: Gateway) -> Answer:
    """The answer, begun; of one in the background, that it was accepted. Raises `GatewayError`."""
    responding = visit.call.options.responding
    assert responding is not None
    try:
        with refusals(visit, gateway):
            asked = await prepared(visit, gateway)
        if responding.background:
            from orrery.flow.responding.background import accepted

            with refusals(visit, gateway):
                return await accepted(asked, gateway)
        track(visit, gateway)
        return await answered(asked, gateway)
    except BaseException as err:
        await asyncio.shield(_ended(visit, err))
        raise


def track(visit: Visit, gateway: Gateway) -> None:
    """It leaves a step when it is over, where it has labels."""
    if is_tracked(visit):
        from orrery.flow.tracking import left

        visit.after.append(partial(left, gateway=gateway))


async def answered(asked: Asked, gateway: Gateway) -> Answer:
    """The first turn has begun."""
    if asked.responding.compacts:
        from orrery.flow.responding.compacting import compacted

        return await compacted(asked, gateway)
    return answer_of(await Course(asked, gateway).begin())


async def _ended(visit: Visit, err: BaseException) -> None:
    """What options still do for a request that never had an answer."""
    exchange = Exchange(visit.arrival, visit.principal, Plan(visit.call, ()), headers=visit.headers, after=visit.after)
    exchange.receipt = NOTHING
    mark_failed(exchange, err)
    await run_after(exchange)


__all__ = ["responded"]
