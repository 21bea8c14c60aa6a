"""Messages on their way to Anthropic: turns, tool calls and their ids, earlier thinking, files, and what is a 400."""

from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation
from orrery.providers.anthropic.decode import decode
from tests.providers.test_anthropic import HI, TOOL, calling, encoded, result


def test_results_come_first_whatever_was_said_before_them() -> None:
    messages = [HI, calling("a", "b"), {"role": "user", "content": "Well?"}, result("b"), result(None, [])]
    last = encoded(messages=messages).body["messages"][-1]
    assert [block.get("tool_use_id", block.get("text")) for block in last["content"]] == ["b", "a", "Well?"]


def test_ids_that_come_again_are_told_apart() -> None:
    messages = [HI, calling("call_0"), result("call_0"), calling("call_0"), result("call_0", "2")]
    turns = encoded(messages=messages).body["messages"]
    used = [turns[n]["content"][0]["id"] for n in (1, 3)]
    assert used == ["call_0", "call_0_2"]
    assert [turns[n]["content"][0]["tool_use_id"] for n in (2, 4)] == used


def test_ids_are_made_of_what_anthropic_takes() -> None:
    messages = [HI, calling("a.b", "a:b", "ü"), result("ü"), result("a.b"), result("a:b")]
    ids = [block["id"] for block in encoded(messages=messages).body["messages"][1]["content"]]
    assert len(set(ids)) == 3 and all(id.replace("_", "").isalnum() and id.isascii() for id in ids)


def test_empty_turns_disappear_and_their_neighbours_join() -> None:
    messages = [HI, {"role": "assistant", "content": " "}, {"role": "user", "content": "Again"}]
    assert [turn["role"] for turn in encoded(messages=messages).body["messages"]] == ["user"]


def test_edited_words_keep_their_thinking_but_lose_its_places() -> None:
    reply = b'{"content": [{"type": "text", "text": "A"}, {"type": "thinking", "thinking": "T", "signature": "s"}]}'
    message = decode(reply, Call(Operation.CHAT, "m", {})).payload["choices"][0]["message"]  # type: ignore[index]
    sent = encoded(messages=[HI, message]).body["messages"][1]["content"]
    assert [block["type"] for block in sent] == ["text", "thinking"]
    edited = encoded(messages=[HI, {**message, "content": "B!"}])
    assert edited.body["messages"][1]["content"] == [{"type": "text", "text": "B!"}]
    assert edited.dropped == ("messages.reasoning",)


@pytest.mark.parametrize("signature", ["anthropic/blocks:", "orrery-blocks-1:e30=", "orrery-blocks-1:%%%", "é"])
def test_a_spoilt_signature_spoils_no_request(signature: str) -> None:
    message = {"role": "assistant", "content": "A", "reasoning": "T", "reasoning_signature": signature}
    assert encoded(messages=[HI, message]).body["messages"][1]["content"][-1] == {"type": "text", "text": "A"}


@pytest.mark.parametrize("signature", ["google:abc", "openrouter:abc", "google/blocks:W10="])
def test_thinking_that_others_signed_is_withheld_and_named(signature: str) -> None:
    thought = {"reasoning": "T", "reasoning_signature": signature, "redacted_reasoning": "google:x"}
    sent = encoded(messages=[HI, {"role": "assistant", "content": "A", **thought}, HI])
    assert sent.body["messages"][1]["content"] == [{"type": "text", "text": "A"}]
    assert sent.dropped == ("messages.reasoning", "messages.redacted_reasoning")


UNSAYABLE: list[tuple[str, list[dict[str, Any]]]] = [
    ("messages", [{"role": "system", "content": "Only this"}]),
    ("messages", [{"role": "user", "content": ""}]),
    ("messages[1].tool_calls", [HI, calling("a")]),
    ("messages[1].tool_call_id", [HI, result("nobody")]),
    ("messages[1].tool_call_id", [HI, result(None)]),
    ("messages[3].tool_call_id", [HI, calling("a"), result("a"), result("a")]),
    ("messages[0].role", [{"role": "function", "name": "f", "content": "1"}]),
    ("messages[0].audio", [{"role": "assistant", "audio": {"id": "x"}}]),
    ("messages[0].function_call", [{"role": "assistant", "function_call": {"name": "f", "arguments": ""}}]),
    (
        "messages[0].tool_calls[0].type",
        [{"role": "assistant", "tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "c", "input": ""}}]}],
    ),
]


@pytest.mark.parametrize(("param", "messages"), UNSAYABLE)
def test_what_cannot_be_said_is_a_400_that_points_at_it(param: str, messages: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(messages=messages)
    assert caught.value.param == param


FILES: list[tuple[str, dict[str, Any]]] = [
    ("image_url.url", {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,AA=="}}),
    ("image_url.url", {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}),
    ("file.file_id", {"type": "file", "file": {"file_id": "file_1"}}),
    ("file", {"type": "file", "file": {"filename": "a.zip", "file_data": "AA=="}}),
    ("file", {"type": "file", "file": {"uri": "s3://bucket/a.pdf"}}),
    ("file", {"type": "file", "file": {"uri": "https://example.com/a.txt"}}),
    ("file.file_data", {"type": "file", "file": {"filename": "a.txt", "file_data": "not base64!"}}),
    ("file.file_data", {"type": "file", "file": {"filename": "a.txt", "file_data": "/w=="}}),
    ("file", {"type": "file", "file": {}}),
]


@pytest.mark.parametrize(("param", "part"), FILES)
def test_files_that_anthropic_does_not_take_are_a_400(param: str, part: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(messages=[{"role": "user", "content": [part]}])
    assert caught.value.param == f"messages[0].content[0].{param}"


@pytest.mark.parametrize(("field", "value"), [("tools", [{"type": "custom", "custom": {"name": "c"}}])])
def test_custom_tools_are_a_400(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match="function tools"):
        encoded(**{field: value})
    with pytest.raises(InvalidRequest, match="function tools"):
        encoded(tools=[TOOL], tool_choice={"type": "custom", "custom": {"name": "c"}})
