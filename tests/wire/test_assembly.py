"""Streams put together: what they say in all."""

import base64
from typing import Any

import orjson
import pytest

from orrery.wire.assembly import events_of, whole_of
from tests.wire.streams import HEAD, USAGE, chunks, message, stream


def test_words_are_joined_and_what_was_not_said_is_null() -> None:
    whole = whole_of(stream({"role": "assistant", "content": ""}, {"content": "Ti"}, {"content": "tan"}), usage=USAGE)
    assert whole == {
        **HEAD,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Titan", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }


def test_every_text_of_a_message_grows_known_or_not_and_the_role_does_not() -> None:
    names = ("content", "refusal", "reasoning", "reasoning_content", "reasoning_signature", "new_text")
    whole = message(*[{"role": "assistant", name: piece} for name in names for piece in ("a", "b")])
    assert whole == {"role": "assistant"} | dict.fromkeys(names, "ab")


def test_null_takes_nothing_back() -> None:
    assert message({"content": "a", "audio": {"data": "x"}}, {"content": None, "audio": {"data": None}}) == {
        "role": "assistant",
        "content": "a",
        "refusal": None,
        "audio": {"data": "x"},
    }


def test_a_chats_choice_is_one_whatever_stands_beside_its_delta() -> None:
    piece = {"index": 0, "delta": {"content": "a"}, "text": "", "message": {"content": "so far"}, "finish_reason": None}
    (choice,) = whole_of([orjson.dumps({**HEAD, "choices": [piece]})])["choices"]
    assert choice["message"]["content"] == "a" and "text" not in choice


def test_tool_calls_are_joined_by_their_index_whatever_order_they_come_in() -> None:
    first = {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": ""}}
    second = {"id": "call_b", "type": "function", "function": {"name": "g", "arguments": "{}"}}
    whole = message(
        {"tool_calls": [{"index": 1, **second}, {"index": 0, **first}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}, "extra_content": {"thought_signature": "s"}}]},
    )
    assert whole["tool_calls"] == [
        {**first, "function": {"name": "f", "arguments": '{"x":1}'}, "extra_content": {"thought_signature": "s"}},
        second,
    ]


def test_what_a_server_repeats_of_a_call_is_not_doubled() -> None:
    piece = {"index": 0, "id": "call_a", "type": "function", "function": {"name": "f", "arguments": "1"}}
    assert message({"tool_calls": [piece]}, {"tool_calls": [piece]})["tool_calls"] == [
        {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": "11"}}
    ]


def test_custom_calls_and_the_older_function_calls_grow_too() -> None:
    custom = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "sql", "input": "SELECT"}}
    assert message({"tool_calls": [custom]}, {"tool_calls": [{"index": 0, "custom": {"input": " 1"}}]})[
        "tool_calls"
    ] == [{"id": "c", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}]
    pieces = [{"name": "f", "arguments": "{"}, {"arguments": "}"}]
    assert message(*[{"function_call": piece} for piece in pieces])["function_call"] == {"name": "f", "arguments": "{}"}


@pytest.mark.parametrize("sizes", [[3, 6, 1], [4, 5, 2], [1, 1], [7]])
def test_sound_is_the_same_bytes_however_they_were_cut(sizes: list[int]) -> None:
    parts = [bytes([64 + number]) * size for number, size in enumerate(sizes)]
    pieces = [{"audio": {"data": base64.b64encode(part).decode()}} for part in parts]
    last = {"audio": {"id": "audio_1", "expires_at": 9}}
    audio = message({"audio": {"id": "audio_1", "transcript": "Ti"}}, *pieces, {"audio": {"transcript": "tan"}}, last)[
        "audio"
    ]
    assert base64.b64decode(audio.pop("data"), validate=True) == b"".join(parts)
    assert audio == {"id": "audio_1", "transcript": "Titan", "expires_at": 9}


@pytest.mark.parametrize("pieces", [["QUJD", "REVG"], ["QUJDRE", "VG"], ["QQ==", "%", "A"]])
def test_sound_that_is_cut_within_its_base64_or_is_none_is_joined_as_it_is(pieces: list[str]) -> None:
    assert message(*[{"audio": {"data": piece}} for piece in pieces])["audio"] == {"data": "".join(pieces)}


def test_blocks_with_an_index_are_pieces_of_one_another_and_other_entries_are_not() -> None:
    details = [
        {"reasoning_details": [{"index": 0, "type": "reasoning.text", "id": "r", "text": "a"}]},
        {"reasoning_details": [{"index": 0, "type": "reasoning.text", "id": "r", "text": "b", "signature": "s"}]},
        {"reasoning_details": [{"index": 1, "type": "reasoning.encrypted", "data": "x"}]},
    ]
    assert message(*details)["reasoning_details"] == [
        {"index": 0, "type": "reasoning.text", "id": "r", "text": "ab", "signature": "s"},
        {"index": 1, "type": "reasoning.encrypted", "data": "x"},
    ]
    summaries: list[dict[str, Any]] = [{"summary": "a"}, {"summary": "b"}, {"list": [{"index": 0, "text": "c"}]}]
    summaries.append({"list": [{"index": 0, "text": "d"}]})
    assert message(*[{"blocks": [{"index": 0, **each}]} for each in summaries])["blocks"] == [
        {"index": 0, "summary": "ab", "list": [{"index": 0, "text": "cd"}]}
    ]
    notes = [{"annotations": [{"type": "url_citation", "text": "x"}]}, {"annotations": [{"type": "url_citation"}, 1]}]
    assert message(*notes)["annotations"] == [{"type": "url_citation", "text": "x"}, {"type": "url_citation"}, 1]


