"""Judged by the SDKs of those who have the endpoint: what goes to them, and what every caller gets."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistralai.client.models import FIMCompletionRequest
from openai.types import Completion
from openai.types.completion_create_params import CompletionCreateParamsNonStreaming, CompletionCreateParamsStreaming
from pydantic import TypeAdapter, ValidationError

from orrery.core.types import Json, Operation
from orrery.providers.bridge.completions import over
from tests.providers.cases import Case as ChatCase
from tests.providers.cases import with_files
from tests.providers.completing import body, call, payload, payloads
from tests.providers.families import Case, all_cases, frames_of, reply_of, stream_of
from tests.providers.test_anthropic_judged import listed
from tests.providers.test_cases import each as each_chat
from tests.providers.test_completions_bridge import asked
from tests.providers.test_families import each

WHOLE: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
STREAMED: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsStreaming)
CASES = [case for case in all_cases() if case.operation is Operation.COMPLETIONS]

NUMBERS = st.integers(0, 100_000)
BODIES = st.fixed_dictionaries(
    {
        "prompt": st.text(max_size=9)
        | st.lists(st.text(max_size=9), min_size=1, max_size=3)
        | st.lists(NUMBERS, min_size=1, max_size=3)
        | st.lists(st.lists(NUMBERS, min_size=1, max_size=3), min_size=1, max_size=3)
    },
    optional={
        "echo": st.booleans(),
        "suffix": st.text(max_size=9),
        "logprobs": st.integers(0, 5),
        "max_tokens": st.integers(0, 99),
        "n": st.integers(1, 3),
        "best_of": st.integers(3, 5),
        "stop": st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=4),
        "seed": st.integers(0, 99),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "frequency_penalty": st.floats(-2, 2),
        "presence_penalty": st.floats(-2, 2),
        "logit_bias": st.dictionaries(st.just("50256"), st.integers(-100, 100)),
        "user": st.text(max_size=3),
    },
)


def assert_lawful_request(sent: Json) -> None:
    """The SDK's types take it, and nothing in it is unknown to them."""
    judge = STREAMED if sent.get("stream") else WHOLE
    tokens = sent.get("prompt")
    if isinstance(tokens, list) and isinstance(tokens[0], list):
        sent = sent | {"prompt": tokens[0]}  # pydantic takes the lists of an iterable for its numbers
    assert listed(judge.validate_python(sent)) == sent


def assert_lawful_answer(told: Any, *, is_chunk: bool = False) -> None:
    """The SDK's own type, which has chunks and whole answers in one; a chunk's choice has not ended yet."""
    whole = orjson.loads(orjson.dumps(told))
    for choice in whole["choices"]:
        if is_chunk and choice["finish_reason"] is None:
            choice["finish_reason"] = "stop"
    Completion.model_validate_json(orjson.dumps(whole), strict=True)


@settings(deadline=None, max_examples=60)
@given(BODIES, st.booleans())
def test_any_request_to_openai_is_lawful(fields: Json, stream: bool) -> None:
    fields = {name: value for name, value in fields.items() if not stream or name != "best_of"}
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    assert_lawful_request(body("openai", **fields, **more))


@pytest.mark.parametrize("wrong", [{"messages": []}, {"n": "x"}, {"top_k": 1}])
def test_the_judge_refuses_what_the_sdk_does_not_know(wrong: Json) -> None:
    with pytest.raises((AssertionError, ValidationError)):
        assert_lawful_request({"model": "m", "prompt": "a"} | wrong)


def test_mistral_takes_what_it_is_sent() -> None:
    sent = body("mistral", Operation.COMPLETIONS, suffix="b", seed=1, stop=["x"], temperature=0.1, max_tokens=9)
    assert set(sent) <= set(FIMCompletionRequest.model_fields)
    FIMCompletionRequest.model_validate(sent)


@each([case for case in CASES if case.has("reply.json") and not case.has("raised.json")])
def test_every_answer_is_lawful(case: Case) -> None:
    assert_lawful_answer(payload(case.adapter().decode(reply_of(case), case.call())))


@each([case for case in CASES if case.has("stream.sse") and not case.has("raised.json")])
def test_every_chunk_is_lawful(case: Case) -> None:
    for told in payloads(list(frames_of(case, stream_of(case), []))):
        assert_lawful_answer(told, is_chunk=True)


@each_chat(with_files("reply.json", "answer.json"))
def test_every_answer_over_chat_is_lawful(case: ChatCase) -> None:
    assert_lawful_answer(payload(over(case.adapter()).decode(case.bytes_of("reply.json"), asked(case))))


def test_an_answer_of_several_prompts_is_lawful() -> None:
    (case,) = [case for case in CASES if (case.provider, case.name) == ("google", "completions_two")]
    adapter = case.adapter()
    assert adapter.join is not None
    frame = adapter.decode(reply_of(case), case.call())
    joined = adapter.join([frame, frame], call("google", prompt=["a", "b"]))
    assert_lawful_answer(payload(joined))
    assert joined.usage and (joined.usage.completion, joined.usage.reasoning) == (14, 8)
