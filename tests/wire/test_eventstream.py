"""Amazon's binary event stream, against an encoder of the tests' own and botocore's reader."""

from binascii import crc32
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.dialect import Event
from orrery.core.errors import GatewayError, Truncated, UpstreamError
from orrery.wire.eventstream import EXCEPTION, HEADERS_LIMIT_BYTES, Reader, headers_of
from tests.providers.eventstream_writer import frame, frame_of, header, raw_frame

EVENT = frame_of({"type": "contentBlockDelta", "payload": {"delta": {"text": "Hi"}}})
WORDS = st.text(st.characters(codec="utf-8"), max_size=9)


def read(*chunks: bytes, limit_bytes: int = 8 * 2**20) -> list[Event]:
    reader = Reader(limit_bytes)
    return [event for chunk in chunks for event in reader.feed(chunk)] + list(reader.close())


def cut(raw: bytes, places: Iterable[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(raw) + 1) for place in places), len(raw)]
    return [raw[one:other] for one, other in pairwise(ends)]


def test_an_event_has_the_name_of_its_type_and_its_payload() -> None:
    assert read(EVENT) == [Event("contentBlockDelta", b'{"delta":{"text":"Hi"}}')]


def test_an_exception_is_told_from_an_event_of_its_name() -> None:
    exception, event = (
        {"exception": "throttlingException", "payload": {}},
        {"type": "throttlingException", "payload": {}},
    )
    names = [each.name for each in read(frame_of(exception) + frame_of(event))]
    assert names == [f"{EXCEPTION}throttlingException", "throttlingException"]


def test_an_error_carries_its_message_as_data() -> None:
    assert read(frame_of({"error": "InternalError", "message": 'a "b"'})) == [
        Event(f"{EXCEPTION}InternalError", b'{"message":"a \\"b\\""}')
    ]


def test_a_message_without_headers_is_an_event_without_a_name() -> None:
    assert read(raw_frame(b"", b"x")) == [Event("", b"x")]


@given(st.lists(st.tuples(WORDS, st.binary(max_size=60)), max_size=5), st.lists(st.integers(0, 10**6), max_size=30))
def test_any_cuts_give_the_events_that_botocore_reads(events: list[tuple[str, bytes]], places: list[int]) -> None:
    raw = b"".join(frame({":event-type": name, ":message-type": "event"}, payload) for name, payload in events)
    buffer = EventStreamBuffer()
    buffer.add_data(raw)
    judged = [Event(message.headers[":event-type"], message.payload) for message in buffer]
    assert read(*cut(raw, places)) == judged == [Event(name, payload) for name, payload in events]


VALUES: list[tuple[int, bytes, bool, Any]] = [
    (0, b"", False, True),
    (1, b"", False, False),
    (2, b"\xfe", False, -2),
    (3, b"\xff\xfe", False, -2),
    (4, b"\x00\x01\x00\x00", False, 65536),
    (5, b"\xff" * 8, False, -1),
    (6, b"\x00\x01", True, b"\x00\x01"),
    (7, "ä".encode(), True, "ä"),
    (8, (1_795_219_200_000).to_bytes(8), False, 1_795_219_200_000),
    (9, bytes(range(16)), False, bytes(range(16))),
]


@pytest.mark.parametrize(("kind", "written", "sized", "value"), VALUES)
def test_a_header_of_each_type_is_read_as_botocore_reads_it(kind: int, written: bytes, sized: bool, value: Any) -> None:
    block = header("h", written, kind, sized=sized) + header(":event-type", b"e")
    buffer = EventStreamBuffer()
    buffer.add_data(raw_frame(block, b""))
    assert headers_of(block) == next(buffer).headers == {"h": value, ":event-type": "e"}


@pytest.mark.parametrize("place", range(len(EVENT)))
def test_a_byte_that_changed_is_noticed_wherever_it_is(place: int) -> None:
    spoilt = EVENT[:place] + bytes([EVENT[place] ^ 1]) + EVENT[place + 1 :]
    with pytest.raises(UpstreamError) as caught:
        list(Reader().feed(spoilt))  # at once: a wrong length must not be waited for
    assert caught.value.code == "provider_event_damaged"


@pytest.mark.parametrize("length", range(1, len(EVENT)))
def test_a_torn_tail_is_truncated_after_the_events_before_it(length: int) -> None:
    reader = Reader()
    assert len(list(reader.feed(EVENT + EVENT[:length]))) == 1
    with pytest.raises(Truncated):
        list(reader.close())


def test_what_came_before_the_damage_is_given_first() -> None:
    events = Reader().feed(EVENT + EVENT[:-1] + b"\x00" + EVENT)
    assert next(iter(events)).name == "contentBlockDelta"
    with pytest.raises(UpstreamError) as caught:
        next(iter(events))
    assert caught.value.code == "provider_event_damaged"


def test_an_event_may_be_as_long_as_the_limit_and_no_longer() -> None:
    assert read(EVENT, limit_bytes=len(EVENT))
    with pytest.raises(UpstreamError) as caught:
        read(EVENT, limit_bytes=len(EVENT) - 1)
    assert caught.value.code == "provider_event_too_large"


def test_a_length_over_the_limit_is_refused_before_its_bytes_come() -> None:
    with pytest.raises(UpstreamError):
        list(Reader(1000).feed(raw_frame(b"", b"x" * 2000)[:12]))
    with pytest.raises(UpstreamError):
        list(Reader().feed(raw_frame(b"h" * (HEADERS_LIMIT_BYTES + 1), b"")[:12]))


@pytest.mark.parametrize(
    "headers",
    [b"\x05ab", header("a", b"x", 10), header("a", b"\xff"), b"\x01a\x07\x00\x09x", b"\x01\xff\x00", b"\x01a"],
)
def test_headers_that_are_none_are_damage(headers: bytes) -> None:
    with pytest.raises(UpstreamError, match="headers"):
        read(raw_frame(headers, b"{}"))


def test_lengths_that_contradict_each_other_are_damage() -> None:
    lengths = (16).to_bytes(4) + (20).to_bytes(4)
    with pytest.raises(UpstreamError, match="cannot hold"):
        read(lengths + crc32(lengths).to_bytes(4) + b"\x00" * 4)


@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing_but_our_own_errors(raw: bytes) -> None:
    try:
        read(EVENT, raw)
    except GatewayError as err:
        assert isinstance(err, UpstreamError)
