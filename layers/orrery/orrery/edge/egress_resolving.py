"""Names as addresses, all of them public or none: asked once, so that the answer cannot change after it was judged."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from orrery.edge.egress_addresses import Address, is_public, parsed
from orrery.edge.http_faults import ConnectFault

LOOKUP_S = 5.0
LOOKUPS_AT_ONCE = 16

type Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a host, as text. Raises `OSError`, `UnicodeError`."""


@cache
def _threads() -> ThreadPoolExecutor:
    """Threads of their own: a name whose servers are silent holds one for long, and must keep none from the rest."""
    return ThreadPoolExecutor(LOOKUPS_AT_ONCE, "lookup")


def _system_addresses(host: str) -> list[str]:
    return [_text(*address) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _text(address: str | int, _port: object, _flow: int = 0, scope: int = 0) -> str:
    return f"{address}%{scope}" if scope and "%" not in str(address) else str(address)


async def lookup(host: str) -> Sequence[str]:
    """`Lookup` by this machine's resolver, which also reads `127.1`, `0x7f000001` and the like as addresses."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), _system_addresses, host)


async def public_addresses(host: str, lookup: Lookup = lookup) -> Sequence[Address]:
    """The addresses of `host`, at least one, in the resolver's order. Raises `ConnectFault`, also when a single one of
    them is not public: its neighbour might be taken next time.
    """
    try:
        async with asyncio.timeout(LOOKUP_S):
            addresses = list(map(parsed, await lookup(host)))
    except (OSError, ValueError) as err:  # no such name, no answer in time (TimeoutError is an OSError), no host name
        raise ConnectFault(f"no address of {host}") from err
    if not addresses or not all(map(is_public, addresses)):
        raise ConnectFault(f"{host} is no public host")
    return list(dict.fromkeys(addresses))
