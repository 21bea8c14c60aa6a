"""Whole answers taken apart, for those who want usage and for those who do not."""

from typing import Any

from orrery.wire.assembly import events_of
from tests.wire.streams import HEAD, USAGE, chunks, said

ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 7,
    "model": "m",
    "system_fingerprint": "fp",
    "provider": "Someone",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Titan.",
                "refusal": None,
                "reasoning_signature": "anthropic:s",
                "reasoning": "Saturn's largest?",
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
                ],
            },
            "logprobs": {"content": [{"token": "Titan."}], "refusal": None},
            "finish_reason": "tool_calls",
            "native_finish_reason": "tool_use",
        }
    ],
    "usage": USAGE,
}


def test_a_whole_answer_is_told_as_it_came_to_be() -> None:
    deltas = said(events_of(ANSWER, with_usage=False))
    calls = ANSWER["choices"][0]["message"]["tool_calls"]
    assert deltas == [
        {"role": "assistant", "content": "", "refusal": None},
        {"reasoning": "Saturn's largest?"},
        {"content": "Titan."},
        {"reasoning_signature": "anthropic:s"},
        {"tool_calls": [{**calls[0], "index": 0}]},
        {"tool_calls": [{**calls[1], "index": 1}]},
        {},
    ]


def test_an_answer_ends_once_and_its_probabilities_stand_beside_its_words() -> None:
    steps = [chunk["choices"][0] for chunk in chunks(events_of(ANSWER, with_usage=False))]
    assert [step["finish_reason"] for step in steps] == [None] * 6 + ["tool_calls"]
    assert [number for number, step in enumerate(steps) if step["logprobs"]] == [2]
    assert [number for number, step in enumerate(steps) if "native_finish_reason" in step] == [6]


def test_probabilities_of_a_refusal_stand_beside_it_and_choices_keep_their_numbers() -> None:
    call = {"index": 5, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "refusal": "No.", "tool_calls": [call]}
    probabilities = {"content": None, "refusal": [{"token": "No."}]}
    choice = {"index": 3, "message": message, "logprobs": probabilities, "finish_reason": "stop"}
    steps = [
        c for chunk in chunks(events_of({**HEAD, "choices": [choice]}, with_usage=False)) for c in chunk["choices"]
    ]
    assert [step["logprobs"] for step in steps] == [None, probabilities, None, None]
    assert steps[1]["delta"] == {"refusal": "No."} and {step["index"] for step in steps} == {3}
    assert steps[2]["delta"]["tool_calls"] == [call | {"index": 0}]


def test_a_completion_that_says_nothing_only_ends() -> None:
    choice = {"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"}
    (event,) = chunks(events_of({"object": "text_completion", "choices": [choice]}, with_usage=False))
    assert event["choices"] == [choice]


def test_what_an_answer_says_of_itself_is_on_each_event_or_on_the_first() -> None:
    events = chunks(events_of(ANSWER, with_usage=True))
    head = HEAD | {"system_fingerprint": "fp"}
    assert all(event.items() >= head.items() for event in events)
    assert ["provider" in event for event in events] == [True] + [False] * 7


def test_usage_is_told_to_who_asked_and_to_nobody_else() -> None:
    asked, unasked = (chunks(events_of(ANSWER, with_usage=wanted)) for wanted in (True, False))
    assert [event["usage"] for event in asked] == [None] * 7 + [USAGE]
    assert asked[-1]["choices"] == [] and all(event["choices"] for event in asked[:-1])
    assert not any("usage" in event for event in unasked) and len(unasked) == 7


def test_an_answer_without_a_count_has_no_event_for_it() -> None:
    body = {name: value for name, value in ANSWER.items() if name != "usage"}
    assert [event["usage"] for event in chunks(events_of(body, with_usage=True))] == [None] * 7
