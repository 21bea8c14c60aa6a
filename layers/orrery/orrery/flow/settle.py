"""The end of every request, however it came: what it cost, how we know, and the books closed."""

import asyncio
from contextlib import suppress

from orrery.catalog.cost import cost_nano, covers
from orrery.core.errors import GatewayError
from orrery.core.exchange import Evidence, Exchange, Hold, Receipt
from orrery.core.types import Operation, Usage
from orrery.flow.attempts import is_news
from orrery.flow.call import Frames
from orrery.flow.estimate import WRITING, counted_usage
from orrery.flow.gateway import Gateway

_settling: set["asyncio.Task[None]"] = set()


def settle(hold: Hold, exchange: Exchange, gateway: Gateway, frames: Frames | None = None) -> "asyncio.Future[None]":
    """Closes the upstream, spends the receipt, logs the request; goes on even when its caller is cancelled."""
    task = asyncio.ensure_future(_settle(hold, exchange, gateway, frames))
    _settling.add(task)
    task.add_done_callback(_settling.discard)
    return asyncio.shield(task)


async def all_settled() -> None:
    """Waits for every request that is still being settled: a door's last act."""
    while _settling:
        await asyncio.wait(set(_settling))


async def _settle(hold: Hold, exchange: Exchange, gateway: Gateway, frames: Frames | None) -> None:
    if frames is not None:
        await frames.rest.aclose()
    exchange.receipt = exchange.receipt or receipt_of(exchange)
    try:
        await gateway.ledger.settle(hold, exchange.receipt)
        exchange.unsettled = False
    except GatewayError:
        # The hold stays until its time is over; then the sweep finds the receipt, or gives the credit back.
        exchange.unsettled = True
    finally:
        gateway.log(exchange)
    if is_news(exchange):
        from orrery.flow.breaking import note

        await note(exchange, gateway)
    await run_after(exchange)
    await _discard_uploads(exchange, gateway)


async def run_after(exchange: Exchange) -> None:
    """What options still have to do, all at once."""
    if exchange.after:
        await asyncio.gather(*(work(exchange) for work in exchange.after))


async def _discard_uploads(exchange: Exchange, gateway: Gateway) -> None:
    """What was uploaded for this request has served; after a failure it stays, for the caller's next try.

    So it does for responses: the next turn reads their input again, and whoever continues one.
    """
    if gateway.uploads is None or exchange.outcome != "completed":
        return
    if exchange.plan.call.operation is Operation.RESPONSES:
        return
    for url in exchange.uploads:
        with suppress(GatewayError):  # it goes after a day
            await gateway.uploads.delete(exchange.principal.organization, url)


def mark_failed(exchange: Exchange, err: BaseException) -> None:
    """Notes how the request ended: an error of ours or a provider's, or the caller leaving."""
    begun = exchange.first_frame_s is not None
    if isinstance(err, GatewayError):
        exchange.outcome = "cut" if begun else "failed"
        exchange.status, exchange.error_code = err.status, err.code
    elif isinstance(err, asyncio.CancelledError | GeneratorExit):
        exchange.outcome, exchange.status, exchange.error_code = "abandoned", 499, "client_closed_request"
    else:
        exchange.outcome = "cut" if begun else "failed"
        exchange.status, exchange.error_code = 500, "internal_error"


def receipt_of(exchange: Exchange, *, whole: bool = True) -> Receipt:
    """The cost by the best evidence there is: the provider's count, its count so far, ours of what came, or nothing.

    `whole` False: the answer still runs.
    """
    usage, evidence = _evidence(exchange, whole=whole and exchange.outcome == "completed")
    target = exchange.target
    price = target.price if target else None
    if price and target and target.most and evidence != "none" and not covers(price, usage):
        # Nobody told it in what the price is in: that must not make it free.
        usage, evidence = target.most, "counted"
    return Receipt(
        cost_nano=cost_nano(price, usage) if price and evidence != "none" else 0,
        usage=usage,
        evidence=evidence,
        provider=target.provider if target else "",
        model=target.model if target else "",
        status=exchange.status,
        own=target.own if target else False,
    )


def _evidence(exchange: Exchange, *, whole: bool) -> tuple[Usage, Evidence]:
    usage, call = exchange.usage, exchange.plan.call
    if whole and usage is not None:
        return usage, "counted" if usage.ours else "provider"
    if exchange.target is not None and (most := exchange.target.most) is not None:
        return (usage or most, "counted") if usage or exchange.chunks or whole else (Usage(), "none")
    counted = counted_usage(call, exchange.output_chars)
    if usage is not None:
        if usage.completion >= counted.completion:
            return usage, "partial"
        return _with_completion(usage, counted.completion), "partial"
    if exchange.output_chars or exchange.chunks or (whole and call.operation not in WRITING):
        return counted, "counted"
    return Usage(), "none"


def _with_completion(usage: Usage, completion: int) -> Usage:
    """A provider's usage from before the end: its prompt, with the output that we counted."""
    return Usage(
        prompt=usage.prompt,
        completion=completion,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        cache_write_1h=usage.cache_write_1h,
        audio_input=usage.audio_input,
        reasoning=usage.reasoning,
    )
