"""Providers that speak OpenAI's wire: what goes on untouched, what is filled in, and the usage that nobody leaks."""

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk, completion_create_params
from pydantic import TypeAdapter

from orrery import providers
from orrery.core.dialect import Encoded, Event, Frame, UpstreamRequest
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Operation, Target
from orrery.providers.compatible import ChatDecoder, Row, decode_chat, encode_chat, server
from orrery.providers.rows import ROWS
from orrery.wire.chat import read_chat
from orrery.wire.chat_parameters import PARAMETERS
from orrery.wire.options import GATEWAY_FIELDS
from orrery.wire.sse import Reader
from tests.providers.cases import Case, chunk_of, chunks_of, with_files

ROW = Row(name="own", base_url="http://own.test/v1", source="test", checked="2026-11-21")
COUNTS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
DONE = b"[DONE]"


def call(*, wants_usage: bool = False, **body: Any) -> Call:
    return Call(Operation.CHAT, "own/m", {"model": "own/m", **body}, stream=True, wants_usage=wants_usage)


def encode(row: Row, *, stream: bool = False, **body: Any) -> Encoded:
    asked = Call(Operation.CHAT, "p/m", {"model": "p/m", "messages": [], **body}, stream=stream)
    return encode_chat(asked, Target(row.name, "m", row.base_url), row)


def chunk(text: str | None = "hi", finish_reason: str | None = None, *, index: int = 0, **more: Any) -> bytes:
    """One event's data; `text` None makes one without choices."""
    delta = {"content": text} if text else {}
    choices = [] if text is None else [{"index": index, "delta": delta, "finish_reason": finish_reason}]
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
    return orjson.dumps({**body, **more})


def frames(*events: bytes, wants_usage: bool = False, row: Row = ROW) -> list[Frame]:
    decoder = ChatDecoder(call(wants_usage=wants_usage), row)
    made = [frame for data in events for frame in decoder.feed(Event("", data))]
    return made + list(decoder.close())


def told(*events: bytes, wants_usage: bool = False, row: Row = ROW) -> list[Any]:
    """What the caller gets."""
    return chunks_of(frames(*events, wants_usage=wants_usage, row=row))


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


# What goes on as it came, and what is filled in


def test_a_chunk_that_needs_nothing_goes_on_byte_for_byte() -> None:
    odd = b'{"choices": [ {"delta":{"content":"\\u00e9"}, "index":0,"finish_reason":null} ],"vendor":[1.0e3]}'
    assert frames(odd, chunk("", "stop"), DONE)[0].payload == odd


def test_the_null_that_our_asking_brings_is_cut_out_and_nothing_else() -> None:
    asked = b'{"choices":[{"delta":{"content":"a"}, "index":0,"finish_reason":null}],"usage":null,"obfuscation":"x"}'
    assert frames(asked, chunk("", "stop"), DONE)[0].payload == asked.replace(b',"usage":null', b"")
    assert frames(asked, chunk("", "stop"), DONE, wants_usage=True)[0].payload == asked


def test_a_reply_that_needs_nothing_goes_on_byte_for_byte() -> None:
    whole = b'{ "choices":[{"message":{"content":"x","refusal":null},"logprobs":null}], "usage": null }'
    assert decode_chat(whole, ROW).payload == whole


