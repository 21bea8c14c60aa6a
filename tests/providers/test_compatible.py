"""Providers that speak OpenAI's wire: what goes on untouched, what is filled in, and the usage that nobody leaks."""

from typing import Any

import orjson
import pytest

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Operation
from orrery.providers.compatible import ChatDecoder, Row, decode_chat
from orrery.wire.sse import Reader
from tests.providers.cases import chunk_of, chunks_of

ROW = Row(name="own", base_url="http://own.test/v1", source="test", checked="2026-11-21")
COUNTS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
NAMED = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
DONE = b"[DONE]"


def call(*, wants_usage: bool = False, **body: Any) -> Call:
    return Call(Operation.CHAT, "own/m", {"model": "own/m", **body}, stream=True, wants_usage=wants_usage)


def chunk(text: str | None = "hi", finish_reason: str | None = None, *, index: int = 0, **more: Any) -> bytes:
    """One event's data; `text` None makes one without choices."""
    delta = {"content": text} if text else {}
    choices = [] if text is None else [{"index": index, "delta": delta, "finish_reason": finish_reason}]
    return orjson.dumps({**NAMED, "choices": choices, **more})


BEGIN = orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]})


def frames(*events: bytes, wants_usage: bool = False, row: Row = ROW) -> list[Frame]:
    decoder = ChatDecoder(call(wants_usage=wants_usage), row)
    made = [frame for data in events for frame in decoder.feed(Event("", data))]
    return made + list(decoder.close())


def told(*events: bytes, wants_usage: bool = False, row: Row = ROW) -> list[Any]:
    """What the caller gets."""
    return chunks_of(frames(*events, wants_usage=wants_usage, row=row))


def decoded(body: bytes, row: Row = ROW) -> Frame:
    return decode_chat(body, row, call())


# Usage


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param([chunk(), chunk("", "stop"), chunk(None, usage=COUNTS)], id="on a chunk of its own"),
        pytest.param([chunk(), chunk("", "stop", usage=COUNTS)], id="on the last chunk with a choice"),
        pytest.param([chunk(usage=COUNTS), chunk("", "stop", usage=COUNTS)], id="on every chunk"),
        pytest.param(
            [chunk(usage=None), chunk("", "stop", usage=None), chunk(None, usage=COUNTS)], id="null until the end"
        ),
        pytest.param([chunk(), chunk(None, usage=COUNTS), chunk("", "stop")], id="before the end"),
        pytest.param([chunk(), chunk("", "stop"), chunk("", None, usage=COUNTS)], id="after the end"),
    ],
)
class TestUsage:
    def test_comes_once_and_last_to_who_asked(self, stream: list[bytes]) -> None:
        *before, last = told(*stream, DONE, wants_usage=True)
        assert last["usage"] == COUNTS and last["choices"] == []
        assert [c["usage"] for c in before] == [None, None]

    def test_never_comes_to_who_did_not_ask(self, stream: list[bytes]) -> None:
        chunks = told(*stream, DONE)
        assert len(chunks) == 2 and not any("usage" in c for c in chunks)

    def test_is_counted_either_way(self, stream: list[bytes]) -> None:
        for wants_usage in (True, False):
            assert frames(*stream, DONE, wants_usage=wants_usage)[-1].usage is not None


def test_the_last_usage_is_the_one_that_counts() -> None:
    partial = {**COUNTS, "completion_tokens": 1, "total_tokens": 11}
    chunks = told(chunk(usage=partial), chunk("", "stop", usage=COUNTS), DONE, wants_usage=True)
    assert chunks[-1]["usage"] == COUNTS


def test_who_asked_gets_no_usage_chunk_where_the_provider_sent_none() -> None:
    assert [c["usage"] for c in told(chunk("hi", "stop"), DONE, wants_usage=True)] == [None]


def test_a_usage_that_is_no_count_is_nobodys() -> None:
    nonsense = [chunk(usage={"prompt_tokens": -1}), chunk("", "stop", usage="many"), DONE]
    assert [c["usage"] for c in told(*nonsense, wants_usage=True)] == [None, None]
    assert not any("usage" in c for c in told(*nonsense))


def test_null_details_of_a_usage_are_read() -> None:
    usage = frames(chunk("", "stop", usage={**COUNTS, "prompt_tokens_details": None}), DONE)[-1].usage
    assert usage is not None and usage.total == 15


