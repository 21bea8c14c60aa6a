"""`Idempotency-Key`: one request, however often it is sent.

The first to come with a key of its organization claims it; when it has been answered, whoever asks the same under that
key within a day gets the same answer, for nothing. Another body under the key is refused. While the first one runs, the
others of its process wait for it, and those elsewhere are told to come again. A request that failed leaves the key
free: to try again is what keys are for. So does one whose process died, once its time is over.
Source: OpenAI's and Stripe's SDKs send the header; the statuses are Stripe's, read 2026-11-21.
"""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import orjson

from orrery.core.errors import GatewayError
from orrery.core.exchange import Exchange
from orrery.core.records import Recording
from orrery.core.types import Call
from orrery.flow.admit import GRACE_S
from orrery.flow.claiming import REPLAYED, standing
from orrery.flow.gateway import Gateway
from orrery.flow.recording import Recorder
from orrery.flow.replaying import again, landing, recorded
from orrery.flow.serve import Answer, refusals
from orrery.flow.visit import Visit, extras_of

COME_BACK_S = 5.0
"""When to ask again for an answer that is under way elsewhere: most are there by then."""

type Ask = Callable[[Visit, Gateway], Awaitable[Answer]]


async def once(visit: Visit, ask: Ask, gateway: Gateway) -> Answer:
    """What was answered under this key, or what `ask` gives. Raises `InvalidRequest`, `Conflict`, `Unavailable`."""
    key, organization = visit.call.options.idempotency_key, visit.principal.organization
    with refusals(visit, gateway):
        await visit.confirm(gateway)
        digest = await extras_of(gateway).digests.digest(organization, asked_of(visit.call))
    flights = extras_of(gateway).flights
    while True:
        flight = flights.board(organization, f"once {digest} {key}")
        if not flight.leads:
            if (landed := await landing(flight, visit, gateway)) is not None:
                return again(landed, visit, gateway, REPLAYED)
            continue
        try:
            return await _claimed(visit, ask, gateway, digest, flight.land)
        except BaseException:
            flight.land(None)
            raise


async def _claimed(
    visit: Visit, ask: Ask, gateway: Gateway, digest: str, land: Callable[[Recording | None], None]
) -> Answer:
    key, organization = visit.call.options.idempotency_key, visit.principal.organization
    claims = extras_of(gateway).claims
    with refusals(visit, gateway):
        lifetime_s = visit.arrival.deadline - visit.arrival.started + GRACE_S
        claim = await claims.claim(organization, key, digest, lifetime_s=lifetime_s)
        known = standing(claim)
    if known is not None:
        land(known)
        return again(known, visit, gateway, REPLAYED)
    recorder, heard = Recorder(), list[Answer]()

    async def keep(exchange: Exchange) -> None:
        found = None
        try:
            found = recorded(recorder, heard[0], exchange) if heard else None
            with suppress(GatewayError):
                if found is None:
                    await claims.release(organization, key, claim.token)
                else:
                    await claims.complete(organization, key, claim.token, found)
        finally:
            land(found)

    visit.after.append(keep)
    try:
        answer = await ask(visit, gateway)
    except BaseException:
        with suppress(GatewayError):
            await claims.release(organization, key, claim.token)
        raise
    answer = replace(answer, batches=recorder.record(answer.batches))
    heard.append(answer)
    return answer


def asked_of(call: Call) -> bytes:
    """What was asked: the operation, the fields, the files, and what is asked of the gateway itself."""
    files = [[file.field_name, file.media_type, hashlib.sha256(file.data).hexdigest()] for file in call.files]
    options = replace(call.options, attribution=None)
    variables = dict(options.variables.values) if options.variables else None
    asked = [call.operation, call.model, call.body, call.strict, files, repr(options), variables]
    return orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
