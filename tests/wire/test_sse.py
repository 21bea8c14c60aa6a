"""The reader against a plain reading of the standard, and the writer against lines that would pose as ours."""

import re
import tracemalloc
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.dialect import Event
from orrery.core.errors import UpstreamError
from orrery.wire import sse
from orrery.wire.sse import Reader


def read(*chunks: bytes, limit_bytes: int = sse.EVENT_LIMIT_BYTES) -> list[Event]:
    reader = Reader(limit_bytes)
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + list(reader.close())


def read_plainly(stream: bytes) -> list[Event]:
    """The standard's algorithm, line by line over the whole text, with our two liberties."""
    lines = re.split(rb"\r\n|\r|\n", stream.removeprefix(b"\xef\xbb\xbf"))
    events, name, data = [], b"", []
    for line in [*lines[:-1], b""]:
        if line == b"":
            joined = b"\n".join(data)
            if joined:
                events.append(Event(name.decode(errors="replace"), joined))
            name, data = b"", []
            continue
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        if field == b"event":
            name = value.removeprefix(b" ")
    return events


FIELDS = b'data: |data:|data|event: |id: 1|retry: 5|: ping|[DONE]|{"a": 1}|\xef\xbb\xbf|\xff|e\xc3\xa9| |x|:'.split(
    b"|"
)
ENDS = [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"\r\r"]
fragments = st.sampled_from([*FIELDS, *ENDS])
streams = st.lists(fragments, max_size=30).map(b"".join)


@given(streams, st.lists(st.integers(0, 200)))
def test_wherever_the_bytes_are_cut_the_events_are_the_same(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(stream)]
    assert read(*(stream[a:b] for a, b in pairwise(edges))) == read(stream)


@given(streams)
def test_one_byte_at_a_time_reads_the_same(stream: bytes) -> None:
    assert read(*(stream[i : i + 1] for i in range(len(stream)))) == read(stream)


@given(streams)
def test_a_finished_stream_is_read_as_the_standard_says(stream: bytes) -> None:
    finished = stream + b"\n\n"
    assert read(finished) == read_plainly(finished)


@given(
    st.lists(st.binary(min_size=1).filter(sse.is_one_line).filter(bytes.strip)),
    st.sampled_from([b"\n", b"\r", b"\r\n"]),
)
def test_line_ends_of_all_three_kinds_mean_the_same(payloads: list[bytes], end: bytes) -> None:
    stream = b"".join(b"data: %b%b%b" % (payload, end, end) for payload in payloads)
    assert [event.data for event in read(stream)] == payloads


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [Event("", b"a"), Event("", b"b")]),
        (b"data:a\n\n", [Event("", b"a")]),
        (b"data:  a\n\n", [Event("", b" a")]),
        (b"data: a\ndata: b\n\n", [Event("", b"a\nb")]),
        (b"event: ping\ndata: {}\n\n", [Event("ping", b"{}")]),
        (b"event: ping\n\ndata: {}\n\n", [Event("", b"{}")]),
        (b": ping\n\ndata: a\n\n", [Event("", b"a")]),
        (b"id: 7\nretry: 10\ndata: a\n\n", [Event("", b"a")]),
        (b"data: \n\ndata\n\ndata: a\n\n", [Event("", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event("", b"a")]),
        (b"data: a\n\n\n\n\ndata: b\n\n", [Event("", b"a"), Event("", b"b")]),
        (b"data: a: b\n\n", [Event("", b"a: b")]),
        (b"Data: a\n\n data: b\n\n", []),
        (b"garbage\x00\xff", []),
        (b"", []),
    ],
)
def test_what_upstreams_write_is_read(stream: bytes, events: list[Event]) -> None:
    assert read(stream) == events


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r"])
def test_a_last_event_without_its_blank_line_is_given_out(end: bytes) -> None:
    assert read(b"data: 1\n\ndata: [DONE]" + end)[-1].data == b"[DONE]"
    assert read(b'data: {"a":1}' + end)[-1].data == b'{"a":1}'


@pytest.mark.parametrize("rest", [b'data: {"a":', b"data: [DO", b"da", b"event: x", b'data: {"a":\ndata: '])
def test_a_last_event_that_was_cut_is_dropped(rest: bytes) -> None:
    assert read(b"data: 1\n\n" + rest) == [Event("", b"1")]


def test_a_second_close_gives_nothing() -> None:
    reader = Reader()
    reader.feed(b"data: [DONE]")
    assert len(reader.close()) == 1
    assert reader.close() == []


def test_an_event_comes_out_with_the_chunk_that_ends_it() -> None:
    reader = Reader()
    assert reader.feed(b"data: a\n") == []
    assert reader.feed(b"\ndata") == [Event("", b"a")]
    assert reader.feed(b": b\r\r") == [Event("", b"b")]


def test_text_that_looks_like_the_end_stays_inside_its_event() -> None:
    payload = orjson.dumps({"content": 'he said "\n\ndata: [DONE]\n\n" and went on'})
    assert [event.data for event in read(sse.event(payload) + sse.DONE)] == [payload, b"[DONE]"]


@given(st.text())
def test_json_of_any_text_is_one_event(text: str) -> None:
    payload = orjson.dumps({"content": text})
    assert [event.data for event in read(sse.events([payload, payload]))] == [payload, payload]


@pytest.mark.parametrize("data", [b"a\nb", b"a\rb", b"\n", b"x\n\ndata: [DONE]"])
def test_data_with_a_line_end_is_not_written(data: bytes) -> None:
    assert not sse.is_one_line(data)
    with pytest.raises(ValueError, match="line end"):
        sse.event(data)
    with pytest.raises(ValueError, match="line end"):
        sse.comment(data.decode())


def test_comments_are_skipped_by_readers() -> None:
    assert sse.PING == b": ping\n\n"
    assert read(sse.PING + sse.event(b"1")) == [Event("", b"1")]


# "data: " and 14 more are an event of 20 bytes.
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\n", b""])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_limit_is_the_same_wherever_the_bytes_are_cut(end: bytes, step: int) -> None:
    fits, long = b"data: 12345678901234" + end, b"data: 123456789012345" + end
    assert len(read(*(fits[i : i + step] for i in range(0, len(fits), step)), limit_bytes=20)) == 1
    with pytest.raises(UpstreamError, match="more than 20 bytes") as caught:
        read(*(long[i : i + step] for i in range(0, len(long), step)), limit_bytes=20)
    assert caught.value.status == 502


def test_many_small_events_in_one_large_chunk_are_within_the_limit() -> None:
    assert len(read(b"data: 1\n\n" * 100, limit_bytes=20)) == 100


def test_a_line_of_ten_megabytes_is_refused_within_thirty_two_megabytes_of_memory() -> None:
    reader, piece = Reader(), b"x" * 2**14
    tracemalloc.start()
    try:
        with pytest.raises(UpstreamError):
            for _ in range(640):
                reader.feed(piece)
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()


def test_the_largest_event_takes_less_than_thirty_two_megabytes() -> None:
    reader, piece = Reader(), b"x" * 2**14
    tracemalloc.start()
    try:
        reader.feed(b"data: ")
        for _ in range(511):
            reader.feed(piece)
        assert len(reader.feed(b"\n\n")) == 1
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()
