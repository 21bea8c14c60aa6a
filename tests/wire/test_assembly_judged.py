"""Every streamed case put together, and streamed again: judged by the openai SDK and by the buffered answer."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from orrery.core.types import Operation
from orrery.flow.replay import payloads_of
from orrery.wire import sse
from orrery.wire.assembly import events_of, whole_of
from orrery.wire.usage import write_usage
from tests.providers import families
from tests.providers.cases import Case, fold, frames_of, plain
from tests.providers.cases import events_of as events_in
from tests.providers.test_cases import each
from tests.providers.test_sdk_judged import ASKED, STREAMED, client, told

COMPLETIONS = [
    case
    for case in families.all_cases()
    if case.operation is Operation.COMPLETIONS and case.has("stream.sse", "chunks.json")
]


def payloads(case: Case, *, wants_usage: bool) -> tuple[list[bytes], dict[str, Any]]:
    """What a caller gets, and the count behind it."""
    frames = list(frames_of(case, events_in(case), wants_usage=wants_usage))
    return payloads_of(frames), write_usage(next(frame.usage for frame in reversed(frames) if frame.usage))


def snapshot(events: list[bytes]) -> Any:
    """What the SDK makes of a stream."""
    with client(sse.events(events) + sse.DONE, "text/event-stream").chat.completions.stream(**ASKED) as stream:
        stream.until_done()
        return stream.current_completion_snapshot


@each(STREAMED)
def test_what_is_put_together_is_what_the_sdk_puts_together(case: Case) -> None:
    events, _ = payloads(case, wants_usage=True)
    whole = whole_of(events)
    read = ChatCompletion.model_validate_json(orjson.dumps(whole), strict=True)
    assert told(read) == told(snapshot(events))


@each(STREAMED)
def test_it_is_the_answer_that_a_buffered_call_would_have_given(case: Case) -> None:
    events, _ = payloads(case, wants_usage=True)
    whole, answer = whole_of(events), case.json_of("answer.json")
    assert plain(whole) == plain(answer)
    assert [choice["logprobs"] for choice in whole["choices"]] == [c.get("logprobs") for c in answer["choices"]]


@each(STREAMED)
def test_words_are_null_where_a_buffered_answers_are(case: Case) -> None:
    whole, answer = whole_of(payloads(case, wants_usage=True)[0]), case.json_of("answer.json")
    for mine, theirs in zip(whole["choices"], answer["choices"], strict=True):
        if theirs["message"].get("tool_calls"):
            assert (mine["message"]["content"] or None) == (theirs["message"]["content"] or None)
        else:
            assert mine["message"]["content"] == theirs["message"]["content"] or not theirs["message"]["content"]


@each(STREAMED)
def test_who_asked_for_no_usage_leaves_the_same_answer(case: Case) -> None:
    asked, _ = payloads(case, wants_usage=True)
    unasked, usage = payloads(case, wants_usage=False)
    whole, same = whole_of(asked), whole_of(unasked, usage=usage)
    assert whole["usage"]["total_tokens"] == same["usage"]["total_tokens"] == usage["total_tokens"]
    assert whole["choices"] == same["choices"]


@each(STREAMED)
def test_the_answer_streams_as_it_was_said(case: Case) -> None:
    answer = case.json_of("answer.json")
    events = events_of(answer, with_usage=True)
    for event in events:
        ChatCompletionChunk.model_validate_json(event, strict=True)
    assert plain(fold([orjson.loads(event) for event in events])) == plain(answer)
    read = ChatCompletion.model_validate_json(case.bytes_of("answer.json"), strict=True)
    assert told(snapshot(events)) == told(read)
    assert plain(whole_of(events)) == plain(answer)


@pytest.mark.parametrize("case", COMPLETIONS, ids=lambda case: f"{case.provider}/{case.name}")
def test_legacy_completions_are_put_together(case: Any) -> None:
    chunks = case.json_of("chunks.json")
    whole = whole_of([orjson.dumps(chunk) for chunk in chunks])
    Completion.model_validate_json(orjson.dumps(whole), strict=True)
    for choice in whole["choices"]:
        own = [c for chunk in chunks for c in chunk["choices"] if c["index"] == choice["index"]]
        assert choice["text"] == "".join(c["text"] for c in own)
        assert choice["finish_reason"] == own[-1]["finish_reason"]
    again = events_of(whole, with_usage="usage" in whole)
    assert whole_of(again) == whole


def test_there_are_legacy_streams_to_judge() -> None:
    assert len(COMPLETIONS) >= 2


def test_the_judge_can_say_no() -> None:
    def spoilt(change: Callable[[dict[str, Any]], Any]) -> bool:
        whole = whole_of(events)
        change(whole["choices"][0])
        return told(ChatCompletion.model_validate(whole)) != told(snapshot(events))

    case = next(case for case in STREAMED if case.name == "tool_call")
    events, _ = payloads(case, wants_usage=True)
    assert spoilt(lambda choice: choice.update(finish_reason="stop"))
    assert spoilt(lambda choice: choice["message"].update(content="?"))
    assert spoilt(lambda choice: choice["message"]["tool_calls"][0].update(id="?"))
    assert not spoilt(lambda choice: None)
