"""How what was said lies in an item: as compressed JSON within it, or, where it is too large for that, in a blob.

| `b`     | the JSON, compressed by zlib; None where it is in a blob                                        |
| `sha`   | among the row's facts: the SHA-256 of what is stored, as hexadecimal digits                     |
| `n`     | among the row's facts: how many bytes the JSON has                                              |
| `blobs` | the `sha` of each blob that this row ever named: whoever deletes the row deletes all of them    |

A blob is written before the row that names it, and goes after it. Its name is the row's and its content's, so that no
row can lose what another one needs, and a repeated write changes nothing. Those that no row names go by themselves.
"""

import asyncio
import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery.core.errors import TooLarge, Unavailable
from orrery.core.ports import Blobs
from orrery.core.types import Json
from orrery.stores.attributes import pack_item

INLINE_BYTES = 100_000
"""What an item may hold of a body. DynamoDB takes 400 KB for an item, and gives 1 MB a page: ten of the largest."""

LARGEST_BYTES = 16 * 1024 * 1024
"""Of a body as it is stored: more than a blob may have."""

MOST_BYTES = 32 * 1024 * 1024
"""Of JSON in one context: it lies in memory, at several times its size, while an answer is made."""

QUICK_BYTES = 64 * 1024
"""What is packed or unpacked within two milliseconds; more leaves the event loop to the others meanwhile."""


@dataclass(frozen=True, slots=True)
class Body:
    """What is stored of a row, packed."""

    data: bytes = field(repr=False)
    sha: str
    size: int

    @property
    def is_inline(self) -> bool:
        return len(self.data) <= INLINE_BYTES

    def facts(self) -> Json:
        """Those of a row that are about its body."""
        return {"sha": self.sha, "n": self.size}

    def attributes(self) -> Json:
        """What lies in attributes of its own."""
        inline = self.is_inline
        return pack_item({"b": self.data if inline else None, "blobs": [] if inline else [self.sha]})


BODY = "b = :b, blobs = list_append(if_not_exists(blobs, :none), :blobs)"
"""What writes a body, after `SET`."""


class Bodies:
    """Without `blobs`, only what fits into items is kept."""

    def __init__(self, blobs: Blobs | None) -> None:
        self._blobs = blobs

    async def pack(self, organization: str, name: str, whole: Json) -> Body:
        """Packed, and put aside where no item holds it. `name` is the row's. Raises `TooLarge`, `Unavailable`."""
        raw = orjson.dumps(whole)
        body = await asyncio.to_thread(_packed, raw) if len(raw) > QUICK_BYTES else _packed(raw)
        if body.is_inline:
            return body
        if self._blobs is None or len(body.data) > LARGEST_BYTES:
            most = INLINE_BYTES if self._blobs is None else LARGEST_BYTES
            raise TooLarge(
                f"What is to be stored has {len(body.data)} bytes, compressed; this gateway stores at most {most}. "
                "With `store: false` nothing is stored."
            )
        await self._blobs.put(organization, f"{name}-{body.sha}", body.data)
        return body

    async def get(self, organization: str, name: str, item: Mapping[str, Any]) -> Json:
        """What a row says. Raises `Unavailable` where its blob is lost."""
        (whole,) = await self.get_all(organization, [(name, item)])
        return whole

    async def get_all(self, organization: str, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Json]:
        """`get`, for each row and its name. Raises `TooLarge` for more than 32 MiB of JSON."""
        size = sum(item["n"] for _, item in rows)
        if size > MOST_BYTES:
            raise TooLarge(f"What came before this request has {size} bytes; this gateway carries at most {MOST_BYTES}")
        found = await asyncio.gather(*(self.raw(organization, name, item) for name, item in rows))
        return await asyncio.to_thread(_all_unpacked, found) if size > QUICK_BYTES else _all_unpacked(found)

    async def raw(self, organization: str, name: str, item: Mapping[str, Any]) -> bytes:
        """As it is stored."""
        data: bytes | None = item["b"]
        if data is not None:
            return data
        data = await self._blobs.get(organization, f"{name}-{item['sha']}") if self._blobs else None
        if data is None or hashlib.sha256(data).hexdigest() != item["sha"]:
            raise Unavailable("A part of what was stored cannot be read just now", retry_after_s=1.0)
        return data

    async def put_again(self, organization: str, name: str, item: Mapping[str, Any]) -> None:
        """Begins the time of its blob anew, where it has one."""
        if item["b"] is None and self._blobs is not None:
            data = await self.raw(organization, name, item)
            await self._blobs.put(organization, f"{name}-{item['sha']}", data)

    async def drop(self, organization: str, name: str, shas: Iterable[str]) -> None:
        """Deletes blobs of a row. Harmless where there are none."""
        if self._blobs is not None:
            await asyncio.gather(*(self._blobs.delete(organization, f"{name}-{sha}") for sha in set(shas)))


def _packed(raw: bytes) -> Body:
    data = zlib.compress(raw)
    return Body(data, hashlib.sha256(data).hexdigest(), len(raw))


def _all_unpacked(found: Iterable[bytes]) -> list[Json]:
    return [orjson.loads(zlib.decompress(data)) for data in found]