def test_what_strict_clients_insist_on_is_filled_in() -> None:
    answer = decode_chat(orjson.dumps({"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}), ROW)
    (choice,) = chunk_of(answer)["choices"]
    assert choice["logprobs"] is None and choice["message"]["refusal"] is None


def test_a_stream_choice_without_delta_or_finish_reason_gets_both() -> None:
    bare = orjson.dumps({"choices": [{"index": 0}]})
    assert told(bare, chunk("", "stop"), DONE)[0]["choices"] == [{"index": 0, "finish_reason": None, "delta": {}}]


def test_a_chunk_without_choices_gets_an_empty_list() -> None:
    assert told(b'{"id":"c"}', chunk("", "stop"), DONE)[0]["choices"] == []


def test_tool_calls_without_a_type_get_one() -> None:
    tools = [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}, {"index": 0, "function": {}}]
    delta = {"choices": [{"index": 0, "delta": {"tool_calls": tools}, "finish_reason": None}]}
    first, second = told(orjson.dumps(delta), chunk("", "stop"), DONE)[0]["choices"][0]["delta"]["tool_calls"]
    assert first["type"] == "function" and "type" not in second


def test_data_on_several_lines_goes_on_as_one() -> None:
    lines = b'{"choices":[{"index":0,\n"delta":{"content":"x"},"finish_reason":null}]}'
    (event,) = Reader().feed(b"data: " + lines.replace(b"\n", b"\ndata: ") + b"\n\n")
    payload = frames(event.data, chunk("", "stop"), DONE)[0].payload
    assert isinstance(payload, dict) and payload == orjson.loads(lines)


def test_foreign_finish_reasons_are_told_in_openais_words() -> None:
    row = Row(name="p", base_url="", source="", checked="", finish_reasons={"eos": "stop"})
    assert told(chunk("", "eos"), DONE, row=row)[0]["choices"][0]["finish_reason"] == "stop"
    assert told(chunk("", "novel"), DONE, row=row)[0]["choices"][0]["finish_reason"] == "novel"


# How it ends


def test_a_stream_without_done_is_whole_when_every_choice_finished() -> None:
    assert len(told(chunk("a"), chunk("b", index=1), chunk("", "stop"), chunk("", "stop", index=1))) == 4


def test_a_stream_without_done_is_cut_while_a_choice_is_open() -> None:
    with pytest.raises(Truncated):
        frames(chunk("a"), chunk("b", index=1), chunk("", "stop"))


def test_a_stream_of_nothing_is_cut() -> None:
    with pytest.raises(Truncated):
        frames(chunk(None, usage=COUNTS))


def test_what_follows_a_finish_reason_does_not_open_the_choice_again() -> None:
    assert len(told(chunk("a", "stop"), chunk("", None, citations=["u"]))) == 2


def test_nothing_is_read_after_done() -> None:
    assert len(told(chunk("a"), chunk("", "stop"), DONE, chunk("b"), DONE, b"garbage")) == 2


@pytest.mark.parametrize("data", [b"garbage", b"[1]", b"null", b"", b"\xff\xfe"])
def test_what_is_no_json_object_is_the_providers_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="the provider sent an event that is not"):
        frames(data)
    with pytest.raises(UpstreamError, match="the provider sent a reply that is not"):
        decode_chat(data, ROW)


@pytest.mark.parametrize("body", [{"error": {"message": "no"}}, {"choices": [{"finish_reason": "error"}]}, {"a": 1}])
def test_an_error_under_status_200_is_an_error(body: Any) -> None:
    with pytest.raises(UpstreamError) as caught:
        decode_chat(orjson.dumps(body), ROW)
    assert caught.value.status == 502


@pytest.mark.parametrize("more", [{"error": {"message": "no"}}, {"error": "no"}])
def test_an_error_beside_choices_is_an_error(more: Any) -> None:
    with pytest.raises(UpstreamError, match="no"):
        frames(chunk("a"), chunk("", None, **more))


def test_a_null_error_is_none() -> None:
    assert len(told(chunk("a", "stop", error=None), DONE)) == 1


# What is asked


def each(*files: str, of: Sequence[str] = tuple(ROWS)) -> Any:
    cases = [case for case in with_files(*files) if case.provider in of]
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case.provider}/{case.name}")


@each("call.json", "request.json", of=["openai"])
def test_requests_to_openai_are_what_its_sdk_sends(case: Case) -> None:
    params = TypeAdapter(completion_create_params.CompletionCreateParams)
    checked = params.validate_python(case.json_of("request.json"))
    for lazy in ("messages", "tools"):
        list(checked.get(lazy, ()))  # iterables are checked while they are read


@each("reply.json", "answer.json")
def test_answers_are_what_openais_sdk_reads(case: Case) -> None:
    answer = case.json_of("answer.json")
    if case.provider == "groq":
        del answer["service_tier"]  # "on_demand" is Groq's, in a field of OpenAI's
    ChatCompletion.model_validate(answer)


@pytest.mark.parametrize("name", ROWS)
def test_chunks_are_what_openais_sdk_reads(name: str) -> None:
    for case in with_files("stream.sse", "answer.json"):
        if case.provider == name:
            events = Reader().feed(case.bytes_of("stream.sse"))
            for part in told(*(event.data for event in events), wants_usage=True, row=ROWS[name]):
                ChatCompletionChunk.model_validate(part)


@pytest.mark.parametrize("name", ROWS)
def test_gateway_fields_never_go_upstream(name: str) -> None:
    posted = {
        "model": "p/m",
        "messages": [{"role": "user", "content": "hi"}],
        "retry": {"count": 1, "on_codes": [500]},
        "fallbacks": [{"model": "p/n"}],
        "timeout": {"call_timeout": 1000},
        "cache": {"type": "exact_match", "ttl": 60},
        "orq": {"retry": {"count": 2}},
    }
    asked = read_chat(orjson.dumps(posted))
    body = encode_chat(asked, Target(name, "m", ""), ROWS[name]).body
    assert set(posted) & GATEWAY_FIELDS and not set(body) & GATEWAY_FIELDS
    assert body["model"] == "m"


def test_the_callers_own_mapping_is_not_changed() -> None:
    body = {"model": "p/m", "messages": [], "stream": True, "stream_options": {"include_usage": False}, "seed": 1}
    before = orjson.dumps(body)
    encode_chat(Call(Operation.CHAT, "p/m", body, stream=True), Target("mistral", "m", ""), ROWS["mistral"])
    assert orjson.dumps(body) == before


def test_usage_is_asked_of_streams_only() -> None:
    asked = {"stream_options": {"include_usage": False, "include_obfuscation": False}}
    assert encode(ROW, stream=True, **asked).body["stream_options"] == {
        "include_usage": True,
        "include_obfuscation": False,
    }
    assert encode(ROW, stream=True, stream_options=None).body["stream_options"] == {"include_usage": True}
    assert "stream_options" not in encode(ROW).body