def test_a_providers_own_field_may_hold_the_usage_too() -> None:
    (last,) = told(chunk("", "stop", x_groq={"usage": COUNTS}), DONE, wants_usage=True)
    assert last["usage"] is None and last["x_groq"] == {"usage": COUNTS}


def test_usage_that_the_text_speaks_of_stays() -> None:
    speech = 'say ,"usage":null or "usage"'
    for wants_usage in (True, False):
        first, *_ = told(chunk(speech), chunk("", "stop"), DONE, wants_usage=wants_usage)
        assert first["choices"][0]["delta"]["content"] == speech


def test_a_total_is_the_sum_that_openai_would_tell() -> None:
    answer = {**NAMED, "choices": [], "usage": {**COUNTS, "total_tokens": 99}}
    assert chunk_of(decoded(orjson.dumps(answer)))["usage"] == COUNTS


@pytest.mark.parametrize(("reasoning", "completion"), [(4, 5), (5, 5), (6, 11)])
def test_reasoning_counted_apart_where_it_is_larger_is_added(reasoning: int, completion: int) -> None:
    row = Row("own", "", "", "", reasoning_apart="where larger")
    usage = {**COUNTS, "completion_tokens_details": {"reasoning_tokens": reasoning}}
    count = decoded(orjson.dumps({"choices": [], "usage": usage}), row).usage
    assert count is not None and (count.reasoning, count.completion) == (reasoning, completion)


# What goes on as it came, and what is filled in


def test_a_chunk_that_needs_nothing_goes_on_byte_for_byte() -> None:
    named = orjson.dumps(NAMED)[1:-1]
    odd = b'{%b,"choices": [ {"delta":{"content":"\\u00e9"}, "index":0,"finish_reason":null} ],"v":[1.0e3]}' % named
    assert [frame.payload for frame in frames(BEGIN, odd, chunk("", "stop"), DONE)][:2] == [BEGIN, odd]


def test_the_null_that_our_asking_brings_is_cut_out_and_nothing_else() -> None:
    asked = chunk("a", usage=None, obfuscation="x")
    assert frames(BEGIN, asked, chunk("", "stop"), DONE)[1].payload == asked.replace(b',"usage":null', b"")
    assert frames(BEGIN, asked, chunk("", "stop"), DONE, wants_usage=True)[1].payload == asked


def test_a_reply_that_needs_nothing_goes_on_byte_for_byte() -> None:
    whole = (
        b'{ "id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":'
        b'"assistant","content":"x","refusal":null},"logprobs":null,"finish_reason":"stop"}], "usage": null }'
    )
    assert decoded(whole).payload == whole


def test_what_strict_clients_insist_on_is_filled_in() -> None:
    answer = decoded(orjson.dumps({"choices": [{"message": {"content": "x"}}]}))
    assert chunk_of(answer) == {
        **{"id": "", "object": "chat.completion", "created": 0, "model": "own/m"},
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "x", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
    }


def test_a_stream_without_names_gets_those_of_the_call() -> None:
    bare = orjson.dumps({"choices": [{"delta": {"content": "x"}}]})
    (first, _) = told(bare, orjson.dumps({"choices": [{"finish_reason": "stop"}]}), DONE)
    assert first["object"] == "chat.completion.chunk" and first["model"] == "own/m"
    assert first["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": "x"}, "finish_reason": None},
    ]


def test_one_answer_has_one_id_and_one_time() -> None:
    first, second, _ = told(chunk("a"), chunk("b", id="other", created=2), chunk("", "stop", created=3), DONE)
    assert (second["id"], second["created"]) == (first["id"], first["created"]) == ("c", 1)


@pytest.mark.parametrize("data", [b'{"id":"c"}', chunk(None), chunk("", None, created=2)])
def test_a_chunk_that_says_nothing_is_left_out(data: bytes) -> None:
    assert len(told(chunk("a"), data, chunk("", "stop"), DONE)) == 2


def test_the_role_is_told_once_however_often_it_comes() -> None:
    def begins(text: str, role: Any) -> bytes:
        return orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": {"role": role, "content": text}}]})

    for role in ("assistant", None, ""):
        chunks = told(*(begins(text, role) for text in "abcdef"), chunk("", "stop"), DONE)
        assert [c["choices"][0]["delta"].get("role") for c in chunks] == ["assistant", *[None] * 6]
        assert not any("role" in c["choices"][0]["delta"] for c in chunks[1:])


