"""The practice model calls tools when it is told to, and never for ever."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from orrery.edge.sandbox_answer import Piece, answer_to
from tests.edge.test_sandbox import TOOLS, answer, ask, chunks, said

CLOCK = {
    "name": "current_date",
    "parameters": {"type": "object", "properties": {"timezone": {"type": "string"}}, "required": []},
}
OFFERED = [*TOOLS, {"type": "function", "function": CLOCK}]


async def called(text: str, **more: Any) -> list[tuple[str, str]]:
    """The calls of an answer, whole and streamed alike."""
    whole = await answer(said(text), tools=OFFERED, **more)
    message: Any = whole.choices[0].message
    found = [(call.function.name, call.function.arguments) for call in message.tool_calls or ()]
    assert (whole.choices[0].finish_reason == "tool_calls") is bool(found) and (message.content is None) is bool(found)
    streamed: dict[int, list[str]] = {}
    for chunk in await chunks(said(text), tools=OFFERED, **more):
        for each in chunk.choices[0].delta.tool_calls or ():
            assert each.function
            call = streamed.setdefault(each.index, [each.function.name or "", ""])
            call[1] += each.function.arguments or ""
    assert [tuple(call) for call in streamed.values()] == found
    return found


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ('call get_weather {"city":"Paris"}', [("get_weather", '{"city":"Paris"}')]),
        ("call get_time", [("get_time", "{}")]),
        ("call get_weather", [("get_weather", '{"city":null}')]),
        (
            'Please:\n  call get_weather {"city": "Ulm"} \ncall get_time\ncall get_weather {"city": "Bonn"}\nThanks.',
            [("get_weather", '{"city": "Ulm"}'), ("get_time", "{}"), ("get_weather", '{"city": "Bonn"}')],
        ),
        ("call get_weather {broken", [("get_weather", "{broken")]),
        ("call get_weather Paris", []),
        ("please call get_time", []),
        ("call nobody {}", []),
        ("recall get_time", []),
        ("", []),
    ],
)
async def test_each_line_that_says_so_is_a_call(text: str, calls: Any) -> None:
    assert await called(text) == calls


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("What is the current CET time? Answer in hungarian", '{"timezone":"CET"}'),
        ("What is the current CET time? Answer in {{language}}", '{"timezone":"CET"}'),
        ("which day is it in Europe/Budapest?", '{"timezone":"Europe/Budapest"}'),
        ("Today's date, please", "{}"),
        ("Tell me the time", "{}"),
        ("I have no time", None),
        ("What a lovely city", None),
    ],
)
async def test_who_asks_for_the_time_is_told_it_by_the_clock(text: str, arguments: str | None) -> None:
    assert await called(text) == ([] if arguments is None else [("current_date", arguments)])


async def test_without_a_clock_nobody_is_asked() -> None:
    made = (await answer(said("What time is it?"), tools=TOOLS)).choices[0]
    assert made.message.tool_calls is None and made.message.content == "What time is it?"


def only(name: str, mode: str) -> Any:
    tool = {"type": "function", "function": {"name": name}}
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [tool]}}


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("auto", ["get_weather", "get_time"]),
        ("none", []),
        ("required", ["get_weather", "get_time"]),
        ({"type": "function", "function": {"name": "get_time"}}, ["get_time"]),
        ({"type": "function", "function": {"name": "current_date"}}, ["current_date"]),
        (only("get_weather", "auto"), ["get_weather"]),
        (only("current_date", "auto"), []),
        (only("current_date", "required"), ["current_date"]),
    ],
)
async def test_only_what_may_be_called_is_called(choice: Any, names: list[str]) -> None:
    assert [name for name, _ in await called("call get_weather\ncall get_time", tool_choice=choice)] == names


async def test_one_call_at_a_time_where_that_is_wanted() -> None:
    assert await called("call get_time\ncall get_weather", parallel_tool_calls=False) == [("get_time", "{}")]


def conversation(*results: str) -> list[dict[str, Any]]:
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": f"tool_{n}", "arguments": "{}"}}
        for n in range(len(results))
    ]
    told = [{"role": "tool", "tool_call_id": f"call_{n}", "content": text} for n, text in enumerate(results)]
    return [*said("call get_time")["messages"], {"role": "assistant", "content": None, "tool_calls": calls}, *told]


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "function": {"name": "get_time"}}])
async def test_results_are_answered_and_never_with_a_call(choice: Any) -> None:
    messages = conversation("22 degrees", '{"ok": true}')
    (made,) = (await answer({"model": "echo", "messages": messages}, tools=OFFERED, tool_choice=choice)).choices
    assert made.message.content == 'tool_0 said: 22 degrees\ntool_1 said: {"ok": true}'
    assert made.finish_reason == "stop" and made.message.tool_calls is None


async def test_the_next_question_is_a_new_turn() -> None:
    messages = [*conversation("22"), {"role": "assistant", "content": "fine"}, *said("call get_time")["messages"]]
    (made,) = (await answer({"model": "echo", "messages": messages}, tools=OFFERED)).choices
    (call,) = made.message.tool_calls or ()
    assert call.id not in {"call_0", "call_sandbox0"}


async def test_calls_at_once_have_ids_of_their_own() -> None:
    made = (await answer(said("call get_time\ncall get_time"), tools=OFFERED)).choices[0].message
    assert len({call.id for call in made.tool_calls or ()}) == 2


async def test_arguments_are_streamed_in_pieces() -> None:
    streamed = await chunks(said('call get_weather {"city": "Llanfairpwllgwyngyll"}'), tools=OFFERED)
    pieces = [call for chunk in streamed for call in chunk.choices[0].delta.tool_calls or ()]
    assert len(pieces) > 3 and pieces[0].id and not any(piece.id for piece in pieces[1:])
    assert streamed[-1].choices[0].finish_reason == "tool_calls"


async def test_what_is_to_be_thought_comes_first() -> None:
    text = "think first this\n think then that \ncall get_time"
    heard = (await ask(said(text), tools=OFFERED)).json()["choices"][0]["message"]
    assert heard["reasoning_content"] == "first this\nthen that" and len(heard["tool_calls"]) == 1
    assert "reasoning_content" not in (await ask(said("I think so"))).json()["choices"][0]["message"]
    deltas = [chunk.choices[0].delta.model_dump() for chunk in await chunks(said("think hard"))]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "hard"
    assert [bool(delta.get("reasoning_content")) for delta in deltas] == [False, True, False, False, False]


async def test_a_call_is_counted_as_its_arguments_are() -> None:
    usage = (await answer(said('call get_weather {"city": "a b"}'), tools=OFFERED)).usage
    assert usage and usage.completion_tokens == 3


lines = st.lists(
    st.sampled_from(["call get_time", 'call get_weather {"a":1}', "think x", "hello", "what time"]), max_size=4
)


@settings(max_examples=50, deadline=None)
@given(lines, st.sampled_from(["auto", "none", "required"]), st.booleans())
def test_whatever_is_said_is_answered_well(said_lines: list[str], choice: str, parallel: bool) -> None:
    asked = {**said("\n".join(said_lines)), "tools": OFFERED, "tool_choice": choice, "parallel_tool_calls": parallel}
    pieces = answer_to(asked)
    whole = Piece.whole(pieces)
    choice_made = {"index": 0, "logprobs": None, **whole}
    ChatCompletion.model_validate(
        {"id": "x", "object": "chat.completion", "created": 1, "model": "echo", "choices": [choice_made]}
    )
    calls = whole["message"].get("tool_calls", [])
    for call in calls:
        orjson.loads(call["function"]["arguments"])
    assert (choice != "none" or not calls) and (choice != "required" or calls) and (parallel or len(calls) <= 1)
