"""The way to addresses that callers name for calls with their own keys: https, to public hosts, by checked addresses.

Nothing of the operator's is ever sent there: `flow.credentials` makes such targets of the caller's credential alone.
"""

import ssl
from collections.abc import Callable

from orrery.core.dialect import Pieces
from orrery.core.errors import InvalidRequest
from orrery.edge.egress import TRIED_ADDRESSES
from orrery.edge.egress_resolving import Lookup, lookup, public_addresses
from orrery.edge.egress_urls import PORTS, Place, place_of
from orrery.edge.http_faults import ConnectFault, ConnectTimedOut, WireFault
from orrery.edge.http_head import RawHeaders
from orrery.edge.http_pool import Exchange, Origin, Pool, Timeouts

PARAM = "base_url"


def checked(url: str) -> Place:
    """The place that a caller's base URL names. Raises `InvalidRequest` for one that is never called."""
    if "#" in url or "{" in url:
        raise InvalidRequest("A base URL has no fragment and no braces.", param=PARAM)
    try:
        return place_of(url)
    except InvalidRequest as err:
        err.param = PARAM
        raise


class PublicPool(Pool):
    """A pool that keeps no connection, and makes none but to hosts all of whose addresses are public.

    Names are resolved here, once for each request, and the address that was judged is the one that is called.
    """

    def __init__(self, *, tls: Callable[[], ssl.SSLContext] | None = None, lookup: Lookup = lookup) -> None:
        super().__init__(tls=tls, kept=0)
        self._lookup = lookup

    async def send(
        self,
        origin: Origin,
        method: bytes,
        target: bytes,
        headers: RawHeaders,
        body: bytes | Pieces = b"",
        *,
        timeouts: Timeouts,
    ) -> Exchange:
        if origin.scheme != "https" or origin.port not in PORTS.values():
            raise ConnectFault(f"{origin.host} is not called but over https, on its customary port")
        fault: WireFault = ConnectFault(f"no address of {origin.host} was tried")
        for address in (await public_addresses(origin.host, self._lookup))[:TRIED_ADDRESSES]:
            there = origin._replace(address=str(address))
            try:
                return await super().send(there, method, target, headers, body, timeouts=timeouts)
            except (ConnectFault, ConnectTimedOut) as err:
                fault = err
        raise fault
