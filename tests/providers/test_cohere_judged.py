"""Judged by Cohere's own SDK: requests, and the fixtures said to be Cohere's; by OpenAI's: what clients get."""

import inspect
from typing import Any

import orjson
import pytest
from cohere.types import ChatFinishReason
from cohere.v2.raw_client import RawV2Client
from cohere.v2.types.v2chat_response import V2ChatResponse
from cohere.v2.types.v2chat_stream_response import V2ChatStreamResponse
from hypothesis import given, settings
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter, ValidationError

from orrery.core.types import Json
from tests.providers import asked
from tests.providers.cases import Case, chunks_of, events_of, frames_of, with_files
from tests.providers.test_anthropic_judged import unknown_fields
from tests.providers.test_cases import each

PARAMETERS = {
    name: TypeAdapter(parameter.annotation)
    for name, parameter in inspect.signature(RawV2Client.chat, eval_str=True).parameters.items()
    if name not in ("self", "request_options")
}
EVENT: TypeAdapter[Any] = TypeAdapter(V2ChatStreamResponse)
ENUMS = {"tool_choice": {"REQUIRED", "NONE"}, "safety_mode": {"CONTEXTUAL", "STRICT", "OFF"}}
"""Where the SDK's type lets anything pass."""

OURS = {"reasoning", "reasoning_signature", "redacted_reasoning", "cache_creation_tokens", "citations"}
"""Fields of ours, or of Cohere's, that OpenAI's types do not have."""

SEEN = {"error_type", "content", "tool_plan", "tool_calls", "citations"}
"""Fields that the API sends and the SDK does not know: in "message-start" four empty ones ("Streaming", docs)."""


def ours(*files: str) -> list[Case]:
    return [case for case in with_files(*files) if case.provider == "cohere"]


def assert_lawful_request(body: Json) -> None:
    """Every parameter is one of the SDK's, of its type, and holds no field that the SDK does not know."""
    for name, value in body.items():
        if name == "stream":
            assert value is True
            continue
        checked = PARAMETERS[name].validate_python(value)
        found = [checked] if not isinstance(checked, list) else checked
        assert not [field for item in found for field in unknown_fields(item)], name
        assert value in ENUMS.get(name, (value,))
    for message in body["messages"]:
        beside = message.get("tool_calls") and message.get("content")
        assert not beside or all(part["type"] == "thinking" for part in beside), "text beside tool calls"


@each(ours("request.json"))
def test_requests_are_lawful(case: Case) -> None:
    assert_lawful_request(case.adapter().encode(case.call(), case.target()).body)


@settings(deadline=None, max_examples=60)
@given(asked.bodies("cohere"))
def test_any_request_is_lawful(body: Json) -> None:
    assert_lawful_request(asked.encoded("cohere", body).body)


WRONG: list[Json] = [
    {"speed_of_light": 1},
    {"messages": [{"role": "user", "content": [{"type": "video", "video": "x"}]}]},
    {"messages": [{"role": "user", "content": "a", "name": "Ada"}]},
    {"tool_choice": "ANY"},
    {"k": "many"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_the_judge_refuses_what_the_sdk_does_not_know(wrong: Json) -> None:
    right = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}
    assert_lawful_request(right)
    with pytest.raises((AssertionError, KeyError, ValidationError)):
        assert_lawful_request(right | wrong)


@each(ours("reply.json"))
def test_replies_are_coheres(case: Case) -> None:
    reply = V2ChatResponse.model_validate(case.json_of("reply.json"))
    assert not list(unknown_fields(reply))
    assert reply.finish_reason in ChatFinishReason.__args__[0].__args__  # type: ignore[attr-defined]


@each(ours("stream.sse"))
def test_streams_are_made_of_coheres_events(case: Case) -> None:
    for event in events_of(case):
        if event.data != b"[DONE]":
            assert set(unknown_fields(EVENT.validate_python(orjson.loads(event.data)))) <= SEEN


@each(ours("answer.json"))
def test_answers_are_openais(case: Case) -> None:
    assert set(unknown_fields(ChatCompletion.model_validate(case.json_of("answer.json"), strict=True))) <= OURS


@each(ours("stream.sse", "answer.json"))
def test_chunks_are_openais(case: Case) -> None:
    for chunk in chunks_of(frames_of(case, events_of(case))):
        assert set(unknown_fields(ChatCompletionChunk.model_validate(chunk, strict=True))) <= OURS
