"""Judged by Mistral's own SDK: requests, and the fixtures said to be Mistral's; by OpenAI's: what clients get."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from mistralai.client.errors.httpvalidationerror import HTTPValidationErrorData
from mistralai.client.models import (
    ChatCompletionRequest,
    ChatCompletionResponse,
    ChatCompletionStreamRequest,
    CompletionChunk,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import ValidationError

from orrery.core.types import Json
from orrery.providers.mistral.ids import Ids
from tests.providers import asked
from tests.providers.cases import Case, chunks_of, events_of, frames_of, with_files
from tests.providers.test_anthropic_judged import unknown_fields
from tests.providers.test_cases import each

OURS = {"reasoning", "reasoning_signature", "redacted_reasoning", "cache_creation_tokens"}
"""Fields of ours that OpenAI's types do not have."""


def ours(*files: str) -> list[Case]:
    return [case for case in with_files(*files) if case.provider == "mistral"]


def dumped(value: Any) -> Any:
    """What the SDK would send; unknown chunks keep their mark."""
    return value.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)


def without_nulls(value: Any) -> Any:
    """Without what the SDK does not send: nulls that mean nothing."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def assert_lawful_request(body: Json) -> None:
    """The SDK's types take it, and nothing in it is unknown to them."""
    judge = ChatCompletionStreamRequest if body.get("stream") else ChatCompletionRequest
    assert dumped(judge.model_validate(body)) == body
    assert body.get("tool_choice", "any") == "any", "the SDK's type lets anything pass"
    for id in ids_in(body):
        assert Ids().of(id) == id, "nine letters and digits"


def ids_in(body: Json) -> Iterator[str]:
    for message in body["messages"]:
        yield from (call["id"] for call in message.get("tool_calls", ()))
        if message["role"] == "tool":
            yield message["tool_call_id"]


@each(ours("request.json"))
def test_requests_are_lawful(case: Case) -> None:
    assert_lawful_request(case.adapter().encode(case.call(), case.target()).body)


@settings(deadline=None, max_examples=60)
@given(asked.bodies("mistral"))
def test_any_request_is_lawful(body: Json) -> None:
    assert_lawful_request({"model": "m", **asked.encoded("mistral", body).body})


WRONG: list[Json] = [
    {"speed_of_light": 1},
    {"messages": [{"role": "user", "content": [{"type": "video", "video": "x"}]}]},
    {"messages": [{"role": "user", "content": "a", "name": "Ada"}]},
    {"tool_choice": "ANY"},
    {"messages": [{"role": "tool", "tool_call_id": "call_1", "content": "a"}]},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_the_judge_refuses_what_the_sdk_does_not_know(wrong: Json) -> None:
    right = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}
    assert_lawful_request(right)
    with pytest.raises((AssertionError, ValidationError)):
        assert_lawful_request(right | wrong)


@each(ours("reply.json"))
def test_replies_are_mistrals(case: Case) -> None:
    reply = case.json_of("reply.json")
    assert without_nulls(dumped(ChatCompletionResponse.model_validate(reply))) == without_nulls(reply)


@each(ours("stream.sse"))
def test_streams_are_made_of_mistrals_chunks(case: Case) -> None:
    for event in events_of(case):
        data = {} if event.data == b"[DONE]" else orjson.loads(event.data)
        if data.get("object") == "chat.completion.chunk":
            assert without_nulls(dumped(CompletionChunk.model_validate(data))) == without_nulls(data)


@each([case for case in ours("error.json") if case.name == "error_422"])
def test_validation_errors_are_mistrals(case: Case) -> None:
    assert HTTPValidationErrorData.model_validate(case.json_of("error.json")["body"]).detail


@each(ours("answer.json"))
def test_answers_are_openais(case: Case) -> None:
    assert set(unknown_fields(ChatCompletion.model_validate(case.json_of("answer.json"), strict=True))) <= OURS


@each(ours("stream.sse", "answer.json"))
def test_chunks_are_openais(case: Case) -> None:
    for chunk in chunks_of(frames_of(case, events_of(case))):
        assert set(unknown_fields(ChatCompletionChunk.model_validate(chunk, strict=True))) <= OURS
