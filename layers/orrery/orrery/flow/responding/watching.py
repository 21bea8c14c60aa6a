"""The events of a background response, for who comes later, or comes again: from its log, then as they are written."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import orjson

from orrery.core.errors import UpstreamTimeout
from orrery.core.responses import ENDED
from orrery.core.types import Json
from orrery.flow.gateway import Gateway
from orrery.flow.visit import extras_of

FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 1.5
"""Between two looks into the log: longer and longer while nothing comes."""

LOOKS_APART = 4
"""Every so many looks that found nothing, the response itself is read: its worker may have died."""

ENDED_LOOKS = 2
"""How often it must have ended before its end is made up here: its worker may be about to write it."""


async def watched(
    organization: str, response: str, after: int, deadline: float, gateway: Gateway
) -> AsyncGenerator[Sequence[bytes]]:
    """Events whose number is above `after`, until the terminal one. Raises `GatewayError`; `UpstreamTimeout` when it
    is time (the event loop's clock), to come again with a later `after`."""
    extras, wait_s, silent, ended = extras_of(gateway), FIRST_WAIT_S, 0, 0
    while True:
        log = await extras.event_logs.after(organization, response, after)
        if log.events:
            after += len(log.events)
            wait_s, silent = FIRST_WAIT_S, 0
            yield log.events
        if log.ended:
            return
        silent += 1
        if silent % LOOKS_APART == 0:
            found = await extras.responses.read(organization, response)
            if found.status in ENDED:
                ended += 1
            if ended == ENDED_LOOKS:
                if (await extras.event_logs.after(organization, response, -1)).ended:
                    return  # there is no event after the one that was named
                yield [orjson.dumps(terminal(found.shown, after + 1))]
                return
        if asyncio.get_running_loop().time() + wait_s >= deadline:
            raise UpstreamTimeout("the response still runs; ask for its events again, with starting_after")
        await gateway.sleep(wait_s)
        wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)


def terminal(resource: Json, number: int) -> Json:
    """The last event of a response whose own was never written."""
    name = {"completed": "completed", "incomplete": "incomplete", "cancelled": "incomplete"}
    return {
        "type": f"response.{name.get(resource['status'], 'failed')}",
        "sequence_number": number,
        "response": resource,
    }
