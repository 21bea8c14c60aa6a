"""Brings the content of URLs that a dialect cannot pass on into the call, before it is encoded."""

from orrery.core.dialect import Adapter
from orrery.core.types import Call, Exchange
from orrery.flow.gateway import Gateway


async def with_bytes(call: Call, adapter: Adapter, exchange: Exchange, gateway: Gateway) -> Call:
    """The call, each URL that the adapter needs the bytes of replaced by a data URL."""
    return call
