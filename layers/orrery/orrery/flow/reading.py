"""Reads what stands behind the URLs of a request, once for all of its attempts."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orrery.core.errors import GatewayError, InvalidRequest, TooLarge
from orrery.core.exchange import Exchange
from orrery.core.ports import Uploads
from orrery.core.types import Call, Fetched
from orrery.flow.gateway import Gateway

MOST_URLS = 16
AT_ONCE = 4
LONGEST_S = 30.0
"""For all of a request's URLs together; and at most half of what the attempt has: the model needs time too."""


class Wanted(NamedTuple):
    """A URL to read, where it stands in the body, and the code of the error when it cannot be read."""

    url: str
    param: str
    code: str


async def read_all(wanted: Iterable[Wanted], call: Call, exchange: Exchange, gateway: Gateway) -> None:
    """Into `exchange.fetched`, a few at once; the first that fails ends the others.

    Raises `InvalidRequest` for one that cannot be read, `TooLarge` when they bring too much.
    """
    now = asyncio.get_running_loop().time
    left_s = min(call.options.call_timeout_s or gateway.policy.silence_s, exchange.arrival.deadline - now())
    ends = now() + min(LONGEST_S, left_s / 2)
    turns = asyncio.Semaphore(AT_ONCE)

    async def read(each: Wanted) -> None:
        async with turns:
            if gateway.uploads is not None and gateway.uploads.has(each.url):
                exchange.fetched[each.url] = await _upload(each, exchange, ends - now(), gateway.uploads)
                return
            public = (f for url, f in exchange.fetched.items() if url not in exchange.uploads)
            left_bytes = gateway.policy.max_media_bytes - sum(len(fetched.data) for fetched in public)
            exchange.fetched[each.url] = await _read(each, max(0, left_bytes), ends - now(), gateway)

    try:
        async with asyncio.TaskGroup() as group:
            for each in wanted:
                group.create_task(read(each))
    except* GatewayError as errors:
        found = errors.exceptions[0]
    else:
        return
    raise found


async def _upload(wanted: Wanted, exchange: Exchange, timeout_s: float, uploads: Uploads) -> Fetched:
    try:
        fetched = await uploads.read(exchange.principal.organization, wanted.url, timeout_s=timeout_s)
    except InvalidRequest as err:
        raise InvalidRequest(err.message, param=wanted.param, code=wanted.code) from err
    exchange.uploads.add(wanted.url)
    return fetched


async def _read(wanted: Wanted, limit_bytes: int, timeout_s: float, gateway: Gateway) -> Fetched:
    try:
        fetched = await gateway.fetch(wanted.url, limit_bytes=limit_bytes, timeout_s=timeout_s)
    except InvalidRequest as err:
        raise InvalidRequest(err.message, param=wanted.param, code=wanted.code) from err
    except TooLarge as err:
        raise too_large(wanted.param, gateway) from err
    if not fetched.data:
        raise InvalidRequest("There is nothing behind this URL.", param=wanted.param, code=wanted.code)
    return fetched


def refuse_too_much(wanted: Sequence[Wanted], exchange: Exchange, gateway: Gateway) -> None:
    """Raises `TooLarge` when these bring in too much together: one URL may stand in many places."""
    public = [each for each in wanted if each.url not in exchange.uploads]
    if sum(len(exchange.fetched[each.url].data) for each in public) > gateway.policy.max_media_bytes:
        raise too_large(public[0].param, gateway)
    if len(wanted) - len(public) > MOST_URLS:
        raise InvalidRequest(f"Of one request, at most {MOST_URLS} uploads are read.", param=wanted[0].param)


def too_large(param: str, gateway: Gateway) -> TooLarge:
    """More than the URLs of one request may bring in together."""
    return TooLarge(
        f"The URLs of one request may bring in {gateway.policy.max_media_bytes} bytes together.", param=param
    )
