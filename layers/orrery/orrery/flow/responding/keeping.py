"""What is kept of a response: as it begins, before each turn is charged, and as it ends."""

import asyncio
from contextlib import suppress

from orrery.core.errors import GatewayError
from orrery.core.options import Attribution
from orrery.core.responses import Origin, Status, StoredResponse
from orrery.core.types import Json
from orrery.flow.gateway import Gateway
from orrery.flow.responding.asked import Asked
from orrery.flow.visit import extras_of
from orrery.wire import response_object

DEADLINE_GRACE_S = 60.0
"""After its deadline a response may still be about to be written."""

NOT_KEPT: Json = {"code": "server_error", "message": "The response could not be stored; it was not charged."}

NOTHING = Attribution()


def begun(asked: Asked, status: Status = "in_progress") -> Json:
    """The resource at its beginning."""
    return response_object.begun(
        asked.call,
        id=asked.id,
        created_at=asked.created_at,
        status=status,
        model=asked.model_shown,
        previous=asked.responding.previous,
        conversation=asked.responding.conversation,
        background=asked.responding.background,
    )


def stored(asked: Asked, resource: Json, gateway: Gateway, request: Json | None = None) -> StoredResponse:
    """The response as it is kept."""
    return StoredResponse(
        id=asked.id,
        organization=asked.visit.principal.organization,
        status=resource["status"],
        created_at=asked.created_at,
        shown=resource,
        input=asked.own,
        parent=asked.responding.previous,
        conversation=asked.responding.conversation,
        origin=origin_of(asked),
        request=request,
        events=asked.responding.background,
        deadline=_deadline(asked, gateway),
    )


def origin_of(asked: Asked) -> Origin:
    """Whose it is, and which labels it has."""
    principal, options, arrival = asked.visit.principal, asked.call.options, asked.visit.arrival
    told = options.attribution or NOTHING
    return Origin(
        key_id=principal.key_id,
        workflow=told.workflow or principal.workflow,
        user=told.user or principal.user,
        identity=options.identity.id if options.identity else "",
        thread=options.thread.id if options.thread else "",
        run=told.run or arrival.trace_id,
    )


def _deadline(asked: Asked, gateway: Gateway) -> float:
    left_s = asked.visit.arrival.deadline - asyncio.get_running_loop().time()
    return gateway.now() + max(0.0, left_s) + DEADLINE_GRACE_S


def not_kept(event: Json) -> list[Json]:
    """The last events of a response that could not be kept, in place of the one that it would have had."""
    number = event["sequence_number"]
    told = {**NOT_KEPT, "param": None}
    usage = {**(event["response"]["usage"] or {}), "total_cost": 0.0}
    response = {**event["response"], "status": "failed", "error": NOT_KEPT, "completed_at": None, "usage": usage}
    return [
        {"type": "error", "sequence_number": number, "error": {"type": "server_error", **told}, **told},
        {"type": "response.failed", "sequence_number": number + 1, "response": response},
    ]


class Keeper:
    """Writes one response. Where nothing is to be kept, it writes nothing."""

    def __init__(self, asked: Asked, gateway: Gateway, *, begun: bool) -> None:
        self._asked, self._gateway = asked, gateway
        self._begun = begun
        self._beginning: asyncio.Task[None] | None = None
        self.is_kept = asked.responding.store

    def announce(self, resource: Json) -> None:
        """Writes that it is in progress, while its first words go out already."""
        if self.is_kept and not self._begun:
            self._begun = True
            self._beginning = asyncio.ensure_future(self._begin(resource))

    async def _begin(self, resource: Json) -> None:
        with suppress(GatewayError):  # what ends it is written whole then
            await extras_of(self._gateway).responses.begin(stored(self._asked, resource, self._gateway))

    async def save(self, resource: Json) -> None:
        """What there is so far, before it is charged. Raises `Unavailable`."""
        if not self.is_kept:
            return
        response = stored(self._asked, resource, self._gateway)
        if not self._begun:
            self._begun = True
            await extras_of(self._gateway).responses.begin(response)
            return
        await self.close()
        await extras_of(self._gateway).responses.save(response)

    async def finish(self, resource: Json) -> None:
        """What it became. Raises `Unavailable`, `TooLarge`."""
        await self.close()
        if self.is_kept:
            await extras_of(self._gateway).responses.finish(stored(self._asked, resource, self._gateway))
        elif self._asked.responding.conversation:
            items = [*self._asked.own, *resource["output"]]
            organization = self._asked.visit.principal.organization
            await extras_of(self._gateway).conversations.add(organization, self._asked.responding.conversation, items)

    async def close(self) -> None:
        """Waits for what is being written."""
        if self._beginning is not None:
            await asyncio.shield(self._beginning)
            self._beginning = None
