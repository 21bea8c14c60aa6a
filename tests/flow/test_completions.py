"""Completions through the whole flow: what is held, what several prompts become, who serves them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.errors import GatewayError, InvalidRequest, OutOfCredit, Truncated
from orrery.core.types import Call, Price, Rates, Target
from orrery.flow.estimate import counted_usage, worst_usage
from orrery.flow.serve import Answer, serve
from orrery.wire.completions import read_completion
from orrery.wire.posted import Posted
from tests.fakes import DONE, FakeTransport, Room, chunk, completion, json_reply, stream, usage_chunk
from tests.flow.asking import arrive

TARGET = Target("openai", "m", "https://x.test", price=Price(Rates(1, 1)))


def call(**fields: Any) -> Call:
    return read_completion(Posted(orjson.dumps({"model": "openai/m", "prompt": "a", **fields})))


def outputs(**fields: Any) -> int:
    return worst_usage(call(**fields), TARGET).completion


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, 16),
        ({"max_tokens": 100}, 100),
        ({"max_tokens": 100, "max_completion_tokens": 1}, 100),
        ({"max_tokens": 0}, 16),
        ({"n": 3}, 48),
        ({"best_of": 4}, 64),
        ({"best_of": 4, "n": 2}, 64),
        ({"prompt": ["a", "b"], "n": 2, "max_tokens": 10}, 40),
        ({"prompt": [1, 2, 3]}, 16),
        ({"prompt": [[1], [2], [3]]}, 48),
    ],
)
def test_output_is_held_for_every_prompt_and_every_candidate(fields: Any, tokens: int) -> None:
    assert outputs(**fields) == tokens


def test_every_token_of_a_prompt_of_tokens_is_held() -> None:
    assert worst_usage(call(prompt=[1] * 5000), TARGET).prompt >= 5000
    assert worst_usage(call(prompt=[[1]] * 500), TARGET).prompt >= 500 * 16


def test_a_window_bounds_each_prompt_not_all_of_them() -> None:
    small = Target("openai", "m", "https://x.test", context_window=10)
    assert worst_usage(call(prompt=["a" * 100] * 3), small).prompt == 30
    assert counted_usage(call(), 8).completion == 2


CHATTING, COMPLETING = "openai/gpt-4o-mini", "openai/gpt-3.5-turbo-instruct"


async def ask(room: Room, **body: Any) -> tuple[Answer, Sequence[Any]]:
    """The answer and its payloads; raises whatever ends it."""

    def read(_: object) -> Call:
        return replace(call(**({"model": CHATTING} | body)), received_at=1_800_000_000)

    answer = await serve("good", read, await arrive(), room.gateway())
    try:
        return answer, [orjson.loads(payload) async for batch in answer.batches for payload in batch]
    finally:
        await answer.batches.aclose()
        await answer.close()


def text_completion(text: str = "done") -> Any:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m"}
    return json_reply({**head, "choices": [choice], "usage": usage})


class Echoing(FakeTransport):
    """A chat that says its prompt back, whichever of several it is asked first."""

    def send(self, request: Any, timeout_s: float) -> Any:
        said = orjson.loads(request.body)["messages"][0]["content"]
        self.replies.append(completion(f"re: {said}", prompt=10, output=5))
        return super().send(request, timeout_s)


async def test_a_model_of_that_kind_is_asked_for_completions() -> None:
    room = Room()
    room.transport.replies.append(text_completion())
    _, payloads = await ask(room, model=COMPLETING, echo=True, prompt=[1, 2])
    assert payloads[0]["choices"][0]["text"] == "done"
    assert room.transport.requests[0].url.endswith("/v1/completions")
    assert room.transport.body(0) == {"model": "gpt-3.5-turbo-instruct", "prompt": [1, 2], "echo": True}
    assert room.ledger.settled["r1"].usage.completion == 4


async def test_a_model_that_chats_is_asked_as_a_chat() -> None:
    room = Room()
    room.transport.replies.append(completion("hello"))
    _, payloads = await ask(room, prompt="hi", max_tokens=7)
    assert payloads[0]["object"] == "text_completion" and payloads[0]["choices"][0]["text"] == "hello"
    assert room.transport.requests[0].url.endswith("/v1/chat/completions")
    body = room.transport.body(0)
    assert body["messages"] == [{"role": "user", "content": "hi"}] and body["max_completion_tokens"] == 7


async def test_several_prompts_are_several_chats_and_one_bill() -> None:
    room = Room(transport=Echoing())
    _, payloads = await ask(room, prompt=["a", "b", "c"])
    assert [choice["text"] for choice in payloads[0]["choices"]] == ["re: a", "re: b", "re: c"]
    assert [choice["index"] for choice in payloads[0]["choices"]] == [0, 1, 2]
    assert payloads[0]["usage"]["total_tokens"] == 45
    receipt = room.ledger.settled["r1"]
    assert (receipt.usage.prompt, receipt.usage.completion, receipt.evidence) == (30, 15, "provider")


async def test_what_a_chat_cannot_do_costs_nothing() -> None:
    room = Room()
    with pytest.raises(InvalidRequest) as caught:
        await ask(room, echo=True)
    assert caught.value.param == "echo" and not room.transport.requests
    assert room.ledger.settled["r1"].cost_nano == 0


async def test_a_stream_over_chat_is_one_of_completions() -> None:
    room = Room()
    room.transport.replies.append(
        stream(
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "he"}),
            chunk({"content": "llo"}),
            chunk({}, "length"),
            usage_chunk(10, 5),
            DONE,
        )
    )
    _, payloads = await ask(room, stream=True)
    assert "".join(each["choices"][0]["text"] for each in payloads) == "hello"
    assert payloads[-1]["choices"][0]["finish_reason"] == "length"
    assert all(each["object"] == "text_completion" and "usage" not in each for each in payloads)
    assert room.ledger.settled["r1"].usage.completion == 5


async def test_a_stream_that_breaks_off_is_charged_for_what_came() -> None:
    room = Room()
    room.transport.replies.append(stream(chunk({"content": "hello there"})))
    with pytest.raises(Truncated):
        await ask(room, stream=True)
    receipt = room.ledger.settled["r1"]
    assert receipt.evidence == "counted" and receipt.usage.completion == 3


async def test_a_short_balance_limits_the_answer_that_a_chat_gives() -> None:
    room = Room()
    room.ledger.balance_nano = 500_000
    room.transport.replies.append(completion("hello"))
    answer, _ = await ask(room, max_tokens=4096)
    limit = room.transport.body(0)["max_completion_tokens"]
    assert 256 <= limit < 4096 and answer.headers["x-orrery-clamped-max-tokens"] == str(limit)


async def test_an_empty_balance_is_told_so() -> None:
    room = Room()
    room.ledger.balance_nano = 1
    with pytest.raises(OutOfCredit):
        await ask(room)


async def test_a_provider_without_chat_completes_nothing() -> None:
    with pytest.raises(GatewayError):
        await ask(Room(), model="voyage/voyage-3.5")
