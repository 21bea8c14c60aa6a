"""Writes Amazon's binary event stream from a readable form, one JSON object a line. Shares nothing with our reader.

`{"type": "contentBlockDelta", "payload": {...}}` is an event, `{"exception": "throttlingException", "payload": {...}}`
an exception, `{"error": "InternalError", "message": "..."}` an error, which has no payload.
"""

from binascii import crc32
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

STRING = 7


def written(lines: bytes) -> bytes:
    """The frames of lines in the readable form."""
    return b"".join(frame_of(orjson.loads(line)) for line in lines.splitlines() if line.strip())


def frames(events: Iterable[tuple[str, Mapping[str, Any]]]) -> bytes:
    """The frames of ordinary events, by type and payload."""
    return b"".join(frame_of({"type": kind, "payload": payload}) for kind, payload in events)


def frame_of(line: Mapping[str, Any]) -> bytes:
    """The frame of one line, its headers in the order in which Bedrock sends them."""
    if "error" in line:
        return frame({":error-code": line["error"], ":error-message": line["message"], ":message-type": "error"}, b"")
    kind = ":exception-type" if "exception" in line else ":event-type"
    headers = {
        kind: line.get("exception") or line["type"],
        ":content-type": "application/json",
        ":message-type": "exception" if "exception" in line else "event",
    }
    return frame(headers, orjson.dumps(line["payload"]))


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """A message with string headers."""
    return raw_frame(b"".join(header(name, value.encode()) for name, value in headers.items()), payload)


def header(name: str, value: bytes, kind: int = STRING, *, sized: bool = True) -> bytes:
    """A header; `sized` False: a value of a fixed length, which is not written."""
    length = len(value).to_bytes(2) if sized else b""
    return len(name.encode()).to_bytes(1) + name.encode() + kind.to_bytes(1) + length + value


def raw_frame(headers: bytes, payload: bytes) -> bytes:
    """A message whose headers are written already, with its two checksums."""
    lengths = (len(headers) + len(payload) + 16).to_bytes(4) + len(headers).to_bytes(4)
    message = lengths + crc32(lengths).to_bytes(4) + headers + payload
    return message + crc32(message).to_bytes(4)
