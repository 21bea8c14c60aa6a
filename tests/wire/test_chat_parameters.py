"""Every parameter at its published bounds, and just outside them."""

from typing import Any

import pytest

from orrery.wire.chat_parameters import PARAMETERS
from tests.wire.judging import read, refusal

TRUTHS: tuple[list[Any], list[Any]] = ([True, False], ["true", 1, 0])
FUNCTION = {"type": "function", "function": {"name": "f"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "f"}}
TEXT = {"type": "text", "text": "x"}


def tool(**function: Any) -> list[Any]:
    return [{"type": "function", "function": {"name": "f", **function}}]


def custom(**fields: Any) -> list[Any]:
    return [{"type": "custom", "custom": {"name": "f", **fields}}]


def grammar(**fields: Any) -> dict[str, Any]:
    return {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x", **fields}}


def enabled(**fields: Any) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": 1024, **fields}


# name: (accepted, refused)
BOUNDS: dict[str, tuple[list[Any], list[Any]]] = {
    "stream": TRUTHS,
    "temperature": ([0, 0.0, 2, 2.0, 0.5], [-0.01, 2.01, "1", True, [1]]),
    "top_p": ([0, 1, 1.0, 0.5], [-0.01, 1.01, "1", False]),
    "top_k": ([0, 40, 40.0, -1], ["40", True]),
    "frequency_penalty": ([-2, 2, 0.1], [-2.01, 2.01, "0", True]),
    "presence_penalty": ([-2, 2, 0.1], [-2.01, 2.01, "0", True]),
    "max_tokens": ([1, 2**40], [0, -1, 1.5, 100.0, "9", True]),
    "max_completion_tokens": ([1, 2**40], [0, -1, 1.5, "9", True]),
    "n": ([1, 128], [0, 129, 1.5, "1", True]),
    "seed": ([0, -5, 5.0, 2**63 - 1, -(2**63)], [1.5, 2**64 - 1, -1e19, "1", True]),
    "stop": (["", "x", [], ["a", "b", "c", "d"]], [["a", "b", "c", "d", "e"], [1], [None], 5, {}, True]),
    "logprobs": TRUTHS,
    "logit_bias": ([{}, {"1": 100, "2": -100, "3": 0.5}], [{"1": 101}, {"1": -101}, {"1": "5"}, {"1": True}, [], 5]),
    "metadata": (
        [{}, {"k" * 64: "v" * 512}, {str(i): "" for i in range(16)}],
        [{"k" * 65: ""}, {"k": "v" * 513}, {str(i): "" for i in range(17)}, {"k": 1}, {"k": None}, [], "x"],
    ),
    "parallel_tool_calls": TRUTHS,
    "store": TRUTHS,
    "user": ([""], [1]),
    "safety_identifier": (["", "x" * 64], ["x" * 65, 1]),
    "prompt_cache_key": (["x"], [1]),
    "prompt_cache_retention": (["in_memory", "in-memory", "24h"], ["1h", 24]),
    "prompt_cache_options": (
        [{}, {"mode": "implicit"}, {"mode": "explicit", "ttl": "30m"}],
        [{"mode": "auto"}, {"ttl": "5m"}, "x"],
    ),
    "cache_control": (
        [{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "5m"}, {"type": "ephemeral", "ttl": "1h"}],
        [{}, {"type": "eternal"}, {"type": "ephemeral", "ttl": "2h"}, True],
    ),
    "service_tier": (
        ["auto", "default", "flex", "scale", "priority", "fast", "on_demand", "performance", "standard_only"],
        ["slow", 1, []],
    ),
    "reasoning_effort": (
        ["none", "minimal", "low", "medium", "high", "xhigh", "max", "default"],
        ["extreme", "", 1, {}],
    ),
    "verbosity": (["low", "medium", "high", "whatever"], [1]),
    "modalities": ([[], ["text"], ["text", "text"]], [["video"], [1], "text"]),
    "audio": (
        [{"voice": v, "format": f} for v in ("alloy", "nova", {"id": "v_1"}) for f in ("wav", "aac", "mp3")]
        + [{"voice": "x", "format": f} for f in ("flac", "opus", "pcm16")],
        [
            {"voice": "alloy"},
            {"format": "wav"},
            {"voice": 1, "format": "wav"},
            {"voice": {}, "format": "wav"},
            {"voice": "alloy", "format": "ogg"},
            "alloy",
        ],
    ),
    "response_format": (
        [
            {"type": "text"},
            {"type": "json_object"},
            SCHEMA,
            {"type": "json_schema", "json_schema": {"name": "a-B_9" * 12, "schema": {}, "strict": None}},
        ],
        [{}, {"type": "xml"}, {"type": "json_schema"}, {"type": "json_schema", "json_schema": {}}, "text"]
        + [{"type": "json_schema", "json_schema": {"name": bad}} for bad in ("", "a b", "x" * 65, 1)]
        + [{"type": "json_schema", "json_schema": {"name": "f", **bad}} for bad in ({"schema": []}, {"strict": 1})],
    ),
    "thinking": (
        [
            {"type": "disabled"},
            {"type": "adaptive"},
            enabled(),
            enabled(budget_tokens=1024.0),
            enabled(budget_tokens=9999),
            {"type": "enabled", "thinking_level": "low"},
        ]
        + [enabled(thinking_level=level) for level in ("minimal", "low", "medium", "high")],
        [{}, {"type": "on"}, {"type": "enabled"}, True]
        + [enabled(budget_tokens=bad) for bad in (1023, 1024.5, "2048", None, True)]
        + [enabled(thinking_level="max")],
    ),
    "tools": (
        [
            [],
            [FUNCTION],
            tool(name="a-B_9" + "x" * 59),
            tool(description="x", parameters={}, strict=True),
            [{"function": {"name": "f"}}],
            tool(parameters=None),
            custom(),
            custom(description="x"),
            custom(format={"type": "text"}),
            custom(format=grammar()),
            custom(format=grammar(syntax="regex")),
        ],
        ["f", {}, ["get_weather"], [{}], [{"type": "function"}], [{"type": "web_search"}], [{"type": "custom"}]]
        + [tool(name=bad) for bad in ("", "a b", "a.b", "f\n", "é", "x" * 65, 1, None)]
        + [tool(description=1), tool(parameters=[]), tool(strict="yes")]
        + [custom(name=""), custom(format={"type": "xml"}), custom(format=grammar(syntax="bnf")), custom(format={})],
    ),
    "tool_choice": (
        ["none", "auto", "required", FUNCTION, {"function": {"name": "f"}}, {"type": "custom", "custom": {"name": "f"}}]
        + [
            {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [FUNCTION]}}
            for mode in ("auto", "required")
        ],
        ["any", "", 1, [], {}, {"type": "function"}, {"type": "function", "function": {}}, {"type": "tool"}]
        + [{"type": "custom"}, {"type": "function", "function": {"name": 1}}]
        + [{"type": "allowed_tools", "allowed_tools": bad} for bad in ({}, {"mode": "none", "tools": []})]
        + [{"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": ["f"]}}],
    ),
    "functions": (
        [[{"name": "f"}], [{"name": "f", "description": "x", "parameters": {}}] * 128],
        [[], [{"name": "f"}] * 129, [{}], [{"name": "a b"}], [{"name": "f", "parameters": 1}]],
    ),
    "function_call": (["none", "auto", {"name": "f"}], ["required", {}, {"name": 1}, 1]),
    "prediction": (
        [{"type": "content", "content": "x"}, {"type": "content", "content": [TEXT]}],
        [
            {},
            {"type": "content"},
            {"type": "text", "content": "x"},
            {"type": "content", "content": []},
            {"type": "content", "content": [{"type": "image_url"}]},
        ],
    ),
    "web_search_options": (
        [
            {},
            {"search_context_size": "low", "user_location": None},
            {"user_location": {"type": "approximate", "approximate": {}}},
        ],
        [
            {"search_context_size": "huge"},
            {"user_location": {"type": "exact", "approximate": {}}},
            {"user_location": {"type": "approximate"}},
            {"user_location": {"type": "approximate", "approximate": {"city": 1}}},
        ],
    ),
    "moderation": (
        [{"model": "m"}, {"model": "m", "policy": {"input": {"mode": "score"}, "output": None}}],
        [
            {},
            {"model": 1},
            {"model": "m", "policy": {"input": {}}},
            {"model": "m", "policy": {"output": {"mode": "log"}}},
        ],
    ),
}

