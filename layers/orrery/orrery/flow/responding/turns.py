"""One turn of a response: a request of its own, that a provider answers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import orjson

from orrery.core.dialect import Frame
from orrery.core.exchange import Exchange
from orrery.core.types import Call, Json
from orrery.flow.gateway import Gateway
from orrery.flow.responding.asked import Asked, with_tools
from orrery.flow.serve import Answer, provided, remembered
from orrery.flow.visit import Visit
from orrery.wire.body import dumps
from orrery.wire.composer import Composer
from orrery.wire.composer import Turn as Given

OURS = frozenset({"store", "stream", "background", "previous_response_id", "conversation", "max_tool_calls"})
"""What of a body is said to this gateway alone; whether an answer is streamed, each turn's call says itself."""

type Keep = Callable[[Exchange, Sequence[Frame]], Awaitable[None]]


@dataclass(slots=True)
class Turn:
    """`kept`: what it gave is kept. `given` is that, once it is whole. `settled`: it is charged, or being so."""

    number: int
    answer: Answer = field(repr=False)
    kept: bool = False
    settled: bool = False
    given: Given | None = field(default=None, repr=False)


async def begun(asked: Asked, produced: Sequence[Json], number: int, keep: Keep, gateway: Gateway) -> Turn:
    """The turn, once its provider has begun to answer. Raises `GatewayError`; nothing stays held then."""
    outer = asked.visit
    arrival = outer.arrival if number == 1 else replace(outer.arrival, id=f"{outer.arrival.id}t{number}")
    visit = Visit(
        arrival,
        outer.principal,
        _call(asked, produced, number),
        fresh=outer.fresh,
        headers=outer.headers,
        confirmed=outer.confirmed or number > 1,
        keep=keep,
        whole=outer.after,
    )
    ask = provided if visit.call.options.cache_ttl_s is None else remembered
    return Turn(number, await ask(visit, gateway))


def _call(asked: Asked, produced: Sequence[Json], number: int) -> Call:
    call = with_tools(asked.call, asked.tools)
    body = _body(call.body, [*asked.input, *produced], number)
    private = None
    if call.private is not None:
        secret = with_tools(replace(asked.call, body=call.private), asked.tools)
        private = _body(secret.body, [*(asked.private or asked.input), *produced], number)
    options = replace(call.options, variables=None, prompt="")
    size = max(len(dumps(each)) for each in (body, private or {}))
    return replace(call, body=body, private=private, options=options, body_bytes=size)


def _body(body: Json, items: Sequence[Json], number: int) -> Json:
    found = {name: value for name, value in body.items() if name not in OURS} | {"input": list(items)}
    if number > 1 and found.get("tool_choice") not in (None, "auto", "none"):
        choice = found["tool_choice"]
        # What had to be called has been: a model that must call again would never come to its answer.
        if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
            found["tool_choice"] = {**choice, "mode": "auto"}
        else:
            found["tool_choice"] = "auto"
    return found


def told(payload: bytes, turn: Turn, composer: Composer) -> Sequence[Json]:
    """What a payload of the turn's answer tells the caller: an event, or all of a whole answer."""
    if turn.answer.stream:
        return composer.feed(orjson.loads(payload))
    return () if turn.kept else composer.whole(orjson.loads(payload))


def resource_of(frame: Frame) -> Json:
    """A whole answer."""
    found: Json = orjson.loads(frame.payload) if isinstance(frame.payload, bytes) else frame.payload or {}
    return found
