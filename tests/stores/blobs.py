"""Blobs in memory, and answers of every size."""

import random
from dataclasses import dataclass, field

from orrery.core.errors import Unavailable
from orrery.core.records import Recording

MEGABYTE = 1024 * 1024
HEADERS = {"x-orrery-provider": "openai"}
WORDS = Recording(False, "", HEADERS, [b'{"id":"chatcmpl-1","choices":[]}'])


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that nothing makes smaller."""
    return random.Random(seed).randbytes(size)


def sound(size: int, seed: int = 1) -> Recording:
    """A file of so many bytes, in pieces, that nothing makes smaller."""
    data = noise(size, seed)
    return Recording(True, "audio/mpeg", HEADERS, [data[: size // 3], data[size // 3 :]])


@dataclass
class MemoryBlobs:
    """`core.ports.Blobs`. While it `fails`, nothing works. `puts` counts them."""

    all: dict[tuple[str, str], bytes] = field(default_factory=dict)
    fails: bool = False
    puts: int = 0

    async def put(self, organization: str, name: str, data: bytes) -> None:
        self._may_fail()
        self.puts += 1
        self.all[organization, name] = data

    async def get(self, organization: str, name: str) -> bytes | None:
        self._may_fail()
        return self.all.get((organization, name))

    async def delete(self, organization: str, name: str) -> None:
        self._may_fail()
        self.all.pop((organization, name), None)

    def _may_fail(self) -> None:
        if self.fails:
            raise Unavailable("the bucket is gone")

    def change(self, data: bytes) -> None:
        """Every blob is this now."""
        self.all = dict.fromkeys(self.all, data)