ACCEPTED = [(name, value) for name, (accepted, _) in BOUNDS.items() for value in accepted]
REFUSED = [(name, value) for name, (_, refused) in BOUNDS.items() for value in refused]


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_a_value_within_the_bounds_goes_on_as_it_came(name: str, value: Any) -> None:
    assert read(**{name: value}).body[name] == value


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_value_outside_the_bounds_is_refused_by_name(name: str, value: Any) -> None:
    err = refusal(**{name: value})
    assert err.param is not None
    assert err.param.split(".")[0].split("[")[0] == name
    assert err.param in err.message


def test_top_logprobs_run_from_0_to_20() -> None:
    for value in (0, 20):
        assert read(logprobs=True, top_logprobs=value).body["top_logprobs"] == value
    for value in (-1, 21, 1.5, "5", True):
        assert refusal(logprobs=True, top_logprobs=value).param == "top_logprobs"


def test_stream_options_are_booleans() -> None:
    read(stream=True, stream_options={"include_usage": True, "include_obfuscation": False, "unknown": 1})
    assert refusal(stream=True, stream_options={"include_usage": 1}).param == "stream_options.include_usage"
    assert refusal(stream=True, stream_options=True).param == "stream_options"


def test_no_parameter_is_left_untested() -> None:
    assert PARAMETERS.keys() - BOUNDS.keys() == {"top_logprobs", "stream_options"}


