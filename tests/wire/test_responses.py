"""A request for a response as a whole: who sends what, what the gateway keeps to itself, and what goes on."""

import typing
from typing import Any

import orjson
import pytest
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from openresponses_types import CompactResponseMethodPublicBody, CreateResponseBody

from orrery.core.errors import InvalidRequest
from orrery.core.options import Identity, Thread, Variables
from orrery.core.responses import UNBOUNDED, Bounds, Responding
from orrery.core.types import Operation
from orrery.wire.options import GATEWAY_FIELDS
from orrery.wire.posted import Posted
from orrery.wire.response_shapes import COMPACTION, PARAMETERS
from orrery.wire.responses import read_compaction, read_response
from tests.wire.responding import MINIMAL, asked, read, refusal

SEED = {
    "model": "openai/gpt-4o",
    "input": "What is the current CET time? Answer in {{language}}",
    "tools": [{"type": "orq:current_date"}],
    "variables": {"language": {"value": "hungarian"}},
    "identity": {"id": "user-123", "display_name": "Jane Doe", "email": "jane.doe@example.com"},
    "thread": {"id": "thread-001", "tags": ["support", "v3"]},
    "stream": False,
}
"""Seed 001's first request."""

FUNCTION = {"type": "function", "name": "f"}
ACCESS = {"access_programs", "image"}  # the SDK's own, for endpoints that only OpenAI has: passed on unread


def test_the_seeds_request_is_read() -> None:
    call = read_response(Posted(orjson.dumps(SEED)))
    assert (call.operation, call.model, call.stream) == (Operation.RESPONSES, "openai/gpt-4o", False)
    assert call.body == {"model": "openai/gpt-4o", "input": SEED["input"], "stream": False}
    assert call.options.variables == Variables({"language": "hungarian"})
    assert call.options.identity == Identity("user-123", {"display_name": "Jane Doe", "email": "jane.doe@example.com"})
    assert call.options.thread == Thread("thread-001", ("support", "v3"))
    assert call.options.responding == Responding(hosted=({"type": "orq:current_date"},))


def test_the_seeds_other_request_names_an_agent() -> None:
    found = asked(**{**SEED, "model": "agent/support_agent"})
    assert (found.agent, found.agent_version) == ("support_agent", "")


@pytest.mark.parametrize(
    ("model", "agent"),
    [
        ("agent/a", ("a", "")),
        ("agent/a@1.0.2", ("a", "1.0.2")),
        ("agent/a@latest", ("a", "latest")),
        ("agent/a@x@y", ("a", "x@y")),
        ("openai/agent/a", ("", "")),
        ("agents/a", ("", "")),
    ],
)
def test_an_agent_may_stand_in_the_models_place(model: str, agent: tuple[str, str]) -> None:
    found = asked(model=model)
    assert (found.agent, found.agent_version) == agent
    assert read(model=model).model == model


@pytest.mark.parametrize("model", ["agent/", "agent/@1", "agent/a@", "", 1, [], None])
def test_a_model_that_is_no_name_is_refused(model: object) -> None:
    assert refusal(model=model).param == "model"


def test_every_parameter_of_both_documents_is_known() -> None:
    openai = typing.get_type_hints(ResponseCreateParamsStreaming).keys() - ACCESS
    assert openai | CreateResponseBody.model_fields.keys() <= PARAMETERS.keys() | {"model"}
    assert CompactResponseMethodPublicBody.model_fields.keys() <= COMPACTION.keys() | {"model"}


def test_what_is_the_gateways_own_goes_to_nobody_else() -> None:
    given: dict[str, Any] = {
        "previous_response_id": "resp_1",
        "store": True,
        "background": True,
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
        "max_tool_calls": 3,
        "memory": {"entity_id": "e"},
        "limits": {
            "max_iterations": 2,
            "max_execution_time": 30,
            "max_cost": 0.25,
            "max_depth": 4,
            "tool_timeout": 1.5,
        },
        "security": {"mask": ["input"]},
        "integration_id": "i",
        "tags": ["t"],
        "fallbacks": [{"model": "a/b"}],
    }
    call = read(**given)
    assert call.body == MINIMAL
    assert call.options.fallbacks == ("a/b",)
    assert call.options.responding == Responding(
        previous="resp_1",
        background=True,
        include=frozenset(given["include"]),
        max_tool_calls=3,
        bounds=Bounds(2, 30.0, 250_000_000, 4, 1.5),
        memory="e",
    )


def test_nothing_is_asked_of_the_gateway_where_nothing_is_said() -> None:
    assert asked() == Responding()
    assert asked(limits={}).bounds == UNBOUNDED
    assert asked(limits={"max_iterations": None, "max_cost": None}).bounds == UNBOUNDED


