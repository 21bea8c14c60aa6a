"""The practice provider: an echo on OpenAI's wire that fails when it is told to."""

import asyncio
from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from orrery.edge.sandbox import app
from orrery.edge.sandbox_answer import NOTHING_SAID, instance
from tests.edge.asgi import Heard, request

WEATHER = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {}}, "required": ["city"]}}
TIME = {"name": "get_time"}
TOOLS = [{"type": "function", "function": tool} for tool in (WEATHER, TIME)]


def said(text: Any = "Hello, planets") -> dict[str, Any]:
    return {"model": "echo", "messages": [{"role": "user", "content": text}]}


async def ask(body: Any = None, **more: Any) -> Heard:
    return await request(app, {**(body or said()), **more}, path="/sandbox/v1/chat/completions")


async def answer(body: Any = None, **more: Any) -> ChatCompletion:
    return ChatCompletion.model_validate((await ask(body, **more)).json())


async def chunks(body: Any = None, **more: Any) -> list[ChatCompletionChunk]:
    *events, done = (await ask(body, stream=True, **more)).events()
    assert done == b"[DONE]"
    return [ChatCompletionChunk.model_validate(orjson.loads(event)) for event in events]


async def test_the_last_user_message_comes_back() -> None:
    messages = [
        {"role": "user", "content": "one"},
        {"role": "user", "content": "two"},
        {"role": "tool", "content": "3"},
    ]
    assert (await answer(said(), messages=messages)).choices[0].message.content == "two"


async def test_the_texts_of_content_parts_are_joined() -> None:
    parts = [{"type": "text", "text": "a "}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "b"}]
    assert (await answer(said(parts))).choices[0].message.content == "a b"


async def test_who_says_nothing_is_told_so() -> None:
    assert (await answer(said(""))).choices[0].message.content == NOTHING_SAID


async def test_it_says_that_it_is_no_model() -> None:
    heard = await ask()
    assert heard.headers["x-orrery-sandbox"] == "practice provider, no model"
    assert heard.json()["system_fingerprint"] == "orrery-sandbox"


@pytest.mark.parametrize("text", ["one two  three\n four ", "x", " ", "tab\tend", "é 🪐 ok"])
async def test_a_stream_is_the_same_answer_token_by_token(text: str) -> None:
    streamed = await chunks(said(text))
    deltas = [chunk.choices[0].delta.content or "" for chunk in streamed]
    assert "".join(deltas) == (await answer(said(text))).choices[0].message.content == text
    assert streamed[0].choices[0].delta.role == "assistant" and streamed[-1].choices[0].finish_reason == "stop"


async def test_as_many_choices_come_as_are_wanted() -> None:
    assert [choice.index for choice in (await answer(n=3)).choices] == [0, 1, 2]
    assert {chunk.choices[0].index for chunk in await chunks(n=3)} == {0, 1, 2}


@pytest.mark.parametrize("limit", [{"max_completion_tokens": 2}, {"max_tokens": 2}])
async def test_a_limit_cuts_the_answer(limit: dict[str, int]) -> None:
    (choice,) = (await answer(said("a b c"), **limit)).choices
    assert (choice.message.content, choice.finish_reason) == ("a b", "length")
    assert (await chunks(said("a b c"), **limit))[-1].choices[0].finish_reason == "length"


@pytest.mark.parametrize("stop", ["c", ["zz", "c d", "c"]])
async def test_a_stop_sequence_ends_the_answer_before_it(stop: Any) -> None:
    (choice,) = (await answer(said("a b c d"), stop=stop)).choices
    assert (choice.message.content, choice.finish_reason) == ("a b ", "stop")


async def test_usage_counts_words() -> None:
    usage = (await answer(said("a b c"), n=2)).usage
    assert usage and (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 6, 9)


async def test_streamed_usage_comes_when_asked_for_and_last() -> None:
    *before, last = await chunks(stream_options={"include_usage": True})
    assert last.choices == [] and last.usage and last.usage.total_tokens == 4
    assert not any(chunk.usage for chunk in before)
    assert not any(chunk.usage or not chunk.choices for chunk in await chunks())


@pytest.mark.parametrize(
    ("choice", "name", "arguments"),
    [
        ("required", "get_weather", {"city": None}),
        ({"type": "function", "function": {"name": "get_time"}}, "get_time", {}),
    ],
)
async def test_a_demanded_tool_is_called(choice: Any, name: str, arguments: Any) -> None:
    (made,) = (await answer(tools=TOOLS, tool_choice=choice)).choices
    assert made.finish_reason == "tool_calls" and made.message.content is None and made.message.tool_calls
    function: Any = made.message.tool_calls[0]
    assert (function.function.name, orjson.loads(function.function.arguments)) == (name, arguments)
    first = (await chunks(tools=TOOLS, tool_choice=choice))[1].choices[0].delta.tool_calls
    assert first and first[0].function and first[0].function.name == name


