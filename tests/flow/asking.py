"""One request through the flow, as a door would put it."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import orjson

from orrery.core.errors import GatewayError
from orrery.core.exchange import Arrival
from orrery.core.types import Call
from orrery.flow.serve import Answer, serve
from orrery.wire.chat import read_chat
from tests.fakes import Room

HELLO = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}


def read(body: dict[str, Any]) -> Call:
    return replace(read_chat(orjson.dumps(body)), received_at=1_800_000_000)


async def arrive(seconds: float = 600.0) -> Arrival:
    now = asyncio.get_running_loop().time()
    return Arrival(id="r1", trace_id="0" * 31 + "1", started=now, deadline=now + seconds)


@dataclass
class Told:
    """What a caller saw: the headers, the payloads, and the error that ended them, if one did."""

    answer: Answer
    payloads: list[Any]
    error: GatewayError | None = None

    @property
    def text(self) -> str:
        parts = [c["delta"].get("content") or "" for p in self.payloads for c in p["choices"]]
        return "".join(parts)


async def ask(room: Room, token: str = "good", deadline_s: float = 600.0, strict: bool = False, **body: Any) -> Told:
    """The whole way. Raises what `serve` raises; an error after the first frame is in `Told.error`."""
    arrival = await arrive(deadline_s)
    answer = await serve(token, lambda _: replace(read(HELLO | body), strict=strict), arrival, room.gateway())
    return await heard(answer)


async def heard(answer: Answer) -> Told:
    """All of an answer, closed."""
    told = Told(answer, [])
    try:
        async for batch in answer.batches:
            told.payloads += [orjson.loads(payload) for payload in batch]
    except GatewayError as err:
        told.error = err
    finally:
        await answer.batches.aclose()
        await answer.close()
    return told


async def refused(room: Room, **body: Any) -> GatewayError:
    """The error that `serve` raises for this request."""
    try:
        await ask(room, **body)
    except GatewayError as err:
        return err
    raise AssertionError("the request was served")
