"""The resource of a response: what it echoes, what it fills in, and what it never tells."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import ResponseUsage
from openresponses_types import ResponseResource
from openresponses_types import types as open_types

from orrery.core.types import Usage
from orrery.wire.response_object import DEFAULTS, shown_tool, usage_of
from tests.wire.responding import echoed, judge, read, resource

FUNCTION = {"type": "function", "name": "f"}
MCP = {
    "type": "mcp",
    "server_label": "s",
    "server_url": "https://user:hunter2@mcp.example:8443/key-hunter2/mcp?token=hunter2#hunter2",
    "headers": {"X-Key": "hunter2"},
    "authorization": "hunter2",
    "allowed_tools": ["a"],
    "require_approval": "never",
}
SCHEMA = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}

EXAMPLES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "everything_null": dict.fromkeys((*DEFAULTS, "metadata", "tools", "tool_choice", "text", "reasoning", "store")),
    "parameters": {
        "instructions": "be kind",
        "temperature": 0,
        "top_p": 0.5,
        "presence_penalty": -1,
        "frequency_penalty": 2,
        "top_logprobs": 20,
        "max_output_tokens": 100,
        "max_tool_calls": 3,
        "parallel_tool_calls": False,
        "truncation": "auto",
        "service_tier": "flex",
        "metadata": {"a": "b"},
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "store": False,
    },
    "functions": {
        "tools": [FUNCTION, {**FUNCTION, "name": "g", "description": "d", "parameters": {}, "strict": True}],
        "tool_choice": {"type": "function", "name": "f"},
    },
    "allowed": {"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "tools": [FUNCTION]}},
    "allowed_mode": {
        "tools": [FUNCTION],
        "tool_choice": {"type": "allowed_tools", "tools": [FUNCTION], "mode": "required"},
    },
    "no_tools": {"tool_choice": "none"},
    "text": {"text": {"format": {"type": "text"}, "verbosity": "low"}},
    "json_object": {"text": {"format": {"type": "json_object"}, "verbosity": None}},
    "reasoning": {"reasoning": {"effort": "low"}},
    "reasoning_summary": {"reasoning": {"effort": None, "summary": "auto"}},
}


@pytest.mark.parametrize("fields", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_both_judges_accept_what_is_echoed(fields: dict[str, Any]) -> None:
    judge(echoed(**fields))


def test_every_field_of_open_responses_is_there_and_nothing_else() -> None:
    assert echoed().keys() == ResponseResource.model_fields.keys()


def test_what_nobody_says_is_filled_in() -> None:
    assert echoed() == {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_764_000_000,
        "completed_at": None,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "model": "gpt-5",
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": None,
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "truncation": "disabled",
        "usage": None,
    }


def test_what_was_asked_for_is_echoed_as_it_was() -> None:
    fields = EXAMPLES["parameters"]
    found = echoed(**fields)
    assert {name: found[name] for name in fields} == fields
    found = resource(read(), status="queued", previous="resp_0", background=True, model="m", id="resp_9", created_at=5)
    told = ("status", "previous_response_id", "background", "model", "id", "created_at")
    assert [found[name] for name in told] == ["queued", "resp_0", True, "m", "resp_9", 5]


def test_a_zero_is_a_value() -> None:
    assert echoed(temperature=0)["temperature"] == 0
    assert echoed(parallel_tool_calls=False)["parallel_tool_calls"] is False


def test_a_schema_is_echoed_with_every_field_of_its_form() -> None:
    found = echoed(text={"format": SCHEMA})
    assert found["text"] == {"format": {**SCHEMA, "description": None, "strict": False}}
    judge(found, extensions=True)
    as_open = {**found, "text": {"format": {**found["text"]["format"], "schema": None}}}
    ResponseResource.model_validate_json(orjson.dumps(as_open), strict=True)
    assert echoed(text={"format": {**SCHEMA, "strict": True}})["text"]["format"]["strict"] is True


def test_null_and_absent_stand_where_clients_demand_each() -> None:
    assert echoed(text={"format": None, "verbosity": None})["text"] == {"format": {"type": "text"}}
    assert echoed(reasoning={"effort": "low"})["reasoning"] == {"effort": "low", "summary": None}
    assert echoed(tools=[FUNCTION])["tools"] == [{**FUNCTION, "description": None, "parameters": None, "strict": None}]
    assert echoed(**EXAMPLES["allowed"])["tool_choice"]["mode"] == "auto"


def test_tools_that_run_here_are_echoed_as_they_were_asked_for() -> None:
    tools = [{"type": "orq:current_date"}, {"type": "web_search", "filters": {"allowed_domains": ["a.b"]}}]
    found = echoed(tools=[*tools, FUNCTION])
    assert found["tools"][1:] == tools
    assert found["tools"][0]["name"] == "f"
    judge(echoed(tools=[tools[1], MCP, {"type": "code_interpreter", "container": "c"}]), extensions=True)


def test_no_secret_is_echoed() -> None:
    call = read(
        tools=[MCP],
        input="{{key}}",
        variables={"key": {"value": "hunter2", "secret": True}, "name": "Ann"},
        prompt={"id": "p", "variables": {"more": "x"}},
        api_key="hunter2",
    )
    found = resource(call)
    assert b"hunter2" not in orjson.dumps(found)
    assert found["variables"] == {"more": "x", "key": "***", "name": "Ann"}
    (tool,) = found["tools"]
    assert tool == {
        "type": "mcp",
        "server_label": "s",
        "server_url": "https://mcp.example:8443",
        "allowed_tools": ["a"],
        "require_approval": "never",
    }
    judge(found, extensions=True)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example/secret", "https://a.example"),
        ("https://A.example:443?secret", "https://a.example:443"),
        ("https://[::1]:8/secret", "https://[::1]:8"),
        ("https://{{secret}}/x", "https://{{secret}}"),
        ("secret", "***"),
        ("https:///secret", "***"),
        ("https://a.example:secret/", "***"),
        ("https://[secret", "***"),
        ("//secret", "***"),
    ],
)
def test_of_a_server_no_more_is_told_than_where_it_is(url: str, shown: str) -> None:
    assert shown_tool({"type": "mcp", "server_url": url})["server_url"] == shown


def test_labels_are_told_only_where_they_were_used() -> None:
    used = {
        "user": "u",
        "prompt_cache_retention": "in-memory",
        "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
        "top_k": 4,
        "memory": {"entity_id": "e"},
        "identity": {"id": "i"},
        "thread": {"id": "t"},
        "tags": ["x"],
        "variables": {"a": [1]},
        "prompt": {"id": "p"},
    }
    found = resource(read(**used), conversation="conv_1")
    assert {name: found[name] for name in found.keys() - echoed().keys()} == {
        "user": "u",
        "prompt_cache_retention": "in_memory",
        "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
        "top_k": 4,
        "memory": {"entity_id": "e"},
        "conversation": {"id": "conv_1"},
        "variables": {"a": [1]},
        "prompt": {"id": "p"},
    }
    judge(found)


def test_a_call_that_was_made_otherwise_has_a_resource_too() -> None:
    call = read()
    assert resource(replace(call, options=replace(call.options, responding=None))) == resource(call)


def test_a_resource_shares_nothing_that_may_grow() -> None:
    call = read(tools=[FUNCTION], metadata={"a": "b"})
    found = resource(call)
    found["metadata"]["x"] = 1
    found["tools"].append({})
    found["output"].append({})
    assert call.body["metadata"] == {"a": "b"}
    assert call.body["tools"] == [FUNCTION]
    assert resource(call)["output"] == resource(read())["output"] == []
    echoed()["metadata"]["x"] = 1
    assert echoed()["metadata"] == {}


counts = st.integers(0, 2**40)


@settings(max_examples=50)
@given(counts, counts, counts, counts, counts, st.none() | counts)
def test_usage_is_that_of_both_documents(
    prompt: int, completion: int, read_: int, write: int, reasoning: int, cost: int | None
) -> None:
    usage = Usage(prompt, completion, cache_read=read_, cache_write=write, cache_write_1h=1, reasoning=reasoning)
    found = usage_of(usage, cost)
    ResponseUsage.model_validate_json(orjson.dumps(found), strict=True)
    open_types.Usage.model_validate_json(orjson.dumps(found), strict=True)
    assert found["total_tokens"] == found["input_tokens"] + found["output_tokens"] == prompt + completion
    assert found["input_tokens_details"]["cached_tokens"] == read_
    assert found["input_tokens_details"]["cache_write_tokens"] == write + 1
    assert found["output_tokens_details"] == {"reasoning_tokens": reasoning}
    assert ("total_cost" in found) == (cost is not None)


def test_costs_are_told_in_dollars() -> None:
    assert usage_of(Usage(), 1_500_000)["total_cost"] == 0.0015
    assert usage_of(Usage(), 0)["total_cost"] == 0
