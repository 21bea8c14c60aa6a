"""Calls upstream: retries, fallbacks and time limits, until the first frame is here.

The first frame is the point of no return: after it the caller has one provider's words, and another's would not
continue them. So everything that can be tried again is tried before it, in this file.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from orrery.core.dialect import Frame
from orrery.core.errors import BadCredential, GatewayError, UpstreamError, UpstreamTimeout
from orrery.core.exchange import Attempt, Exchange
from orrery.core.options import Retry
from orrery.core.types import Target
from orrery.flow.attempts import mark_failure, mark_success
from orrery.flow.credentials import APPLIED
from orrery.flow.gateway import Gateway
from orrery.flow.upstream import batches_of

LONGEST_WAIT_S = 60.0
"""A provider's Retry-After is obeyed up to here."""


@dataclass(frozen=True, slots=True)
class Frames:
    """A begun answer: the first batch, and the rest. `rest.aclose()` ends the upstream connection."""

    first: Sequence[Frame]
    rest: AsyncGenerator[Sequence[Frame]]


async def first_frame(exchange: Exchange, gateway: Gateway) -> Frames:
    """Tries each target in order, each with its own retries and its own call timeout.

    Raises the last target's error, with the earlier attempts as its `failures`.
    """
    targets, deadline = exchange.plan.targets, exchange.arrival.deadline
    for number, target in enumerate(targets):
        exchange.target = target
        try:
            return await _with_retries(exchange, target, deadline, gateway)
        except UpstreamError as err:
            following = targets[number + 1] if number + 1 < len(targets) else None
            if following and goes_on(err, target, following) and _now() < deadline:
                continue
            err.failures = [_failure(attempt) for attempt in exchange.attempts[:-1]]
            raise
    raise AssertionError("a plan has at least one target")


def goes_on(err: UpstreamError, target: Target, following: Target) -> bool:
    """Whether the next target is tried: also where only the caller's own key is to blame, and pooled credit is next."""
    return falls_back(err) or (isinstance(err, BadCredential) and is_pooled_twin(following, target))


def is_pooled_twin(following: Target, target: Target) -> bool:
    """Whether this is the same model again, with the operator's key instead of the caller's own."""
    return target.own and not following.own and following.provider == target.provider and following.reason == APPLIED


def falls_back(err: UpstreamError) -> bool:
    """Whether another target may do better: 429, 5xx, timeouts and broken connections; never the caller's own fault."""
    return err.status == 429 or err.status >= 500


def _failure(attempt: Attempt) -> dict[str, object]:
    return {"model": f"{attempt.provider}/{attempt.model}", "status": attempt.status, "message": attempt.message}


async def _with_retries(exchange: Exchange, target: Target, deadline: float, gateway: Gateway) -> Frames:
    retry = exchange.plan.call.options.retry
    for number in range(retry.count + 1):
        try:
            return await _attempt(exchange, target, deadline, gateway)
        except UpstreamError as err:
            wait_s = delay_s(number, err.retry_after_s, gateway.random)
            if number == retry.count or not retries(err, retry) or _now() + wait_s >= deadline:
                raise
            await gateway.sleep(wait_s)
    raise AssertionError("the last attempt returns or raises")


def retries(err: UpstreamError, retry: Retry) -> bool:
    """Whether the caller listed this status: the provider's own, or the one it would be shown."""
    return err.status in retry.on_codes or err.upstream_status in retry.on_codes


def delay_s(number: int, retry_after_s: float | None, random: Callable[[], float]) -> float:
    """Seconds before retry `number` + 1: 1, 2, 4, 8, 16, each ±25 %; a longer Retry-After counts instead, up to 60 s.

    Source: Orq's retries page, read 2026-11-20; that it heeds Retry-After is our choice.
    """
    backoff_s = min(2.0**number, 16.0) * (0.75 + 0.5 * random())
    return max(backoff_s, min(retry_after_s or 0.0, LONGEST_WAIT_S))


async def _attempt(exchange: Exchange, target: Target, deadline: float, gateway: Gateway) -> Frames:
    """One try at one target, listed among the attempts whatever becomes of it."""
    began = _now()
    organization = exchange.principal.organization
    attempt = Attempt(target.provider, target.model, 200, 0.0, own=target.own)
    exchange.attempts.append(attempt)
    try:
        frames = await _begin(exchange, target, deadline, gateway)
        mark_success(attempt, organization)
        return frames
    except GatewayError as err:
        mark_failure(attempt, err, organization, had_time=_now() - began >= gateway.policy.silence_s)
        exchange.usage = None  # what a failed attempt said of its cost is not the answer's
        raise
    except BaseException:
        attempt.status = 499
        raise
    finally:
        attempt.seconds = _now() - began
        exchange.upstream_s += attempt.seconds


async def _begin(exchange: Exchange, target: Target, deadline: float, gateway: Gateway) -> Frames:
    call = exchange.plan.call
    limit_s = call.options.call_timeout_s or gateway.policy.silence_s
    batches = batches_of(call, target, exchange, limit_s, gateway)
    try:
        # A limit per read does not stop a drip: this one bounds the whole wait, whatever trickles in.
        async with asyncio.timeout_at(min(_now() + limit_s, deadline)):
            async for batch in batches:
                if any(frame.payload is not None for frame in batch):
                    return Frames(batch, batches)
                _keep_usage(exchange, batch)
    except TimeoutError as err:
        await batches.aclose()
        raise UpstreamTimeout(f"{target.provider} gave no answer in {limit_s:g} s") from err
    except BaseException:
        await batches.aclose()
        raise
    raise UpstreamError(f"{target.provider} sent an empty answer", upstream_status=200)


def _keep_usage(exchange: Exchange, batch: Sequence[Frame]) -> None:
    for frame in batch:
        exchange.usage = frame.usage or exchange.usage


def _now() -> float:
    return asyncio.get_running_loop().time()