async def test_offered_tools_are_left_alone() -> None:
    assert (await answer(tools=TOOLS, tool_choice="auto")).choices[0].message.tool_calls is None


async def test_json_is_answered_where_json_is_wanted() -> None:
    (choice,) = (await answer(response_format={"type": "json_object"})).choices
    assert orjson.loads(choice.message.content or "") == {"echo": "Hello, planets"}


async def test_a_schema_is_obeyed() -> None:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    (choice,) = (await answer(response_format=wanted)).choices
    assert orjson.loads(choice.message.content or "") == {"ok": False}


@pytest.mark.parametrize(
    ("schema", "smallest"),
    [
        ({"type": "string", "minLength": 6}, "echo.."),
        ({"type": "string", "maxLength": 2}, "ec"),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "array", "items": {"type": "number"}, "minItems": 2}, [0, 0]),
        ({"type": ["string", "null"]}, "echo"),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 7}, 7),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}, {"a": "echo"}),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "boolean"}}}, False),
        ({"$ref": "#/$defs/nowhere"}, None),
        (True, None),
    ],
)
def test_a_schema_gets_its_smallest_value(schema: Any, smallest: Any) -> None:
    assert instance(schema) == smallest


def test_a_schema_that_contains_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}
    assert "next" in instance({"$ref": "#/$defs/node", "$defs": {"node": node}})


async def test_another_model_is_not_found() -> None:
    heard = await ask(model="gpt-4o")
    assert heard.status == 404 and heard.json()["error"]["code"] == "model_not_found"


async def test_other_routes_are_not_found() -> None:
    assert (await request(app, path="/sandbox/v1/audio")).status == 404


# Misbehaviour


async def test_it_fails_with_the_status_it_is_told() -> None:
    heard = await ask(metadata={"sandbox_status": "503", "sandbox_retry_after": "2"})
    assert heard.status == 503 and heard.headers["retry-after"] == "2" and heard.json()["error"]["message"]


async def test_it_fails_so_many_times_and_then_answers() -> None:
    told = {"sandbox_status": "429", "sandbox_fail_times": "2", "sandbox_id": "test-so-many-times"}
    assert [(await ask(metadata=told)).status for _ in range(4)] == [429, 429, 200, 200]
    assert (await ask(metadata={**told, "sandbox_id": "test-another"})).status == 429


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "5e2", "٣"])
async def test_nonsense_changes_nothing(nonsense: str) -> None:
    assert (await ask(metadata=dict.fromkeys(("sandbox_status", "sandbox_delay_ms"), nonsense))).status == 200


async def test_a_cut_stream_has_no_end() -> None:
    heard = await ask(stream=True, metadata={"sandbox_cut_after": "2"})
    assert len(heard.events()) == 2 and not heard.ended


async def test_an_error_can_come_inside_a_stream() -> None:
    heard = await ask(stream=True, metadata={"sandbox_error_after": "1"})
    _, error = heard.events()
    assert orjson.loads(error)["error"]["code"] == "sandbox_failure" and not heard.ended


async def test_a_hanging_stream_lasts_until_the_other_side_leaves() -> None:
    heard = await hung({"sandbox_hang_after": "2"}, stream=True, events=2)
    assert heard.status == 200 and not heard.ended


async def test_a_hanging_answer_lasts_until_the_other_side_leaves() -> None:
    heard = await hung({"sandbox_hang": "true"}, stream=False, events=0)
    assert heard.status == 0


async def hung(told: dict[str, str], *, stream: bool, events: int) -> Heard:
    """What was heard of a request that hangs, once its sender has left; fails when it ends before that."""
    leave = asyncio.Event()
    body = {**said(), "stream": stream, "metadata": told}
    hanging = asyncio.ensure_future(request(app, body, path="/v1/chat/completions", leave=leave))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not hanging.done()
    leave.set()
    heard = await asyncio.wait_for(hanging, 5)
    assert len(heard.events()) == events
    return heard


async def test_it_waits_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("orrery.edge.sandbox_behavior.asyncio.sleep", sleep)
    await ask(said("a b"), stream=True, metadata={"sandbox_delay_ms": "250000", "sandbox_chunk_delay_ms": "40000"})
    assert waits == [250.0, 40.0, 40.0, 40.0, 40.0]
