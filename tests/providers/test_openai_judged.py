"""Judged by OpenAI's own SDK: what goes to OpenAI, and the fixtures that are said to be from it."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter, ValidationError

from orrery.core.types import Json
from tests.providers import asked
from tests.providers.cases import Case, chunks_of, events_of, frames_of, with_files
from tests.providers.test_anthropic_judged import listed, unknown_fields
from tests.providers.test_cases import each

WHOLE: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
STREAMED: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsStreaming)
UNKNOWN = {"obfuscation", "audio"}
"""Fields of chunks that the SDK's types do not have: see `PADDING`, and what gpt-audio says."""


def ours(*files: str) -> list[Case]:
    cases = [case for case in with_files(*files) if case.provider == "openai"]
    return [case for case in cases if case.name != "unknown_fields"]


def assert_lawful_request(body: Json) -> None:
    """The SDK's types take it, and nothing in it is unknown to them: pydantic leaves unknown keys out."""
    judge = STREAMED if body.get("stream") else WHOLE
    assert listed(judge.validate_python(body)) == body


@each(ours("request.json"))
def test_requests_are_lawful(case: Case) -> None:
    assert_lawful_request(case.adapter().encode(case.call(), case.target()).body)


@pytest.mark.parametrize(
    "wrong", [{"top_k": 4}, {"messages": [{"role": "assistant", "content": "a", "reasoning": "b"}]}]
)
def test_the_judge_refuses_what_the_sdk_does_not_know(wrong: Json) -> None:
    right: Json = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
    assert_lawful_request(right)
    with pytest.raises((AssertionError, ValidationError)):
        assert_lawful_request(right | wrong)


@settings(deadline=None, max_examples=60)
@given(asked.bodies("openai"))
def test_any_request_is_lawful(body: Json) -> None:
    sent = asked.encoded("openai", body).body
    assert_lawful_request({name: value for name, value in sent.items() if value is not None})


@each(ours("reply.json"))
def test_replies_are_openais(case: Case) -> None:
    assert not set(unknown_fields(ChatCompletion.model_validate(case.json_of("reply.json"), strict=True)))


@each(ours("stream.sse", "answer.json"))
def test_streams_are_made_of_openais_chunks(case: Case) -> None:
    for event in events_of(case):
        if event.data != b"[DONE]":
            chunk = ChatCompletionChunk.model_validate_json(event.data, strict=True)
            assert set(unknown_fields(chunk)) <= UNKNOWN


@each(ours("stream.sse", "answer.json"))
def test_what_callers_get_is_openais(case: Case) -> None:
    for chunk in chunks_of(frames_of(case, events_of(case))):
        assert set(unknown_fields(ChatCompletionChunk.model_validate_json(orjson.dumps(chunk), strict=True))) <= UNKNOWN
    assert not set(unknown_fields(ChatCompletion.model_validate(case.json_of("answer.json"), strict=True)))
