"""How a recorded answer lies in an item: compressed within it, or, where it is too large for that, as a blob beside it.

The first byte of what is stored says how the rest is to be read. Then comes a line of JSON, which says what the answer
is and how long each of its payloads, and then the payloads, byte for byte. A blob is named by the SHA-256 of what is in
it, and is written before the item that names it: an item without its blob, or beside another one, is no answer at all.
"""

import asyncio
import hashlib
import zlib

import orjson

from orrery.core.ports import Blobs
from orrery.core.records import Recording
from orrery.core.types import Json
from orrery.stores.attributes import pack_item

INLINE_BYTES = 288 * 1024
"""What an item may hold of an answer. DynamoDB takes 400 KB with all names (developer guide, quotas, 2026-11-21).

So does the embedded one, but moto counts bytes as the base64 that they come in, which is a third more (5.2.5).
"""

LARGEST_BYTES = 8 * 1024 * 1024
"""What is larger is not kept."""

SMALL_BYTES = 1024
"""What costs one unit to write however small it gets: it is not compressed."""

QUICK_BYTES = 64 * 1024
"""What is compressed, or read, within two milliseconds; larger ones leave the event loop to the others meanwhile."""

_PLAIN, _SQUEEZED = b"\x01", b"\x02"


class Shelf:
    """Where answers lie: in the attribute `b`, or as a blob called `sha` of `n` bytes.

    Without `blobs`, those that fit into no item are not kept.
    """

    def __init__(self, blobs: Blobs | None) -> None:
        self._blobs = blobs

    async def put(self, organization: str, recording: Recording) -> Json | None:
        """The attributes of its item, in DynamoDB's JSON; None when it is too large. Raises `Unavailable`."""
        size = recording.size_bytes
        if size > LARGEST_BYTES:
            return None
        data = await asyncio.to_thread(packed, recording) if size > QUICK_BYTES else packed(recording)
        if len(data) <= INLINE_BYTES:
            return pack_item({"b": data})
        if self._blobs is None or len(data) > LARGEST_BYTES:
            return None
        name = hashlib.sha256(data).hexdigest()
        await self._blobs.put(organization, name, data)
        return pack_item({"sha": name, "n": len(data)})

    async def get(self, organization: str, item: Json) -> Recording | None:
        """The answer of an item, as Python values; None where it is lost. Raises `Unavailable`."""
        data = item.get("b")
        if data is None:
            data = await self._blob(organization, item)
        if data is None:
            return None
        return await asyncio.to_thread(unpacked, data) if len(data) > QUICK_BYTES else unpacked(data)

    async def _blob(self, organization: str, item: Json) -> bytes | None:
        if self._blobs is None or "sha" not in item:
            return None
        data = await self._blobs.get(organization, item["sha"])
        if data is None or len(data) != item["n"] or hashlib.sha256(data).hexdigest() != item["sha"]:
            return None
        return data


def packed(recording: Recording) -> bytes:
    """The answer as bytes, compressed where that makes it smaller."""
    head = {
        "stream": recording.stream,
        "media_type": recording.media_type,
        "headers": dict(recording.headers),
        "sizes": [len(payload) for payload in recording.payloads],
    }
    whole = b"".join([orjson.dumps(head), b"\n", *recording.payloads])
    if len(whole) > SMALL_BYTES:
        squeezed = zlib.compress(whole)
        if len(squeezed) < len(whole):
            return _SQUEEZED + squeezed
    return _PLAIN + whole


def unpacked(data: bytes) -> Recording | None:
    """The answer again; None for bytes that are none."""
    whole = _unsqueezed(data[1:]) if data[:1] == _SQUEEZED else data[1:] if data[:1] == _PLAIN else b""
    line, end, rest = whole.partition(b"\n")
    if not end:
        return None
    try:
        head = orjson.loads(line)
        return Recording(head["stream"], head["media_type"], head["headers"], _cut(rest, head["sizes"]))
    except (KeyError, TypeError, ValueError):
        return None


def _unsqueezed(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return b""


def _cut(data: bytes, sizes: list[int]) -> list[bytes]:
    if sum(sizes) != len(data):
        raise ValueError("these payloads are not as long as they were")
    payloads, place = [], 0
    for size in sizes:
        payloads.append(data[place : place + size])
        place += size
    return payloads
