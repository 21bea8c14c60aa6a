"""Judged by botocore: what goes to Bedrock, as it would send it itself, and the fixtures said to be from Bedrock."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from botocore.exceptions import EventStreamError
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.dialect import Encoded
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.bedrock import PROVIDER
from orrery.providers.bedrock.encode import encode
from orrery.providers.bedrock.errors import STATUS
from orrery.providers.bedrock.places import locate
from tests.providers import bedrock_judge as judge
from tests.providers.any_bedrock import streams
from tests.providers.cases import Case, stream_of, with_files
from tests.providers.test_cases import each


def ours(*files: str) -> list[Case]:
    return [case for case in with_files(*files) if case.provider == "bedrock"]


def assert_as_botocore_sends_it(encoded: Encoded, target: Target, *, stream: bool = False) -> None:
    """The service model takes it, and botocore writes the same path and body for the same parameters."""
    request = judge.request_of(target.model, encoded.body, stream=stream)
    assert orjson.loads(request["body"]) == encoded.body
    call = Call(Operation.CHAT, "m", {}, stream=stream)
    assert request["url_path"] == PROVIDER.adapters[Operation.CHAT].path(call, target)


@each(ours("request.json"))
def test_requests_are_botocores(case: Case) -> None:
    call, target = case.call(), locate(Target("bedrock", case.target().model, PROVIDER.base_url, "us-east-1"))
    assert_as_botocore_sends_it(encode(call, target), target, stream=call.stream)


WRONG: list[Json] = [
    {"speed": 1},
    {"messages": [{"role": "user", "content": [{"text": "a", "image": {}}]}]},
    {"messages": [{"role": "narrator", "content": [{"text": "a"}]}]},
    {"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": "%"}}}]}]},
    {"inferenceConfig": {"temperature": 1.5}},
    {"toolConfig": {"tools": []}},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_the_judge_refuses_what_the_model_does_not_know(wrong: Json) -> None:
    right: Json = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
    judge.request_of("m", right, stream=False)
    with pytest.raises((AssertionError, ValueError)):
        judge.request_of("m", right | wrong, stream=False)


@each(ours("reply.json"))
def test_replies_are_bedrocks(case: Case) -> None:
    judge.lawful(case.json_of("reply.json"), judge.operation(stream=False).output_shape)


def message_in(stream: bytes) -> Json:
    """The message, stop reason and usage of a stream, added up from what botocore reads in it."""
    blocks: dict[int, Json] = {}
    whole: Json = {}
    for event in judge.events_of(stream):
        ((name, data),) = event.items()
        if name == "contentBlockStart":
            ((kind, start),) = data["start"].items()
            blocks[data["contentBlockIndex"]] = {
                kind: {**start, **({"input": ""} if kind == "toolUse" else {"content": []})}
            }
        elif name == "contentBlockDelta":
            _add(blocks.setdefault(data["contentBlockIndex"], {}), data["delta"])
        elif name in ("messageStop", "metadata"):
            whole |= data
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = orjson.loads(block["toolUse"]["input"] or "{}")
    return {**whole, "content": [blocks[index] for index in sorted(blocks)]}


def _add(block: Json, delta: Json) -> None:
    if "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "toolResult" in delta:
        block["toolResult"]["content"] += delta["toolResult"]
    elif "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    elif "redactedContent" in delta["reasoningContent"]:
        block["reasoningContent"] = delta["reasoningContent"]
    else:
        held = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})["reasoningText"]
        for name, piece in delta["reasoningContent"].items():
            held[name] = held.get(name, "") + piece


@each(ours("stream.jsonl", "reply.json"))
def test_stream_and_reply_are_the_same_message(case: Case) -> None:
    streamed, whole = message_in(stream_of(case)), judge.reply_of(case.bytes_of("reply.json"))
    assert streamed["content"] == whole["output"]["message"]["content"]
    assert streamed["stopReason"] == whole["stopReason"] and streamed["usage"] == whole["usage"]


@each(ours("stream.jsonl"))
def test_streams_are_made_of_bedrocks_events(case: Case) -> None:
    members: Any = judge.operation(stream=True).get_event_stream_output()
    for line in map(orjson.loads, case.bytes_of("stream.jsonl").splitlines()):
        if "error" not in line:
            judge.lawful(line["payload"], members.members[line.get("type") or line["exception"]])


@each([case for case in ours("stream.jsonl", "raised.json") if case.name.startswith("error")])
def test_failed_streams_fail_for_botocore_too(case: Case) -> None:
    with pytest.raises(EventStreamError) as caught:
        list(judge.events_of(stream_of(case)))
    expected = case.json_of("raised.json")
    assert caught.value.response["Error"]["Message"] == expected["message"]


@each(ours("error.json"))
def test_errors_are_bedrocks(case: Case) -> None:
    held = case.json_of("error.json")
    body = held["body"].encode() if isinstance(held["body"], str) else orjson.dumps(held["body"])
    error = judge.error_of(held["status"], held["headers"], body)
    if error["Code"] in judge.exceptions():
        assert held["status"] == judge.exceptions()[error["Code"]]


def test_every_exception_has_its_status() -> None:
    named = {name.lower().removesuffix("exception"): status for name, status in judge.exceptions().items()}
    assert named == STATUS


TEXT = st.text(max_size=8)
SCHEMAS = st.fixed_dictionaries(
    {}, optional={"properties": st.just({"a": {"type": "string"}}), "type": st.just("object")}
)
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
CACHE = st.sampled_from([{}, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}])
PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
PDF = {"type": "file", "file": {"filename": "Ä b..c.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}
PARTS = st.lists(
    st.builds(
        lambda part, cache: {**part, **cache},
        st.one_of(st.builds(lambda t: {"type": "text", "text": t}, TEXT), st.sampled_from([PNG, PDF])),
        CACHE,
    ),
    max_size=3,
)
CONTENT = st.one_of(TEXT, PARTS)
MODELS = st.sampled_from(
    [
        "us.anthropic.claude-opus-5",
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "amazon.nova-pro-v1:0",
        "amazon.nova-2-lite-v1:0",
        "meta.llama3-1-8b-instruct-v1:0",
        "mistral.mistral-large-2407-v1:0",
        "openai.gpt-oss-20b-1:0",
        "qwen.qwen3-32b-v1:0",
        "writer.palmyra-x5-v1:0",
        "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123",
    ]
)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(1, 100),
        "max_tokens": st.integers(1, 9_000),
        "stop": st.one_of(TEXT, st.lists(TEXT, max_size=4)),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "high", "xhigh", "max", "default"]),
        "thinking": st.sampled_from(
            [{"type": "disabled"}, {"type": "adaptive"}, {"type": "enabled", "budget_tokens": 2000}]
        ),
        "metadata": st.dictionaries(TEXT, TEXT, max_size=2),
        "service_tier": st.sampled_from(["auto", "default", "flex", "scale"]),
        "tool_choice": st.sampled_from(["none", "auto", "required"]),
        "parallel_tool_calls": st.booleans(),
        "response_format": st.builds(
            lambda name, schema: {"type": "json_schema", "json_schema": {"name": name, "schema": schema}},
            NAMES,
            SCHEMAS,
        ),
        "cache_control": st.just({"type": "ephemeral"}),
    },
)


@st.composite
def conversations(draw: st.DrawFn) -> list[Json]:
    """Any conversation that OpenAI's wire allows: every call answered, roles in any order."""
    messages: list[Json] = []
    for _ in range(draw(st.integers(0, 5))):
        role = draw(st.sampled_from(["system", "user", "assistant", "calls"]))
        if role == "system":
            messages.append({"role": "system", "content": draw(TEXT), **draw(CACHE)})
        elif role == "user":
            messages.append({"role": "user", "content": draw(CONTENT), **draw(CACHE)})
        elif role == "assistant":
            messages.append({"role": "assistant", "content": draw(TEXT), "reasoning_signature": draw(TEXT)})
        else:
            ids = draw(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=3, unique=True))
            calls = [{"id": i, "type": "function", "function": {"name": draw(NAMES), "arguments": "{}"}} for i in ids]
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            messages += [{"role": "tool", "tool_call_id": i, "content": draw(CONTENT), **draw(CACHE)} for i in ids]
    return [*messages, {"role": "user", "content": "Go on"}]


