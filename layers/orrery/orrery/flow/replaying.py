"""Answers recorded, and given again: nothing is called then, and nothing costs anything.

A chat answer is recorded whole, however it was sent, and is given again however it is asked for. Others are recorded as
they were sent.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

import orjson

from orrery.catalog.cost import usd
from orrery.core.errors import UpstreamTimeout
from orrery.core.exchange import Exchange, Hold, Receipt
from orrery.core.extras import Flight
from orrery.core.records import Recording
from orrery.core.types import Call, Operation, Plan, Usage
from orrery.flow.gateway import Gateway
from orrery.flow.recording import Recorder
from orrery.flow.secrets import masked, secrets_of
from orrery.flow.serve import Answer, refusals
from orrery.flow.settle import mark_failed, settle
from orrery.flow.visit import Visit
from orrery.wire.assembly import events_of, whole_of
from orrery.wire.usage import write_usage

WHOLE = frozenset({Operation.CHAT, Operation.COMPLETIONS})
"""What is recorded whole."""

KEPT_HEADERS = frozenset({"x-orrery-provider", "x-orrery-model", "x-orrery-dropped-params", "x-orq-prompt"})
"""Of a recorded answer's headers, those that are still true of it."""


def recorded(recorder: Recorder, answer: Answer, exchange: Exchange) -> Recording | None:
    """What was answered, if it is whole and a success; secrets of the request that stand in it are `***`."""
    if not recorder.complete or exchange.outcome != "completed" or recorder.payloads is None:
        return None
    payloads: Sequence[bytes] = recorder.payloads
    stream, call = answer.stream, exchange.plan.call
    if stream and call.operation in WHOLE and not answer.media_type:
        usage = write_usage(exchange.usage) if exchange.usage else None
        try:
            payloads, stream = [orjson.dumps(whole_of(payloads, usage=usage))], False
        except (TypeError, ValueError):
            return None  # it was handed on as it came, and is not what it should be
    kept = {name: value for name, value in answer.headers.items() if name in KEPT_HEADERS}
    recording = Recording(stream, answer.media_type, kept, payloads)
    secrets = secrets_of(call)
    return replace(recording, payloads=[masked(each, secrets) for each in payloads]) if secrets else recording


async def landing(flight: Flight, visit: Visit, gateway: Gateway) -> Recording | None:
    """What the request that is ahead was answered with; None where it failed. Raises `UpstreamTimeout`."""
    try:
        async with asyncio.timeout_at(visit.arrival.deadline):
            return await flight.landed()
    except TimeoutError:
        with refusals(visit, gateway):
            raise UpstreamTimeout("the same request, for which this one waited, took too long") from None


def again(recording: Recording, visit: Visit, gateway: Gateway, headers: Mapping[str, str]) -> Answer:
    """The recorded answer for this request, with `headers` beside its own. Its receipt is written, and says 0."""
    exchange = Exchange(visit.arrival, visit.principal, Plan(visit.call, ()), headers=visit.headers, after=visit.after)
    told = recording.headers
    exchange.receipt = Receipt(
        0, Usage(), "recorded", told.get("x-orrery-provider", ""), told.get("x-orrery-model", "")
    )
    principal, expires_at = visit.principal, visit.call.received_at
    hold = Hold(visit.arrival.id, principal.organization, 0, 0, expires_at, f"0|{expires_at}", principal.key_id)
    stream, payloads = _as_asked(recording, visit.call)
    return Answer(
        exchange=exchange,
        stream=stream,
        media_type=recording.media_type,
        headers={**told, **visit.headers, "x-orrery-cost-usd": usd(0), **headers},
        batches=_batches(payloads, exchange),
        close=lambda: settle(hold, exchange, gateway),
    )


def _as_asked(recording: Recording, call: Call) -> tuple[bool, Sequence[bytes]]:
    if call.stream and not recording.stream and call.operation in WHOLE:
        return True, events_of(orjson.loads(recording.payloads[0]), with_usage=call.wants_usage)
    return recording.stream, recording.payloads


async def _batches(payloads: Sequence[bytes], exchange: Exchange) -> AsyncGenerator[Sequence[bytes]]:
    exchange.first_frame_s = asyncio.get_running_loop().time() - exchange.arrival.started
    exchange.chunks = len(payloads)
    try:
        yield payloads
    except BaseException as err:
        mark_failed(exchange, err)
        raise
