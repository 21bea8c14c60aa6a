"""What a response asks besides, on behalf of its tools: another model, a sub-agent, vectors of texts.

Each is a request of its own: planned, held, charged and logged like any other, under the key of the one that it is
inside of, and within its time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from orrery.core.errors import InvalidRequest
from orrery.core.exchange import Arrival
from orrery.core.responses import Bounds, Responding
from orrery.core.types import Call, Json
from orrery.flow.gateway import Gateway
from orrery.flow.visit import Visit
from orrery.wire.posted import Posted

if TYPE_CHECKING:
    from orrery.flow.serve import Answer

DEEPEST = 5
"""How many responses may be inside of each other where nobody says. Source: ours; Orq's `max_depth` has no default."""


NANO = 1_000_000_000


class Asking:
    """Asks within one response. `cost_nano` is what all of it has cost so far."""

    def __init__(self, visit: Visit, call: Call, gateway: Gateway) -> None:
        self._visit, self._call, self._gateway = visit, call, gateway
        self._number = 0
        self.cost_nano = 0

    async def ask(self, body: Json) -> Json:
        """`core.tools.Ask`. An agent gets the request's own variables, what else is asked those of its agent, too."""
        from orrery.flow.responding import answered
        from orrery.flow.responding.asked import prepared
        from orrery.flow.serve import refusals
        from orrery.wire.responses import read_response

        call = read_response(Posted(orjson.dumps({**body, "store": False, "stream": False})))
        responding, options = call.options.responding, self._call.options
        assert responding is not None
        variables = (self._visit.call if responding.agent else self._call).options.variables
        inside = replace(call.options, responding=self._inside(responding), variables=variables)
        visit = self._visit_of(replace(call, options=replace(inside, call_timeout_s=options.call_timeout_s)))
        with refusals(visit, self._gateway):
            asked = await prepared(visit, self._gateway)
        return await self._whole(await answered(asked, self._gateway))

    def _inside(self, responding: Responding) -> Responding:
        """One deeper, with what is left of the bounds of the response that it is inside of. Raises `InvalidRequest`."""
        outer = self._call.options.responding
        assert outer is not None
        depth, bounds = outer.depth + 1, outer.bounds
        if depth > (bounds.max_depth or DEEPEST):
            raise InvalidRequest(f"Responses may be {depth - 1} deep within each other, and no deeper.", param="limits")
        left_nano = bounds.max_cost_nano - self.cost_nano
        if bounds.max_cost_nano and left_nano <= 0:
            raise InvalidRequest("This response has cost what it may.", param="limits")
        narrowed = Bounds(
            max_cost_nano=max(0, left_nano), max_depth=bounds.max_depth, tool_timeout_s=bounds.tool_timeout_s
        )
        return replace(responding, depth=depth, memory=outer.memory, bounds=narrowed)

    async def embed(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """`core.tools.Embed`."""
        from orrery.flow.serve import provided
        from orrery.wire.embeddings import read_embeddings

        posted = Posted(orjson.dumps({"model": model, "input": list(texts), "encoding_format": "float"}))
        found = await self._whole(await provided(self._visit_of(read_embeddings(posted)), self._gateway))
        rows = sorted(found["data"], key=lambda row: row["index"])
        return [row["embedding"] for row in rows]

    def _visit_of(self, call: Call) -> Visit:
        """A request beside the outer one, for whom that is. It leaves no step: the outer one's has its cost."""
        self._number += 1
        visit, outer = self._visit, self._call.options
        now = asyncio.get_running_loop().time()
        arrival: Arrival = replace(visit.arrival, id=f"{visit.arrival.id}a{self._number}", started=now)
        options = replace(call.options, identity=outer.identity, attribution=outer.attribution)
        call = replace(call, options=options, received_at=self._call.received_at)
        return Visit(arrival, visit.principal, call, fresh=True, confirmed=True)

    async def _whole(self, answer: "Answer") -> Json:
        found: Json = {}
        try:
            payloads = [payload async for batch in answer.batches for payload in batch]
            found = orjson.loads(payloads[-1])
        finally:
            await answer.batches.aclose()
            await answer.close()
            receipt = answer.exchange.receipt
            self.cost_nano += max(receipt.cost_nano if receipt else 0, _told_nano(found))
        return found


def _told_nano(found: Json) -> int:
    """What a resource says that all of it has cost: what its last tools asked stands in no receipt of a turn."""
    cost: float = (found.get("usage") or {}).get("total_cost") or 0.0
    return round(cost * NANO)
