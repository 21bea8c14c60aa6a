"""The function that works on what is queued: one message an invocation, until the response has ended."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from orrery.core.responses import Work
from orrery.edge.arrive import new_id
from orrery.edge.log import report_bug
from orrery.flow.gateway import Gateway
from orrery.flow.responding.background import worked

MARGIN_S = 15.0
"""Of an invocation's time, kept back for what is written at the end."""


async def run(event: Any, context: Any) -> dict[str, int]:
    """An SQS event. What raises goes back to the queue, and comes again; `worked` takes nothing twice."""
    from orrery.edge.wiring import current

    done = 0
    for record in event["Records"]:
        left_s = max(1.0, context.get_remaining_time_in_millis() / 1000 - MARGIN_S)
        deadline = asyncio.get_running_loop().time() + left_s
        done += await worked(orjson.loads(record["body"]), new_id(), deadline, current())
    return {"worked": done}


def worker(gateway: Callable[[], Gateway]) -> Callable[[Work], Awaitable[None]]:
    """What a local queue does with each message."""

    async def do(work: Work) -> None:
        room = gateway()
        deadline = asyncio.get_running_loop().time() + room.policy.deadline_s
        try:
            await worked(work, new_id(), deadline, room)
        except Exception as err:  # noqa: BLE001 - nobody waits for this task: a bug must be seen all the same
            report_bug(str(work.get("response")), err)

    return do
