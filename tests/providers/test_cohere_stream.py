"""Answers of Cohere's, whole and streamed, that are not as they should be."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.dialect import Event
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json, Operation
from orrery.providers.cohere import decode
from orrery.providers.cohere.answer import model_of
from orrery.providers.cohere.stream import StreamDecoder
from orrery.providers.cohere.usage import read_usage
from tests.providers import any_cohere
from tests.providers.cases import chunks_of, fold

USAGE: list[tuple[Json, tuple[int, int, int]]] = [
    ({"billed_units": {"input_tokens": 5.0, "output_tokens": 3.0}}, (5, 3, 0)),
    ({"tokens": {"input_tokens": 9, "output_tokens": 3}, "cached_tokens": 4}, (9, 3, 4)),
    ({"billed_units": {"input_tokens": 5}, "tokens": {"input_tokens": 9, "output_tokens": 3}}, (5, 3, 0)),
    ({"billed_units": {"input_tokens": 5, "output_tokens": 0}, "cached_tokens": 64}, (5, 0, 5)),
    (
        {"billed_units": {"input_tokens": 5, "output_tokens": 1}, "tokens": {"input_tokens": 95}, "cached_tokens": 92},
        (5, 1, 2),
    ),
]


@pytest.mark.parametrize(("told", "counts"), USAGE)
def test_what_is_billed_is_what_counts(told: Json, counts: tuple[int, int, int]) -> None:
    usage = read_usage(told)
    assert usage is not None and (usage.prompt, usage.completion, usage.cache_read) == counts


@pytest.mark.parametrize("told", [None, {}, [], {"billed_units": {"input_tokens": -1, "output_tokens": True}}])
def test_no_count_is_none(told: Any) -> None:
    assert read_usage(told) is None


@pytest.mark.parametrize("model", ["cohere/command-a", "command-a"])
def test_the_answer_names_the_target_since_cohere_does_not(model: str) -> None:
    assert model_of(model) == "command-a"


def streaming() -> Call:
    return Call(Operation.CHAT, "cohere/m", {}, stream=True, wants_usage=True)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b'{"message": "text"}', b'{"id": "x"}'])
def test_a_reply_that_is_no_message_is_an_upstream_error(body: bytes) -> None:
    with pytest.raises(UpstreamError, match="not a message"):
        decode(body, streaming())


@pytest.mark.parametrize(("reason", "status"), [("ERROR", 502), ("TIMEOUT", 504)])
def test_a_reply_that_failed_is_an_upstream_error(reason: str, status: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        decode(orjson.dumps({"message": {}, "finish_reason": reason}), streaming())
    assert caught.value.status == status


def test_content_may_be_a_string() -> None:
    frame = decode(b'{"message": {"content": "Hi"}, "finish_reason": "COMPLETE"}', streaming())
    assert frame.payload["choices"][0]["message"]["content"] == "Hi"  # type: ignore[index]


STRANGE = [
    b'{"type": "content-delta", "index": {}, "delta": {"message": {"content": {"text": "lost"}}}}',
    b'{"type": "content-delta", "index": 0, "delta": []}',
    b'{"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "video"}}}}',
    b'{"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": 7}}}}',
    b'{"type": "tool-call-delta", "index": 9, "delta": {"message": {"tool_calls": {"function": {"arguments": "x"}}}}}',
    b'{"type": "tool-call-start", "delta": {"message": {"tool_calls": []}}}',
    b'{"type": "tool-call-end", "index": []}',
    b'{"type": "tool-plan-delta"}',
    b'{"type": "citation-start", "delta": {"message": {"citations": "x"}}}',
    b'{"type": ["x"]}',
    b'{"no": "type"}',
    b'{"type": "message-start", "id": 7}',
]


@pytest.mark.parametrize("data", STRANGE)
def test_strange_events_break_nothing(data: bytes) -> None:
    decoder = StreamDecoder(streaming())
    said = list(decoder.feed(Event("", data)))
    frames = list(decoder.feed(Event("message-end", b'{"type": "message-end", "delta": {"usage": []}}')))
    assert not said and decoder.done and frames[-1].payload["choices"][0]["finish_reason"] == "stop"  # type: ignore[index]


@pytest.mark.parametrize("data", [b"{", b"[]", b"7"])
def test_an_event_that_is_no_object_is_an_upstream_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="not a JSON object"):
        list(StreamDecoder(streaming()).feed(Event("", data)))


def test_an_error_body_in_a_stream_is_an_upstream_error() -> None:
    with pytest.raises(UpstreamError, match="overloaded"):
        list(StreamDecoder(streaming()).feed(Event("", b'{"message": "overloaded"}')))


def test_thinking_is_thinking_wherever_it_comes() -> None:
    decoder = StreamDecoder(streaming())
    said = [{"text": "A"}, {"thinking": "T"}]
    events = [{"type": "content-delta", "index": 0, "delta": {"message": {"content": content}}} for content in said]
    frames = [frame for event in events for frame in decoder.feed(Event("", orjson.dumps(event)))]
    assert [chunk["choices"][0]["delta"] for chunk in chunks_of(frames)][1:] == [{"content": "A"}, {"reasoning": "T"}]


def test_done_without_an_end_is_no_end() -> None:
    decoder = StreamDecoder(streaming())
    assert not list(decoder.feed(Event("", b"[DONE]"))) and not decoder.done
    with pytest.raises(Truncated):
        decoder.close()


def test_nothing_is_said_before_the_first_words() -> None:
    decoder = StreamDecoder(streaming())
    start = b'{"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}'
    assert not list(decoder.feed(Event("", b'{"type": "message-start", "id": "x"}'))) and not list(
        decoder.feed(Event("", start))
    )


@settings(deadline=None)
@given(st.text(alphabet='nul{}"a', max_size=6), st.integers(1, 3))
def test_arguments_are_told_as_they_came_unless_they_are_none(arguments: str, size: int) -> None:
    decoder = StreamDecoder(streaming())
    start = {
        "type": "tool-call-start",
        "index": 0,
        "delta": {"message": {"tool_calls": {"id": "a", "function": {"name": "f"}}}},
    }
    events: list[Json] = [start]
    for piece in any_cohere.cut(arguments, size):
        delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
        events.append({"type": "tool-call-delta", "index": 0, "delta": delta})
    events.append({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}})
    frames = [frame for event in events for frame in decoder.feed(Event("", orjson.dumps(event)))]
    (call,) = fold(chunks_of(frames))["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == (arguments if arguments not in ("", "null") else "{}")
