"""Uploads in an S3 bucket: presigned places, reading and deleting; `core.ports.Uploads`.

The bucket's own lifecycle rule deletes what nobody used (template.yaml).
"""

import asyncio
import secrets

from orrery.core.errors import InvalidRequest, Unavailable
from orrery.core.types import Fetched, Presigned
from orrery.edge.http_faults import WireFault
from orrery.edge.http_pool import Exchange
from orrery.edge.s3 import S3Bucket
from orrery.edge.upload_places import KEY, LIFETIME_S, SUFFIXES
from orrery.providers.signing import presign_v4

DELETE_S = 5.0
NOTHING = "There is nothing behind this URL."


class S3Uploads:
    """Files of at most `most_bytes` in a bucket."""

    def __init__(self, bucket: S3Bucket, *, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._bucket = bucket
        self._root = bucket.root + "/"

    async def presign(self, organization: str, *, media_type: str, size_bytes: int) -> Presigned:
        url = f"{self._root}uploads/{organization}/{secrets.token_urlsafe(16)}.{SUFFIXES[media_type]}"
        headers = {"content-type": media_type, "content-length": str(size_bytes)}
        now = self._bucket.clock()
        put_url = presign_v4(
            "PUT",
            url,
            headers,
            region=self._bucket.region,
            credentials=await self._bucket.credentials(),
            expires_s=LIFETIME_S,
            now=now,
        )
        return Presigned(put_url, headers, url, int(now) + LIFETIME_S)

    def has(self, url: str) -> bool:
        return url.startswith(self._root)

    async def read(self, organization: str, url: str, *, timeout_s: float) -> Fetched:
        self._refuse_foreign(organization, url)
        try:
            async with asyncio.timeout(timeout_s):
                exchange = await self._bucket.send("GET", url)
                try:
                    return await self._fetched(exchange)
                finally:
                    exchange.close()
        except (TimeoutError, WireFault) as err:
            raise Unavailable("the gateway's uploads cannot be read just now", retry_after_s=1.0) from err

    async def delete(self, organization: str, url: str) -> None:
        self._refuse_foreign(organization, url)
        try:
            async with asyncio.timeout(DELETE_S):
                exchange = await self._bucket.send("DELETE", url)
                status = exchange.status
                exchange.close()
        except (TimeoutError, WireFault) as err:
            raise Unavailable("an upload cannot be deleted just now") from err
        if status >= 300 and status != 404:
            raise Unavailable(f"an upload cannot be deleted: S3 answered {status}")

    async def _fetched(self, exchange: Exchange) -> Fetched:
        headers = dict(exchange.headers)
        if exchange.status in (403, 404):  # S3 says 403 for what is not there to who may not list
            raise InvalidRequest(NOTHING)
        if exchange.status != 200:
            raise Unavailable(f"the gateway's uploads cannot be read: S3 answered {exchange.status}")
        parts, size = [], 0
        while chunk := await exchange.read():
            size += len(chunk)
            if size > self.most_bytes:
                raise InvalidRequest(f"An upload may have {self.most_bytes} bytes.")
            parts.append(chunk)
        return Fetched(headers.get(b"content-type", b"").decode("latin-1").lower(), b"".join(parts))

    def _refuse_foreign(self, organization: str, url: str) -> None:
        key = KEY.fullmatch(url.removeprefix(self._root))
        if not key or key[1] != organization:
            raise InvalidRequest(NOTHING)
