"""May this request begin? The key is still good, and the credit for the worst case is set aside."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from orrery.catalog.cost import cost_nano
from orrery.core.errors import GatewayError, OutOfCredit
from orrery.core.exchange import Exchange, Hold, Receipt
from orrery.core.types import Call, Json, Operation, Plan, Target, Usage
from orrery.flow.estimate import WRITING, asked_output, worst_usage
from orrery.flow.gateway import Gateway
from orrery.flow.settle import mark_failed, run_after
from orrery.flow.visit import Visit

SMALLEST_ANSWER = 256
"""Tokens: an answer cut shorter than this by a short balance is not worth beginning."""

LARGEST_CLAMP = 4_096
"""Tokens: a limit that we set ourselves stays below what any current chat model accepts as one."""

GRACE_S = 60.0
"""A hold outlives its request's deadline by this much, so that settling is never in a hurry."""


OUR_LIMIT = {Operation.COMPLETIONS: "max_tokens", Operation.RESPONSES: "max_output_tokens"}
"""The name of the limit on an answer, where it is not that of chat."""

NOTHING = Receipt(0, Usage(), "none", status=499)
"""The receipt of a request that no provider heard of."""


async def admit(exchange: Exchange, visit: Visit, gateway: Gateway) -> Hold:
    """One parallel round trip: confirms the key (unless it was just read) while the credit is held; before it another
    one for budgets, where the organization has any.

    The exchange's plan gets a smaller `max_completion_tokens` where only that was affordable.
    Raises `OutOfCredit`, `RateLimited`, `Unauthenticated`, `Unavailable`; nothing stays held then.
    """
    try:
        await _hold_budgets(exchange, gateway)
        return await _confirmed_hold(exchange, visit, gateway)
    except BaseException as err:
        exchange.receipt = NOTHING
        mark_failed(exchange, err)
        await asyncio.shield(run_after(exchange))
        raise


async def _hold_budgets(exchange: Exchange, gateway: Gateway) -> None:
    if gateway.own is None:
        return
    if budgets := (await gateway.own.find(exchange.principal.organization)).budgets:
        from orrery.flow.budgeting import hold_budgets

        await hold_budgets(exchange, gateway, budgets)


async def _confirmed_hold(exchange: Exchange, visit: Visit, gateway: Gateway) -> Hold:
    is_known = visit.confirmed or (visit.fresh and visit.principal.pace is None)
    confirming = None if is_known else asyncio.ensure_future(visit.confirm(gateway))
    try:
        hold, exchange.plan = await _hold(exchange, gateway)
    except BaseException:
        if confirming:
            await asyncio.gather(confirming, return_exceptions=True)
            _reraise(confirming)
        raise
    if confirming:
        try:
            await confirming
        except BaseException:
            if hold.amount_nano:
                await asyncio.shield(gateway.ledger.settle(hold, NOTHING))
            raise
    exchange.held_nano = hold.amount_nano
    return hold


def _reraise(confirming: "asyncio.Future[None]") -> None:
    """A dead key is the better reason than an empty balance."""
    if not confirming.cancelled() and (err := confirming.exception()):
        raise err


async def _hold(exchange: Exchange, gateway: Gateway) -> tuple[Hold, Plan]:
    plan = exchange.plan
    if plan.targets[0].own:
        return await _hold_beside_own(exchange, gateway)
    try:
        return await _set_aside(exchange, worst_nano(plan), gateway), plan
    except OutOfCredit as err:
        limit = affordable_output(plan, err.available_nano)
        if limit is None:
            raise
        exchange.clamped_to = limit
        clamped = clamp(plan, limit)
        return await _set_aside(exchange, worst_nano(clamped), gateway), clamped


async def _hold_beside_own(exchange: Exchange, gateway: Gateway) -> tuple[Hold, Plan]:
    """A call with the caller's own key needs no credit; what pooled credit may serve after it is left out where there
    is not enough. The call itself is never cut shorter for that."""
    plan = exchange.plan
    with suppress(OutOfCredit):
        if not all(target.own for target in plan.targets):
            return await _set_aside(exchange, worst_nano(plan), gateway), plan
    own = tuple(target for target in plan.targets if target.own)
    return _nothing_held(exchange), replace(plan, targets=own)


def _nothing_held(exchange: Exchange) -> Hold:
    """The hold of a request that costs nothing: no write, no balance, and nothing that a crash leaves behind."""
    principal, expires_at = exchange.principal, exchange.plan.call.received_at
    return Hold(exchange.arrival.id, principal.organization, 0, 0, expires_at, f"0|{expires_at}", principal.key_id)


async def _set_aside(exchange: Exchange, amount_nano: int, gateway: Gateway) -> Hold:
    holding = asyncio.ensure_future(
        gateway.ledger.hold(
            request_id=exchange.arrival.id,
            organization=exchange.principal.organization,
            key_id=exchange.principal.key_id,
            amount_nano=amount_nano,
            lifetime_s=max(0.0, exchange.arrival.deadline - asyncio.get_running_loop().time()) + GRACE_S,
        )
    )
    try:
        return await asyncio.shield(holding)
    except asyncio.CancelledError:
        with suppress(GatewayError):  # a caller who leaves in this instant must not leave credit set aside
            await gateway.ledger.settle(await holding, NOTHING)
        raise


def worst_nano(plan: Plan, output_tokens: int | None = None) -> int:
    """The dearest that one target could make of the call, in nano-USD: failed attempts cost nothing, so no sum."""
    return max(cost_of(plan.call, target, output_tokens) for target in plan.targets)


def cost_of(call: Call, target: Target, output_tokens: int | None = None) -> int:
    """The dearest that this target could make of the call, in nano-USD; `output_tokens` instead of its own limit."""
    return cost_nano(target.price, worst_usage(call, target, output_tokens)) if target.price else 0


def affordable_output(plan: Plan, available_nano: int) -> int | None:
    """The largest limit per choice that `available_nano` pays for, or None when that is no useful answer."""
    if plan.call.operation not in WRITING:
        return None
    largest = min(asked_output(plan.call) or LARGEST_CLAMP, LARGEST_CLAMP)
    smallest = min(SMALLEST_ANSWER, largest)
    if available_nano <= 0 or worst_nano(plan, smallest) > available_nano:
        return None
    low, high = smallest, largest
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if worst_nano(plan, middle) <= available_nano else (low, middle - 1)
    return low


def clamp(plan: Plan, limit: int) -> Plan:
    """The plan with the answer limited to `limit` tokens, under the one name that every dialect reads first."""
    call = plan.call
    ours = OUR_LIMIT.get(call.operation, "max_completion_tokens")

    def clamped(body: Json) -> Json:
        return {**{name: value for name, value in body.items() if name != "max_tokens"}, ours: limit}

    private = None if call.private is None else clamped(call.private)
    return replace(plan, call=replace(call, body=clamped(call.body), private=private))
