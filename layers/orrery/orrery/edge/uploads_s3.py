"""Uploads in an S3 bucket: presigned places, reading and deleting; `core.ports.Uploads`.

The bucket's own lifecycle rule deletes what nobody used (template.yaml). No SDK: three requests, signed here.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault, InvalidRequest, Unavailable
from orrery.core.types import Fetched, Presigned
from orrery.edge.aws import CredentialsSource
from orrery.edge.http_faults import WireFault
from orrery.edge.http_pool import Exchange, Origin, Pool, Timeouts
from orrery.edge.upload_places import KEY, LIFETIME_S, SUFFIXES
from orrery.providers.signing import presign_v4, sign_v4, suffix_of

EMPTY = hashlib.sha256(b"").hexdigest()
DELETE_S = 5.0
NOTHING = "There is nothing behind this URL."


class S3Uploads:
    """Files of at most `most_bytes` in `bucket`, whose region is `region`."""

    def __init__(
        self,
        pool: Pool,
        *,
        bucket: str,
        region: str,
        credentials: AwsCredentials | CredentialsSource,
        most_bytes: int,
        endpoint: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.most_bytes = most_bytes
        self._root = (endpoint or f"https://{bucket}.s3.{region}.{suffix_of(region)}").rstrip("/") + "/"
        self._pool = pool
        self._region = region
        self._credentials = credentials
        self._clock = clock

    async def presign(self, organization: str, *, media_type: str, size_bytes: int) -> Presigned:
        url = f"{self._root}uploads/{organization}/{secrets.token_urlsafe(16)}.{SUFFIXES[media_type]}"
        headers = {"content-type": media_type, "content-length": str(size_bytes)}
        now = self._clock()
        put_url = presign_v4(
            "PUT",
            url,
            headers,
            region=self._region,
            credentials=await self._held(),
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
                exchange = await self._send(b"GET", url)
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
                exchange = await self._send(b"DELETE", url)
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

    async def _send(self, method: bytes, url: str) -> Exchange:
        parts = urlsplit(url)
        held = await self._held()
        signed = sign_v4(
            method.decode(),
            url,
            {"x-amz-content-sha256": EMPTY},
            b"",
            service="s3",
            region=self._region,
            access_key=held.access_key,
            secret_key=held.secret_key,
            session_token=held.session_token,
            now=self._clock(),
        )
        port = parts.port or (443 if parts.scheme == "https" else 80)
        origin = Origin(parts.scheme, parts.hostname or "", port)
        headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in signed.items()]
        return await self._pool.send(origin, method, parts.path.encode("ascii"), headers, timeouts=Timeouts())

    async def _held(self) -> AwsCredentials:
        if isinstance(self._credentials, AwsCredentials):
            return self._credentials
        try:
            return await self._credentials()
        except AwsFault as err:
            raise Unavailable(f"this gateway's credentials at AWS cannot be had: {err.kind}") from err
