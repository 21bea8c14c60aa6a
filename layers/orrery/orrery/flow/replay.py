"""Hands the answer on: counts what passes, writes the receipt before the last byte may leave."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

import orjson

from orrery.catalog.cost import usd
from orrery.core.dialect import Frame
from orrery.core.errors import GatewayError, UpstreamTimeout
from orrery.core.exchange import Exchange, Hold
from orrery.flow.call import Frames
from orrery.flow.credentials import told_of
from orrery.flow.gateway import Gateway
from orrery.flow.settle import mark_failed, receipt_of

CHECKPOINT_S = 10.0
"""How often a long answer writes down what it cost so far, in case this process dies before its end."""


def headers_of(exchange: Exchange, first: Sequence[Frame]) -> dict[str, str]:
    """What the caller may know before the body; the cost only where the whole answer is already here."""
    target = exchange.target
    assert target is not None
    headers = {"x-orrery-provider": target.provider, "x-orrery-model": header_text(target.model), **told_of(target)}
    headers |= exchange.headers
    if not exchange.plan.call.stream:
        count(exchange, first)
        exchange.receipt = receipt_of(exchange)
        headers["x-orrery-cost-usd"] = usd(exchange.receipt.cost_nano)
    if exchange.dropped:
        headers["x-orrery-dropped-params"] = header_text(", ".join(exchange.dropped))
    if exchange.clamped_to:
        headers["x-orrery-clamped-max-tokens"] = str(exchange.clamped_to)
    return headers


def header_text(text: str) -> str:
    """A caller's words as a header value: printable ASCII only, so that nobody writes headers of their own."""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:256])


def count(exchange: Exchange, batch: Sequence[Frame]) -> None:
    """Adds a batch to the evidence: the provider's latest usage, and the size of what was generated."""
    for frame in batch:
        if frame.usage is not None:
            exchange.usage = frame.usage
        exchange.output_chars += frame.output_chars


def payloads_of(batch: Sequence[Frame]) -> list[bytes]:
    """What of a batch goes to the caller, encoded."""
    return [
        frame.payload if type(frame.payload) is bytes else orjson.dumps(frame.payload)
        for frame in batch
        if frame.payload is not None
    ]


async def metered(frames: Frames, hold: Hold, exchange: Exchange, gateway: Gateway) -> AsyncGenerator[Sequence[bytes]]:
    """The payloads in batches; the receipt comes before the last byte. When it raises, `settle` has the evidence."""
    exchange.first_frame_s = _now() - exchange.arrival.started
    checkpoint_due = _now() + CHECKPOINT_S
    batch: Sequence[Frame] | None = frames.first if exchange.plan.call.stream else None
    try:
        while batch is not None:
            count(exchange, batch)
            payloads = payloads_of(batch)
            if payloads:
                exchange.chunks += len(payloads)
                yield payloads
            batch = await _next(frames, exchange.arrival.deadline)
            if _now() >= checkpoint_due:
                await _checkpoint(hold, exchange, gateway)
                checkpoint_due = _now() + CHECKPOINT_S
    except BaseException as err:
        mark_failed(exchange, err)
        raise
    exchange.receipt = exchange.receipt or receipt_of(exchange)
    if exchange.keep is not None:
        await exchange.keep(exchange, () if exchange.plan.call.stream else frames.first)
    await _write_ahead(hold, exchange, gateway)
    if not exchange.plan.call.stream:
        # One frame is the first byte and the last: whoever has it may leave, and must not take the receipt along.
        exchange.chunks = 1
        yield payloads_of(frames.first)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _checkpoint(hold: Hold, exchange: Exchange, gateway: Gateway) -> None:
    with suppress(GatewayError):  # the next one, or the receipt, says more
        await gateway.ledger.checkpoint(hold, receipt_of(exchange, whole=False))


async def _next(frames: Frames, deadline: float) -> Sequence[Frame] | None:
    try:
        async with asyncio.timeout_at(deadline):
            return await anext(frames.rest, None)
    except TimeoutError as err:
        raise UpstreamTimeout("the answer took longer than this gateway may wait in all") from err


async def _write_ahead(hold: Hold, exchange: Exchange, gateway: Gateway) -> None:
    assert exchange.receipt is not None
    try:
        await gateway.ledger.record(hold, exchange.receipt)
    except GatewayError:
        # The answer is the caller's either way; `settle` records again, and says so if it cannot.
        exchange.unsettled = True