def test_nothing_is_told_before_the_first_words() -> None:
    decoder = ChatDecoder(call(), ROW)
    assert list(decoder.feed(Event("", BEGIN))) == []
    with pytest.raises(UpstreamError):
        decoder.feed(Event("", chunk(None, error={"message": "no"})))


def test_data_on_several_lines_goes_on_as_one() -> None:
    lines = chunk("x").replace(b'"delta"', b'\n"delta"')
    (event,) = Reader().feed(b"data: " + lines.replace(b"\n", b"\ndata: ") + b"\n\n")
    payload = frames(BEGIN, event.data, chunk("", "stop"), DONE)[1].payload
    assert isinstance(payload, dict) and payload == orjson.loads(lines)


def test_foreign_finish_reasons_are_told_in_openais_words() -> None:
    row = Row(name="p", base_url="", source="", checked="", finish_reasons={"cut": "length"}, failures={"lost": 503})
    for theirs, ours in {"cut": "length", "novel": "stop", "tool_calls": "tool_calls"}.items():
        assert told(chunk("", theirs), DONE, row=row)[0]["choices"][0]["finish_reason"] == ours
    with pytest.raises(UpstreamError) as caught:
        told(chunk("", "lost"), DONE, row=row)
    assert caught.value.status == 503


# How it ends


def test_a_stream_without_done_is_whole_when_every_choice_finished() -> None:
    assert len(told(chunk("a"), chunk("b", index=1), chunk("", "stop"), chunk("", "stop", index=1))) == 4


def test_a_stream_without_done_is_cut_while_a_choice_is_open() -> None:
    with pytest.raises(Truncated):
        frames(chunk("a"), chunk("b", index=1), chunk("", "stop"))


@pytest.mark.parametrize("reason", ["", None])
def test_done_ends_choices_that_nothing_else_ended(reason: str | None) -> None:
    *_, last = told(chunk("a"), chunk("b", reason), DONE)
    assert last["choices"][0]["finish_reason"] == "stop" and last["id"] == "c"


def test_a_stream_of_nothing_is_cut() -> None:
    with pytest.raises(Truncated):
        frames(chunk(None, usage=COUNTS))


def test_nothing_comes_after_a_choices_end() -> None:
    assert len(told(chunk("a", "stop"), chunk("", None, citations=["u"]), chunk("b", "stop"))) == 1


def test_an_end_is_told_once_however_often_it_comes() -> None:
    assert len(told(chunk("x"), chunk("a", "stop"), chunk("b", "stop"), DONE)) == 2


def test_done_ends_an_answer_that_said_nothing() -> None:
    first, last = told(BEGIN, DONE)
    assert first["choices"][0]["delta"] == {"role": "assistant"}
    assert last["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}


def test_every_text_of_a_chunk_is_counted() -> None:
    both = orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": {"content": "ab", "refusal": "c"}}]})
    assert sum(frame.output_chars for frame in frames(BEGIN, both, both, both, DONE)) == 9


def test_nothing_is_read_after_done() -> None:
    assert len(told(chunk("a"), chunk("", "stop"), DONE, chunk("b"), DONE, b"garbage")) == 2


@pytest.mark.parametrize("data", [b"garbage", b"[1]", b"null", b"", b"\xff\xfe"])
def test_what_is_no_json_object_is_the_providers_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="the provider sent an event that is not"):
        frames(data)
    with pytest.raises(UpstreamError, match="the provider sent a reply that is not"):
        decoded(data)


@pytest.mark.parametrize("body", [{"error": {"message": "no"}}, {"choices": [{"finish_reason": "error"}]}, {"a": 1}])
def test_an_error_under_status_200_is_an_error(body: Any) -> None:
    with pytest.raises(UpstreamError) as caught:
        decoded(orjson.dumps(body))
    assert caught.value.status == 502


@pytest.mark.parametrize("more", [{"error": {"message": "no"}}, {"error": "no"}])
def test_an_error_beside_choices_is_an_error(more: Any) -> None:
    with pytest.raises(UpstreamError, match="no"):
        frames(chunk("a"), chunk("", None, **more))


def test_a_null_error_is_none() -> None:
    assert len(told(chunk("a", "stop", error=None), DONE)) == 1
