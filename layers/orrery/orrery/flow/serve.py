"""Read me first: the whole way of a request, on one page."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass

from orrery.core.errors import GatewayError
from orrery.core.types import Arrival, Call, Exchange, Hold, Principal
from orrery.flow.admit import admit
from orrery.flow.call import Frames, first_frame
from orrery.flow.gateway import Gateway
from orrery.flow.plan import make_plan
from orrery.flow.replay import headers_of, metered
from orrery.flow.settle import mark_failed, settle


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send: headers, then `batches` of payloads; `close` must be awaited whatever happens, and settles.

    `batches` raises `GatewayError` when the answer breaks off. When it ends, the receipt is written, so that the
    caller's last byte may follow; `close` turns it into spending. `stream` says whether payloads are events.
    """

    exchange: Exchange
    stream: bool
    headers: Mapping[str, str]
    batches: AsyncGenerator[Sequence[bytes]]
    close: Callable[[], "asyncio.Future[None]"]


async def serve(token: str, read: Callable[[], Call], arrival: Arrival, gateway: Gateway) -> Answer:
    """Authenticates, reads, plans, admits, calls. Raises `GatewayError`; nothing stays held when it does."""
    exchange, hold = await enter(token, read, arrival, gateway)
    frames: Frames | None = None
    try:
        frames = await first_frame(exchange, gateway)
        return _answer(frames, hold, exchange, gateway)
    except BaseException as err:
        mark_failed(exchange, err)
        await settle(hold, exchange, gateway, frames)
        raise


async def enter(token: str, read: Callable[[], Call], arrival: Arrival, gateway: Gateway) -> tuple[Exchange, Hold]:
    """Everything that may refuse a request before a provider hears of it."""
    principal: Principal | None = None
    gateway.catalog.prepare()
    try:
        principal, fresh = await gateway.keys.find(token)
        plan = await make_plan(read(), gateway)
        exchange = Exchange(arrival, principal, plan)
        hold, exchange.plan = await admit(exchange, fresh, gateway)
        return exchange, hold
    except GatewayError as err:
        gateway.refused(arrival, err, principal)
        raise


def _answer(frames: Frames, hold: Hold, exchange: Exchange, gateway: Gateway) -> Answer:
    return Answer(
        exchange=exchange,
        stream=exchange.plan.call.stream,
        headers=headers_of(exchange, frames.first),
        batches=metered(frames, hold, exchange, gateway),
        close=lambda: settle(hold, exchange, gateway, frames),
    )
