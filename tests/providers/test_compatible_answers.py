"""Reasoning and tool calls of servers that speak OpenAI's wire: seed 003's names, and one way to write a call."""

from base64 import urlsafe_b64decode
from itertools import combinations, pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.types import Json
from orrery.providers.compatible import Row
from orrery.providers.compatible.think import Think
from tests.providers.cases import chunk_of, fold, plain
from tests.providers.test_compatible import DONE, NAMED, ROW, decoded, frames, told

TAGS = Row("own", "", "", "", thinks_in_tags=True)
BLOCKS = Row("own", "", "", "", details="reasoning_details")


def streamed(*deltas: Json, row: Row = ROW) -> Any:
    """The message that a stream of these deltas adds up to."""
    events = [orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": delta}]}) for delta in deltas]
    end = orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return plain(fold(told(*events, end, DONE, row=row)))["choices"][0]["message"]


def whole(message: Json, row: Row = ROW) -> Any:
    reply = {**NAMED, "choices": [{"message": message, "finish_reason": "stop"}]}
    return plain(chunk_of(decoded(orjson.dumps(reply), row)))["choices"][0]["message"]


# Reasoning under other names


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning": "r"},
        {"reasoning_content": "r"},
        {"reasoning": "r", "reasoning_content": "r"},
        {"reasoning": None, "reasoning_content": "r"},
        {"reasoning": "r", "reasoning_content": None},
        {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "r"}]}]},
    ],
)
def test_reasoning_has_one_name(message: Json) -> None:
    assert streamed(message) == whole(message) == {"role": "assistant", "reasoning": "r"}


def test_the_other_name_is_gone_even_where_it_says_nothing() -> None:
    message = {"role": "assistant", "content": "a", "reasoning_content": None}
    answer = chunk_of(decoded(orjson.dumps({**NAMED, "choices": [{"message": message}]})))
    assert "reasoning_content" not in answer["choices"][0]["message"]
    thought = {"content": [{"type": "reasoning", "summary": [{"text": "r"}]}]}
    answer = chunk_of(decoded(orjson.dumps({**NAMED, "choices": [{"message": thought}]})))
    assert answer["choices"][0]["message"]["content"] is None


