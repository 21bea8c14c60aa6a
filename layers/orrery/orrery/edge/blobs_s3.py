"""Blobs in an S3 bucket; `core.ports.Blobs`. No SDK: three requests, signed here, their content too.

The bucket's own lifecycle rule deletes them (template.yaml).
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault, Unavailable
from orrery.edge.aws import CredentialsSource
from orrery.edge.blobs import PLACE, place_of
from orrery.edge.http_faults import WireFault
from orrery.edge.http_pool import Exchange, Origin, Pool, Timeouts
from orrery.providers.signing import sign_v4, suffix_of

TIMEOUT_S = 5.0
LARGEST_BYTES = 16 * 1024 * 1024
"""More than any blob of ours has."""


class S3Blobs:
    """Objects `answers/<organization>/<name>` of `bucket`, whose region is `region`. Each call ends within 5 s."""

    def __init__(
        self,
        pool: Pool,
        *,
        bucket: str,
        region: str,
        credentials: AwsCredentials | CredentialsSource,
        endpoint: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = (endpoint or f"https://{bucket}.s3.{region}.{suffix_of(region)}").rstrip("/")
        self._pool = pool
        self._region = region
        self._credentials = credentials
        self._clock = clock

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
        try:
            async with asyncio.timeout(TIMEOUT_S):
                with closing(await self._send(method, f"{self._root}/{PLACE}/{place}", data)) as exchange:
                    return exchange.status, await _read(exchange) if exchange.status == 200 else b""
        except (TimeoutError, WireFault) as err:
            raise Unavailable("the gateway's bucket does not answer just now", retry_after_s=1.0) from err

    async def _send(self, method: str, url: str, data: bytes) -> Exchange:
        held = await self._held()
        told = {"x-amz-content-sha256": hashlib.sha256(data).hexdigest()}
        signed = sign_v4(
            method,
            url,
            told | ({"content-type": "application/octet-stream"} if method == "PUT" else {}),
            b"",
            service="s3",
            region=self._region,
            access_key=held.access_key,
            secret_key=held.secret_key,
            session_token=held.session_token,
            now=self._clock(),
        )
        parts = urlsplit(url)
        origin = Origin(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in signed.items()]
        path = parts.path.encode("ascii")
        return await self._pool.send(origin, method.encode("ascii"), path, headers, data, timeouts=Timeouts())

    async def _held(self) -> AwsCredentials:
        if isinstance(self._credentials, AwsCredentials):
            return self._credentials
        try:
            return await self._credentials()
        except AwsFault as err:
            raise Unavailable(f"this gateway's credentials at AWS cannot be had: {err.kind}") from err


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