def test_the_smallest_bound_of_cost_is_not_taken_for_none() -> None:
    assert asked(limits={"max_cost": 1e-12}).bounds.max_cost_nano == 1
    assert asked(limits={"max_cost": 0}).bounds.max_cost_nano == 0


@pytest.mark.parametrize("given", ["conv_1", {"id": "conv_1"}])
def test_a_conversation_is_named_in_two_ways(given: object) -> None:
    assert asked(conversation=given).conversation == "conv_1"


def test_a_response_is_stored_unless_its_caller_says_no() -> None:
    assert asked().store
    assert asked(store=None).store
    assert asked(store=True).store
    assert not asked(store=False).store


def test_functions_go_on_and_other_tools_stay_here() -> None:
    mcp = {"type": "mcp", "server_label": "x", "server_url": "https://x.example/mcp"}
    call = read(tools=[{"type": "web_search"}, FUNCTION, mcp, {"type": "file_search", "vector_store_ids": []}])
    assert call.body["tools"] == [FUNCTION]
    assert call.options.responding is not None
    assert call.options.responding.hosted == (
        {"type": "web_search"},
        mcp,
        {"type": "file_search", "vector_store_ids": []},
    )
    assert "tools" not in read(tools=[]).body


@pytest.mark.parametrize(("given", "sent"), [(0, 16), (1, 16), (15, 16), (16, 16), (17, 17), (2**31, 2**31)])
def test_few_tokens_are_raised_to_the_least_that_openai_takes(given: int, sent: int) -> None:
    assert read(max_output_tokens=given).body["max_output_tokens"] == sent


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1", "conversation": "conv_1"}, "previous_response_id"),
        ({"background": True, "store": False}, "background"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": ""}, "input"),
        ({"prompt": {"id": "p", "version": "3"}}, "prompt.version"),
        ({"prompt": {"id": "p", "variables": {"a": {"type": "input_image"}}}}, "prompt.variables.a"),
        ({"prompt": {"id": "p", "variables": {"a": 1}}}, "prompt.variables.a"),
        ({"metadata": {"k": 1}}, "metadata"),
        ({"guardrails": [{"id": "x", "execute_on": "input"}]}, "guardrails"),
    ],
)
def test_what_contradicts_itself_or_cannot_be_had_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**fields)
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.mark.parametrize("fields", [{"previous_response_id": "resp_1"}, {"conversation": "c"}, {"prompt": {"id": "p"}}])
def test_an_input_is_not_needed_where_something_came_before(fields: dict[str, Any]) -> None:
    assert read(**fields, input=None).body.get("input") is None


def test_background_needs_no_more_than_to_be_kept() -> None:
    assert asked(background=True).background
    assert asked(background=True, store=True).background
    assert not asked(background=False, store=False).background


def test_a_stored_prompt_brings_variables_and_perhaps_the_model() -> None:
    prompt = {
        "id": "p",
        "version": None,
        "variables": {"a": "x", "b": {"type": "input_text", "text": "y"}, "c": "theirs"},
    }
    call = read(model=None, input=None, prompt=prompt, variables={"c": {"value": "ours", "secret": True}})
    assert (call.model, call.options.prompt) == ("", "p")
    assert "prompt" not in call.body
    assert call.options.variables == Variables({"a": "x", "b": "y", "c": "ours"}, frozenset({"c"}))
    assert read(prompt={"id": "p"}).options.variables is None
    assert read(
        prompt={"id": "p", "variables": {"a": "{{b}}"}}, template_engine="jinja"
    ).options.variables == Variables({"a": "{{b}}"}, engine="jinja")


def test_a_model_is_needed_where_no_prompt_can_bring_one() -> None:
    for prompt in ({}, {"prompt": None}):
        with pytest.raises(InvalidRequest, match="model") as caught:
            read_response(Posted(orjson.dumps({"input": "hi", **prompt})))
        assert caught.value.param == "model"


def test_options_of_a_stream_are_dropped_where_nothing_streams() -> None:
    options = {"include_obfuscation": False}
    assert "stream_options" not in read(stream_options=options).body
    call = read(stream=True, stream_options=options)
    assert (call.stream, call.body["stream_options"]) == (True, options)


def test_a_call_knows_its_size_and_strictness() -> None:
    raw = orjson.dumps(MINIMAL)
    for reading in (read_response, read_compaction):
        assert reading(Posted(raw)).body_bytes == len(raw)
        assert not reading(Posted(raw)).strict
        assert reading(Posted(raw, strict=True)).strict


@pytest.mark.parametrize("name", [*PARAMETERS, *sorted(GATEWAY_FIELDS)])
def test_every_optional_parameter_may_be_null(name: str) -> None:
    call = read(**{"previous_response_id": None if name == "conversation" else "resp_1", name: None})
    assert call.body.get(name) is None
    assert asked(**{name: None}) == Responding() if name != "input" else True
