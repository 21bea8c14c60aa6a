"""The choices of the Anthropic dialect that depend on a model or on other parameters; plain cases are in folders."""

from typing import Any

import pytest

from orrery.core.dialect import Encoded, Reply, UpstreamRequest
from orrery.core.types import Call, Operation, Target
from orrery.providers.anthropic import PROVIDER, encode, explain
from orrery.providers.anthropic.models import TRAITS, UNKNOWN, traits_of
from tests.providers.test_anthropic_judged import assert_lawful_request

HI: dict[str, Any] = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def encoded(model: str = "claude-opus-5", *, max_output: int | None = None, **body: Any) -> Encoded:
    body = {"model": f"anthropic/{model}", "messages": [HI], **body}
    target = Target("anthropic", model, PROVIDER.base_url, max_output=max_output, secret="k")
    result = encode(Call(Operation.CHAT, body["model"], body), target)
    assert_lawful_request(result.body)
    return result


def calling(*ids: str) -> dict[str, Any]:
    calls = [{"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}} for id in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(id: str | None, content: Any = "1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content}


@pytest.mark.parametrize(
    ("name", "family", "version"),
    [
        ("claude-opus-4-20250514", "opus", (4, 0)),
        ("claude-3-5-sonnet-latest", "sonnet", (3, 5)),
        ("claude-4-6-opus", "opus", (4, 6)),
        ("claude-opus-4.8", "opus", (4, 7)),
        ("claude-opus-5-2026-07-24", "opus", (5, 0)),
        ("anthropic.claude-opus-4-20250514-v1:0", "opus", (4, 0)),
        ("claude-opus-4-1@20250805", "opus", (4, 1)),
        ("claude-haiku-4-5-20251001", "haiku", (4, 5)),
        ("claude-fable-5-2", "fable", (5, 1)),
        ("claude-sonnet-7", "sonnet", (5, 5)),
    ],
)
def test_a_models_version_is_read_from_its_name(name: str, family: str, version: tuple[int, int]) -> None:
    assert traits_of(name) is TRAITS[family][version]


@pytest.mark.parametrize("name", ["claude-mythos-preview", "glm-4.6", "claude-2.1", "my-opus-5", "sonnet"])
def test_of_unknown_models_nothing_is_withheld(name: str) -> None:
    assert traits_of(name) is UNKNOWN


THINKING = [
    # model, thinking, effort → thinking sent, effort sent, lost
    ("opus-5", None, None, None, None, ()),
    ("opus-5", None, "high", {"type": "adaptive"}, "high", ()),
    ("opus-5", None, "default", None, None, ()),
    ("opus-5", None, "none", {"type": "disabled"}, None, ()),
    ("opus-5", "off", "max", {"type": "disabled"}, "high", ("reasoning_effort",)),
    ("opus-5", 4096, None, {"type": "adaptive"}, None, ("thinking.budget_tokens",)),
    ("opus-5", "adaptive", "xhigh", {"type": "adaptive"}, "xhigh", ()),
    ("opus-5-5", None, "none", None, None, ("reasoning_effort",)),
    ("opus-5-5", "off", None, None, None, ("thinking",)),
    ("sonnet-5-5", "off", None, {"type": "between_tools"}, None, ()),
    ("sonnet-4-6", None, "xhigh", {"type": "adaptive"}, "high", ("reasoning_effort",)),
    ("sonnet-4-6", 4096, "max", {"type": "enabled", "budget_tokens": 4096}, "max", ()),
    ("opus-4-5", None, "minimal", {"type": "enabled", "budget_tokens": 1024}, "low", ("reasoning_effort",)),
    ("haiku-4-5", None, "medium", {"type": "enabled", "budget_tokens": 5000}, None, ()),
    ("haiku-4-5", 4096, "low", {"type": "enabled", "budget_tokens": 4096}, None, ("reasoning_effort",)),
    ("haiku-4-5", "adaptive", None, {"type": "enabled", "budget_tokens": 7500}, None, ("thinking",)),
    ("haiku-4-5", 4096.0, None, {"type": "enabled", "budget_tokens": 4096}, None, ()),
    ("3-5-haiku", None, "low", None, None, ("reasoning_effort",)),
    ("3-5-haiku", "off", None, None, None, ()),
    ("mythos-preview", 4096, None, {"type": "enabled", "budget_tokens": 4096}, None, ()),
    ("mythos-preview", None, "low", {"type": "adaptive"}, "low", ()),
]


@pytest.mark.parametrize(("model", "wish", "effort", "thinking", "level", "lost"), THINKING)
def test_each_model_thinks_as_it_can(
    model: str, wish: Any, effort: Any, thinking: Any, level: Any, lost: tuple[str, ...]
) -> None:
    wished = {"off": {"type": "disabled"}, "adaptive": {"type": "adaptive"}, None: None}
    asked = wished.get(wish, {"type": "enabled", "budget_tokens": wish})
    sent = encoded(f"claude-{model}", thinking=asked, reasoning_effort=effort, max_tokens=10_000)
    assert sent.body.get("thinking") == thinking
    assert sent.body.get("output_config", {}).get("effort") == level
    assert sent.dropped == lost


def test_a_thinking_budget_gives_way_to_a_forced_tool() -> None:
    budget = {"type": "enabled", "budget_tokens": 1024}
    old = encoded("claude-haiku-4-5", thinking=budget, tools=[TOOL], tool_choice="required")
    assert "thinking" not in old.body and old.dropped == ("thinking",)
    assert old.body["tool_choice"] == {"type": "any"}
    new = encoded("claude-opus-4-6", thinking=budget, tools=[TOOL], tool_choice="required")
    assert new.body["thinking"] == {"type": "adaptive"} and new.dropped == ("thinking.budget_tokens",)


def test_a_thinking_budget_gives_way_to_a_tool_loop_that_began_without() -> None:
    messages = [HI, calling("a"), result("a")]
    sent = encoded("claude-haiku-4-5", messages=messages, reasoning_effort="high", tools=[TOOL])
    assert "thinking" not in sent.body and sent.dropped == ("reasoning_effort",)
    messages[1] |= {"reasoning": "why", "reasoning_signature": "s"}
    assert "thinking" in encoded("claude-haiku-4-5", messages=messages, reasoning_effort="high", tools=[TOOL]).body


def test_a_thinking_budget_is_cut_to_an_answer_that_was_clamped() -> None:
    budget = {"type": "enabled", "budget_tokens": 8000}
    sent = encoded("claude-haiku-4-5", thinking=budget, max_completion_tokens=2000)
    assert sent.body["thinking"]["budget_tokens"] == 1999 and sent.dropped == ("thinking.budget_tokens",)
    assert "thinking" not in encoded("claude-haiku-4-5", thinking=budget, max_completion_tokens=1024).body


def test_a_level_without_a_budget_is_an_effort() -> None:
    level = encoded("claude-opus-5", thinking={"type": "enabled", "thinking_level": "low"})
    assert level == encoded("claude-opus-5", reasoning_effort="low")
    assert encoded("claude-haiku-4-5", thinking={"type": "enabled", "thinking_level": "low"}).dropped == ()


def test_how_thinking_is_shown_is_passed_on() -> None:
    sent = encoded(thinking={"type": "adaptive", "display": "summarized", "thinking_level": "low"})
    assert sent.body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert sent.dropped == ("thinking.thinking_level",)


@pytest.mark.parametrize(
    ("model", "max_output", "body", "max_tokens"),
    [
        ("claude-opus-5", None, {}, 16_384),
        ("claude-opus-5", 8_000, {}, 8_000),
        ("claude-3-haiku-20240307", None, {}, 4_096),
        ("claude-opus-5", None, {"max_tokens": 7, "max_completion_tokens": 9}, 9),
        ("claude-haiku-4-5", None, {"thinking": {"type": "enabled", "budget_tokens": 30_000}}, 34_096),
        ("claude-opus-5", None, {"thinking": {"type": "enabled", "budget_tokens": 30_000}}, 16_384),
    ],
)
def test_an_answer_always_has_a_limit(model: str, max_output: Any, body: Any, max_tokens: int) -> None:
    assert encoded(model, max_output=max_output, **body).body["max_tokens"] == max_tokens


SAMPLING = [
    ("opus-5", {"temperature": 0.0, "top_p": 0.5, "top_k": 3}, {}, ("temperature", "top_p", "top_k")),
    ("opus-5", {"temperature": 1, "top_p": 1.0}, {}, ()),
    ("haiku-4-5", {"temperature": 0, "top_k": 3.0}, {"temperature": 0, "top_k": 3}, ()),
    ("haiku-4-5", {"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5}, ("top_p",)),
    ("haiku-4-5", {"temperature": 0.5, "top_p": 1}, {"temperature": 0.5}, ()),
    ("haiku-4-5", {"temperature": 2, "top_k": 1.5}, {"temperature": 1}, ("temperature", "top_k")),
    ("3-7-sonnet", {"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}, ()),
]


@pytest.mark.parametrize(("model", "asked", "sent", "lost"), SAMPLING)
def test_each_model_samples_as_it_can(model: str, asked: Any, sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(f"claude-{model}", **asked)
    assert {name: found.body[name] for name in ("temperature", "top_p", "top_k") if name in found.body} == sent
    assert found.dropped == lost


def test_sampling_gives_way_to_thinking() -> None:
    sent = encoded("claude-sonnet-4-6", thinking={"type": "adaptive"}, temperature=0.5, top_p=0.96, top_k=2)
    assert sent.body["top_p"] == 0.96 and "temperature" not in sent.body
    assert sent.dropped == ("temperature", "top_k")


def test_a_tool_cannot_be_forced_on_some_models() -> None:
    sent = encoded("claude-opus-5-5", tools=[TOOL], tool_choice="required", parallel_tool_calls=False)
    assert sent.body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert sent.dropped == ("tool_choice",)


def test_allowed_tools_are_the_only_ones_sent() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "other"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    sent = encoded(tools=[TOOL, other], tool_choice=choice)
    assert [tool["name"] for tool in sent.body["tools"]] == ["other"]
    assert sent.body["tool_choice"] == {"type": "any"}


def test_a_choice_without_tools_is_not_sent() -> None:
    assert "tool_choice" not in encoded(tool_choice="none").body
    assert encoded(tool_choice="required").dropped == ("tool_choice",)
    assert encoded(tools=[TOOL], tool_choice="none", parallel_tool_calls=False).body["tool_choice"] == {"type": "none"}


def test_strict_tools_have_closed_schemas() -> None:
    function = {"name": "f", "strict": True, "parameters": {"type": "object", "properties": {"a": {"type": "object"}}}}
    tools = [{"type": "function", "function": function}]
    schema = encoded(tools=tools).body["tools"][0]["input_schema"]
    assert schema["additionalProperties"] is False and schema["properties"]["a"]["additionalProperties"] is False
    assert encoded("claude-3-7-sonnet", tools=tools).dropped == ("tools.strict",)
    assert "additionalProperties" not in function["parameters"]


def test_a_schema_says_itself_what_else_it_allows() -> None:
    schema = {"anyOf": [{"type": ["object", "null"]}, {"$ref": "#/$defs/a"}], "$defs": {"a": {"properties": {}}}}
    schema["$defs"]["b"] = {"type": "object", "additionalProperties": True}  # type: ignore[call-overload]
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    sent = encoded(response_format=wanted).body["output_config"]["format"]["schema"]
    assert sent["anyOf"][0]["additionalProperties"] is False and "additionalProperties" not in sent
    assert [sent["$defs"][name]["additionalProperties"] for name in "ab"] == [False, True]


@pytest.mark.parametrize("wanted", [{"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "x"}}])
def test_json_without_a_schema_cannot_be_asked_for(wanted: Any) -> None:
    sent = encoded(response_format=wanted)
    assert sent.dropped == ("response_format",) and "output_config" not in sent.body


def test_anthropics_own_output_config_wins() -> None:
    sent = encoded(output_config={"effort": "low"}, reasoning_effort="high", response_format={"type": "text"})
    assert sent.body["output_config"] == {"effort": "low"} and not sent.dropped


@pytest.mark.parametrize(("tier", "sent"), [("auto", "auto"), ("default", "standard_only"), ("priority", None)])
def test_service_tiers_have_counterparts_or_none(tier: str, sent: str | None) -> None:
    found = encoded(service_tier=tier)
    assert found.body.get("service_tier") == sent
    assert found.dropped == (() if sent else ("service_tier",))


def test_the_key_goes_into_its_header_beside_the_version() -> None:
    target = Target("anthropic", "claude-opus-5", PROVIDER.base_url, secret="sk-1")
    assert PROVIDER.sign(UpstreamRequest("POST", "", {}), target, 0.0) == {
        "x-api-key": "sk-1",
        "anthropic-version": "2023-06-01",
    }
    adapter = PROVIDER.adapters[Operation.CHAT]
    assert PROVIDER.base_url + adapter.path(Call(Operation.CHAT, "m", {}), target) == (
        "https://api.anthropic.com/v1/messages"
    )


def test_a_404_is_about_the_model() -> None:
    err = explain(Reply(404, {}, b'{"type":"error","error":{"type":"not_found_error","message":"model: x"}}'))
    assert (err.status, err.code, err.message) == (404, "model_not_found", "model: x")