def test_a_stream_of_reasoning_goes_the_short_way_and_loses_nothing() -> None:
    texts = ["a", "b", 'c "quoted"\n', "é", "d"]
    deltas = [{"reasoning_content": text, "content": None} for text in texts]
    assert streamed(*deltas, {"content": "x"}) == {
        "role": "assistant",
        "reasoning": "".join(texts),
        "content": "x",
    }
    made = frames(*(orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": delta}]}) for delta in deltas), DONE)
    assert [type(frame.payload) for frame in made[2:5]] == [bytes] * 3
    assert sum(frame.output_chars for frame in made) == sum(map(len, texts))


# Reasoning in tags

ANSWERS = [
    ("<think>\nr1\n\nr2\n</think>\n\na < b", "r1\n\nr2", "a < b"),
    ("<think>r</think>a", "r", "a"),
    (" \n<think>\nr</think>\na\n", "r", "a\n"),
    ("<think>\n\n</think>\n\na", "", "a"),
    ("<think>r < s </thin> </</think>a", "r < s </thin> </", "a"),
    ("<think>\nr\n", "r\n", ""),
    ("<think>r</thi", "r</thi", ""),
    ("<think>", "", ""),
    ("<thin", "", "<thin"),
    ("a <think>b</think>", "", "a <think>b</think>"),
    ("<thinker>a", "", "<thinker>a"),
    ("<think>r</think>\n\n<think>b</think>", "r", "<think>b</think>"),
    ("\n\na", "", "\n\na"),
]


@pytest.mark.parametrize(("text", "reasoning", "content"), ANSWERS)
def test_thinking_in_tags_is_told_apart_wherever_it_is_cut(text: str, reasoning: str, content: str) -> None:
    told_apart = {
        "role": "assistant",
        **({"reasoning": reasoning} if reasoning else {}),
        **({"content": content} if content else {}),
    }
    assert whole({"content": text}, TAGS) == told_apart
    for places in combinations(range(1, len(text)), 2):
        pieces = [text[a:b] for a, b in zip((0, *places), (*places, None), strict=True)]
        assert streamed(*({"content": piece} for piece in pieces), row=TAGS) == told_apart
    assert streamed(*({"content": char} for char in text), row=TAGS) == told_apart


@settings(deadline=None)
@given(st.text("<>/think \nx", max_size=30), st.lists(st.integers(0, 30), max_size=6))
def test_any_text_in_any_pieces_is_the_same(text: str, places: list[int]) -> None:
    def apart(pieces: list[str]) -> tuple[str, str]:
        think = Think()
        said = [think.feed(piece) for piece in pieces] + [think.close()]
        return "".join(r for r, _ in said), "".join(c for _, c in said)

    cuts = [0, *sorted(places), len(text)]
    assert apart([text[a:b] for a, b in pairwise(cuts)]) == apart([text])


def test_thinking_in_tags_goes_the_short_way_as_well() -> None:
    words = ["<think>", "a", "b", "c", "\n", "d", "</think>", "x", "y", "z", "<", "w"]
    events = [orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": {"content": w}}]}) for w in words]
    made = frames(*events, DONE, row=TAGS)
    assert sum(isinstance(frame.payload, bytes) for frame in made) == 6  # b, c, y, z, <, w
    assert streamed(*({"content": w} for w in words), row=TAGS) == {
        "role": "assistant",
        "reasoning": "abc\nd",
        "content": "xyz<w",
    }


def test_tags_stay_where_no_document_speaks_of_them() -> None:
    assert whole({"content": "<think>r</think>a"}) == {"role": "assistant", "content": "<think>r</think>a"}


# Reasoning in blocks


def test_blocks_that_hold_text_alone_become_text() -> None:
    deltas = [{"reasoning_details": [{"type": "reasoning.text", "text": text, "index": 0}]} for text in "abcd"]
    assert streamed(*deltas, row=BLOCKS) == {"role": "assistant", "reasoning": "abcd"}


def test_the_short_way_keeps_the_blocks_too() -> None:
    def piece(index: int, text: str, **more: Any) -> Json:
        block = {"type": "reasoning.text", "index": index, "text": text}
        return {"reasoning": text, "reasoning_details": [{**block, **more}]}

    words = [piece(0, "a"), piece(0, "a"), piece(0, "b"), piece(1, "c"), piece(1, "d"), piece(0, "e")]
    signed = piece(1, "", signature="s")
    blocks = [{"type": "reasoning.text", "index": 0, "text": "aab"}, {"type": "reasoning.text", "index": 1}]
    blocks += [{"type": "reasoning.text", "index": 0, "text": "e"}]
    blocks[1]["text"] = "cd"
    message = {"reasoning": "aabcde", "reasoning_details": [*blocks, {**signed["reasoning_details"][0]}]}
    assert streamed(*words, signed, row=BLOCKS) == whole(message, BLOCKS)


def blocks_of(*pieces: Json) -> Any:
    """What is sealed of a stream of these pieces of blocks, each in a delta of its own."""
    text = [{"reasoning_details": [{"type": "reasoning.text", **piece}]} for piece in pieces]
    sealed = streamed(*text, {"reasoning_details": [{"type": "reasoning.encrypted", "data": "d"}]}, row=BLOCKS)
    *blocks, _ = orjson.loads(urlsafe_b64decode(sealed["reasoning_signature"].removeprefix("own:")))
    return [{name: value for name, value in block.items() if name != "type"} for block in blocks]


@pytest.mark.parametrize(
    ("pieces", "blocks"),
    [
        ([{"text": "a"}, {"text": "b"}, {"text": "c"}], [{"text": "abc"}]),
        (
            [{"text": "a", "index": 0}, {"text": "b", "index": 1}],
            [{"text": "a", "index": 0}, {"text": "b", "index": 1}],
        ),
        ([{"text": "a", "id": "x"}, {"text": "b", "id": "y"}], [{"text": "a", "id": "x"}, {"text": "b", "id": "y"}]),
        ([{"text": "a", "id": "x"}, {"text": "b", "id": None}], [{"text": "ab", "id": "x"}]),
        (
            [{"text": "a"}, {"text": "b"}, {"signature": "s"}, {"text": "b"}, {"text": "c"}],
            [{"text": "ab", "signature": "s"}, {"text": "bc"}],
        ),
        (
            [{"text": "a", "signature": "s"}, {"text": "b", "signature": "s"}, {"text": "c", "signature": "s"}],
            [{"text": text, "signature": "s"} for text in "abc"],
        ),
    ],
)
def test_pieces_are_joined_to_the_block_that_they_continue(pieces: list[Json], blocks: list[Json]) -> None:
    assert blocks_of(*pieces) == blocks


def test_a_refusal_and_sound_are_left_as_they_are() -> None:
    message = {"refusal": "no", "audio": {"id": "a", "data": "UklG", "transcript": "t"}}
    assert streamed(message) == {"role": "assistant", **message}


# Tool calls

FIRST = {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
SECOND = {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}
REST = {"function": {"arguments": '{"x":1}'}}


@pytest.mark.parametrize(
    "pieces",
    [
        [{"index": 0, **FIRST}, {"index": 0, **REST}, {"index": 1, **SECOND}],
        [{"index": 0, **FIRST}, {"index": 0, **FIRST, **REST}, {"index": 0, **SECOND}],
        [{"index": 0, **FIRST}, {"index": 0, "id": "", "type": "function", **REST}, {"index": 1, **SECOND}],
        [{"index": 0, **FIRST}, {"index": 0, "id": None, **REST}, {"index": 5, **SECOND}],
        [{**FIRST}, {**REST}, {**SECOND}],
        [{**FIRST}, {"id": "a", **REST}, {**SECOND}],
        [{**FIRST, "function": {"name": "f", "arguments": {"x": 1}}}, SECOND],
        [{"index": 1.0, **FIRST}, {"index": 1.0, **REST}, {"index": 2.0, **SECOND}],
        [{"index": 0, **FIRST}, {"index": 1, **SECOND, "function": {"name": "g"}}, {"index": 0, **REST}],
        [{"index": 0, **FIRST}, {"index": 0, "function": REST["function"], "type": None}, {**SECOND, "type": None}],
    ],
)
def test_tool_calls_are_written_one_way_however_they_come(pieces: list[Json]) -> None:
    calls = streamed(*({"tool_calls": [piece]} for piece in pieces))["tool_calls"]
    assert [(c["id"], c["type"], c["function"]) for c in calls] == [
        ("a", "function", {"name": "f", "arguments": {"x": 1}}),
        ("b", "function", {"name": "g", "arguments": {}}),
    ]


def test_each_piece_after_the_first_holds_arguments_only() -> None:
    given = [{"index": 0, **FIRST}, {"index": 0, **FIRST, **REST}]
    events = [orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": {"tool_calls": [p]}}]}) for p in given]
    _, second, _ = told(*events, DONE)
    assert second["choices"][0]["delta"] == {"tool_calls": [{"index": 0, **REST}]}


def test_an_end_that_only_done_told_is_the_calls() -> None:
    (only, last) = told(orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": {"tool_calls": [SECOND]}}]}), DONE)
    assert only["choices"][0]["finish_reason"] is None and last["choices"][0]["finish_reason"] == "tool_calls"


def test_missing_ids_are_made_up_alike_and_unlike_in_other_answers() -> None:
    bare = [{"function": {"name": "f", "arguments": "{}"}}, {"function": {"name": "g", "arguments": ""}}]
    calls = whole({"tool_calls": bare})["tool_calls"]
    assert streamed({"tool_calls": bare})["tool_calls"] == calls
    assert len({call["id"] for call in calls}) == 2 and all(call["id"] for call in calls)
    other = orjson.dumps({**NAMED, "id": "d", "choices": [{"message": {"tool_calls": bare}}]})
    ids = {call["id"] for call in chunk_of(decoded(other))["choices"][0]["message"]["tool_calls"]}
    assert not ids & {call["id"] for call in calls}


def test_custom_calls_are_left_as_they_are() -> None:
    custom = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": ""}}
    more = {"index": 0, "custom": {"input": "text"}}
    events = [orjson.dumps({**NAMED, "choices": [{"index": 0, "delta": {"tool_calls": [p]}}]}) for p in (custom, more)]
    chunks = told(*events, DONE)
    assert [chunk["choices"][0]["delta"]["tool_calls"] for chunk in chunks[:2]] == [[custom], [more]]
    assert "tool_calls" not in chunks[2]["choices"][0]["delta"]
