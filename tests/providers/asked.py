"""Any chat request at all that a client may post: for judges of what becomes of it upstream."""

from typing import Any

import orjson
from hypothesis import strategies as st

from orrery import providers
from orrery.core.dialect import Encoded
from orrery.core.errors import InvalidRequest
from orrery.core.types import Json, Operation, Target
from orrery.wire.chat import read_chat

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
ids = st.sampled_from(["call_1", "toolu_01A09q90qw90lq917835lq9", "gSIMJiOkT", "w1", "ü-2"])
PNG = "data:image/png;base64,iVBORw0KGgo="

text_parts = st.builds(lambda t: {"type": "text", "text": t}, words)
image_parts = st.sampled_from(
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "text", "text": "cached", "cache_control": {"type": "ephemeral"}},
    ]
)
signatures = st.sampled_from(["", "anthropic:sig", "cohere:thinking", "cohere:plan", "mistral:.", "mistral:.sig", "x"])
instructions = st.builds(
    lambda role, content: {"role": role, "content": content},
    st.sampled_from(["system", "developer"]),
    st.one_of(words, st.lists(text_parts, min_size=1, max_size=2)),
)
users = st.builds(
    lambda content, name: {"role": "user", "content": content, **({"name": name} if name else {})},
    st.one_of(words, st.lists(st.one_of(text_parts, image_parts), min_size=1, max_size=3)),
    st.sampled_from(["", "Ada"]),
)


@st.composite
def answers(draw: st.DrawFn) -> list[Json]:
    """What an assistant said, with the results of the tools that it called."""
    message: Json = {
        "role": "assistant",
        "content": draw(st.one_of(st.none(), words, st.lists(text_parts, max_size=2))),
    }
    if draw(st.booleans()):
        message |= {"reasoning": draw(words), "reasoning_signature": draw(signatures)}
    if draw(st.booleans()):
        message["redacted_reasoning"] = "anthropic:blob"
    called = draw(st.lists(ids, max_size=3, unique=True))
    arguments = draw(st.sampled_from(["{}", "", '{"a":1}']))
    function = {"name": "f", "arguments": arguments}
    if called:
        message["tool_calls"] = [{"id": id, "type": "function", "function": function} for id in called]
    content = draw(st.one_of(words, st.lists(text_parts, max_size=2)))
    return [message, *[{"role": "tool", "tool_call_id": id, "content": content} for id in called]]


schemas = st.sampled_from([{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}])


def tool(name: str, schema: Json | None, strict: bool) -> Json:
    parameters = {"parameters": schema} if schema else {}
    return {"type": "function", "function": {"name": name, **parameters, "strict": strict}}


tools: st.SearchStrategy[Json] = st.builds(
    tool,
    st.sampled_from(["f", "g"]),
    st.one_of(st.none(), schemas),
    st.booleans(),
)
CHOICES: list[Any] = [
    "auto",
    "none",
    "required",
    {"type": "function", "function": {"name": "f"}},
    {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"name": "g"}]}},
]
FORMATS: list[Json] = [
    {"type": "text"},
    {"type": "json_object"},
    {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": True}},
]
parameters: Any = st.fixed_dictionaries(
    {},
    optional={
        "tools": st.lists(tools, max_size=2, unique_by=lambda tool: tool["function"]["name"]),
        "tool_choice": st.sampled_from(CHOICES),
        "parallel_tool_calls": st.booleans(),
        "response_format": st.sampled_from(FORMATS),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "high", "max", "default"]),
        "thinking": st.sampled_from(
            [{"type": "disabled"}, {"type": "adaptive"}, {"type": "enabled", "budget_tokens": 1024}]
        ),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(0, 1000),
        "frequency_penalty": st.floats(-2, 2),
        "presence_penalty": st.floats(-2, 2),
        "seed": st.integers(-(2**60), 2**60),
        "stop": st.one_of(words, st.lists(words, min_size=1, max_size=3)),
        "max_completion_tokens": st.integers(2048, 9999),
        "n": st.integers(1, 3),
        "logprobs": st.just(True),
        "logit_bias": st.just({"1": 5}),
        "user": words,
        "metadata": st.just({"a": "b"}),
        "service_tier": st.sampled_from(["auto", "default", "flex"]),
        "prompt_cache_key": words,
        "prediction": st.just({"type": "content", "content": [{"type": "text", "text": "a"}]}),
        "verbosity": st.just("low"),
        "stream": st.booleans(),
    },
)


@st.composite
def bodies(draw: st.DrawFn, provider: str) -> Json:
    """A body that this gateway takes."""
    said = draw(st.lists(st.one_of(instructions.map(lambda m: [m]), users.map(lambda m: [m]), answers()), max_size=5))
    messages = [message for turn in said for message in turn]
    return {"model": f"{provider}/m", "messages": [*messages, draw(users)], **draw(parameters)}


def encoded(provider: str, body: Json) -> Encoded:
    """What a posted body becomes; an empty request where the dialect refuses it."""
    call = read_chat(orjson.dumps(body))
    found = providers.get(provider)
    assert found is not None
    try:
        return found.adapters[Operation.CHAT].encode(call, Target(provider, "m", found.base_url))
    except InvalidRequest:
        return Encoded({"messages": []})