@pytest.mark.parametrize(
    "instead",
    [
        {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"function_call": {"name": "f", "arguments": "{}"}},
        {"refusal": "No."},
        {"audio": {"id": "a"}},
        {"images": [{"type": "image_url"}]},
    ],
)
def test_the_empty_words_of_a_first_delta_are_none_where_something_stands_in_their_place(instead: Any) -> None:
    first = {"role": "assistant", "content": ""}
    assert message(first, instead)["content"] is None
    assert message(first, instead, {"content": ""})["content"] == ""
    assert message(first)["content"] == ""
    assert message(first, {"reasoning": "Hm."})["content"] == ""


def test_choices_stand_in_the_order_of_their_numbers() -> None:
    payloads = [
        orjson.dumps({**HEAD, "choices": [{"index": index, "delta": {"content": text}, "finish_reason": reason}]})
        for index, text, reason in [(1, "b", None), (0, "a", None), (1, "B", "length"), (0, "A", "stop")]
    ]
    found = [(c["index"], c["message"]["content"], c["finish_reason"]) for c in whole_of(payloads)["choices"]]
    assert found == [(0, "aA", "stop"), (1, "bB", "length")]


def test_log_probabilities_are_joined_and_null_stays_null() -> None:
    steps: list[Any] = [None, {"content": [1], "refusal": None}, {"content": [2, 3], "refusal": None}, None]
    payloads = [
        orjson.dumps({**HEAD, "choices": [{"index": 0, "delta": {}, "logprobs": step, "finish_reason": None}]})
        for step in steps
    ]
    assert whole_of(payloads)["choices"][0]["logprobs"] == {"content": [1, 2, 3], "refusal": None}
    assert whole_of(payloads[:1])["choices"][0]["logprobs"] is None


def test_what_is_told_beside_the_words_holds_as_it_was_told_last() -> None:
    tells: list[dict[str, Any]] = [
        {"system_fingerprint": None, "citations": ["a"], "x": {"id": 1}, "obfuscation": "zz"},
        {"system_fingerprint": "fp", "service_tier": "default", "citations": ["a", "b"], "x": {"n": 2}},
        {"system_fingerprint": None},
    ]
    choices: list[dict[str, Any]] = [
        {"filtered": {"hate": 0}, "message": {"content": "so far"}},
        {"native": "end", "filtered": {"sexual": 1}},
        {"native": None},
    ]
    whole = whole_of(
        [
            orjson.dumps({**HEAD, **told, "choices": [{"index": 0, "delta": {}, "finish_reason": None, **choice}]})
            for told, choice in zip(tells, choices, strict=True)
        ]
    )
    (choice,) = whole.pop("choices")
    more = {"system_fingerprint": "fp", "service_tier": "default", "citations": ["a", "b"], "x": {"id": 1, "n": 2}}
    assert whole == {**HEAD, "object": "chat.completion", **more}
    assert choice["native"] == "end" and choice["filtered"] == {"hate": 0, "sexual": 1}
    assert choice["message"]["content"] is None


def test_a_stream_that_tells_its_usage_is_believed_before_anybody_else() -> None:
    own = orjson.dumps({**HEAD, "choices": [], "usage": USAGE | {"cost": 1}})
    assert whole_of([*stream({"content": "a"}), own], usage=USAGE)["usage"] == USAGE | {"cost": 1}
    null = orjson.dumps({**HEAD, "choices": [], "usage": None})
    assert whole_of([own, null])["usage"] == USAGE | {"cost": 1}
    assert "usage" not in whole_of(stream({"content": "a"}))


@pytest.mark.parametrize(
    "payload", [b"", b"[DONE]", b"[]", b"1", b"{}", b'{"choices":null}', b'{"error":{"message":1}}']
)
def test_what_is_no_stream_of_a_completion_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        whole_of([*stream({"content": "a"}), payload])


def test_no_event_at_all_is_no_completion() -> None:
    with pytest.raises(ValueError, match="without an event"):
        whole_of([])


def test_a_legacy_completion_is_put_together_and_taken_apart() -> None:
    probabilities = {"tokens": ["a", "b"], "token_logprobs": [0.5, 1.5], "top_logprobs": None, "text_offset": [0, 1]}
    choice = {"text": "ab", "index": 0, "logprobs": probabilities, "finish_reason": "stop"}
    body = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}
    events = chunks(events_of(body, with_usage=True))
    assert [event["object"] for event in events] == ["text_completion"] * 3
    assert [c["text"] for event in events for c in event["choices"]] == ["ab", ""]
    assert whole_of(events_of(body, with_usage=True)) == body
    pieces = [
        {"text": text, "index": 0, "logprobs": {"tokens": [text], "top_logprobs": None}, "finish_reason": None}
        for text in "ab"
    ]
    whole = whole_of([orjson.dumps({"object": "text_completion", "choices": [piece]}) for piece in pieces])
    assert whole["object"] == "text_completion"
    assert whole["choices"][0]["text"] == "ab" and "message" not in whole["choices"][0]
    assert whole["choices"][0]["logprobs"] == {"tokens": ["a", "b"], "top_logprobs": None}
