"""Responses that go on after their request has been answered.

    accepted     kept as queued, with all that is needed to work on it; then a message says so
    worked       whoever gets the message takes it, and is the only one; its events are logged as they come
    cancelled    a worker asks every `BEAT_S` whether it should go on, and ends its upstream when not

A response that its worker died over is not begun again, for its tools may have acted: it has failed, with what there
was of it. Nothing is charged before it is kept.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace

import orjson

from orrery.core.errors import GatewayError, InvalidRequest
from orrery.core.exchange import Arrival, Exchange, Receipt
from orrery.core.options import Attribution
from orrery.core.responses import StoredResponse, Work
from orrery.core.types import Call, Json, Plan, Principal, Usage
from orrery.flow.gateway import Gateway
from orrery.flow.responding import keeping, track
from orrery.flow.responding.asked import Asked, prepared
from orrery.flow.responding.calling import failure
from orrery.flow.responding.course import Course
from orrery.flow.responding.logging import Logged
from orrery.flow.responding.watching import watched
from orrery.flow.serve import Answer
from orrery.flow.settle import run_after
from orrery.flow.visit import Visit, extras_of
from orrery.wire.composer import Composer
from orrery.wire.posted import Posted
from orrery.wire.response_object import SECRET

BEAT_S = 2.0
"""How often a worker says that it lives, and asks whether it should: a cancelled response ends within this."""

LEASE_S = 30.0
"""After so long without a word, a worker is dead."""


async def accepted(asked: Asked, gateway: Gateway) -> Answer:
    """Kept and queued; the answer is the queued resource, or its events as they come to be.

    Raises `InvalidRequest` for what cannot be put aside: secrets of the request are never stored.
    """
    call, visit = asked.call, asked.visit
    if call.private is not None or call.options.credentials is not None or _brings_secrets(visit):
        raise InvalidRequest(
            "Secret variables, credentials and headers of tools are not kept with a request, so they cannot be used in "
            "the background: store them (PUT /v1/account/providers, POST /v2/tools), or leave 'background' out.",
            param="background",
        )
    await visit.confirm(gateway)
    extras = extras_of(gateway)
    resource = keeping.begun(asked, "queued")
    await extras.responses.begin(keeping.stored(asked, resource, gateway, request_of(visit)))
    await extras.queue.send({"organization": visit.principal.organization, "response": asked.id})
    exchange = Exchange(visit.arrival, visit.principal, Plan(call, ()), headers=visit.headers, after=visit.after)
    exchange.receipt = Receipt(0, Usage(), "none")
    events = watched(visit.principal.organization, asked.id, -1, visit.arrival.deadline, gateway)
    return Answer(
        exchange=exchange,
        stream=call.stream,
        media_type="",
        headers=dict(visit.headers),
        batches=events if call.stream else _once(resource),
        close=lambda: asyncio.ensure_future(run_after(exchange)),
        named=True,
    )


def _brings_secrets(visit: Visit) -> bool:
    """Whether a tool of the request itself holds what nobody gets to see again."""
    responding = visit.call.options.responding
    return responding is not None and any(tool.get(name) for tool in responding.hosted for name in SECRET)


async def _once(resource: Json) -> AsyncGenerator[Sequence[bytes]]:
    yield [orjson.dumps(resource)]


def request_of(visit: Visit) -> Json:
    """What is needed to work on a request later: what was posted, who posted it, and what its headers said."""
    principal, options = visit.principal, visit.call.options
    assert options.responding is not None
    return {
        "posted": options.responding.posted.decode(),
        "principal": {**asdict(replace(principal, pace=None)), "scopes": sorted(principal.scopes)},
        "attribution": asdict(options.attribution) if options.attribution else None,
        "identity": asdict(options.identity) if options.identity else None,
        "trace_id": visit.arrival.trace_id,
        "parent_span_id": visit.arrival.parent_span_id,
        "arrival": visit.arrival.id,
    }


async def worked(work: Work, owner: str, deadline: float, gateway: Gateway) -> bool:
    """Works on a queued response until it has ended, `deadline` (the event loop's clock) at the latest.

    False: there was nothing to do. Raises `Unavailable` before anything was done: the message must come again.
    """
    organization, id = str(work["organization"]), str(work["response"])
    found = await extras_of(gateway).responses.claim(organization, id, owner=owner, lease_s=LEASE_S)
    if found is None:
        return False
    try:
        visit = visit_of(found, deadline)
        asked = await prepared(visit, gateway, id=id)
        track(visit, gateway)
        course = await Course(replace(asked, created_at=found.created_at), gateway, kept=True).begin()
    except GatewayError as err:
        await _never_begun(found, err, gateway)
        return True
    await _alive(course, found, owner, gateway)
    return True


def visit_of(found: StoredResponse, deadline: float) -> Visit:
    """The request again, as its worker sees it."""
    from orrery.core.options import Identity
    from orrery.wire.responses import read_response

    request = found.request or {}
    read = read_response(Posted(str(request["posted"]).encode()))
    principal = Principal(**{**request["principal"], "scopes": frozenset(request["principal"]["scopes"])})
    told, identity = request.get("attribution"), request.get("identity")
    options = replace(
        read.options,
        attribution=Attribution(**told) if told else None,
        identity=Identity(**identity) if identity else read.options.identity,
    )
    call: Call = replace(read, options=options, received_at=found.created_at)
    now = asyncio.get_running_loop().time()
    arrival = Arrival(
        id=f"{request['arrival']}b",
        trace_id=str(request["trace_id"]),
        started=now,
        deadline=deadline,
        parent_span_id=str(request["parent_span_id"]),
    )
    return Visit(arrival, principal, call, fresh=False)


async def _never_begun(found: StoredResponse, err: GatewayError, gateway: Gateway) -> None:
    """It failed before a provider said anything."""
    composer = Composer({**found.shown, "status": "in_progress"})
    events = composer.begin(queued=True)
    events += composer.finish("failed", now=int(gateway.now()), error=failure(err))
    await extras_of(gateway).responses.finish(replace(found, status="failed", shown=composer.resource))
    log = Logged(found.organization, found.id, gateway)
    await log.add(events)
    await log.close()


async def _alive(course: Course, found: StoredResponse, owner: str, gateway: Gateway) -> None:
    """Runs the course and logs its events, as long as it may live."""
    log = Logged(found.organization, found.id, gateway)
    running = asyncio.ensure_future(_run(course, log))
    responses = extras_of(gateway).responses
    try:
        while not running.done():
            await asyncio.wait({running}, timeout=BEAT_S)
            if running.done():
                break
            with suppress(GatewayError):
                if not await responses.beat(found.organization, found.id, owner=owner, lease_s=LEASE_S):
                    running.cancel()
                    break
    finally:
        running.cancel()
        (bug,) = await asyncio.gather(running, return_exceptions=True)
        await course.close()
        await log.add(course.farewell)
        await log.close()
    if isinstance(bug, Exception):
        raise bug


async def _run(course: Course, log: Logged) -> None:
    events = course.events()
    try:
        async for batch in events:
            await log.add(batch)
    finally:
        await events.aclose()