@settings(deadline=None, max_examples=60)
@given(MODELS, conversations(), PARAMETERS, st.lists(NAMES, max_size=2, unique=True))
def test_any_request_is_botocores(model: str, messages: list[Json], parameters: Json, names: list[str]) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    body = {"model": model, "messages": messages, "tools": tools, **parameters}
    target = Target("bedrock", model, PROVIDER.base_url, "us-east-1")
    encoded = encode(Call(Operation.CHAT, model, body), target)
    assert_as_botocore_sends_it(encoded, target)
    assert_well_formed(encoded.body)


def assert_well_formed(body: Json) -> None:
    """What the service demands and the model does not say."""
    turns, tools = body["messages"], body.get("toolConfig", {}).get("tools", [])
    assert all(one["role"] != other["role"] for one, other in pairwise(turns))
    blocks = [body.get("system", []), tools, *(turn["content"] for turn in turns)]
    assert sum("cachePoint" in block for held in blocks for block in held) <= 4
    assert all(block["text"].strip() for turn in turns for block in turn["content"] if "text" in block)
    names = [block["document"]["name"] for turn in turns for block in turn["content"] if "document" in block]
    assert len(set(names)) == len(names)
    for turn in turns:
        kinds = [next(iter(block)) for block in turn["content"]]
        assert "document" not in kinds or "text" in kinds
        assert not any(one in ("document", "video") and other == "cachePoint" for one, other in pairwise(kinds))
    uses = [block["toolUse"]["toolUseId"] for turn in turns for block in turn["content"] if "toolUse" in block]
    results = [b["toolResult"]["toolUseId"] for turn in turns for b in turn["content"] if "toolResult" in b]
    assert sorted(uses) == sorted(results) and len(set(uses)) == len(uses)
    assert not uses or tools


@settings(deadline=None, max_examples=50)
@given(streams())
def test_any_stream_of_the_tests_is_one_to_botocore(pair: tuple[bytes, bytes]) -> None:
    *_, last = judge.events_of(pair[0])
    assert last["metadata"]["usage"] == judge.reply_of(pair[1])["usage"]
