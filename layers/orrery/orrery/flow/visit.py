"""A request before it has an exchange: who asks, what is asked, and what options add to it and still have to do."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orrery.core.dialect import Frame
from orrery.core.exchange import Arrival, Exchange
from orrery.core.types import Call, Principal
from orrery.flow.gateway import Gateway

if TYPE_CHECKING:
    from orrery.core.extras import Extras


@dataclass(slots=True)
class Visit:
    """`fresh`: the key was read just now. `headers`, `after` and `keep` become the exchange's own (see `Exchange`).

    `whole` is, for a visit that is a part of a request, what that request still has to do at its end.
    """

    arrival: Arrival
    principal: Principal
    call: Call
    fresh: bool
    headers: dict[str, str] = field(default_factory=dict)
    after: list[Callable[[Exchange], Awaitable[None]]] = field(default_factory=list, repr=False)
    confirmed: bool = False
    keep: Callable[[Exchange, Sequence[Frame]], Awaitable[None]] | None = field(default=None, repr=False)
    whole: list[Callable[[Exchange], Awaitable[None]]] | None = field(default=None, repr=False)

    async def confirm(self, gateway: Gateway) -> None:
        """Once for each request: the key is still good, and within its pace.

        Raises `Unauthenticated`, `RateLimited`, `Unavailable`.
        """
        if self.confirmed:
            return
        self.confirmed = True
        if self.principal.pace is not None:
            from orrery.flow.pacing import pace

            after = self.after if self.whole is None else self.whole
            self.headers.update(await pace(self.principal, self.call, after, gateway))
        elif not self.fresh:
            await gateway.keys.confirm(self.principal)


def extras_of(gateway: Gateway) -> "Extras":
    """What options need. Rooms without it serve plain requests only."""
    assert gateway.extras is not None, "this gateway was joined without what options need"
    return gateway.extras
