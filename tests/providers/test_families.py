"""Every provider's case folders of every operation but chat, asked the same questions."""

import random
from typing import Any

import orjson
import pytest

from orrery import providers
from orrery.core import errors
from orrery.core.dialect import Reply
from tests.providers.families import (
    Case,
    all_cases,
    frames_of,
    parts_of,
    payloads_of,
    reply_of,
    said,
    stream_of,
    told,
    with_files,
)

STREAMS = ("stream.sse", "stream.jsonl", "stream.bin")
REPLIES = ("reply.json", "reply.bin")
FILES = {
    *("operation", "ORIGIN", "call.json", "files.json", "request.json", "path.txt", "dropped.json", "headers.json"),
    *("parts.txt", "reply_type.txt", "answer.json", "answer.bin", "media_type.txt", "chunks.json", "usage.json"),
    *("most.json", "error.json", "raised.json", *STREAMS, *REPLIES),
}


def each(cases: list[Case]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case.provider}/{case.name}")


def with_one_of(*files: str) -> list[Case]:
    return [case for case in all_cases() if any(case.has(file) for file in files)]


@each(all_cases())
def test_each_case_says_where_it_is_from_and_can_be_checked(case: Case) -> None:
    assert case.bytes_of("ORIGIN").startswith((b"recorded ", b"documented ", b"composed"))
    assert {file.name for file in case.folder.iterdir()} <= FILES
    assert case.has("call.json"), "a call gives every reply its context"
    pairs = [("request.json",), ("answer.json",), ("answer.bin",), ("chunks.json",), ("raised.json",)]
    assert any(case.has(*pair) for pair in pairs)
    assert case.provider in providers.names()


@each(with_files("request.json"))
def test_a_call_becomes_the_request(case: Case) -> None:
    adapter, call = case.adapter(), case.call()
    before = orjson.dumps(call.body)
    parts = parts_of(case)
    encoded = adapter.encode(parts[0], case.target())
    assert said(encoded) == case.json_of("request.json")
    assert list(encoded.dropped) == case.json_of("dropped.json", [])
    assert dict(encoded.headers) == case.json_of("headers.json", {})
    assert len(parts) == int(case.text_of("parts.txt", "1"))
    assert orjson.dumps(call.body) == before, "the caller's own mapping was changed"


@each(with_files("path.txt"))
def test_a_call_goes_to_the_path(case: Case) -> None:
    assert case.adapter().path(parts_of(case)[0], case.target()) == case.text_of("path.txt")


@each(with_files("most.json"))
def test_what_is_held_is_the_most_that_it_may_use(case: Case) -> None:
    most = case.adapter().most
    assert most is not None and told(most(case.call(), case.target())) == case.json_of("most.json")


@each([case for case in with_one_of(*REPLIES) if not case.has("raised.json")])
def test_a_reply_becomes_the_answer(case: Case) -> None:
    frame = case.adapter().decode(reply_of(case), case.call())
    if case.has("answer.bin"):
        assert frame.payload == case.bytes_of("answer.bin")
        assert frame.media_type == case.text_of("media_type.txt")
    else:
        assert payloads_of([frame]) == [case.json_of("answer.json")]
        assert frame.media_type == ""
    assert told(frame.usage) == case.json_of("usage.json", {})


@each([case for case in with_one_of(*STREAMS) if not case.has("raised.json")])
def test_a_stream_becomes_its_events_however_its_bytes_are_cut(case: Case) -> None:
    stream = stream_of(case)
    rng = random.Random(f"{case.provider}/{case.name}")
    cuts = [[], *[rng.sample(range(1, len(stream)), min(len(stream) - 1, 20)) for _ in range(5)]]
    for places in cuts:
        frames = list(frames_of(case, stream, places))
        if case.has("answer.bin"):
            assert b"".join(payloads_of(frames)) == case.bytes_of("answer.bin")
            assert frames[0].media_type == case.text_of("media_type.txt")
        else:
            assert payloads_of(frames) == case.json_of("chunks.json")
        assert told(([None] + [frame.usage for frame in frames if frame.usage])[-1]) == case.json_of("usage.json", {})


@each([case for case in with_one_of("stream.sse", "stream.jsonl") if not case.has("raised.json")])
def test_a_cut_stream_raises_truncated(case: Case) -> None:
    stream = stream_of(case)
    with pytest.raises(errors.Truncated):
        list(frames_of(case, stream[: len(stream) // 2], []))


@each(with_files("raised.json"))
def test_what_goes_wrong_is_said_as_it_is(case: Case) -> None:
    expected = case.json_of("raised.json")
    kind = getattr(errors, expected.pop("class"))
    with pytest.raises(kind) as caught:
        _provoke(case)
    assert type(caught.value) is kind
    assert {name: getattr(caught.value, name) for name in expected} == expected


def _provoke(case: Case) -> None:
    if case.has("error.json"):
        error = case.json_of("error.json")
        body = error["body"] if isinstance(error["body"], str) else orjson.dumps(error["body"]).decode()
        raise case.found().explain(Reply(error["status"], error.get("headers", {}), body.encode()))
    if any(case.has(file) for file in STREAMS):
        list(frames_of(case, stream_of(case), []))
    elif any(case.has(file) for file in REPLIES):
        case.adapter().decode(reply_of(case), case.call())
    else:
        adapter, parts = case.adapter(), parts_of(case)
        if adapter.most:
            adapter.most(case.call(), case.target())
        adapter.encode(parts[0], case.target())