@pytest.mark.parametrize(
    ("fields", "param", "message"),
    [
        ({"temperature": 3}, "temperature", "Invalid value for 'temperature': expected a number of at most 2."),
        ({"temperature": "1"}, "temperature", "expected a number, but got a string instead."),
        ({"n": 0}, "n", "expected a number of at least 1."),
        ({"n": True}, "n", "expected an integer, but got a boolean instead."),
        ({"max_tokens": 1.5}, "max_tokens", "expected an integer, but got a number instead."),
        ({"seed": 1.5}, "seed", "expected a whole number."),
        ({"stop": 5}, "stop", "expected a string or an array, but got an integer instead."),
        ({"stop": ["a"] * 5}, "stop", "expected at most 4 items."),
        ({"stop": ["a", 5]}, "stop[1]", "expected a string, but got an integer instead."),
        ({"functions": []}, "functions", "expected at least 1 item(s)."),
        ({"tools": ["f"]}, "tools[0]", "expected an object, but got a string instead."),
        ({"tools": [{"type": "x"}]}, "tools[0].type", "expected 'function' or 'custom'."),
        ({"tools": tool(name="a b")}, "tools[0].function.name", "expected 1 to 64 characters of a-z"),
        (
            {"tools": [{"function": {}}]},
            "tools[0].function.name",
            "Missing required parameter: 'tools[0].function.name'.",
        ),
        ({"response_format": {}}, "response_format.type", "Missing required parameter: 'response_format.type'."),
        ({"reasoning_effort": "x"}, "reasoning_effort", "expected 'none', 'minimal',"),
        ({"safety_identifier": "x" * 65}, "safety_identifier", "expected at most 64 characters."),
        ({"metadata": {"a": 1}}, "metadata", "expected values that are strings of at most 512 characters."),
        ({"model": ""}, "model", "expected at least 1 character(s)."),
    ],
)
def test_the_first_offence_is_said_in_a_clients_words(fields: dict[str, Any], param: str, message: str) -> None:
    err = refusal(**fields)
    assert err.param == param
    assert message in err.message
