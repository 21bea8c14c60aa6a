"""`cache`: the same question gets the same answer for a while, within one organization, for nothing.

The name of an answer is a digest of everything that it depends on: the operation, the effective body (prompt and
variables are in it), the files, the models that share the requests, and whose credentials are used. `stream` is not in
it where an answer can be given either way. Only whole successes are kept. Source: `flow.serve` has the order, Orq's
cache page the meaning, read 2026-11-20.
"""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import orjson

from orrery.core.credentials import OwnKey
from orrery.core.errors import GatewayError
from orrery.core.exchange import Exchange
from orrery.core.types import Call, Operation
from orrery.flow.gateway import Gateway
from orrery.flow.recording import Recorder
from orrery.flow.replaying import WHOLE, again, landing, recorded
from orrery.flow.serve import Answer, refusals
from orrery.flow.visit import Visit, extras_of

NEVER = frozenset({Operation.SPEECH, Operation.VIDEOS})
"""Speech has no such field; a video is a job, which is made anew each time."""

HOW_ASKED = frozenset({"stream", "stream_options"})

HIT, MISS = {"x-orq-cache": "HIT"}, {"x-orq-cache": "MISS"}

type Ask = Callable[[Visit, Gateway], Awaitable[Answer]]


async def cached(visit: Visit, ask: Ask, gateway: Gateway) -> Answer:
    """The answer that is kept, or what `ask` gives, which is kept then. Identical requests of one process wait for one.

    The cache is a convenience: where it cannot be read or written, the request goes on without.
    """
    if visit.call.operation in NEVER:
        return await ask(visit, gateway)
    with refusals(visit, gateway):
        await visit.confirm(gateway)
        name = await name_of(visit, gateway)
    extras, organization = extras_of(gateway), visit.principal.organization
    while True:
        flight = extras.flights.board(organization, name)
        if not flight.leads:
            if (landed := await landing(flight, visit, gateway)) is not None:
                return _hit(again(landed, visit, gateway, HIT))
            continue
        try:
            with suppress(GatewayError):
                if (found := await extras.recordings.load(organization, name)) is not None:
                    flight.land(found)
                    return _hit(again(found, visit, gateway, HIT))
            return await _asked(visit, ask, gateway, name, flight.land)
        except BaseException:
            flight.land(None)
            raise


def _hit(answer: Answer) -> Answer:
    answer.exchange.cache = "hit"
    return answer


async def _asked(visit: Visit, ask: Ask, gateway: Gateway, name: str, land: Callable[..., None]) -> Answer:
    """The answer of a provider, kept when it is over."""
    recorder, heard = Recorder(), list[Answer]()
    ttl_s = visit.call.options.cache_ttl_s or 0

    async def keep(exchange: Exchange) -> None:
        found = None
        try:
            found = recorded(recorder, heard[0], exchange) if heard else None
            if found is not None:
                with suppress(GatewayError):
                    await extras_of(gateway).recordings.keep(visit.principal.organization, name, found, ttl_s)
        finally:
            land(found)

    visit.after.append(keep)
    answer = await ask(visit, gateway)
    answer.exchange.cache = "miss"
    answer = replace(answer, headers={**answer.headers, **MISS}, batches=recorder.record(answer.batches))
    heard.append(answer)
    return answer


async def name_of(visit: Visit, gateway: Gateway) -> str:
    """The digest. What is secret goes into it through a keyed digest of its own."""
    call, organization = visit.call, visit.principal.organization
    options = call.options
    whose = [(key.provider, key.version) for key in await _stored_keys(organization, gateway)]
    given = options.credentials
    secret = [
        orjson.dumps(call.private, option=orjson.OPT_SORT_KEYS) if call.private is not None else b"",
        orjson.dumps([given.key, *_aws(call), given.region, given.base_url]) if given else b"",
    ]
    sealed = [await extras_of(gateway).digests.digest(organization, each) if each else "" for each in secret]
    models = [[each.model, each.weight] for each in options.balance] or call.model
    body = {
        field: value
        for field, value in call.body.items()
        if field != "model" and not (field in HOW_ASKED and call.operation in WHOLE)
    }
    thread = [options.thread.id, *options.thread.tags] if options.thread else None
    files = [[file.field_name, file.media_type, hashlib.sha256(file.data).hexdigest()] for file in call.files]
    parts = [call.operation, models, visit.headers.get("x-orq-prompt"), body, thread, files, whose, sealed, call.strict]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _aws(call: Call) -> list[str]:
    aws = call.options.credentials.aws if call.options.credentials else None
    return [aws.access_key, aws.secret_key, aws.session_token] if aws else []


async def _stored_keys(organization: str, gateway: Gateway) -> list[OwnKey]:
    if gateway.own is None:
        return []
    keys = (await gateway.own.find(organization)).keys
    return [key for _, key in sorted(keys.items()) if key.enabled]
