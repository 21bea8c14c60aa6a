"""`POST /v2/agents/{key}/responses`: an agent asked in messages of parts, as clients did before there were responses.

It is a request for a response of `agent/<key>`, served as any other; what is written is translated. A background one
answers at once, with the queued task and no output; `GET /v1/responses/{_id}` says what became of it. Errors before the
answer has begun are those of every route; later ones are `response.failed`. Source: `wire.agent_messages`.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from orrery.core.errors import GatewayError
from orrery.core.exchange import Arrival
from orrery.core.types import Call, Principal
from orrery.edge.answering import Answering
from orrery.edge.labels import labelled
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Gateway
from orrery.flow.serve import Answer

PATH = "/v2/agents/{key}/responses"


async def invoke(request: Request, gateway: Gateway) -> Response:
    """The answer, made while it is sent."""
    return Invoking(str(request.path_params["key"]), gateway)


class Invoking(Answering):
    """As `Answering`, but that what is written is this route's."""

    def __init__(self, key: str, gateway: Gateway) -> None:
        super().__init__(self._call, gateway)
        self._key = key
        self._message_id = ""

    def _call(self, raw: bytes, scope: Mapping[str, Any], principal: Principal) -> Call:
        import time

        from orrery.edge.families import posted_in
        from orrery.wire.agent_messages import read_invocation

        call = replace(read_invocation(self._key, posted_in(raw, scope)), received_at=int(time.time()))
        self._message_id = str(orjson.loads(raw)["message"].get("messageId") or "")
        return labelled(call, principal, raw, scope, self._gateway)

    def shaped(self, answer: Answer, arrival: Arrival) -> Answer:
        """Its events or its resource, translated."""
        return replace(answer, batches=self._events(answer, arrival) if answer.stream else _whole(answer, arrival))

    async def _events(self, answer: Answer, arrival: Arrival) -> AsyncGenerator[Sequence[bytes]]:
        from orrery.wire.agent_events import AgentEvents

        events = AgentEvents(
            message_id=self._message_id, trace_id=arrival.trace_id, span_id=_span(arrival), now=self._gateway.now
        )
        try:
            async for batch in answer.batches:
                events.status = answer.exchange.status
                told = [each for payload in batch for each in events.feed(orjson.loads(payload))]
                if told:
                    yield [orjson.dumps(each) for each in told]
        except GatewayError as err:
            yield [orjson.dumps(events.failed(err.message, err.status))]
        finally:
            await answer.batches.aclose()


async def _whole(answer: Answer, arrival: Arrival) -> AsyncGenerator[Sequence[bytes]]:
    from orrery.wire.agent_answers import answered

    try:
        async for batch in answer.batches:
            yield [orjson.dumps(answered(orjson.loads(each), arrival.trace_id, _span(arrival))) for each in batch]
    finally:
        await answer.batches.aclose()


def _span(arrival: Arrival) -> str:
    """The request's id, as `x-request-id` has it: nothing finer is traced."""
    return f"req_{arrival.id}"


ROUTES = (("POST", PATH, invoke),)
"""Method, whole path, and who answers."""
