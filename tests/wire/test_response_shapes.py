"""Every parameter of a response at its published bounds, and just outside them."""

from typing import Any

import pytest

from orrery.wire.chat_parameters import PARAMETERS as CHAT
from orrery.wire.response_shapes import AS_IN_CHAT, INCLUDABLE, PARAMETERS
from tests.wire.responding import read, refusal

TRUTHS: tuple[list[Any], list[Any]] = ([True, False], ["true", 1, 0])
SCHEMA = {"type": "json_schema", "name": "f", "schema": {}}
SEALED = 20_971_520

LIMITS: tuple[list[Any], list[Any]] = (
    [
        {},
        {"max_iterations": 1},
        {"max_execution_time": 1},
        {"max_execution_time": 86400},
        {"max_cost": 0},
        {"max_cost": 1000000.0},
        {"max_depth": 1},
        {"tool_timeout": 1},
        {"tool_timeout": 1.5},
    ],
    [
        [],
        {"max_iterations": 0},
        {"max_iterations": 1.5},
        {"max_execution_time": 0.5},
        {"max_execution_time": 86401},
        {"max_cost": -0.1},
        {"max_cost": 1e300},
        {"max_depth": 0},
        {"tool_timeout": 0},
        {"tool_timeout": "1"},
    ],
)

# name: (accepted, refused)
BOUNDS: dict[str, tuple[list[Any], list[Any]]] = {
    "input": (
        ["x", "x" * 10_485_760, [{"role": "user", "content": ""}]],
        ["x" * 10_485_761, [""], [[]], {}, 1],
    ),
    "instructions": (["", "x"], [1, ["x"]]),
    "previous_response_id": (["resp_1"], ["", 1]),
    "conversation": (["conv_1", {"id": "conv_1"}], ["", {}, {"id": ""}, {"id": 1}, 1, []]),
    "background": TRUTHS,
    "include": ([[], [*INCLUDABLE]], [["x"], "reasoning.encrypted_content", [1]]),
    "tools": ([[], [{"type": "function", "name": "f"}]], [{}, "x", [1], [{}], [{"type": "function"}]]),
    "tool_choice": (
        ["none", "auto", "required", {"type": "function", "name": "f"}],
        ["f", 1, [], {}, {"type": "x"}, {"type": "function"}],
    ),
    "max_output_tokens": ([0, 1, 16, 2**40], [-1, 1.5, 100.0, "9", True]),
    "max_tool_calls": ([1, 1000], [0, -1, 1.5, "1", True]),
    "text": (
        [{}, {"format": None, "verbosity": None}, {"verbosity": "low"}, {"verbosity": "medium"}, {"verbosity": "high"}]
        + [{"format": form} for form in ({"type": "text"}, {"type": "json_object"}, SCHEMA)]
        + [{"format": {**SCHEMA, "name": "x" * 64, "description": "d", "strict": True}}],
        ["x", {"verbosity": "x"}, {"format": "text"}, {"format": {}}, {"format": {"type": "x"}}]
        + [{"format": {"type": "json_schema", "name": "f"}}, {"format": {"type": "json_schema", "schema": {}}}]
        + [{"format": {**SCHEMA, **bad}} for bad in ({"name": "a b"}, {"name": "x" * 65}, {"name": ""}, {"strict": 1})]
        + [{"format": {**SCHEMA, "schema": []}}],
    ),
    "reasoning": (
        [{}, {"effort": None, "summary": None}, {"mode": "pro"}]
        + [{"effort": effort} for effort in ("none", "minimal", "low", "medium", "high", "xhigh", "max")]
        + [{name: word} for name in ("summary", "generate_summary") for word in ("auto", "concise", "detailed")]
        + [{"context": word} for word in ("auto", "current_turn", "all_turns")],
        ["low", {"effort": "x"}, {"summary": "short"}, {"generate_summary": True}, {"context": "x"}, {"mode": 1}],
    ),
    "truncation": (["auto", "disabled"], ["x", True]),
    "stream_options": ([{}, {"include_obfuscation": True}], [{"include_obfuscation": 1}, True]),
    "service_tier": (
        ["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"],
        ["slow", 1],
    ),
    "context_management": (
        [[{"type": "compaction"}], [{"type": "compaction", "compact_threshold": 1000}]],
        [[], [{}], [{"type": "compaction", "compact_threshold": 999}], {}],
    ),
    "stop_sequences": ([[], ["a"] * 9], ["a", [1]]),
    "prompt": (
        [{"id": "p"}, {"id": "p", "version": "latest", "variables": {"a": "b"}}],
        [{}, "p", {"id": ""}, {"id": "p", "version": "2"}, {"id": "p", "variables": []}],
    ),
    "memory": ([{"entity_id": "e"}, {"entity_id": "e" * 64}], [{}, {"entity_id": ""}, {"entity_id": "e" * 65}, "e"]),
    "limits": LIMITS,
    "security": ([{}, {"mask": []}, {"mask": ["all"]}], [{"mask": "all"}, {"mask": [1]}, []]),
    "integration_id": (["x"], [1]),
    "tags": ([[], ["a"]], ["a", [1]]),
    "temperature": ([0, 2], [-0.1, 2.1, "1"]),
    "top_p": ([0, 1], [-0.1, 1.1]),
    "top_logprobs": ([0, 20], [-1, 21, 1.5]),
    "safety_identifier": (["x" * 64], ["x" * 65]),
    "metadata": ([{}, {"k" * 64: "v" * 512}], [{"k" * 65: ""}, {"k": "v" * 513}, {str(i): "" for i in range(17)}]),
    "parallel_tool_calls": TRUTHS,
    "store": TRUTHS,
    "stream": TRUTHS,
    "user": (["u"], [1]),
    "prompt_cache_key": (["k"], [1]),
    "prompt_cache_retention": (["in_memory", "24h"], ["1h"]),
    "prompt_cache_options": ([{}], ["x"]),
    "moderation": ([{"model": "m"}], [{}]),
    "cache_control": ([{"type": "ephemeral"}], [{}]),
    "top_k": ([1], ["1"]),
    "presence_penalty": ([-2, 2], [-2.1, 2.1]),
    "frequency_penalty": ([-2, 2], [-2.1, 2.1]),
}

NEEDED: dict[str, dict[str, Any]] = {
    "tool_choice": {"tools": [{"type": "function", "name": "f"}]},
    "stream_options": {"stream": True},
}


def test_no_parameter_is_missing_here() -> None:
    assert BOUNDS.keys() == PARAMETERS.keys()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (good, _) in BOUNDS.items() for value in good])
def test_what_is_published_is_accepted(name: str, value: object) -> None:
    read(**NEEDED.get(name, {}), **{name: value})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (_, bad) in BOUNDS.items() for value in bad])
def test_what_is_outside_is_refused_by_its_name(name: str, value: object) -> None:
    param = refusal(**NEEDED.get(name, {}), **{name: value}).param
    assert param is not None
    assert param == name or param.startswith((f"{name}.", f"{name}["))


@pytest.mark.parametrize("name", AS_IN_CHAT)
def test_what_chat_has_too_means_the_same(name: str) -> None:
    assert PARAMETERS[name] is CHAT[name]
