"""A turn of a response goes the ordinary way: estimated, held, clamped, sent, counted."""

from dataclasses import replace

import orjson
import pytest

from orrery.core.errors import OutOfCredit, UpstreamError
from orrery.core.options import Options
from orrery.core.types import Call, Operation, Plan, Target, Usage
from orrery.flow.admit import clamp
from orrery.flow.estimate import OUTPUT_UNSTATED, asked_output, prompt_tokens, sized, worst_usage
from tests.fakes import FakeLedger, FakeTransport, Room, json_reply, stream
from tests.flow.turning import refused, take, turn
from tests.providers.native import events, message, resource, sse

WHERE = Target("openai", "gpt-4o-mini", "https://a.example")
BIG = "A" * 400_000


def held(data: str = BIG) -> dict[str, str]:
    return {"type": "input_image", "image_url": f"data:image/png;base64,{data}"}


class TestEstimating:
    def test_a_turn_is_as_large_as_its_context(self):
        small, large = turn({"role": "user", "content": "hi"}), turn({"role": "user", "content": "h" * 20_000})
        assert small.body_bytes == len(orjson.dumps(small.body))
        assert prompt_tokens(large) - prompt_tokens(small) == pytest.approx(10_000, abs=2)
        assert sized(Call(Operation.RESPONSES, "m", small.body, body_bytes=5)).body_bytes == small.body_bytes

    @pytest.mark.parametrize("holder", ["content", "output"])
    def test_a_picture_counts_as_one_wherever_it_stands(self, holder):
        item = {"type": "function_call_output", "call_id": "c"} if holder == "output" else {"role": "user"}
        assert prompt_tokens(turn({**item, holder: [held()]})) < 6_000

    def test_a_file_counts_by_its_size(self):
        part = {"type": "input_file", "filename": "a.pdf", "file_data": BIG}
        assert 40_000 <= prompt_tokens(turn({"role": "user", "content": [part]})) < 41_000

    def test_words_are_not_a_picture(self):
        assert prompt_tokens(turn({"role": "user", "content": [{"type": "input_text", "text": BIG}]})) > 190_000

    @pytest.mark.parametrize("given", ["hi" * 9_000, [None, 3, {"content": 3}, {"output": "a" * 9_000}, "x"], None])
    def test_any_input_has_a_size(self, given):
        call = sized(Call(Operation.RESPONSES, "m", {"input": given}))
        assert prompt_tokens(call) == -(-call.body_bytes // 2)

    def test_the_limit_is_that_on_output_tokens(self):
        assert asked_output(turn(max_output_tokens=300, max_tokens=5, max_completion_tokens=6)) == 300
        assert asked_output(turn(max_tokens=5, max_completion_tokens=6)) is None
        assert worst_usage(turn(max_output_tokens=300), WHERE).completion == 300
        assert worst_usage(turn(), WHERE).completion == OUTPUT_UNSTATED

    def test_a_limit_of_ours_has_the_name_that_responses_know(self):
        private = {"model": "m", "input": "secret"}
        call = Call(Operation.RESPONSES, "m", {"model": "m", "max_output_tokens": 9_999}, private=private)
        found = clamp(Plan(call, (WHERE,)), 300).call
        assert found.body == {"model": "m", "max_output_tokens": 300}
        assert found.private == {**private, "max_output_tokens": 300}


class TestServing:
    async def test_a_whole_response_is_one_payload_and_is_charged(self):
        room = Room(transport=FakeTransport(json_reply(resource(message("Hello")))))
        told = await take(room, turn())
        assert [payload["output"] for payload in told.payloads] == [[message("Hello")]]
        assert room.transport.requests[0].url.endswith("/v1/responses")
        assert room.logged[0].usage == Usage(prompt=11, completion=7)
        assert room.logged[0].receipt is not None and room.logged[0].receipt.cost_nano > 0

    async def test_a_stream_is_its_events(self):
        room = Room(transport=FakeTransport(stream(sse(events(resource(message("Hello")))))))
        told = await take(room, turn(stream=True))
        assert told.error is None
        assert told.payloads[0]["type"] == "response.output_item.added"
        assert told.payloads[-1]["response"]["output"] == [message("Hello")]
        assert room.logged[0].output_chars == 5

    async def test_a_failure_before_the_first_word_is_tried_elsewhere(self):
        begun = events(resource(message("Hello")))
        failed = sse([*begun[:4], {"type": "response.failed", "response": {"error": {"code": "server_error"}}}])
        room = Room(transport=FakeTransport(stream(failed), stream(sse(begun))))
        call = turn(stream=True)
        told = await take(room, replace(call, options=Options(fallbacks=("openai/gpt-4o",))))
        assert told.error is None
        assert told.payloads[-1]["response"]["output"] == [message("Hello")]
        assert [attempt.status for attempt in room.logged[0].attempts] == [500, 200]

    async def test_a_failure_after_words_ends_the_answer(self):
        begun = events(resource(message("Hello")), size=2)
        room = Room(transport=FakeTransport(stream(sse([*begun[:5], {"type": "error", "code": "server_error"}]))))
        told = await take(room, turn(stream=True))
        assert isinstance(told.error, UpstreamError) and told.error.status == 500
        assert told.payloads[-1]["delta"] == "He"
        assert room.logged[0].output_chars == 2

    async def test_a_short_balance_limits_the_answer(self):
        ledger = FakeLedger(balance_nano=300_000)
        room = Room(transport=FakeTransport(json_reply(resource(message("Hello")))), ledger=ledger)
        await take(room, turn())
        assert 256 <= room.transport.body()["max_output_tokens"] < 4_096
        assert "max_completion_tokens" not in room.transport.body()

    async def test_no_balance_is_no_answer(self):
        room = Room(ledger=FakeLedger(balance_nano=10))
        assert isinstance(await refused(room, turn()), OutOfCredit)
        assert room.transport.requests == []

    async def test_the_provider_s_key_is_in_no_payload(self):
        room = Room(transport=FakeTransport(json_reply(resource(message("Hello")))))
        told = await take(room, turn())
        sent = room.transport.requests[0]
        key = sent.headers["authorization"].removeprefix("Bearer ")
        assert key and key not in str(told.payloads) and key.encode() not in bytes(sent.body)
