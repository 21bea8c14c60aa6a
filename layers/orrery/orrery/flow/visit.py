"""A request before it has an exchange: who asks, what is asked, and what options add to it and still have to do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orrery.core.exchange import Arrival, Exchange
from orrery.core.types import Call, Principal
from orrery.flow.gateway import Gateway

if TYPE_CHECKING:
    from orrery.core.extras import Extras


@dataclass(slots=True)
class Visit:
    """`fresh`: the key was read just now. `headers` and `after` become the exchange's own (see `Exchange`)."""

    arrival: Arrival
    principal: Principal
    call: Call
    fresh: bool
    headers: dict[str, str] = field(default_factory=dict)
    after: list[Callable[[Exchange], Awaitable[None]]] = field(default_factory=list, repr=False)
    confirmed: bool = False

    async def confirm(self, gateway: Gateway) -> None:
        """Once for each request: the key is still good, and within its pace.

        Raises `Unauthenticated`, `RateLimited`, `Unavailable`.
        """
        if self.confirmed:
            return
        self.confirmed = True
        if self.principal.pace is not None:
            from orrery.flow.pacing import pace

            self.headers.update(await pace(self.principal, self.call, self.after, gateway))
        elif not self.fresh:
            await gateway.keys.confirm(self.principal)


def extras_of(gateway: Gateway) -> "Extras":
    """What options need. Rooms without it serve plain requests only."""
    assert gateway.extras is not None, "this gateway was joined without what options need"
    return gateway.extras
