"""Any answer at all, of any provider: what holds for every stream that callers see."""

from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orrery import providers
from orrery.core.dialect import Event, Frame
from orrery.core.errors import GatewayError, Truncated, UpstreamError
from orrery.core.types import Call, Operation
from tests.providers.cases import CHATTING, RECEIVED_AT, chunks_of, fold, plain

type Streams = st.SearchStrategy[tuple[bytes, bytes]]

HERE = Path(__file__).parent
DIALECTS = sorted(file.stem.removeprefix("any_") for file in HERE.glob("any_*.py"))


def streams_of(provider: str) -> Streams:
    """Streams of a provider, each with the same answer whole."""
    dialect = provider if provider in DIALECTS else "rows"
    module: Any = import_module(f"tests.providers.any_{dialect}")
    made: Streams = module.streams(provider) if dialect == "rows" else module.streams()
    return made


ROWS = [name for name in CHATTING if name not in DIALECTS]
GROUPS = [(name,) for name in DIALECTS if name != "rows"] + [tuple(ROWS[start::4]) for start in range(4)]
each = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0] if len(group) == 1 else "rows")
asked = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def test_every_dialect_says_what_its_streams_may_be() -> None:
    assert set(providers.DIALECTS) & set(CHATTING) <= set(DIALECTS)


def call(provider: str, *, wants_usage: bool = True) -> Call:
    body = {"model": f"{provider}/m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    return Call(Operation.CHAT, body["model"], body, stream=True, wants_usage=wants_usage, received_at=RECEIVED_AT)  # type: ignore[arg-type]


def adapter(provider: str) -> Any:
    found = providers.get(provider)
    assert found is not None
    return found.adapters[Operation.CHAT]


def events_of(provider: str, stream: bytes, size: int) -> list[Event]:
    reader = adapter(provider).reader()
    events = [e for start in range(0, len(stream), size) for e in reader.feed(stream[start : start + size])]
    return events + list(reader.close())


def frames_of(provider: str, events: list[Event], *, wants_usage: bool = True) -> list[Frame]:
    decoder = adapter(provider).decoder(call(provider, wants_usage=wants_usage))
    frames: list[Frame] = []
    for event in events:
        assert not decoder.done or not list(decoder.feed(event)), "something comes after the end"
        if not decoder.done:
            frames += decoder.feed(event)
    return frames if decoder.done else [*frames, *decoder.close()]


def parts_of(chunks: list[Any]) -> list[Any]:
    return [part for chunk in chunks for part in chunk["choices"]]


@each
@asked
@given(st.data())
def test_a_stream_obeys_openais_rules(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, _ = data.draw(streams_of(provider))
    chunks = chunks_of(frames_of(provider, events_of(provider, stream, len(stream) or 1)))
    for index in {part["index"] for part in parts_of(chunks)}:
        own = [part for part in parts_of(chunks) if part["index"] == index]
        assert own[0]["delta"].get("role") == "assistant"
        assert sum("role" in part["delta"] for part in own) == 1
        assert [part["finish_reason"] is not None for part in own].count(True) == 1
        assert own[-1]["finish_reason"] in ("stop", "length", "tool_calls", "content_filter", "function_call")
    assert [chunk for chunk in chunks[:-1] if not chunk["choices"] or chunk["usage"]] == []
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]
    assert len({(chunk["id"], chunk["created"], chunk["object"]) for chunk in chunks}) == 1


@each
@asked
@given(st.data())
def test_streamed_and_whole_are_the_same_answer(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, reply = data.draw(streams_of(provider))
    frames = frames_of(provider, events_of(provider, stream, len(stream) or 1))
    whole = adapter(provider).decode(reply, call(provider))
    payload = orjson.loads(whole.payload) if isinstance(whole.payload, bytes) else whole.payload
    assert plain(fold(chunks_of(frames))) == plain(payload)  # `fold` checks that the indexes of tools are dense
    assert whole.usage == [frame.usage for frame in frames if frame.usage][-1]


@each
@asked
@given(st.data())
def test_token_classes_are_parts_of_their_totals(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, _ = data.draw(streams_of(provider))
    for frame in frames_of(provider, events_of(provider, stream, len(stream) or 1)):
        if (usage := frame.usage) is not None:
            assert usage.total == usage.prompt + usage.completion
            assert usage.cache_read + usage.cache_write + usage.cache_write_1h <= usage.prompt
            assert usage.audio_input <= usage.prompt
            assert usage.reasoning <= usage.completion and usage.audio_output <= usage.completion
        if isinstance(frame.payload, dict) and frame.payload.get("usage"):
            told = frame.payload["usage"]
            assert told["total_tokens"] == told["prompt_tokens"] + told["completion_tokens"]


@each
@asked
@given(st.data())
def test_any_cuts_of_the_bytes_give_the_same_frames(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, _ = data.draw(streams_of(provider))
    whole = frames_of(provider, events_of(provider, stream, len(stream) or 1))
    assert frames_of(provider, events_of(provider, stream, data.draw(st.integers(1, 80)))) == whole


@each
@asked
@given(st.data())
def test_a_cut_stream_never_looks_complete(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, _ = data.draw(streams_of(provider))
    events = events_of(provider, stream, len(stream) or 1)
    kept = events[: data.draw(st.integers(0, len(events)))]
    said: list[Frame] = []
    decoder = adapter(provider).decoder(call(provider))
    try:
        for event in kept:
            said += decoder.feed(event)
        if not decoder.done:
            said += decoder.close()
    except Truncated:
        return
    whole = chunks_of(frames_of(provider, events))
    finished = {part["index"] for part in parts_of(chunks_of(said)) if part["finish_reason"]}
    assert finished == {part["index"] for part in parts_of(whole)}, "an end was told that did not come"


@each
@asked
@given(st.data())
def test_spoilt_bytes_raise_nothing_but_our_own_errors(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, reply = data.draw(streams_of(provider))
    for spoilt in (spoil(stream, data), spoil(reply, data)):
        for read in (lambda raw: frames_of(provider, events_of(provider, raw, 64)), lambda raw: decoded(provider, raw)):
            try:
                read(spoilt)
            except GatewayError as err:
                assert isinstance(err, UpstreamError)


def decoded(provider: str, reply: bytes) -> Frame:
    frame: Frame = adapter(provider).decode(reply, call(provider))
    return frame


def spoil(raw: bytes, data: st.DataObject) -> bytes:
    """`raw` with some bytes replaced, doubled or lost."""
    place = data.draw(st.integers(0, max(0, len(raw) - 1)))
    change = data.draw(st.sampled_from([b"", b"null", b"[]", b'"', b"{", b"-1", b"\xff", b"\n\n", b"true"]))
    return raw[:place] + change + raw[place + data.draw(st.integers(0, 12)) :]
