"""What a response asks besides, on behalf of its tools: another model, a sub-agent, vectors of texts.

Each is a request of its own: planned, held, charged and logged like any other, under the key of the one that it is
inside of, and within its time.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from orrery.core.errors import InvalidRequest
from orrery.core.exchange import Arrival
from orrery.core.types import Call, Json
from orrery.flow.gateway import Gateway
from orrery.flow.visit import Visit
from orrery.wire.posted import Posted

if TYPE_CHECKING:
    from orrery.flow.serve import Answer

DEEPEST = 5
"""How many responses may be inside of each other where nobody says. Source: ours; Orq's `max_depth` has no default."""


class Asking:
    """Asks within one response. `cost_nano` is what all of it has cost so far."""

    def __init__(self, visit: Visit, call: Call, gateway: Gateway) -> None:
        self._visit, self._call, self._gateway = visit, call, gateway
        self._number = 0
        self.cost_nano = 0

    async def ask(self, body: Json) -> Json:
        """`core.tools.Ask`."""
        from orrery.flow.responding import responded
        from orrery.wire.responses import read_response

        outer = self._call.options.responding
        assert outer is not None
        depth = outer.depth + 1
        if depth > (outer.bounds.max_depth or DEEPEST):
            raise InvalidRequest(f"Responses may be {depth - 1} deep within each other, and no deeper.", param="limits")
        call = read_response(Posted(orjson.dumps({**body, "store": False, "stream": False})))
        responding = call.options.responding
        assert responding is not None
        inside = replace(responding, depth=depth, memory=outer.memory, bounds=responding.bounds)
        variables = call.options.variables or self._call.options.variables
        options = replace(
            call.options, responding=inside, variables=variables, call_timeout_s=self._call.options.call_timeout_s
        )
        answer = await responded(self._visit_of(replace(call, options=options)), self._gateway)
        return await self._whole(answer)

    async def embed(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """`core.tools.Embed`."""
        from orrery.flow.serve import provided
        from orrery.wire.embeddings import read_embeddings

        posted = Posted(orjson.dumps({"model": model, "input": list(texts), "encoding_format": "float"}))
        found = await self._whole(await provided(self._visit_of(read_embeddings(posted)), self._gateway))
        rows = sorted(found["data"], key=lambda row: row["index"])
        return [row["embedding"] for row in rows]

    def _visit_of(self, call: Call) -> Visit:
        self._number += 1
        visit = self._visit
        arrival: Arrival = replace(visit.arrival, id=f"{visit.arrival.id}a{self._number}")
        return Visit(
            arrival, visit.principal, replace(call, received_at=self._call.received_at), fresh=True, confirmed=True
        )

    async def _whole(self, answer: "Answer") -> Json:
        payloads: list[bytes] = []
        try:
            async for batch in answer.batches:
                payloads += batch
        finally:
            await answer.batches.aclose()
            await answer.close()
            if answer.exchange.receipt is not None:
                self.cost_nano += answer.exchange.receipt.cost_nano
        found: Json = orjson.loads(payloads[-1])
        return found
