"""`core.ports.Seals` and `core.extras.Digests`: HMACs that the organization is in, keyed by what API keys are hashed
with, for a purpose each."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from orrery.edge.peppers import ReadPeppers

PURPOSE = b"orrery: names of jobs"
DIGESTS = b"orrery: digests of what was asked"
TAG_BYTES = 16
LONGEST_NAME = 2_048


class PepperSeals:
    """Sealed with the newest pepper, opened with any that is still there."""

    def __init__(self, read: ReadPeppers) -> None:
        self._read = read
        self._peppers: Mapping[int, bytes] = {}

    async def seal(self, organization: str, text: str) -> str:
        peppers = await self._known()
        data = text.encode()
        tag = _tag(peppers[max(peppers)], organization, data)
        return urlsafe_b64encode(tag + data).rstrip(b"=").decode()

    async def open(self, organization: str, name: str) -> str | None:
        if len(name) > LONGEST_NAME:
            return None
        try:
            raw = urlsafe_b64decode(name.encode("ascii") + b"=" * (-len(name) % 4))
            tag, data = raw[:TAG_BYTES], raw[TAG_BYTES:]
            text = data.decode()
        except ValueError:
            return None
        peppers = await self._known()
        tags = [_tag(pepper, organization, data) for pepper in peppers.values()]
        return text if any([hmac.compare_digest(tag, each) for each in tags]) else None

    async def _known(self) -> Mapping[int, bytes]:
        if not self._peppers:
            self._peppers = await self._read()
        return self._peppers


class PepperDigests:
    """`core.extras.Digests`, keyed by the oldest pepper there is: they change only when that one goes."""

    def __init__(self, read: ReadPeppers) -> None:
        self._read = read
        self._key = b""

    async def digest(self, organization: str, data: bytes) -> str:
        if not self._key:
            peppers = await self._read()
            self._key = hmac.digest(peppers[min(peppers)], DIGESTS, hashlib.sha256)
        owner = organization.encode()
        return hmac.digest(self._key, len(owner).to_bytes(4) + owner + data, hashlib.sha256).hex()


def _tag(pepper: bytes, organization: str, data: bytes) -> bytes:
    key = hmac.digest(pepper, PURPOSE, hashlib.sha256)
    owner = organization.encode()
    return hmac.digest(key, len(owner).to_bytes(4) + owner + data, hashlib.sha256)[:TAG_BYTES]
