"""Streams put together, and whole answers taken apart: what either says is what the other said."""

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.wire.assembly import events_of, whole_of, with_usage_as

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}


def stream(*deltas: dict[str, Any], finish_reason: str = "stop") -> list[bytes]:
    """The events of one choice that says these deltas."""
    steps = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas]
    steps.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish_reason})
    return [orjson.dumps({**HEAD, "choices": [step]}) for step in steps]


def message(*deltas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = whole_of(stream(*deltas))["choices"][0]["message"]
    return found


def chunks(payloads: list[bytes]) -> list[Any]:
    return [orjson.loads(payload) for payload in payloads]


def said(payloads: list[bytes]) -> list[dict[str, Any]]:
    """The deltas, one after the other."""
    return [choice["delta"] for chunk in chunks(payloads) for choice in chunk["choices"]]


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


def test_a_recorded_stream_is_given_with_usage_or_without() -> None:
    asked, unasked = (events_of(ANSWER, with_usage=wanted) for wanted in (True, False))
    assert chunks(with_usage_as(asked, wanted=True)) == chunks(asked)
    assert chunks(with_usage_as(asked, wanted=False)) == chunks(unasked)
    assert chunks(with_usage_as(unasked, wanted=False, usage=USAGE)) == chunks(unasked)
    assert chunks(with_usage_as(unasked, wanted=True, usage=USAGE)) == chunks(asked)
    assert with_usage_as([], wanted=True, usage=USAGE) == []


def test_usage_beside_words_is_told_after_them() -> None:
    chunk = orjson.dumps({**HEAD, "choices": [{"index": 0, "delta": {"content": "a"}}], "usage": USAGE})
    told = chunks(with_usage_as([chunk], wanted=True))
    assert [len(each["choices"]) for each in told] == [1, 0]
    assert [each["usage"] for each in told] == [None, USAGE]
    assert chunks(with_usage_as([chunk], wanted=False))[0]["choices"][0]["delta"] == {"content": "a"}


TEXTS = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FUNCTIONS = st.fixed_dictionaries(
    {"type": st.just("function"), "id": TEXTS, "function": st.fixed_dictionaries({"name": TEXTS, "arguments": TEXTS})},
    optional={"extra_content": st.dictionaries(TEXTS, TEXTS, max_size=2)},
)
CUSTOM = st.fixed_dictionaries(
    {"type": st.just("custom"), "id": TEXTS, "custom": st.fixed_dictionaries({"name": TEXTS, "input": TEXTS})}
)
SOUND = st.fixed_dictionaries(
    {"id": TEXTS, "data": st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())},
    optional={"transcript": TEXTS, "expires_at": st.integers(0, 9)},
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | TEXTS, "refusal": st.none() | TEXTS},
    optional={
        "reasoning": TEXTS,
        "reasoning_content": TEXTS,
        "reasoning_signature": TEXTS,
        "redacted_reasoning": TEXTS,
        "tool_calls": st.lists(FUNCTIONS | CUSTOM, max_size=3),
        "function_call": st.none() | st.fixed_dictionaries({"name": TEXTS, "arguments": TEXTS}),
        "audio": st.none() | SOUND,
        "annotations": st.lists(st.dictionaries(st.just("url"), TEXTS), max_size=2),
        "of_its_own": JSON,
    },
)
PROBABILITIES = st.none() | st.fixed_dictionaries(
    {"content": st.none() | st.lists(JSON, max_size=2), "refusal": st.none() | st.lists(JSON, max_size=2)}
)
ENDS = {"logprobs": PROBABILITIES, "finish_reason": st.sampled_from(["stop", "length", "tool_calls", None])}
CHOICES = st.fixed_dictionaries({"message": MESSAGES, **ENDS}, optional={"filters": JSON})
COMPLETIONS = st.fixed_dictionaries({"text": TEXTS, **ENDS}, optional={"filters": JSON})


def bodies(object_name: str, choices: Any) -> Any:
    numbered = st.lists(choices, max_size=3).map(lambda all: [{"index": n, **each} for n, each in enumerate(all)])
    return st.fixed_dictionaries(
        {
            "id": TEXTS,
            "object": st.just(object_name),
            "created": st.integers(0, 9),
            "model": TEXTS,
            "choices": numbered,
        },
        optional={"system_fingerprint": st.none() | TEXTS, "service_tier": TEXTS, "citations": JSON},
    )


@given(bodies("chat.completion", CHOICES) | bodies("text_completion", COMPLETIONS), st.booleans())
def test_what_was_taken_apart_is_put_together_again(body: dict[str, Any], with_usage: bool) -> None:
    body["usage"] = USAGE
    assert whole_of(events_of(body, with_usage=with_usage), usage=USAGE) == body
    if with_usage:
        assert whole_of(events_of(body, with_usage=True)) == body


DELTAS = st.dictionaries(
    st.sampled_from(["role", "content", "tool_calls", "audio", "function_call", "annotations", "x"]), JSON, max_size=4
)
PIECES = st.fixed_dictionaries(
    {"delta": DELTAS | JSON},
    optional={"index": JSON, "logprobs": JSON, "finish_reason": JSON, "text": JSON, "message": JSON},
)


@given(
    st.lists(st.lists(PIECES | JSON, max_size=2).map(lambda choices: orjson.dumps({"choices": choices})), min_size=1)
)
def test_whatever_a_provider_puts_into_chunks_it_is_some_answer(payloads: list[bytes]) -> None:
    whole = whole_of(payloads)
    assert orjson.loads(orjson.dumps(whole)) == whole
    assert [choice["index"] for choice in whole["choices"]] == sorted(choice["index"] for choice in whole["choices"])


def test_depth_is_no_danger() -> None:
    deep = b'{"a":' * 900 + b"[1]" + b"}" * 900
    delta = b'{"x":%b,"audio":%b,"tool_calls":[{"index":0,"function":%b}]}' % (deep, deep, deep)
    whole = whole_of([b'{"choices":[{"index":0,"delta":%b,"logprobs":%b}]}' % (delta, deep)] * 3)
    found, depth = whole["choices"][0]["message"]["tool_calls"][0]["function"], 0
    while isinstance(found, dict):
        found, depth = found["a"], depth + 1
    assert (depth, found) == (900, [1])
