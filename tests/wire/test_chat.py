"""A chat request as a whole: who sends what, what survives, and what one parameter demands of another."""

import tracemalloc
import typing

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter

from orrery.core.errors import GatewayError, InvalidRequest, TooLarge
from orrery.core.types import Operation
from orrery.wire.chat import read_chat
from orrery.wire.chat_parameters import PARAMETERS
from orrery.wire.options import GATEWAY_FIELDS
from tests.wire.bodies import BEYOND_THE_SDK, BODIES, KNOWLEDGE, SEED, Body
from tests.wire.judging import MINIMAL, read, refusal

SDK_TYPE: TypeAdapter[object] = TypeAdapter(CompletionCreateParamsNonStreaming | CompletionCreateParamsStreaming)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_what_real_clients_send_is_accepted_and_goes_on_as_it_came(body: Body) -> None:
    call = read_chat(orjson.dumps(body))
    assert orjson.dumps(call.body) == orjson.dumps(body)
    assert (call.operation, call.model, call.stream) == (Operation.CHAT, body["model"], body.get("stream") is True)


@pytest.mark.parametrize("name", sorted(BODIES.keys() - BEYOND_THE_SDK))
def test_the_openai_sdk_calls_those_bodies_its_own(name: str) -> None:
    SDK_TYPE.validate_python(BODIES[name])


def test_every_parameter_of_the_openai_sdk_is_known() -> None:
    theirs = typing.get_type_hints(CompletionCreateParamsStreaming).keys()
    assert theirs - {"model", "messages"} <= PARAMETERS.keys()


def test_the_seeds_request_is_accepted() -> None:
    call = read_chat(orjson.dumps(SEED))
    assert call.options.fallbacks == ("openai/gpt-5", "anthropic/claude-4-opus")
    assert call.body == {name: value for name, value in SEED.items() if name not in ("orq", "stream_options")}


def test_the_seeds_knowledge_bases_are_refused_by_their_name() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_chat(orjson.dumps({**SEED, "orq": {**SEED["orq"], **KNOWLEDGE}}))
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "orq.knowledge_bases")


def test_an_answer_of_ours_can_be_sent_back_as_it_came() -> None:
    message = {"role": "assistant", "content": "Hi", "refusal": None, "reasoning": "x", "reasoning_signature": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    answer = {"id": "a", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    replayed = ChatCompletion.model_validate(answer).choices[0].message.model_dump()
    assert read(messages=[replayed, {"role": "user", "content": "and?"}]).body["messages"][0] == replayed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(min_size=1), json_values, max_size=5))
def test_unknown_fields_survive_in_their_order(extra: Body) -> None:
    unknown = {name: value for name, value in extra.items() if name not in {*PARAMETERS, *GATEWAY_FIELDS, *MINIMAL}}
    message = {"role": "user", "content": "hi", **{f"x_{name}": value for name, value in unknown.items()}}
    ours = {"model": "m", "messages": [message]}
    body = {**unknown, "retry": {}, **ours, "orq": {}}
    assert orjson.dumps(read_chat(orjson.dumps(body)).body) == orjson.dumps({**unknown, **ours})


@given(st.sampled_from([*PARAMETERS, *GATEWAY_FIELDS, "model", "messages"]), json_values)
def test_any_value_in_any_field_is_accepted_or_400(name: str, value: object) -> None:
    try:
        call = read(**{name: value})
    except GatewayError as err:
        assert err.status == 400
        assert err.param is not None
        assert err.param.startswith(name)
    else:
        is_left_out = name in GATEWAY_FIELDS or (name == "stream_options" and value is not None)
        assert (name in call.body) is not is_left_out


