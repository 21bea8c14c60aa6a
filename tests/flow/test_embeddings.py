"""Embeddings on their whole way: a call that is split is one attempt, one answer and one cost."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.errors import GatewayError, OutOfCredit, UpstreamError
from orrery.core.types import Call
from orrery.flow.serve import Answer, serve
from orrery.wire.embeddings import read_embeddings
from orrery.wire.posted import Posted
from tests.fakes import FakeReply, FakeTransport, Room, json_reply
from tests.flow.asking import arrive

MODEL = "cohere/embed-v4.0"  # 96 texts in a request
TEXTS = [f"text {number}" for number in range(200)]


class Cohere(FakeTransport):
    """Embeds a text as its number; `broken` says which request, of all, is answered by what instead."""

    def __init__(self, broken: dict[int, Callable[[], Any]] | None = None, tokens: int = 10) -> None:
        super().__init__()
        self.broken, self.tokens = broken or {}, tokens

    def send(self, request: Any, timeout_s: float) -> Any:
        number = len(self.requests)
        texts = orjson.loads(request.body)["texts"]
        vectors = [[float(text.removeprefix("text "))] for text in texts]
        meta = {"billed_units": {"input_tokens": float(self.tokens)}}
        good = json_reply({"id": "e", "embeddings": {"float": vectors}, "meta": meta})
        self.replies.append(self.broken[number]() if number in self.broken else good)
        return super().send(request, timeout_s)


def overloaded() -> FakeReply:
    return json_reply({"message": "overloaded"}, status=503)


async def embed(room: Room, **body: Any) -> tuple[Answer, Any]:
    posted = Posted(orjson.dumps({"model": MODEL, "input": TEXTS} | body))

    def read(_: object) -> Call:
        return replace(read_embeddings(posted), received_at=1_800_000_000)

    answer = await serve("good", read, await arrive(), room.gateway())
    try:
        payloads = [payload async for batch in answer.batches for payload in batch]
    finally:
        await answer.close()
    return answer, orjson.loads(b"".join(payloads))


async def test_a_split_call_is_answered_in_the_order_of_its_inputs() -> None:
    room = Room(transport=Cohere())
    _, answer = await embed(room)
    assert [row["embedding"] for row in answer["data"]] == [[float(number)] for number in range(200)]
    assert [row["index"] for row in answer["data"]] == list(range(200))
    assert [len(room.transport.body(number)["texts"]) for number in range(3)] == [96, 96, 8]
    assert answer["model"] == MODEL


async def test_its_cost_is_charged_once_for_all_parts() -> None:
    room = Room(transport=Cohere())
    told, answer = await embed(room)
    assert answer["usage"] == {"prompt_tokens": 30, "total_tokens": 30}
    receipt = room.ledger.settled["r1"]
    assert receipt.usage.prompt == 30 and receipt.evidence == "provider"
    assert receipt.cost_nano == 30 * 120 and told.headers["x-orrery-cost-usd"] == "0.0000036"
    assert [what for what in room.ledger.said if what == "hold"] == ["hold"]
    assert room.ledger.balance_nano == 10**12 - receipt.cost_nano


async def test_a_failing_part_is_one_failed_attempt_that_costs_nothing() -> None:
    room = Room(transport=Cohere({1: overloaded}))
    with pytest.raises(UpstreamError):
        await embed(room)
    (logged,) = room.logged
    assert [attempt.status for attempt in logged.attempts] == [503]
    assert room.ledger.settled["r1"].cost_nano == 0 and room.transport.open == 0


async def test_it_is_tried_again_as_one_and_charged_for_one() -> None:
    room = Room(transport=Cohere({1: overloaded}))
    _, answer = await embed(room, retry={"count": 2, "on_codes": [503]})
    assert len(answer["data"]) == 200 and len(room.slept) == 1
    (logged,) = room.logged
    assert [attempt.status for attempt in logged.attempts] == [503, 200]
    assert room.ledger.settled["r1"].usage.prompt == 30


async def test_a_part_that_lies_fails_the_whole() -> None:
    short = json_reply({"embeddings": {"float": [[1.0]]}})
    room = Room(transport=Cohere({2: lambda: short}))
    with pytest.raises(UpstreamError, match="sent 1 embeddings for 8 inputs"):
        await embed(room)


async def test_another_provider_takes_all_of_it() -> None:
    room = Room(transport=Cohere({0: overloaded, 1: overloaded, 2: overloaded}))
    _, answer = await embed(room, fallbacks=[{"model": "cohere/embed-v5.0-fast"}])
    assert answer["model"] == "cohere/embed-v5.0-fast" and len(answer["data"]) == 200


async def test_what_is_held_covers_what_short_texts_cost() -> None:
    texts = [f"text {number}" for number in range(10)] * 20
    room = Room(transport=Cohere(tokens=1_000))  # some ten tokens a text, of five or six letters
    await embed(room, input=texts)
    (logged,) = room.logged
    assert logged.held_nano >= room.ledger.settled["r1"].cost_nano > 0


async def test_nothing_is_sent_without_the_credit_for_it() -> None:
    room = Room(transport=Cohere())
    room.ledger.balance_nano = 1
    with pytest.raises(OutOfCredit):
        await embed(room)
    assert not room.transport.requests


async def test_what_a_provider_cannot_take_is_named_to_the_caller() -> None:
    room = Room(transport=Cohere())
    told, _ = await embed(room, user="u1", input_type="similarity")
    assert told.headers["x-orrery-dropped-params"] == "user, input_type"


async def test_tokens_are_refused_before_anything_is_sent_and_cost_nothing() -> None:
    room = Room(transport=Cohere())
    with pytest.raises(GatewayError) as caught:
        await embed(room, input=[[1, 2]])
    assert caught.value.status == 400 and caught.value.param == "input"
    assert not room.transport.requests and room.ledger.balance_nano == 10**12
