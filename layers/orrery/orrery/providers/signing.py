"""How a request proves who sends it, as pure functions: a bearer token, a key in a header, AWS Signature Version 4."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from orrery.core.credentials import AwsCredentials
from orrery.core.dialect import UpstreamRequest
from orrery.core.types import Target

# Hops may change or remove these. Source: the same list in botocore 1.44.5, auth.py, read 2026-11-21.
UNSIGNED = frozenset(
    {"baggage", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "traceparent"}
    | {"tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id", "authorization"}
)
DEFAULT_PORT = {"http": 80, "https": 443}
# Partitions whose names end otherwise. Source: botocore 1.44.5, data/endpoints.json, read 2026-11-21.
SUFFIXES = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}


type Sign = Callable[[UpstreamRequest, Target, float], Mapping[str, str]]


def bearer(request: UpstreamRequest, target: Target, now: float) -> Mapping[str, str]:
    """`Authorization: Bearer`, as OpenAI and most others take it; nothing for a server without a key."""
    return {"authorization": f"Bearer {target.secret}"} if target.secret else {}


def header(name: str) -> Sign:
    """The key alone, in the header that the provider names."""

    def sign(request: UpstreamRequest, target: Target, now: float) -> Mapping[str, str]:
        return {name: target.secret} if target.secret else {}

    return sign


def suffix_of(region: str) -> str:
    """What AWS's host names end with in a region. The isolated partitions need an endpoint of their own."""
    return next((suffix for start, suffix in SUFFIXES.items() if region.startswith(start)), "amazonaws.com")


def sign_v4(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    service: str,
    region: str,
    access_key: str,
    secret_key: str,
    session_token: str = "",
    now: float,
) -> dict[str, str]:
    """`headers` in lower case, with those added that prove the sender for five minutes around `now` (epoch seconds).

    For every service but S3, which encodes paths differently. The URL goes out exactly as it is given here: its path
    and query are already percent-encoded. Source: botocore 1.44.5, auth.py, read 2026-11-21; a test holds the
    two against each other.
    """
    moment = _moment(int(now))
    signed = {name.lower(): value for name, value in headers.items()}
    host, path, query = _parts(url)
    signed.setdefault("host", host)
    signed["x-amz-date"] = moment
    if session_token:
        signed["x-amz-security-token"] = session_token
    names = sorted(signed.keys() - UNSIGNED)
    list_of_names = ";".join(names)
    canonical = "\n".join(
        [
            method.upper(),
            path,
            query,
            *[f"{name}:{' '.join(signed[name].split())}" for name in names],
            "",
            list_of_names,
            signed.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    signature = _signature(canonical, moment, scope, _key(secret_key, moment[:8], region, service))
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={list_of_names}, Signature={signature}"
    )
    return signed


def presign_v4(
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    region: str,
    credentials: AwsCredentials,
    expires_s: int,
    now: float,
) -> str:
    """An S3 URL that lets whoever has it send this one request, with these headers (in lower case), for `expires_s`.

    `url` has no query, and a path that needs no percent-encoding. The body is not signed, its length is where
    `content-length` is among the headers. Source: botocore 1.44.5, `S3SigV4QueryAuth`, read 2026-11-21; a test holds
    the two against each other.
    """
    moment = _moment(int(now))
    host, path, _ = _parts(url)
    signed = {**headers, "host": host}
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(expires_s),
        "X-Amz-SignedHeaders": ";".join(sorted(signed)),
    }
    if credentials.session_token:
        query["X-Amz-Security-Token"] = credentials.session_token
    text = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(query.items()))
    lines = [f"{name}:{' '.join(signed[name].split())}" for name in sorted(signed)]
    canonical = "\n".join([method, path, text, *lines, "", query["X-Amz-SignedHeaders"], "UNSIGNED-PAYLOAD"])
    signature = _signature(canonical, moment, scope, _key(credentials.secret_key, moment[:8], region, "s3"))
    return f"{url}?{text}&X-Amz-Signature={signature}"


def _signature(canonical: str, moment: str, scope: str, key: bytes) -> str:
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.digest(key, text.encode(), "sha256").hex()


@lru_cache(maxsize=32)
def _key(secret_key: str, day: str, region: str, service: str) -> bytes:
    key = b"AWS4" + secret_key.encode()
    for step in (day, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


@lru_cache(maxsize=4)
def _moment(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


@lru_cache(maxsize=256)
def _parts(url: str) -> tuple[str, str, str]:
    """Host, path and query in their canonical forms."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    if parts.port not in (None, DEFAULT_PORT.get(parts.scheme)):
        host = f"{host}:{parts.port}"
    pairs = sorted((name, value) for name, _, value in (pair.partition("=") for pair in parts.query.split("&")))
    return host, _path(parts.path), "&".join(["=".join(pair) for pair in pairs]) if parts.query else ""


def _path(path: str) -> str:
    """Without dots and doubled slashes, then percent-encoded once more than on the wire."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    last = "/" if kept and path.endswith("/") else ""
    return quote("/" + "/".join(kept) + last, safe="/~")
