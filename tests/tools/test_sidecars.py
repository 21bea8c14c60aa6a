"""Advisors and sidekicks: what a second model is asked, how often, and what becomes of its failures."""

import asyncio
from typing import Any

import pytest

from orrery.core.errors import InvalidRequest, OutOfCredit, UpstreamError
from orrery.tools.sidecars import transcript
from tests.tools.outfits import CALL, FakeModels, Workshop, never, resource

ADVISOR = {"type": "orq:advisor", "model": "anthropic/claude-opus-4-1"}
SIDEKICK = {"type": "orq:sidekick", "model": "openai/gpt-4o-mini"}
SAID = [
    {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Plan a trip."}, {"type": "input_image"}],
    },
    {"type": "reasoning", "encrypted_content": "sealed-canary", "summary": []},
    {"type": "function_call", "call_id": "c", "name": "fly", "arguments": '{"to":"Ulm"}'},
    {"type": "function_call_output", "call_id": "c", "output": "no flights"},
    {"role": "assistant", "content": "I do not know."},
]


async def asked(spec: Any, arguments: Any, **setting: Any) -> Any:
    room = Workshop().given(**setting)
    outcome = await room.run(spec, arguments)
    assert outcome.output == "fine" and not outcome.failed
    (body,) = room.models.asked
    return body


async def test_an_advisor_sees_the_conversation_and_the_question() -> None:
    body = await asked(ADVISOR, {"question": "What now?"}, transcript=SAID)
    assert body["model"] == "anthropic/claude-opus-4-1" and body["store"] is False and body["instructions"]
    for words in ("user: Plan a trip.", "[input_image]", 'fly({"to":"Ulm"})', "result: no flights", "What now?"):
        assert words in body["input"]
    assert "canary" not in body["input"]
    assert not body.keys() & {"max_output_tokens", "temperature", "reasoning", "tools"}


async def test_settings_go_along() -> None:
    more = {"max_tokens": 50, "temperature": 0, "reasoning_effort": "high"}
    for spec, arguments in ((ADVISOR, {"question": "x"}), (SIDEKICK, {"task": "x"})):
        body = await asked({**spec, **more}, arguments)
        assert (body["max_output_tokens"], body["temperature"], body["reasoning"]) == (50, 0, {"effort": "high"})
    assert "max_output_tokens" not in await asked({**SIDEKICK, "max_tokens": 0}, {"task": "x"})


async def test_a_sidekick_sees_its_task_alone() -> None:
    spec = {**SIDEKICK, "system_prompt": "Be terse.", "output_format": "one JSON object"}
    body = await asked(spec, {"task": "Sum it up."}, transcript=SAID)
    assert body["input"] == "Sum it up." and body["instructions"].startswith("Be terse.\n\n")
    assert body["instructions"].endswith("one JSON object")
    assert "Plan a trip" not in str(body)


@pytest.mark.parametrize("kind", ["orq:sidekick", "orq:subagent", "orq:advisor"])
async def test_each_has_its_name_and_its_item(kind: str) -> None:
    room = Workshop()
    tool = await room.tool({**SIDEKICK, "type": kind})
    assert tool.function["name"] == kind.removeprefix("orq:")
    outcome = await tool.run({"task": "x", "question": "x"}, room.setting)
    shown = tool.shown(CALL, outcome)
    assert (shown["type"], shown["output"], shown["status"], shown["call_id"]) == (kind, "fine", "completed", "call_1")


@pytest.mark.parametrize("spec", [ADVISOR, SIDEKICK])
async def test_what_a_model_wrote_gets_no_variables(spec: Any) -> None:
    """A page that says so could else have a secret filled in, and told back."""
    attack = "{{token}} {{ token }} {{{token}}} {% print(token) %} {# x #}"
    said = [{"type": "function_call_output", "output": attack}]
    body = await asked(spec, {"question": attack, "task": attack}, transcript=said)
    assert not any(opening in body["input"] for opening in ("{{", "{%", "{#")) and "token }}" in body["input"]


