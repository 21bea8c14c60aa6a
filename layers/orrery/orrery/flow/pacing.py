"""Requests and tokens a minute: what a request may use is taken before it, and what it used is settled after it.

A limit on the answer that was stated counts in full, as OpenAI counts it; without one, `OUTPUT_TYPICAL` for each
answer, or what a whole minute leaves beside the prompt.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from orrery.core.errors import GatewayError, Unauthenticated
from orrery.core.exchange import Exchange
from orrery.core.types import Call, Principal
from orrery.flow.estimate import PER_TOKEN_TYPICAL, WRITING, asked_output, prompt_tokens
from orrery.flow.gateway import Gateway
from orrery.flow.visit import extras_of

OUTPUT_TYPICAL = 512
"""Tokens of an answer without a stated limit: most are shorter, and what is used beyond it counts afterwards."""

MINUTE_S = 60.0

type After = list[Callable[[Exchange], Awaitable[None]]]


async def pace(principal: Principal, call: Call, exchange_after: After, gateway: Gateway) -> Mapping[str, str]:
    """Takes one request and its tokens; gives the `x-ratelimit-…` headers, and appends what corrects the tokens.

    Raises `RateLimited`, `Unauthenticated`, `Unavailable`; nothing is appended then.
    """
    limits = principal.pace
    if limits is None:
        return {}
    paces = extras_of(gateway).paces
    tokens = 0 if limits.tokens is None else estimated_tokens(call, limits.tokens)
    began = asyncio.get_running_loop().time()
    try:
        headers = await paces.take(principal, tokens)
    except Unauthenticated:
        await gateway.keys.confirm(principal)  # forgets what this process knew of the key, and raises
        raise
    per_minute = limits.tokens
    if per_minute is None:
        return headers

    async def correct(exchange: Exchange) -> None:
        elapsed_s = asyncio.get_running_loop().time() - began
        more = correction(tokens, used_tokens(exchange), per_minute, elapsed_s)
        if more:
            with suppress(GatewayError):  # what is not given back comes back with time
                await paces.correct(principal, more)

    exchange_after.append(correct)
    return headers


def estimated_tokens(call: Call, per_minute: int) -> int:
    """What the call may use, as far as can be told before it; more than `per_minute` only where that was asked for."""
    prompt = prompt_tokens(call, PER_TOKEN_TYPICAL)
    if call.operation not in WRITING:
        return prompt
    answers = max(1, int(call.body.get("n") or 1))
    if asked := asked_output(call):
        return prompt + asked * answers
    return prompt + min(OUTPUT_TYPICAL * answers, max(0, per_minute - prompt))


def used_tokens(exchange: Exchange) -> int:
    """What the receipt says; 0 where nothing was used."""
    receipt = exchange.receipt
    return 0 if receipt is None else max(0, receipt.usage.prompt) + max(0, receipt.usage.completion)


def correction(taken: int, used: int, per_minute: int, elapsed_s: float) -> int:
    """Tokens to take besides, or, negative, to give back.

    What has flowed back since is not given back again: whoever came meanwhile may have taken it. So at no moment is
    more used than if everyone had known from the beginning what it would use (`stores.gauges` has the bound).
    """
    if used >= taken:
        return used - taken
    flowed = -int(-max(0.0, elapsed_s) * per_minute // MINUTE_S)
    return min(0, max(used, flowed) - taken)