def test_a_row_that_refuses_stream_options_gets_none_and_names_none() -> None:
    encoded = encode(ROWS["mistral"], stream=True, stream_options={"include_usage": True})
    assert "stream_options" not in encoded.body and encoded.dropped == ()


def test_null_is_neither_sent_nor_named() -> None:
    encoded = encode(ROWS["mistral"], user=None, seed=None, max_completion_tokens=None, max_tokens=5)
    assert encoded.dropped == () and encoded.body == {"model": "m", "messages": [], "max_tokens": 5}


def test_the_newer_name_of_a_limit_wins() -> None:
    assert encode(ROWS["deepseek"], max_completion_tokens=3, max_tokens=5).body["max_tokens"] == 3


# Rows


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)
def test_every_row_says_where_its_facts_are_from(row: Row) -> None:
    assert row.source and row.checked.startswith("2026-")
    assert row.drop <= set(PARAMETERS) and set(row.rename) <= set(PARAMETERS)
    assert not row.drop & set(row.rename), "dropped or renamed, not both"
    assert row.base_url.startswith("https://") or not row.needs_key


def test_every_row_is_a_provider_that_is_made_once() -> None:
    for name in ROWS:
        provider = providers.get(name)
        assert provider is not None and provider.name == name and provider is providers.get(name)
    assert set(ROWS) <= set(providers.names())


def test_a_server_that_an_operator_named_takes_everything() -> None:
    own = server("own", "http://127.0.0.1:9/v1")
    adapter = own.adapters[Operation.CHAT]
    asked = call(messages=[], top_k=1, thinking={"type": "adaptive"}, cache_control={"type": "ephemeral"}, later=[2])
    target = Target("own", "m", own.base_url)
    encoded = adapter.encode(asked, target)
    assert encoded.dropped == () and encoded.body == {
        **asked.body,
        "model": "m",
        "stream_options": {"include_usage": True},
    }
    assert (
        not own.needs_key
        and own.sign(UpstreamRequest("POST", "", {}), target, 0.0) == {}
        and adapter.path(asked, target) == "/chat/completions"
    )


# Any stream at all

TEXTS = st.text(max_size=5) | st.sampled_from([',"usage":null', '"', "\\", "é", "\n", "🪐"])
USAGES = st.sampled_from([{}, {"usage": None}, {"usage": COUNTS}])
PADDINGS = st.sampled_from([{}, {"obfuscation": "aB3"}, {"obfuscation": ""}, {"x": {"usage": None}}])


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Chunks of up to three choices in any order, with usage here and there, each choice finished at the end."""
    made = []
    for index, text in draw(st.lists(st.tuples(st.integers(0, 2), TEXTS | st.none()), max_size=30)):
        made.append(chunk(text, index=index, **draw(USAGES), **draw(PADDINGS)))
    return made + [chunk("", "stop", index=index, **draw(USAGES)) for index in range(3)]


@settings(deadline=None)  # the machine may be busy
@given(streams(), st.booleans(), st.booleans())
def test_usage_is_told_once_at_most_and_last(stream: list[bytes], wants_usage: bool, done: bool) -> None:
    chunks = told(*stream, *([DONE] if done else []), wants_usage=wants_usage)
    counted = [number for number, part in enumerate(chunks) if part.get("usage")]
    anywhere = any(orjson.loads(data).get("usage") for data in stream)
    assert counted == ([len(chunks) - 1] if wants_usage and anywhere else [])
    assert all(("usage" in part) == wants_usage for part in chunks)


@settings(deadline=None)  # the machine may be busy
@given(streams(), st.booleans())
def test_nothing_generated_is_lost_or_made_up(stream: list[bytes], wants_usage: bool) -> None:
    made = frames(*stream, DONE, wants_usage=wants_usage)
    assert said(chunks_of(made)) == said([orjson.loads(data) for data in stream])
    assert sum(frame.output_chars for frame in made) == sum(map(len, said(chunks_of(made))))


def said(chunks: Sequence[Any]) -> list[str]:
    return [
        "".join(c["delta"].get("content", "") for part in chunks for c in part["choices"] if c["index"] == index)
        for index in range(3)
    ]


@settings(deadline=None)  # the machine may be busy
@given(streams(), st.integers(0, 2**32), st.booleans())
def test_any_byte_cuts_make_the_same_frames(stream: list[bytes], seed: int, wants_usage: bool) -> None:
    raw = b"".join(b"data: %b\n\n" % data for data in [*stream, DONE])
    rng = random.Random(seed)
    places = [0, *sorted(rng.sample(range(1, len(raw)), 8)), len(raw)]
    reader, decoder = Reader(), ChatDecoder(call(wants_usage=wants_usage), ROW)
    parts = (raw[a:b] for a, b in pairwise(places))
    made = [frame for part in parts for event in reader.feed(part) for frame in decoder.feed(event)]
    assert made == frames(*stream, DONE, wants_usage=wants_usage)
