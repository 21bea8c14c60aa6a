"""A request at the door: its ids, its deadline, its token; and what no caller may send."""

import asyncio
import re
import secrets
from collections.abc import Iterable
from typing import Any

from orrery.core.errors import Forbidden, InvalidRequest, TooLarge, Unauthenticated
from orrery.core.exchange import Arrival

_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MARGIN_S = 5.0
"""Of a Lambda's remaining time, kept back for settling."""

type Headers = Iterable[tuple[bytes, bytes]]


def new_id() -> str:
    """Twelve base62 characters, 71 random bits: short, because it stands in the balance item while credit is held."""
    number = secrets.randbits(71)
    digits = []
    for _ in range(12):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(digits)


def header(headers: Headers, name: bytes) -> bytes:
    """The first header called `name` (lower case), or nothing."""
    return next((value for key, value in headers if key == name), b"")


def arrive(scope: Any, deadline_s: float) -> Arrival:
    """Continues the caller's trace (W3C traceparent, strictly read), or begins one; times are the event loop's."""
    now = asyncio.get_running_loop().time()
    traced = _TRACEPARENT.fullmatch(header(scope["headers"], b"traceparent"))
    context = scope.get("aws.context")
    if context is not None:
        deadline_s = min(deadline_s, max(1.0, context.get_remaining_time_in_millis() / 1000 - _MARGIN_S))
    return Arrival(
        id=new_id(),
        trace_id=traced[1].decode() if traced else secrets.token_hex(16),
        parent_span_id=traced[2].decode() if traced else "",
        started=now,
        deadline=now + deadline_s,
    )


def bearer_token(headers: Headers) -> str:
    """The token of `Authorization: Bearer …`. Raises `Unauthenticated` when there is none."""
    scheme, _, token = header(headers, b"authorization").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()


def refuse_reserved(headers: Headers) -> None:
    """`x-orbitrage-user-id` is the gateway's own word on who calls; from outside it is a forgery (seed 004)."""
    if any(key == b"x-orbitrage-user-id" for key, _ in headers):
        raise Forbidden("x-orbitrage-user-id is reserved", code="forbidden_header")


async def read_body(scope: Any, receive: Any, limit_bytes: int) -> bytes:
    """The whole body. Raises `TooLarge` as soon as it is too long, `InvalidRequest` (415) when it is compressed."""
    if (coding := header(scope["headers"], b"content-encoding")) not in (b"", b"identity"):
        err = InvalidRequest(
            f"Content-Encoding {coding.decode('latin-1')[:20]!r} is not accepted; send the body as it is"
        )
        err.status = 415
        raise err
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        part = message.get("body", b"")
        size += len(part)
        if size > limit_bytes:
            raise TooLarge(
                f"The request body exceeds this gateway's limit of {limit_bytes} bytes; larger files go where "
                "POST /v1/uploads/presign says, and the request names their URL"
            )
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)
