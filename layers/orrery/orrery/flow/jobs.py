"""Jobs that a provider accepted and finishes later: under names that only the organization that paid can use.

The name holds the provider, its model and its id, so nothing need be kept here to find the job again.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import orjson

from orrery import providers
from orrery.core.dialect import Adapter, Provider, UpstreamRequest
from orrery.core.errors import BadCredential, GatewayError, NotFound
from orrery.core.exchange import Arrival, Attempt, Exchange, Receipt
from orrery.core.ports import UpstreamReply
from orrery.core.types import Call, Operation, Plan, Principal, Target, Usage
from orrery.flow.call import Frames
from orrery.flow.credentials import hide, own_target
from orrery.flow.gateway import Gateway
from orrery.flow.settle import mark_failed
from orrery.flow.upstream import LARGEST_ERROR_BYTES, read_whole, way_to
from orrery.providers.serving import adapter_for

PREFIX = "video_"


async def with_own_name(frames: Frames, exchange: Exchange, gateway: Gateway) -> Frames:
    """The answer, with a name of ours where the provider's id was."""
    target, frame = exchange.target, frames.first[0]
    if gateway.seals is None or target is None or not isinstance(frame.payload, dict):
        return frames
    told = orjson.dumps([target.provider, target.model, frame.payload["id"], int(target.own)]).decode()
    name = PREFIX + await gateway.seals.seal(exchange.principal.organization, told)
    return replace(frames, first=[replace(frame, payload={**frame.payload, "id": name})])


@dataclass(frozen=True, slots=True)
class Job:
    """A job that the caller may ask for: where it is, and the record of this request."""

    id: str
    provider: Provider
    adapter: Adapter
    target: Target
    exchange: Exchange


@asynccontextmanager
async def asked(
    token: str, name: str, part: str, arrival: Arrival, gateway: Gateway
) -> AsyncGenerator[tuple[Exchange, UpstreamReply]]:
    """What the provider says of the job: itself, or a `part` of it. Costs nothing; is logged at its end.

    Raises `NotFound` for a name that was not given to this caller's organization; what the provider refuses, as it is.
    """
    job = await _admitted(token, name, arrival, gateway)
    exchange, target = job.exchange, await gateway.accounts.authorize(job.target)
    attempt = Attempt(target.provider, target.model, 200, 0.0)
    exchange.attempts.append(attempt)
    try:
        request, way = _request(job, part, target, gateway), way_to(target, gateway)
        async with way.send(request, gateway.policy.silence_s) as reply:
            if reply.status >= 300:
                raise job.provider.explain(await read_whole(reply, LARGEST_ERROR_BYTES))
            yield exchange, reply
    except BaseException as err:
        if isinstance(err, GatewayError):
            hide(err, target)
        mark_failed(exchange, err)
        attempt.status = exchange.status
        raise
    finally:
        exchange.receipt = Receipt(0, Usage(), "none", target.provider, target.model, exchange.status)
        gateway.log(exchange)


def _request(job: Job, part: str, target: Target, gateway: Gateway) -> UpstreamRequest:
    assert job.adapter.later is not None
    url = target.base_url.rstrip("/") + job.adapter.later(job.id, part, target)
    headers = {"accept": "*/*", "user-agent": "orrery"}
    request = UpstreamRequest("GET", url, headers)
    return replace(request, headers={**headers, **job.provider.sign(request, target, gateway.now())})


async def _admitted(token: str, name: str, arrival: Arrival, gateway: Gateway) -> Job:
    principal: Principal | None = None
    try:
        principal, fresh = await gateway.keys.find(token)
        if not fresh:
            await gateway.keys.confirm(principal)
        return await _found(principal, name, arrival, gateway)
    except GatewayError as err:
        gateway.refused(arrival, err, principal)
        raise


async def _found(principal: Principal, name: str, arrival: Arrival, gateway: Gateway) -> Job:
    told = None
    if gateway.seals is not None and name.startswith(PREFIX):
        told = await gateway.seals.open(principal.organization, name.removeprefix(PREFIX))
    if told is None:
        raise NotFound("No such video")
    name_of_provider, model, id, *more = orjson.loads(told)
    find = _own_target if more and more[0] else _pooled_target
    provider, target = await find(principal.organization, name_of_provider, model, gateway)
    adapter = adapter_for(provider, Operation.VIDEOS, target)
    if adapter is None or adapter.later is None:
        raise NotFound("No such video")
    call = Call(Operation.VIDEOS, model, {}, stream=False)
    exchange = Exchange(arrival, principal, Plan(call, (target,)), target=target)
    return Job(id, provider, adapter, target, exchange)


async def _pooled_target(organization: str, name: str, model: str, gateway: Gateway) -> tuple[Provider, Target]:
    account = await gateway.accounts.find(name)
    if account is None:
        raise NotFound(f"The provider of this video, '{name}', is not here any more")
    if not account.usable:
        raise BadCredential(f"No credential for provider '{name}' is configured")
    target = Target(name, model, account.base_url, account.region, secret=account.secret)
    return account.provider, account.provider.locate(target) if account.provider.locate else target


async def _own_target(organization: str, name: str, model: str, gateway: Gateway) -> tuple[Provider, Target]:
    """With the key that is stored now: a job that another key paid for is not the operator's to look at."""
    provider = providers.get(name)
    stored = (await gateway.own.find(organization)).keys.get(name) if gateway.own else None
    if provider is None or gateway.own is None or stored is None or not stored.enabled:
        raise BadCredential(f"This video was made with a key of yours for '{name}': store that key to look at it")
    return provider, own_target(provider, model, await gateway.own.open(stored))
