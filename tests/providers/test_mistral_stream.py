"""Answers of Mistral's, whole and streamed, that are not as they should be; and its refusals."""

from typing import Any

import orjson
import pytest

from orrery.core.dialect import Event, Reply
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json, Operation
from orrery.providers.mistral import decode, explain
from orrery.providers.mistral.stream import StreamDecoder
from orrery.providers.mistral.usage import read_usage

USAGE: list[tuple[Json, tuple[int, int, int]]] = [
    ({"prompt_tokens": 5, "prompt_token_details": {"cached_tokens": 2}}, (5, 2, 0)),
    ({"prompt_tokens": 5, "prompt_tokens_details": None, "num_cached_tokens": 9}, (5, 5, 0)),
    ({"prompt_tokens": 5, "total_tokens": 9}, (5, 0, 0)),
    ({"prompt_tokens": 5, "total_tokens": 9, "prompt_audio_seconds": 1}, (9, 0, 4)),
    ({"prompt_tokens": 5, "total_tokens": 3, "prompt_audio_seconds": 1}, (5, 0, 0)),
]


@pytest.mark.parametrize(("told", "counts"), USAGE)
def test_each_class_of_tokens_is_found(told: Json, counts: tuple[int, int, int]) -> None:
    usage = read_usage(told)
    assert usage is not None and (usage.prompt, usage.cache_read, usage.audio_input) == counts


def streaming() -> Call:
    return Call(Operation.CHAT, "mistral/m", {}, stream=True, wants_usage=True)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b'{"choices": {}}'])
def test_a_reply_without_choices_is_an_upstream_error(body: bytes) -> None:
    with pytest.raises(UpstreamError, match="no choices"):
        decode(body, streaming())


FAILED: list[Json] = [
    {"object": "error", "message": "Overloaded", "raw_status_code": 503},
    {"error": {"message": "Overloaded", "code": 503}},
]


@pytest.mark.parametrize("body", FAILED)
def test_an_error_under_status_200_is_raised_as_what_it_is(body: Json) -> None:
    for read in (lambda: decode(orjson.dumps(body), streaming()), lambda: feed(body)):
        with pytest.raises(UpstreamError, match="Overloaded") as caught:
            read()
        assert caught.value.status == 503


def test_a_choice_that_failed_is_an_upstream_error() -> None:
    with pytest.raises(UpstreamError):
        decode(b'{"choices": [{"message": {}, "finish_reason": "error"}]}', streaming())


def feed(*events: Any, decoder: StreamDecoder | None = None) -> list[Any]:
    decoder = decoder or StreamDecoder(streaming())
    datas = [event if isinstance(event, bytes) else orjson.dumps(event) for event in events]
    return [frame for data in datas for frame in decoder.feed(Event("", data))]


END: Json = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
STRANGE: list[Json] = [
    {"choices": [{"index": {}, "delta": []}]},
    {"choices": {}},
    {"choices": [7]},
    {"choices": [{"delta": {"content": [7, {"type": []}, {"type": "text", "text": 7}, {"type": "thinking"}]}}]},
    {"choices": [{"delta": {"content": [{"type": "thinking", "thinking": [7, {"type": "reference"}]}]}}]},
    {"choices": [{"delta": {"tool_calls": {}}}]},
    {"usage": {"prompt_tokens": -1}, "id": 7, "model": []},
    {},
]


@pytest.mark.parametrize("data", STRANGE)
def test_strange_events_break_nothing(data: Json) -> None:
    decoder = StreamDecoder(streaming())
    frames = feed(data, END, b"[DONE]", decoder=decoder)
    assert decoder.done and frames[-1].payload["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("data", [b"{", b"[]", b"7"])
def test_an_event_that_is_no_object_is_an_upstream_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="not a JSON object"):
        feed(data)


def test_nothing_is_said_before_the_first_words() -> None:
    assert not feed({"id": "x", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})


def test_what_follows_the_end_is_not_read() -> None:
    decoder = StreamDecoder(streaming())
    late = {"choices": [{"index": 0, "delta": {"content": "late"}, "finish_reason": None}]}
    assert len(feed(END, late, b"[DONE]", late, b"[DONE]", decoder=decoder)) == 2 and not list(decoder.close())


@pytest.mark.parametrize("opened", [[], [{"index": 1, "delta": {"content": "x"}, "finish_reason": None}]])
def test_done_before_every_choice_has_ended_is_no_end(opened: list[Json]) -> None:
    with pytest.raises(Truncated):
        feed({"choices": opened}, *([END] if opened else []), b"[DONE]")


def test_a_call_without_an_id_is_given_one() -> None:
    message = {
        "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, {"id": "null", "function": {"name": "f"}}]
    }
    reply = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    calls = decode(orjson.dumps(reply), streaming()).payload["choices"][0]["message"]["tool_calls"]  # type: ignore[index]
    assert len({call["id"] for call in calls}) == 2 and all(len(call["id"]) == 9 for call in calls)


def test_thinking_may_be_a_plain_text() -> None:
    reply = b'{"choices": [{"message": {"content": [{"type": "thinking", "thinking": "T"}]}, "finish_reason": "stop"}]}'
    assert decode(reply, streaming()).payload["choices"][0]["message"]["reasoning"] == "T"  # type: ignore[index]


def test_a_404_is_about_the_model() -> None:
    assert explain(Reply(404, {}, b'{"message": "no Route matched"}')).code == "model_not_found"


@pytest.mark.parametrize("body", [b'{"detail": []}', b'{"detail": ["x"]}', b'{"detail": [{"loc": 7}]}', b"[]", b"\xff"])
def test_odd_refusals_are_still_refusals(body: bytes) -> None:
    err = explain(Reply(422, {}, body))
    assert err.status == 422 and err.message
