"""Blobs in an S3 bucket; `core.ports.Blobs`.

The bucket's own lifecycle rules delete them, by prefix (template.yaml).
"""

import asyncio
from contextlib import closing

from orrery.core.errors import Unavailable
from orrery.edge.blobs import PLACE, place_of
from orrery.edge.http_faults import WireFault
from orrery.edge.http_pool import Exchange
from orrery.edge.s3 import S3Bucket

TIMEOUT_S = 5.0
LARGEST_BYTES = 16 * 1024 * 1024
"""More than any blob of ours has."""


RESPONSES = "responses"
"""The prefix of what stored responses say: the bucket keeps it for 31 days."""


class S3Blobs:
    """Objects `<prefix>/<organization>/<name>` of a bucket. Each call ends within 5 s."""

    def __init__(self, bucket: S3Bucket, prefix: str = PLACE) -> None:
        self._bucket = bucket
        self._prefix = prefix

    async def put(self, organization: str, name: str, data: bytes) -> None:
        status, _ = await self._ask("PUT", place_of(organization, name), data)
        if status != 200:
            raise _unavailable(status)

    async def get(self, organization: str, name: str) -> bytes | None:
        status, found = await self._ask("GET", place_of(organization, name))
        if status in (403, 404):  # S3 says 403 for what is not there to who may not list
            return None
        if status != 200:
            raise _unavailable(status)
        return found

    async def delete(self, organization: str, name: str) -> None:
        status, _ = await self._ask("DELETE", place_of(organization, name))
        if status not in (200, 204, 404):
            raise _unavailable(status)

    async def _ask(self, method: str, place: str, data: bytes = b"") -> tuple[int, bytes]:
        """The status, and what came; nothing is read of an answer that is a refusal."""
        headers = {"content-type": "application/octet-stream"} if method == "PUT" else {}
        try:
            async with asyncio.timeout(TIMEOUT_S):
                url = f"{self._bucket.root}/{self._prefix}/{place}"
                with closing(await self._bucket.send(method, url, data, headers)) as exchange:
                    return exchange.status, await _read(exchange) if exchange.status == 200 else b""
        except (TimeoutError, WireFault) as err:
            raise Unavailable("the gateway's bucket does not answer just now", retry_after_s=1.0) from err


async def _read(exchange: Exchange) -> bytes:
    parts, size = [], 0
    async for chunk in exchange.chunks():
        size += len(chunk)
        if size > LARGEST_BYTES:
            raise Unavailable(f"the gateway's bucket sent more than {LARGEST_BYTES} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _unavailable(status: int) -> Unavailable:
    return Unavailable(f"the gateway's bucket answered {status}", retry_after_s=1.0)
