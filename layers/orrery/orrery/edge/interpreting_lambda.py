"""Code on AWS: `tools.outfit.Interpreter` by a Lambda function of its own, invoked and waited for.

The function (`functions/interpreter`) has a role that may do nothing and a network that leads nowhere; each tenant has
environments of its own. Sources: botocore 1.44.5, data/lambda/2015-03-31 (`Invoke`, `TenantId`); AWS Lambda Developer
Guide, "Tenant isolation"; read 2026-11-21.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault, InvalidRequest, Unavailable
from orrery.core.types import Json
from orrery.edge.aws import CredentialsSource, endpoint_of
from orrery.edge.http_faults import WireFault
from orrery.edge.http_pool import Exchange, Origin, Pool, Timeouts
from orrery.providers.signing import sign_v4

MOST_S = 60.0
START_S = 5.0
"""Seconds of a call that are not the code's: the function may have to start."""

LARGEST_ANSWER = 2 * 1024 * 1024
LARGEST_EVENT = 6 * 1024 * 1024
"""Bytes. The second is Lambda's own bound."""


class LambdaInterpreter:
    """`function` is a name or an ARN. `endpoint` is a URL in place of AWS's own; `clock` gives epoch seconds."""

    def __init__(
        self,
        pool: Pool,
        *,
        function: str,
        region: str,
        credentials: AwsCredentials | CredentialsSource,
        endpoint: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pool = pool
        root = (endpoint or endpoint_of("lambda", region)).rstrip("/")
        self._url = f"{root}/2015-03-31/functions/{quote(function, safe='')}/invocations"
        self._region = region
        self._credentials = credentials
        self._clock = clock

    async def run(self, code: str, files: Mapping[str, bytes], *, timeout_s: float, tenant: str = "") -> Json:
        """`timeout_s` bounds all of it, starting the function included. `tenant` is told to AWS as a digest only.

        Raises `Unavailable`, `InvalidRequest`.
        """
        seconds = max(1.0, min(timeout_s - START_S, MOST_S))
        encoded = {name: base64.b64encode(data).decode() for name, data in files.items()}
        event = orjson.dumps({"code": code, "files": encoded, "seconds": seconds})
        if len(event) > LARGEST_EVENT:
            raise InvalidRequest("The code and its files are too large.", param="tools")
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._invoke(event, tenant)
        except (TimeoutError, WireFault) as err:
            raise Unavailable("The code interpreter does not answer.") from err
        except AwsFault as err:
            raise Unavailable(f"This gateway's credentials at AWS cannot be had: {err.kind}") from err
        return _ran(answer)

    async def _invoke(self, event: bytes, tenant: str) -> Any:
        signed = await self._signed(event, tenant)
        parts = urlsplit(self._url)
        origin = Origin(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        raw = [(name.encode("ascii"), value.encode("ascii")) for name, value in signed.items()]
        exchange = await self._pool.send(origin, b"POST", parts.path.encode("ascii"), raw, event, timeouts=Timeouts())
        try:
            body = await _read(exchange)
        finally:
            exchange.close()
        failed = any(name == b"x-amz-function-error" for name, _ in exchange.headers)
        if exchange.status != 200 or failed:
            raise Unavailable("The code interpreter failed.")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Unavailable("The code interpreter answers with what is no JSON.") from None

    async def _signed(self, event: bytes, tenant: str) -> dict[str, str]:
        held = self._credentials if isinstance(self._credentials, AwsCredentials) else await self._credentials()
        headers = {"content-type": "application/json", "x-amz-invocation-type": "RequestResponse"}
        if tenant:
            headers["x-amz-tenant-id"] = hashlib.sha256(tenant.encode()).hexdigest()
        return sign_v4(
            "POST",
            self._url,
            headers,
            event,
            service="lambda",
            region=self._region,
            access_key=held.access_key,
            secret_key=held.secret_key,
            session_token=held.session_token,
            now=self._clock(),
        )


async def _read(exchange: Exchange) -> bytes:
    parts: list[bytes] = []
    async for chunk in exchange.chunks():
        parts.append(chunk)
        if sum(map(len, parts)) > LARGEST_ANSWER:
            raise Unavailable("The code interpreter answers with too much.")
    return b"".join(parts)


def _ran(answer: Any) -> Json:
    """Nothing is taken on trust: code that broke out could have answered itself."""
    if isinstance(answer, dict) and isinstance(answer.get("refused"), str):
        reason = answer["refused"][:500]
        raise InvalidRequest(
            f"The code interpreter is not available: {reason}", param="tools", code="unsupported_parameter"
        )
    if not isinstance(answer, dict) or not isinstance(answer.get("stdout"), str):
        raise Unavailable("The code interpreter answers with something else.")
    error = answer.get("error")
    return {
        "stdout": answer["stdout"],
        "stderr": str(answer.get("stderr") or ""),
        "error": error[:500] if isinstance(error, str) else None,
    }
