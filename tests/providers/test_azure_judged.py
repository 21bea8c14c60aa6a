"""Judged by OpenAI's own SDK, which is Azure's as well: requests, the fixtures said to be from it, what clients get."""

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

AZURES = {"content_filter_results", "content_filter_offsets", "prompt_filter_results"}
OWN = {"data_sources"}
"""Fields of Azure's that OpenAI's types do not have."""


def ours(*files: str) -> list[Case]:
    return [case for case in with_files(*files) if case.provider == "azure"]


def assert_lawful_request(body: Json) -> None:
    rest = {name: value for name, value in body.items() if name not in OWN}
    judge = STREAMED if body.get("stream") else WHOLE
    assert listed(judge.validate_python(rest)) == rest


@each(ours("request.json"))
def test_requests_are_lawful(case: Case) -> None:
    assert_lawful_request(case.adapter().encode(case.call(), case.target()).body)


def test_the_judge_refuses_what_the_sdk_does_not_know() -> None:
    right: Json = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
    assert_lawful_request(right)
    for wrong in ({"top_k": 4}, {"messages": [{"role": "user", "content": [{"type": "x"}]}]}):
        with pytest.raises((AssertionError, ValidationError)):
            assert_lawful_request(right | wrong)


@settings(deadline=None, max_examples=60)
@given(asked.bodies("azure"))
def test_what_is_not_openais_never_goes_to_azure(body: Json) -> None:
    assert not {"top_k", "thinking", "cache_control"} & set(asked.encoded("azure", body).body)


@each(ours("reply.json"))
def test_replies_are_azures(case: Case) -> None:
    assert set(unknown_fields(ChatCompletion.model_validate(case.json_of("reply.json"), strict=True))) <= AZURES


@each(ours("stream.sse"))
def test_streams_are_made_of_openais_chunks_and_of_annotations(case: Case) -> None:
    datas = [orjson.loads(event.data) for event in events_of(case) if event.data != b"[DONE]"]
    for data in datas:
        if data.get("id"):
            assert set(unknown_fields(ChatCompletionChunk.model_validate(data, strict=True))) <= AZURES
        else:
            assert data.keys() & {"prompt_filter_results", "error"} or "delta" not in data["choices"][0]


@each(ours("answer.json"))
def test_answers_are_openais(case: Case) -> None:
    assert set(unknown_fields(ChatCompletion.model_validate(case.json_of("answer.json"), strict=True))) <= AZURES


@each(ours("stream.sse", "answer.json"))
def test_chunks_are_openais_and_of_one_id(case: Case) -> None:
    chunks = chunks_of(frames_of(case, events_of(case)))
    for chunk in chunks:
        assert set(unknown_fields(ChatCompletionChunk.model_validate(chunk, strict=True))) <= AZURES
    assert len({chunk["id"] for chunk in chunks}) == 1 and chunks[0]["choices"]