@given(json_values.map(orjson.dumps) | st.binary(max_size=50))
def test_bytes_that_are_no_chat_request_are_400(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_chat(raw)


@pytest.mark.parametrize("name", [*PARAMETERS, *sorted(GATEWAY_FIELDS)])
def test_every_optional_parameter_may_be_null(name: str) -> None:
    assert read(**{name: None}).body.get(name, None) is None


@pytest.mark.parametrize("field", ["model", "messages"])
def test_a_missing_field_is_named(field: str) -> None:
    body = {name: value for name, value in MINIMAL.items() if name != field}
    with pytest.raises(InvalidRequest, match=f"Missing required parameter: '{field}'") as caught:
        read_chat(orjson.dumps(body))
    assert caught.value.param == field
    assert refusal(**{field: None}).param == field


@pytest.mark.parametrize("model", ["", 1, [], {}, True])
def test_a_model_that_is_no_name_is_refused(model: object) -> None:
    assert refusal(model=model).param == "model"


def test_a_call_knows_its_size_and_strictness() -> None:
    raw = orjson.dumps(MINIMAL)
    assert read_chat(raw).body_bytes == len(raw)
    assert read_chat(raw, strict=True).strict
    assert not read_chat(raw).strict
    with pytest.raises(TooLarge):
        read_chat(raw, limit_bytes=len(raw) - 1)


@pytest.mark.parametrize(
    ("fields", "wants"),
    [
        ({"stream": True, "stream_options": {"include_usage": True}}, True),
        ({"stream": True, "stream_options": {"include_usage": False}}, False),
        ({"stream": True, "stream_options": {"include_usage": None}}, False),
        ({"stream": True, "stream_options": {}}, False),
        ({"stream": True, "stream_options": None}, False),
        ({"stream": True}, False),
        ({}, False),
    ],
)
def test_usage_is_wanted_only_when_a_stream_asks_for_it(fields: Body, wants: bool) -> None:
    assert read(**fields).wants_usage is wants


@pytest.mark.parametrize("stream", [False, None])
def test_stream_options_of_no_stream_are_left_out_as_seed_003_sends_them(stream: bool | None) -> None:
    call = read(stream=stream, stream_options={"include_usage": True})
    assert (call.wants_usage, "stream_options" in call.body) == (False, False)


def test_stream_null_is_no_stream() -> None:
    assert read(stream=None).stream is False


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"top_logprobs": 1}, "top_logprobs"),
        ({"top_logprobs": 1, "logprobs": False}, "top_logprobs"),
        ({"modalities": ["text", "audio"]}, "audio"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1024}, "thinking.budget_tokens"),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 5000}, "max_completion_tokens": 9},
            "thinking.budget_tokens",
        ),
    ],
)
def test_a_parameter_without_what_it_demands_is_refused(fields: Body, param: str) -> None:
    assert refusal(**fields).param == param


@pytest.mark.parametrize(
    "fields",
    [
        {"top_logprobs": 0},
        {"top_logprobs": None, "logprobs": False},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1025},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 5, "max_completion_tokens": 1025},
        {"thinking": {"type": "disabled", "budget_tokens": "nonsense"}, "max_tokens": 5},
    ],
)
def test_a_parameter_with_what_it_demands_is_accepted(fields: Body) -> None:
    read(**fields)


def test_text_that_looks_like_an_event_is_only_text() -> None:
    text = 'x"}\n\ndata: [DONE]\n\n'
    assert read(messages=[{"role": "user", "content": text}]).body["messages"][0]["content"] == text


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": {"canary-" * 9: 1}},
        {"metadata": {"k": "canary-" * 99}},
        {"logit_bias": {"canary": 101}},
        {"reasoning_effort": "canary"},
        {"messages": [{"role": "canary", "content": ""}]},
        {"messages": [{"role": "user", "content": [{"type": "canary"}]}]},
        {"temperature": "canary"},
        {"tools": [{"type": "function", "function": {"name": "canary canary"}}]},
        {"canary": 1, "n": 0},
    ],
)
def test_the_callers_text_is_in_neither_the_error_nor_its_cause(fields: Body) -> None:
    err = refusal(**fields)
    assert "canary" not in f"{err.message}{err.param}"
    assert err.__cause__ is None
    assert err.__suppress_context__


def test_a_hundred_thousand_wrong_messages_are_one_error() -> None:
    raw = orjson.dumps({**MINIMAL, "messages": [1] * 100_000})
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequest, match=r"messages\[0\]"):
            read_chat(raw)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