@pytest.mark.parametrize(
    "failure",
    [
        OutOfCredit(),
        UpstreamError("the model is gone"),
        never,
        {"status": "failed", "error": {"code": "x", "message": "broke"}, "output": []},
        {"status": "cancelled", "error": None},
        {"status": "completed", "output": []},
    ],
)
async def test_one_that_fails_does_not_fail_the_turn(failure: Any) -> None:
    room = Workshop(models=FakeModels(failure))
    if failure is never:
        room.given(timeout_s=0.0)
    tool = await room.tool(ADVISOR)
    outcome = await tool.run({"question": "x"}, room.setting)
    assert outcome.failed and outcome.output.startswith("Error: ")
    assert tool.shown(CALL, outcome)["status"] == "failed"


async def test_an_answer_that_was_cut_short_is_an_answer() -> None:
    room = Workshop(models=FakeModels(resource("half", status="incomplete")))
    assert (await room.run(ADVISOR, {"question": "x"})).output == "half"


async def test_uses_are_counted_even_at_the_same_time() -> None:
    room = Workshop()
    tool = await room.tool({**SIDEKICK, "max_uses": 2})
    outcomes = await asyncio.gather(*(tool.run({"task": "x"}, room.setting) for _ in range(5)))
    assert [outcome.failed for outcome in outcomes] == [False, False, True, True, True]
    assert len(room.models.asked) == 2 and "2 time(s)" in outcomes[-1].output


async def test_without_a_bound_there_is_none() -> None:
    room = Workshop()
    tool = await room.tool({**SIDEKICK, "max_uses": 0})
    assert not any([(await tool.run({"task": "x"}, room.setting)).failed for _ in range(20)])


@pytest.mark.parametrize("arguments", [{}, {"question": " "}, {"question": 7}])
async def test_a_question_of_no_words_is_not_asked(arguments: Any) -> None:
    room = Workshop()
    tool = await room.tool({**ADVISOR, "max_uses": 1})
    assert (await tool.run(arguments, room.setting)).failed and not room.models.asked
    assert not (await tool.run({"question": "x"}, room.setting)).failed


@pytest.mark.parametrize(
    "more",
    [
        {"model": ""},
        {"model": None},
        {"model": 7},
        {"model": "agent/other"},
        {"max_tokens": -1},
        {"max_tokens": 128_001},
        {"max_tokens": True},
        {"max_uses": "2"},
        {"max_transcript_tokens": 1.5},
        {"temperature": 3},
        {"temperature": True},
        {"reasoning_effort": "enormous"},
    ],
)
async def test_settings_that_are_none_are_refused(more: Any) -> None:
    with pytest.raises(InvalidRequest):
        await Workshop().opened({**ADVISOR, **more})


@pytest.mark.parametrize("more", [{"system_prompt": 7}, {"output_format": {}}])
async def test_prompts_are_texts(more: Any) -> None:
    with pytest.raises(InvalidRequest):
        await Workshop().opened({**SIDEKICK, **more})


def test_of_a_long_conversation_the_end_is_told() -> None:
    items = [{"role": "user", "content": f"message {n}"} for n in range(100)]
    told = transcript(items, 40)
    assert told.endswith("user: message 99") and "message 97" not in told and told.startswith("[…]")
    assert len(told) < 60
    assert transcript(items).count("message") == 100
    assert transcript(items, 10**6) == transcript(items)
    assert transcript([{"role": "user", "content": "x" * 99}], 10) == f"[…] {'x' * 10}"


async def test_the_bound_of_a_transcript_is_in_tokens() -> None:
    items = [{"role": "user", "content": "word " * 1000}]
    body = await asked({**ADVISOR, "max_transcript_tokens": 10}, {"question": "x"}, transcript=items)
    assert body["input"].count("word") == 8


async def test_a_long_answer_is_cut() -> None:
    room = Workshop(models=FakeModels("x" * 60_000))
    assert len((await room.run(ADVISOR, {"question": "x"})).output) < 51_000
