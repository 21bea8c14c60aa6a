"""Read me first: the whole way of a request, on one page.

    who asks, and what                      enter
    once for each idempotency key           idempotency    only with an Idempotency-Key
    the key still good, within its pace     confirm        at the same time as the credit, where nothing stands between
    what only responses have                responding     state, tools and agents around the rest of this page
    prompt, then variables                  prompting, variables
    a step to be left behind                tracking       only with labels
    an answer that is kept                  caching        only with `cache`
    targets, one picked of several          make_plan
    budgets, then credit                    admit
    targets in turn, each with retries      first_frame
    the answer, counted                     metered
    the books; then what options still do   settle

What only some requests need is imported when one comes that does.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from orrery.core.errors import GatewayError, OutOfCredit
from orrery.core.exchange import Arrival, Exchange, Hold
from orrery.core.types import Call, Operation, Principal
from orrery.flow.admit import admit
from orrery.flow.call import Frames, first_frame
from orrery.flow.credentials import told_of
from orrery.flow.gateway import Gateway
from orrery.flow.jobs import with_own_name
from orrery.flow.plan import make_plan
from orrery.flow.replay import headers_of, metered
from orrery.flow.settle import mark_failed, settle
from orrery.flow.visit import Visit


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send: headers, then `batches` of payloads; `close` must be awaited whatever happens, and settles.

    `batches` raises `GatewayError` when the answer breaks off. When it ends, the receipt is written, so that the
    caller's last byte may follow; `close` turns it into spending. `stream` says whether payloads are handed on as they
    come; they are events then, or, where there is a `media_type`, the bytes of one file. `named`: each event goes
    under the name that its `type` is.
    """

    exchange: Exchange
    stream: bool
    media_type: str
    headers: Mapping[str, str]
    batches: AsyncGenerator[Sequence[bytes]]
    close: Callable[[], "asyncio.Future[None]"]
    named: bool = False


async def serve(token: str, read: Callable[[Principal], Call], arrival: Arrival, gateway: Gateway) -> Answer:
    """The answer, begun. Raises `GatewayError`; nothing stays held when it does."""
    visit = await enter(token, read, arrival, gateway)
    if visit.call.options.idempotency_key:
        from orrery.flow.idempotency import once

        return await once(visit, answered, gateway)
    return await answered(visit, gateway)


async def enter(token: str, read: Callable[[Principal], Call], arrival: Arrival, gateway: Gateway) -> Visit:
    """Who asks, and what. Raises `Unauthenticated`, `InvalidRequest`, `Forbidden`."""
    principal: Principal | None = None
    gateway.catalog.prepare()
    try:
        principal, fresh = await gateway.keys.find(token)
        if gateway.own is not None:
            gateway.own.prepare(principal.organization)
        return Visit(arrival, principal, read(principal), fresh)
    except GatewayError as err:
        gateway.refused(arrival, err, principal)
        raise


async def answered(visit: Visit, gateway: Gateway) -> Answer:
    """From the cache, where the request allows that and it is there; else by a provider. Prepared, and tracked."""
    options = visit.call.options
    if options.responding is not None:
        from orrery.flow.responding import responded

        return await responded(visit, gateway)
    if options.prompt or options.registered_prompt or options.variables:
        with refusals(visit, gateway):
            await _prepare(visit, gateway)
    ask = provided if visit.call.options.cache_ttl_s is None else remembered
    if is_tracked(visit):
        from orrery.flow.tracking import tracked

        return await tracked(visit, ask, gateway)
    return await ask(visit, gateway)


async def _prepare(visit: Visit, gateway: Gateway) -> None:
    """Prompt, then variables; not for a key that is no longer good, or that asks too much."""
    await visit.confirm(gateway)
    if visit.call.options.prompt or visit.call.options.registered_prompt:
        from orrery.flow.prompting import prompted

        visit.call = await prompted(visit.call, visit.principal.organization, visit.headers, gateway)
    if visit.call.options.variables is not None:
        from orrery.flow.variables import rendered

        visit.call = await rendered(visit.call, gateway)


def is_tracked(visit: Visit) -> bool:
    """Whether it leaves a step: requests with labels do."""
    options = visit.call.options
    labels = options.attribution or options.identity or options.thread or options.name
    return bool(labels or visit.arrival.parent_span_id)


async def remembered(visit: Visit, gateway: Gateway) -> Answer:
    """From the cache, else by a provider, and kept then."""
    from orrery.flow.caching import cached

    return await cached(visit, provided, gateway)


async def provided(visit: Visit, gateway: Gateway) -> Answer:
    """Plans, admits, calls."""
    with refusals(visit, gateway):
        exchange, hold = await _admitted(visit, gateway)
    frames: Frames | None = None
    try:
        frames = await first_frame(exchange, gateway)
        if exchange.plan.call.operation is Operation.VIDEOS:
            frames = await with_own_name(frames, exchange, gateway)
        return _answer(frames, hold, exchange, gateway)
    except BaseException as err:
        if isinstance(err, GatewayError) and exchange.target is not None:
            err.told = {**exchange.headers, **told_of(exchange.target)}
        mark_failed(exchange, err)
        await settle(hold, exchange, gateway, frames)
        raise


@contextmanager
def refusals(visit: Visit, gateway: Gateway) -> Iterator[None]:
    """Logs what is refused before a provider hears of it."""
    try:
        yield
    except GatewayError as err:
        gateway.refused(visit.arrival, err, visit.principal)
        raise


async def _admitted(visit: Visit, gateway: Gateway) -> tuple[Exchange, Hold]:
    plan = await make_plan(visit.call, gateway, visit.principal.organization)
    exchange = Exchange(visit.arrival, visit.principal, plan, headers=visit.headers, after=visit.after, keep=visit.keep)
    try:
        return exchange, await admit(exchange, visit, gateway)
    except OutOfCredit as err:
        err.told = told_of(plan.targets[0])
        raise


def _answer(frames: Frames, hold: Hold, exchange: Exchange, gateway: Gateway) -> Answer:
    return Answer(
        exchange=exchange,
        stream=exchange.plan.call.stream,
        media_type=next((frame.media_type for frame in frames.first if frame.media_type), ""),
        headers=headers_of(exchange, frames.first),
        batches=metered(frames, hold, exchange, gateway),
        close=lambda: settle(hold, exchange, gateway, frames),
    )
