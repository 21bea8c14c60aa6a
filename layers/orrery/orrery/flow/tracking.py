"""What a labelled request leaves behind: a step of its run, and of its session, its thread and its identity.

The run is the caller's own, else the trace of `traceparent`; the step before is the caller's own, else that trace's
span. An identity of the body changes what is known of them, one of the header only counts. What was said is kept with
the thread alone, and only where the organization wants it; secret variables are `***` in it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import orjson

from orrery.core.errors import GatewayError
from orrery.core.exchange import Exchange
from orrery.core.options import Attribution, Options
from orrery.core.records import Step
from orrery.core.types import Operation
from orrery.flow.gateway import Gateway
from orrery.flow.recording import Recorder
from orrery.flow.replaying import WHOLE, recorded
from orrery.flow.serve import Answer
from orrery.flow.visit import Visit, extras_of
from orrery.wire.attribution import metadata_of

NOTHING = Attribution()

type Ask = Callable[[Visit, Gateway], Awaitable[Answer]]


async def tracked(visit: Visit, ask: Ask, gateway: Gateway) -> Answer:
    """What `ask` gives. Its step is written when it is over, however it ends; that never fails a request."""
    keeps, recorder, heard = await _keeps(visit, gateway), Recorder(), list[Answer]()

    async def leave(exchange: Exchange) -> None:
        await left(exchange, gateway, _transcript(recorder, heard[0], exchange) if heard else None)

    visit.after.append(leave)
    answer = await ask(visit, gateway)
    if keeps:
        answer = replace(answer, batches=recorder.record(answer.batches))
        heard.append(answer)
    return answer


async def left(exchange: Exchange, gateway: Gateway, transcript: bytes | None = None) -> None:
    """The step of a request that is over is written; that it cannot be is nobody's failure."""
    with suppress(GatewayError):
        await extras_of(gateway).steps.add(step_of(exchange, gateway.now(), transcript))


async def _keeps(visit: Visit, gateway: Gateway) -> bool:
    """Whether what is said is to be kept: not where we cannot know that just now."""
    if visit.call.options.thread is None or visit.call.operation not in WHOLE or gateway.own is None:
        return False
    with suppress(GatewayError):
        return (await gateway.own.find(visit.principal.organization)).keeps_transcripts
    return False


def _transcript(recorder: Recorder, answer: Answer, exchange: Exchange) -> bytes | None:
    """What was asked, as it stands in the body without secrets, and what was answered, if that is whole."""
    recording = recorded(recorder, answer, exchange)
    if recording is None:
        return None
    body = exchange.plan.call.body
    asked = {name: body[name] for name in ("messages", "prompt") if name in body}
    with suppress(ValueError):  # it was handed on as it came, and is not what it should be
        answered = orjson.loads(b"".join(recording.payloads))
        if isinstance(answered, dict):
            return orjson.dumps({**asked, "choices": answered.get("choices")})
    return None


def step_of(exchange: Exchange, now: float, transcript: bytes | None = None) -> Step:
    """The step of a request that is over. `now` is epoch seconds."""
    call, principal, arrival, receipt = exchange.plan.call, exchange.principal, exchange.arrival, exchange.receipt
    options, told = call.options, call.options.attribution or NOTHING
    duration_ms = round((asyncio.get_running_loop().time() - arrival.started) * 1000)
    usage = receipt.usage if receipt else None
    return Step(
        request_id=arrival.id,
        organization=principal.organization,
        started_ms=round(now * 1000) - duration_ms,
        duration_ms=duration_ms,
        run=told.run or arrival.trace_id,
        operation=call.operation.value,
        provider=receipt.provider if receipt else "",
        model=(receipt.model if receipt else "") or call.model,
        status=exchange.status,
        cost_nano=receipt.cost_nano if receipt else 0,
        input_tokens=usage.prompt if usage else 0,
        output_tokens=usage.completion if usage else 0,
        key_id=principal.key_id,
        workflow=told.workflow or principal.workflow,
        user=told.user or principal.user,
        name=options.name,
        session=told.session,
        end_user=told.end_user,
        customer=told.customer,
        tenant=told.tenant,
        parent=told.parent or arrival.parent_span_id,
        step=told.step,
        identity=options.identity.id if options.identity else "",
        identity_profile=_profile(options),
        thread=options.thread.id if options.thread else "",
        thread_tags=options.thread.tags if options.thread else (),
        metadata=told.metadata or metadata_of(call.body),
        cached=exchange.cache == "hit",
        response=call.answer_id if call.operation is Operation.RESPONSES else "",
        transcript=transcript,
    )


def _profile(options: Options) -> dict[str, object] | None:
    return dict(options.identity.profile) if options.identity and options.identity.profile else None
