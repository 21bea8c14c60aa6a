"""Every provider's case folders, asked the same questions. A new provider adds folders, no test code."""

from dataclasses import asdict
from typing import Any

import orjson
import pytest

from orrery import providers
from orrery.core import errors
from orrery.core.dialect import Reply
from orrery.core.types import Usage
from orrery.wire.usage import write_usage
from tests.providers.cases import (
    CHATTING,
    Case,
    all_cases,
    chunks_of,
    cuts_of,
    ends,
    events_of,
    fold,
    frames_of,
    plain,
    streamed,
    with_files,
)

PAIRS = [
    ("call.json", "request.json"),
    ("reply.json", "answer.json"),
    ("stream.sse", "answer.json"),
    ("error.json", "raised.json"),
    ("stream.sse", "raised.json"),
    ("stream.jsonl", "answer.json"),
    ("stream.jsonl", "raised.json"),
    ("call.json", "raised.json"),
]
FILES = {file for pair in PAIRS for file in pair} | {"ORIGIN", "dropped.json", "headers.json", "usage.json"}


def each(cases: list[Case]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case.provider}/{case.name}")


@each(all_cases())
def test_each_case_says_where_it_is_from_and_can_be_checked(case: Case) -> None:
    assert case.bytes_of("ORIGIN").startswith((b"recorded ", b"documented ", b"composed"))
    assert any(case.has(*pair) for pair in PAIRS)
    assert {file.name for file in case.folder.iterdir()} <= FILES


def test_every_folder_belongs_to_a_provider() -> None:
    assert {case.provider for case in all_cases()} <= set(providers.names())


@each(with_files("call.json", "request.json"))
def test_a_call_becomes_the_request(case: Case) -> None:
    body = orjson.dumps(case.call().body)
    encoded = case.adapter().encode(call := case.call(), case.target())
    assert encoded.body == case.json_of("request.json")
    assert list(encoded.dropped) == case.json_of("dropped.json", [])
    assert dict(encoded.headers) == case.json_of("headers.json", {})
    assert orjson.dumps(call.body) == body, "the caller's own mapping was changed"


@each(with_files("reply.json", "answer.json"))
def test_a_reply_becomes_the_answer(case: Case) -> None:
    frame = case.adapter().decode(case.bytes_of("reply.json"), case.call())
    assert chunks_of([frame])[0] == case.json_of("answer.json")
    assert_usage(case, frame.usage)


def assert_usage(case: Case, usage: Usage | None) -> None:
    assert usage is not None
    counts = write_usage(usage)
    told = case.json_of("answer.json")["usage"]
    assert {name: counts[name] for name in told if name in counts and not isinstance(told[name], dict)} == {
        name: value for name, value in told.items() if name in counts and not isinstance(value, dict)
    }
    assert usage.total == usage.prompt + usage.completion
    assert case.json_of("usage.json", {}).items() <= asdict(usage).items()


@each(streamed("answer.json"))
def test_a_stream_adds_up_to_the_same_answer(case: Case) -> None:
    frames = list(frames_of(case, events_of(case)))
    chunks = chunks_of(frames)
    assert plain(fold(chunks)) == plain(case.json_of("answer.json"))
    assert [frame.usage for frame in frames if frame.usage][-1:] != []
    assert_usage(case, [frame.usage for frame in frames if frame.usage][-1])
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


@each(streamed("answer.json"))
def test_usage_is_withheld_from_who_did_not_ask(case: Case) -> None:
    frames = list(frames_of(case, events_of(case), wants_usage=False))
    assert not any("usage" in chunk or not chunk["choices"] for chunk in chunks_of(frames))
    assert any(frame.usage for frame in frames)


@each(streamed("answer.json"))
def test_log_probabilities_are_streamed_with_their_words(case: Case) -> None:
    parts = [part for chunk in chunks_of(frames_of(case, events_of(case))) for part in chunk["choices"]]
    for choice in case.json_of("answer.json")["choices"]:
        own = [
            part["logprobs"]["content"] for part in parts if part["index"] == choice["index"] and part.get("logprobs")
        ]
        told = (choice.get("logprobs") or {}).get("content") or []
        assert [entry["token"] for listed in own for entry in listed] == [entry["token"] for entry in told]


@each(streamed("answer.json"))
def test_what_was_generated_is_counted(case: Case) -> None:
    said = sum(frame.output_chars for frame in frames_of(case, events_of(case)))
    message = plain(case.json_of("answer.json"))["choices"][0]["message"]
    assert said >= sum(len(message.get(name, "")) for name in ("content", "reasoning", "refusal"))


@each(streamed("answer.json"))
def test_byte_boundaries_do_not_matter(case: Case) -> None:
    expected = events_of(case)
    assert all(events_of(case, cuts) == expected for cuts in cuts_of(case))


@each(streamed("answer.json"))
def test_a_cut_stream_raises_truncated(case: Case) -> None:
    events = events_of(case)
    assert ends(case, events)
    assert not any(ends(case, events[:length]) for length in range(len(events) // 2 + 1))
    for length in range(len(events) // 2 + 1, len(events)):
        ends(case, events[:length])  # asserts that it is whole, or says that it is not


@each(with_files("raised.json"))
def test_an_error_is_what_it_should_be(case: Case) -> None:
    err = raised_by(case)
    expected = case.json_of("raised.json")
    assert type(err) is getattr(errors, expected.pop("class"))
    assert {name: getattr(err, name) for name in expected} == expected


def raised_by(case: Case) -> BaseException:
    if case.has("error.json"):
        error = case.json_of("error.json")
        body = error["body"] if isinstance(error["body"], str) else orjson.dumps(error["body"]).decode()
        return case.found().explain(Reply(error["status"], error["headers"], body.encode()))
    with pytest.raises(errors.GatewayError) as caught:
        if case.is_streamed:
            list(frames_of(case, events_of(case)))
        else:
            case.adapter().encode(case.call(), case.target())
    return caught.value


OF_A_DIALECT = (
    {"text", "tool_call", "parallel_tools", "structured", "reasoning", "image_in", "refused", "cut_short"}
    | {"error_400", "error_429", "error_in_stream", "usage_with_cache"}
)  # fmt: skip
OF_A_ROW = {"text", "tool_call", "cut_short"}
THE_SAME = {"vertex": "google"}
"""Providers whose dialect is another one's: what they have in common is asked there."""


@pytest.mark.parametrize("provider", [name for name in CHATTING if name != "sandbox"])
def test_a_provider_has_the_cases_that_show_it_works(provider: str) -> None:
    wanted = OF_A_DIALECT if provider in providers.DIALECTS else OF_A_ROW
    known = {case.name for case in all_cases() if case.provider in (provider, THE_SAME.get(provider))}
    assert wanted - known == set()
