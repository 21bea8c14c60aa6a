"""Amazon's binary event stream, `application/vnd.amazon.eventstream`: framed messages, each checked by two CRCs.

A message is a prelude (its whole length, the length of its headers, and the CRC of both), headers, a payload, and the
CRC of all that is before. Numbers are big-endian. Sources, read 2026-11-21: the "Amazon Event Stream" specification of
Smithy 2.0 (smithy.io), and botocore 1.44.5, eventstream.py; a test holds the two readers against each other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from struct import Struct, error
from zlib import crc32

import orjson

from orrery.core.dialect import Event
from orrery.core.errors import Truncated, UpstreamError
from orrery.wire.sse import EVENT_LIMIT_BYTES

HEADERS_LIMIT_BYTES = 128 * 1024
"""What the specification allows. For whole messages it allows 24 MB: more than any lawful event of ours holds."""

EXCEPTION = "exception/"
"""What an event's name begins with when it says that the stream has failed; the exception's own name follows."""

type Value = bool | int | bytes | str

_PRELUDE = Struct(">III")
_CRC = Struct(">I")
_OVERHEAD = _PRELUDE.size + _CRC.size


class Reader:
    """Cuts a stream's bytes into events; wherever the bytes are cut, the events are the same.

    An event is named by its `:event-type`; an exception or error by `EXCEPTION` and its type or code, and the latter's
    message becomes its data, as JSON. Raises, where the bytes are wrong and not before: `UpstreamError` for a message
    that is damaged or longer than `limit_bytes`, `Truncated` for one that stops in the middle.
    """

    __slots__ = ("_limit_bytes", "_needed", "_rest")

    def __init__(self, limit_bytes: int = EVENT_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._rest = bytearray()  # of a message that is not whole yet
        self._needed = 0  # bytes of `_rest` before there is more to read in it

    def feed(self, chunk: bytes) -> Iterable[Event]:
        """The events that `chunk` completes, those before a fault included."""
        rest = self._rest
        if rest:
            rest += chunk
            if len(rest) < self._needed:
                return ()
            chunk = bytes(rest)
            rest.clear()
        return self._whole(chunk)

    def close(self) -> Iterable[Event]:
        """Nothing more, unless bytes are left: each message says its length, so none can be missed."""
        if self._rest:
            raise Truncated(
                f"the provider's stream broke off after {len(self._rest)} bytes of an event", upstream_status=200
            )
        return ()

    def _whole(self, data: bytes) -> Iterator[Event]:
        start, end = 0, len(data)
        needed = _PRELUDE.size
        while end - start >= _PRELUDE.size:
            total, headers, crc = _PRELUDE.unpack_from(data, start)
            if crc32(data[start : start + 8]) != crc:  # first: the lengths say how much to wait for
                raise _damaged("the lengths of an event do not match their checksum")
            if total > self._limit_bytes or headers > HEADERS_LIMIT_BYTES or total < headers + _OVERHEAD:
                raise self._unlawful(total, headers)
            if end - start < total:
                needed = total
                break
            stop = start + total - _CRC.size
            if crc32(data[start:stop]) != _CRC.unpack_from(data, stop)[0]:
                raise _damaged("an event does not match its checksum")
            begin = start + _PRELUDE.size + headers
            name, message = _named(data[start + _PRELUDE.size : begin])
            yield Event(name, data[begin:stop] or message)
            start += total
        self._rest += data[start:]
        self._needed = needed

    def _unlawful(self, total: int, headers: int) -> UpstreamError:
        if total < headers + _OVERHEAD:
            return _damaged(f"an event of {total} bytes cannot hold {headers} bytes of headers")
        return UpstreamError(
            f"The provider sent an event of more than {self._limit_bytes} bytes", code="provider_event_too_large"
        )


def _damaged(what: str) -> UpstreamError:
    said = f"the provider's stream is damaged: {what}"
    return UpstreamError(said, upstream_status=200, code="provider_event_damaged")


@lru_cache(maxsize=64)  # the events of a kind have the same headers, byte for byte
def _named(block: bytes) -> tuple[str, bytes]:
    """The name of the event with these headers, and what stands for a payload that it does not have."""
    headers = headers_of(block)
    kind = headers.get(":message-type", "event")
    if kind == "event":
        return _text(headers.get(":event-type")), b""
    if kind == "exception":
        return EXCEPTION + _text(headers.get(":exception-type")), b""
    message = {"message": _text(headers.get(":error-message"))}
    return EXCEPTION + _text(headers.get(":error-code")), orjson.dumps(message)


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""


def headers_of(block: bytes) -> Mapping[str, Value]:
    """A message's headers by their names. Raises `UpstreamError` for what are none."""
    headers: dict[str, Value] = {}
    place = 0
    try:
        while place < len(block):
            name, place = _sized(block, place + 1, block[place])
            kind, place = block[place], place + 1
            value, place = _READ[kind](block, place)
            headers[name.decode()] = value
    except (IndexError, KeyError, UnicodeDecodeError, error) as err:
        raise _damaged("an event's headers cannot be read") from err
    return headers


def _sized(block: bytes, place: int, length: int) -> tuple[bytes, int]:
    end = place + length
    if end > len(block):
        raise IndexError(end)
    return block[place:end], end


def _number(form: str) -> "_Read":
    packed = Struct(form)
    return lambda block, place: (packed.unpack_from(block, place)[0], place + packed.size)


def _bytes(block: bytes, place: int) -> tuple[bytes, int]:
    length, place = _LENGTH(block, place)
    return _sized(block, place, int(length))


def _string(block: bytes, place: int) -> tuple[str, int]:
    raw, place = _bytes(block, place)
    return raw.decode(), place


type _Read = Callable[[bytes, int], tuple[Value, int]]

_LENGTH = _number(">H")

_READ: Mapping[int, _Read] = {
    0: lambda block, place: (True, place),
    1: lambda block, place: (False, place),
    2: _number(">b"),
    3: _number(">h"),
    4: _number(">i"),
    5: _number(">q"),
    6: _bytes,
    7: _string,
    8: _number(">q"),  # a timestamp: milliseconds since the epoch
    9: lambda block, place: _sized(block, place, 16),  # a UUID
}
"""How a value of each type is read: what it is, and where the next header begins."""
