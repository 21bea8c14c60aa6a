"""Server-sent events: read as upstreams write them, written as the SDKs read them.

The grammar is the WHATWG event stream (html.spec.whatwg.org, "Parsing an event stream", read 2026-11-21).
What is ours: an event without data is no event (servers use it as a heartbeat), and see `Reader.close`.
"""

from collections.abc import Iterable

import orjson

from orrery.core.dialect import Event
from orrery.core.errors import UpstreamError

EVENT_LIMIT_BYTES = 8 * 2**20
"""The longest lawful events hold an inline image of a few MB. While one is taken apart, three copies of it exist."""

DONE = b"data: [DONE]\n\n"
_TYPE = b'{"type":"'
_BOM = b"\xef\xbb\xbf"
_LF, _CR = 0x0A, 0x0D  # as numbers: `in` is nine times faster with them than with bytes


class Reader:
    """Cuts a stream's bytes into events; wherever the bytes are cut, the events are the same.

    Data are never decoded, so a character split between chunks needs no care. `id` and `retry` mean nothing here.
    Raises `UpstreamError` for an event longer than `limit_bytes`.
    """

    __slots__ = ("_after_cr", "_begun", "_limit_bytes", "_rest")

    def __init__(self, limit_bytes: int = EVENT_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._rest = bytearray()  # what has no blank line after it yet, line ends made LF
        self._after_cr = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        if not self._begun:
            chunk = self._without_bom(chunk)
        if self._after_cr or _CR in chunk:
            chunk = self._with_lf(chunk)
        rest = self._rest
        if rest:
            # Only the new bytes are searched, and one before them: a long line in small chunks stays linear.
            searched = len(rest) - 1
            rest += chunk
            if rest.find(b"\n\n", searched) < 0:
                self._check(len(rest) - 1)  # its last byte may be a line end
                return []
            chunk = bytes(rest)
            rest.clear()
        blocks = chunk.split(b"\n\n")
        tail = blocks.pop()
        if len(chunk) > self._limit_bytes:
            self._check(max(map(len, blocks), default=0))
            self._check(len(tail) - 1)
        if tail:
            rest += tail
        events = []
        for block in blocks:
            # Nearly all there is: one line of data, or a name and one line of data.
            if block.startswith(b"data: ") and _LF not in block:
                if len(block) > 6:
                    events.append(Event("", block[6:]))
            elif block.startswith(b"event: ") and (end := _before_data(block)):
                if len(block) > end + 7:
                    events.append(Event(block[7:end].decode(errors="replace"), block[end + 7 :]))
            elif (event := _parse(block)) is not None:
                events.append(event)
        return events

    def close(self) -> list[Event]:
        """The last event, where the server forgot the blank line after it.

        The standard drops it. We keep it when its data is whole, JSON or `[DONE]`: anything else was cut off.
        """
        block = bytes(self._rest)
        self._rest.clear()
        self._check(len(block.removesuffix(b"\n")))
        event = _parse(block)
        return [event] if event is not None and _is_whole(event.data) else []

    def _without_bom(self, chunk: bytes) -> bytes:
        head = bytes(self._rest) + chunk
        self._rest.clear()
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._rest += head
            return b""
        self._begun = True
        return head.removeprefix(_BOM)

    def _with_lf(self, chunk: bytes) -> bytes:
        """CR and CRLF as LF. A CR at the end counts at once, and an LF that follows it belongs to it."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if chunk.endswith(b"\r"):
            self._after_cr = True
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _check(self, size_bytes: int) -> None:
        if size_bytes > self._limit_bytes:
            raise UpstreamError(
                f"The provider sent an event of more than {self._limit_bytes} bytes", code="provider_event_too_large"
            )


def _before_data(block: bytes) -> int:
    """Where the first line ends, if the second is data and the last; else 0."""
    end = block.find(b"\n")
    return end if end > 0 and block.startswith(b"data: ", end + 1) and block.find(b"\n", end + 1) < 0 else 0


def _parse(block: bytes) -> Event | None:
    """The event of a block of lines, or None: comments and fields without data make none."""
    name = b""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    joined = b"\n".join(data)
    return Event(name.decode(errors="replace"), joined) if joined else None


def _is_whole(data: bytes) -> bool:
    if data == b"[DONE]":
        return True
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


def is_one_line(data: bytes) -> bool:
    """Whether `data` can stand in one event as it is. JSON that `orjson` wrote always can."""
    return _LF not in data and _CR not in data


def event(data: bytes) -> bytes:
    """`data` as an event. Raises `ValueError` when it holds a line end: a line of it could pose as an event of ours."""
    if _LF in data or _CR in data:
        raise ValueError(f"{len(data)} bytes of event data hold a line end")
    return b"data: %b\n\n" % data


def events(batch: Iterable[bytes]) -> bytes:
    """Several events as one write. Raises as `event` does."""
    return b"".join(map(event, batch))


def named(data: bytes) -> bytes:
    """An event under the name that it has itself: `data` is a JSON object whose first member is its `type`.

    Raises `ValueError` where it is none, and as `event` does.
    """
    if not data.startswith(_TYPE):
        raise ValueError(f"{len(data)} bytes of event data do not begin with their type")
    name = data[len(_TYPE) : data.index(b'"', len(_TYPE))]
    return b"event: %b\n%b" % (name, event(data))


def comment(text: str) -> bytes:
    """A line that every client skips: keeps connections open. Raises `ValueError` when `text` holds a line end."""
    line = text.encode()
    if not is_one_line(line):
        raise ValueError("a comment holds a line end")
    return b": %b\n\n" % line


PING = comment("ping")
