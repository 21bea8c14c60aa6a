"""Requests to one S3 bucket, signed here: no SDK. What they mean is their callers' affair."""

import hashlib
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault, Unavailable
from orrery.edge.aws import CredentialsSource
from orrery.edge.http_pool import Exchange, Origin, Pool, Timeouts
from orrery.providers.signing import sign_v4, suffix_of


class S3Bucket:
    """`bucket` in its `region`; `root` is its URL, without a slash at its end. `clock` gives epoch seconds."""

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
        self.root = (endpoint or f"https://{bucket}.s3.{region}.{suffix_of(region)}").rstrip("/")
        self.region = region
        self.clock = clock
        self._pool = pool
        self._credentials = credentials

    async def send(
        self, method: str, url: str, data: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Exchange:
        """One signed request, its content signed, too; the exchange is the caller's to close.

        Raises `WireFault`, and `Unavailable` without credentials.
        """
        held = await self.credentials()
        signed = sign_v4(
            method,
            url,
            {"x-amz-content-sha256": hashlib.sha256(data).hexdigest(), **(headers or {})},
            b"",
            service="s3",
            region=self.region,
            access_key=held.access_key,
            secret_key=held.secret_key,
            session_token=held.session_token,
            now=self.clock(),
        )
        parts = urlsplit(url)
        origin = Origin(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        told = [(name.encode("ascii"), value.encode("ascii")) for name, value in signed.items()]
        path = parts.path.encode("ascii")
        return await self._pool.send(origin, method.encode("ascii"), path, told, data, timeouts=Timeouts())

    async def credentials(self) -> AwsCredentials:
        """What requests are signed with just now. Raises `Unavailable`."""
        if isinstance(self._credentials, AwsCredentials):
            return self._credentials
        try:
            return await self._credentials()
        except AwsFault as err:
            raise Unavailable(f"this gateway's credentials at AWS cannot be had: {err.kind}") from err
