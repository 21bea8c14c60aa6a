"""Judged by the specification's types: what goes to providers, and what comes back of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openresponses_types import CreateResponseBody, ResponseResource
from pydantic import ValidationError

from orrery.core.types import Json
from orrery.providers.layout import seal
from tests.providers.native import (
    NATIVE,
    events,
    function_call,
    heard,
    last,
    message,
    reasoning,
    resource,
    sent,
    sse,
    whole,
)

each_native = pytest.mark.parametrize("provider", NATIVE)
LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}}

HISTORIES = st.lists(
    st.sampled_from(
        [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
            {"type": "message", "role": "developer", "content": "b", "id": "msg_d", "status": "completed"},
            reasoning("c", secret=seal("openai", "gAAA")),
            reasoning("c", secret=seal("xai", "gAAA")),
            {**message("e"), "phase": "commentary"},
            function_call(),
            {"type": "function_call_output", "id": "o", "call_id": "call_fc_1", "output": "f", "status": "completed"},
            {"type": "web_search_call", "id": "ws", "status": "completed"},
        ]
    ),
    max_size=6,
)
WISHES = ({}, {"top_k": 3}, {"reasoning": {"effort": "low"}}, {"tools": [LOOK], "tool_choice": "required"})

ECHO: Json = {
    **dict.fromkeys(("completed_at", "incomplete_details", "previous_response_id", "instructions", "error")),
    **dict.fromkeys(("reasoning", "max_output_tokens", "max_tool_calls", "safety_identifier", "prompt_cache_key")),
    **dict.fromkeys(("presence_penalty", "frequency_penalty", "top_logprobs"), 0),
    **{"temperature": 1, "top_p": 1, "store": True, "background": False, "metadata": {}, "service_tier": "default"},
    **{"text": {"format": {"type": "text"}}, "truncation": "disabled", "tool_choice": "auto", "tools": []},
    "parallel_tool_calls": True,
    "usage": {
        **{"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
        **{"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}},
    },
}
"""What a resource has beside its output: providers differ in it, and who answers writes it anew."""


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(NATIVE), HISTORIES, st.booleans(), st.sampled_from(WISHES))
def test_any_turn_is_a_request_of_the_specification(provider: str, given: list[Json], stream: bool, more: Json) -> None:
    CreateResponseBody.model_validate(sent(provider, "gpt-5", input=given, stream=stream, **more))


@pytest.mark.parametrize(
    "wrong", [{"type": "reasoning"}, {"type": "message", "role": "assistant", "content": [{"type": "input_text"}]}]
)
def test_the_judge_refuses_what_is_wrong(wrong: Json) -> None:
    with pytest.raises(ValidationError):
        CreateResponseBody.model_validate({"model": "m", "input": [wrong]})


@each_native
def test_output_is_that_of_the_specification(provider: str) -> None:
    answer = resource(reasoning("a", secret="gAAA"), message("b"), function_call(), **{**ECHO, "status": "completed"})
    for found in (whole(provider, answer).payload, last(heard(provider, sse(events(answer))))):
        ResponseResource.model_validate(found)
