"""Read me first: the whole way of a request, on one page."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass

from orrery.core.errors import GatewayError, OutOfCredit
from orrery.core.types import Arrival, Call, Exchange, Hold, Operation, Principal
from orrery.flow.admit import admit
from orrery.flow.call import Frames, first_frame
from orrery.flow.credentials import told_of
from orrery.flow.gateway import Gateway
from orrery.flow.jobs import with_own_name
from orrery.flow.plan import make_plan
from orrery.flow.replay import headers_of, metered
from orrery.flow.settle import mark_failed, settle


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send: headers, then `batches` of payloads; `close` must be awaited whatever happens, and settles.

    `batches` raises `GatewayError` when the answer breaks off. When it ends, the receipt is written, so that the
    caller's last byte may follow; `close` turns it into spending. `stream` says whether payloads are handed on as they
    come; they are events then, or, where there is a `media_type`, the bytes of one file.
    """

    exchange: Exchange
    stream: bool
    media_type: str
    headers: Mapping[str, str]
    batches: AsyncGenerator[Sequence[bytes]]
    close: Callable[[], "asyncio.Future[None]"]


async def serve(token: str, read: Callable[[], Call], arrival: Arrival, gateway: Gateway) -> Answer:
    """Authenticates, reads, plans, admits, calls. Raises `GatewayError`; nothing stays held when it does."""
    exchange, hold = await enter(token, read, arrival, gateway)
    frames: Frames | None = None
    try:
        frames = await first_frame(exchange, gateway)
        if exchange.plan.call.operation is Operation.VIDEOS:
            frames = await with_own_name(frames, exchange, gateway)
        return _answer(frames, hold, exchange, gateway)
    except BaseException as err:
        if isinstance(err, GatewayError) and exchange.target is not None:
            err.told = told_of(exchange.target)
        mark_failed(exchange, err)
        await settle(hold, exchange, gateway, frames)
        raise


async def enter(token: str, read: Callable[[], Call], arrival: Arrival, gateway: Gateway) -> tuple[Exchange, Hold]:
    """Everything that may refuse a request before a provider hears of it."""
    principal: Principal | None = None
    gateway.catalog.prepare()
    try:
        principal, fresh = await gateway.keys.find(token)
        if gateway.own is not None:
            gateway.own.prepare(principal.organization)
        plan = await make_plan(read(), gateway, principal.organization)
        exchange = Exchange(arrival, principal, plan)
        try:
            hold, exchange.plan = await admit(exchange, fresh, gateway)
        except OutOfCredit as err:
            err.told = told_of(plan.targets[0])
            raise
        return exchange, hold
    except GatewayError as err:
        gateway.refused(arrival, err, principal)
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
