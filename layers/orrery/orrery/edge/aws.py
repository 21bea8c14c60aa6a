"""AWS services that speak JSON over POST: one signed call over a kept connection, as `core.ports.AwsCall`.

Not boto3: docs/decisions/0003 has the measurements.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import orjson

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault
from orrery.core.ports import AwsCall
from orrery.core.types import Json
from orrery.edge.http_faults import Malformed, WireFault
from orrery.edge.http_pool import Exchange, Origin, Pool, Timeouts
from orrery.providers.signing import sign_v4, suffix_of


class CredentialsSource(Protocol):
    """AwsCredentials that are good for the next call: `edge/aws_credentials.py` has one that refreshes."""

    async def __call__(self) -> AwsCredentials:
        """Raises `AwsFault` when there are none."""
        ...


class Service(NamedTuple):
    """How one service names its actions. Source: botocore 1.44.5, data/*/service-2.json, read 2026-11-21."""

    target_prefix: str
    content_type: str


SERVICES = {
    "dynamodb": Service("DynamoDB_20120810", "application/x-amz-json-1.0"),
    "secretsmanager": Service("secretsmanager", "application/x-amz-json-1.1"),
    "kms": Service("TrentService", "application/x-amz-json-1.1"),
    "sqs": Service("AmazonSQS", "application/x-amz-json-1.0"),
}
UNBOUNDED = Timeouts()  # one timer for the whole call is enough
ANSWER_BYTES = 17_825_792  # BatchGetItem answers with up to 16 MB (botocore, as above), and JSON around it


def aws_call(
    pool: Pool,
    *,
    service: str,
    region: str,
    credentials: AwsCredentials | CredentialsSource,
    endpoint: str | None = None,
    timeout_s: float = 1.5,
    clock: Callable[[], float] = time.time,
) -> AwsCall:
    """A function that makes one call, once, and gives its answer within `timeout_s`, connecting included.

    `endpoint` is a URL that replaces AWS's own (an emulator, a VPC endpoint). Raises `AwsFault`: its `kind` is AWS's
    name of the error, "Unreachable" when no answer came (the call may have taken effect all the same), and "Unreadable"
    when one came that is no JSON object.
    """
    rules = SERVICES[service]
    url = endpoint or endpoint_of(service, region)
    origin, path = _parsed(url)
    headers = {"content-type": rules.content_type}
    target = path.encode("ascii")

    async def call(action: str, payload: Json) -> Json:
        body = orjson.dumps(payload)
        held = credentials if isinstance(credentials, AwsCredentials) else await credentials()
        signed = sign_v4(
            "POST",
            url,
            headers | {"x-amz-target": f"{rules.target_prefix}.{action}"},
            body,
            service=service,
            region=region,
            access_key=held.access_key,
            secret_key=held.secret_key,
            session_token=held.session_token,
            now=clock(),
        )
        raw = [(name.encode("ascii"), value.encode("ascii")) for name, value in signed.items()]
        try:
            async with asyncio.timeout(timeout_s):
                exchange = await pool.send(origin, b"POST", target, raw, body, timeouts=UNBOUNDED)
                try:
                    answer = await _read_all(exchange)
                finally:
                    exchange.close()
        except TimeoutError as err:
            raise AwsFault("Unreachable", f"{service} did not answer {action} within {timeout_s:g} s") from err
        except WireFault as err:
            raise AwsFault("Unreachable", f"{service} did not answer {action}: {err}") from err
        return _read_answer(f"{service} {action}", exchange.status, answer)

    return call


def endpoint_of(service: str, region: str) -> str:
    """AWS's public endpoint. The isolated partitions need an endpoint of their own."""
    return f"https://{service}.{region}.{suffix_of(region)}/"


def _parsed(url: str) -> tuple[Origin, str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError(f"an AWS endpoint must be a plain http or https URL, not {url!r}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Origin(parts.scheme, parts.hostname, port), parts.path or "/"


async def _read_all(exchange: Exchange) -> bytes:
    parts: list[bytes] = []
    size = 0
    while chunk := await exchange.read():
        size += len(chunk)
        if size > ANSWER_BYTES:
            raise Malformed(f"more than {ANSWER_BYTES} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _read_answer(what: str, status: int, answer: bytes) -> Json:
    try:
        body: Any = orjson.loads(answer) if answer else {}
    except orjson.JSONDecodeError as err:
        raise AwsFault("Unreadable", f"{what} answered {status} without JSON", status=status) from err
    if not isinstance(body, dict):
        raise AwsFault("Unreadable", f"{what} answered {status} without a JSON object", status=status)
    if status == 200:
        return body
    raise AwsFault(_kind(body), str(body.get("message") or body.get("Message") or ""), status=status, body=body)


def _kind(body: Mapping[str, Any]) -> str:
    """`com.amazonaws.dynamodb.v20120810#ResourceNotFoundException` without its namespace."""
    return str(body.get("__type") or "UnknownError").rpartition("#")[2]
