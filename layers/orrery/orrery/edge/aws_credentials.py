"""AWS credentials on a laptop: whatever boto3 finds (profile, SSO, role), asked in a thread and kept for a while."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault

# botocore renews, when it is asked, what expires within 15 minutes (botocore 1.44.5 credentials.py, read 2026-11-21).
KEPT_S = 60.0


class Boto3Credentials:
    """`edge.aws.CredentialsSource` over boto3's own chain. boto3 is imported on the first call."""

    def __init__(
        self,
        *,
        profile: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        find: Callable[[], Any] | None = None,
    ) -> None:
        """`find` gives an object with `get_frozen_credentials()`, or None; it is for tests."""
        self._find = find or (lambda: _boto3_chain(profile))
        self._clock = clock
        self._chain: Any = None
        self._asking = asyncio.Lock()
        self._kept: AwsCredentials | None = None
        self._kept_until = 0.0

    async def __call__(self) -> AwsCredentials:
        """Raises `AwsFault` "NoCredentials" when the chain is empty."""
        if self._kept is None or self._clock() >= self._kept_until:
            async with self._asking:
                if self._kept is None or self._clock() >= self._kept_until:
                    # Renewing may ask a metadata service or open a browser's token file: not on the event loop.
                    self._kept = await asyncio.to_thread(self._ask)
                    self._kept_until = self._clock() + KEPT_S
        return self._kept

    def _ask(self) -> AwsCredentials:
        self._chain = self._chain or self._find()
        if self._chain is None:
            raise AwsFault("NoCredentials", "boto3 finds no AWS credentials: set a profile or run `aws sso login`")
        frozen = self._chain.get_frozen_credentials()
        return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token or "")


def _boto3_chain(profile: str | None) -> Any:
    import boto3  # type: ignore[import-untyped]  # it ships no types

    return boto3.Session(profile_name=profile).get_credentials()
