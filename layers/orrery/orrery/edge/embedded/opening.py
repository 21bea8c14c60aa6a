"""Which table to talk to, decided in one place for `make run` and for the command line."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from orrery.core.credentials import AwsCredentials
from orrery.core.ports import AwsCall
from orrery.edge.aws import CredentialsSource, aws_call
from orrery.edge.embedded.folder import Listening, StateFolder, StateUnusable
from orrery.edge.http_pool import Pool
from orrery.edge.http_tls import lazy_tls

REMOTE_TIMEOUT_S = 10.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class OpenTable:
    """A way to call DynamoDB. `place` says to a person where that is, `url` is where others may reach it."""

    call: AwsCall
    place: str
    url: str | None = None


@contextlib.asynccontextmanager
async def open_remote(
    *,
    region: str,
    endpoint: str | None = None,
    credentials: AwsCredentials | CredentialsSource | None = None,
    ca_file: str | None = None,
) -> AsyncIterator[OpenTable]:
    """AWS in that region, or an endpoint that speaks its protocol. Without `credentials`, those that boto3 finds."""
    if credentials is None:
        from orrery.edge.aws_credentials import Boto3Credentials

        credentials = Boto3Credentials()
    pool = Pool(tls=lazy_tls(ca_file))
    try:
        call = aws_call(
            pool,
            service="dynamodb",
            region=region,
            credentials=credentials,
            endpoint=endpoint,
            timeout_s=REMOTE_TIMEOUT_S,
        )
        yield OpenTable(call, endpoint or f"AWS in {region}", endpoint)
    finally:
        await pool.close()


@contextlib.asynccontextmanager
async def open_state(
    path: Path, *, region: str = "us-east-1", serve: bool = False, host: str = "127.0.0.1", wait_s: float = 10.0
) -> AsyncIterator[OpenTable]:
    """The tables of a state folder: in this process, or by way of the process that owns the folder and serves it.

    With `serve`, an owner also answers on `host`, so that others find the tables through it. An owner that does not
    serve is a short command: it is waited for, at most `wait_s` seconds. Raises `StateUnusable`, one clear line.
    """
    folder = StateFolder(path)
    owner = await _owner_of(folder, wait_s)
    if owner is not None:
        credentials = AwsCredentials(owner.access_key_id, owner.secret_access_key)
        async with open_remote(region=region, endpoint=owner.url, credentials=credentials) as there:
            yield OpenTable(there.call, f"{path}, through process {owner.pid}", owner.url)
        return
    try:
        from orrery.edge.embedded.engine import Engine  # brings moto: half a second

        with contextlib.closing(Engine(folder.journal, region=region)) as engine:
            if not serve:
                yield OpenTable(engine.call, str(path))
                return
            from orrery.edge.embedded.server import serving

            async with serving(engine, folder.secrets().access_key_id, host=host) as url:
                folder.announce(url)
                yield OpenTable(engine.call, str(path), url)
    finally:
        folder.release()


async def _owner_of(folder: StateFolder, wait_s: float) -> Listening | None:
    """Who serves the folder already; None when this process owns it from now on."""
    deadline = time.monotonic() + wait_s
    while not folder.try_own():
        listening = folder.listening()
        if listening is not None:
            return listening
        if time.monotonic() > deadline:
            raise StateUnusable(f"{folder.path} is in use by another process, which does not serve it: stop that one")
        await asyncio.sleep(POLL_S)
    return None
