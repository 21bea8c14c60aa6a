"""`x-orbitrage-user-id`: which user of the account calls, where a proxy of the operator's own says so and proves it.

    x-orbitrage-user-id      the user
    x-orbitrage-timestamp    epoch seconds
    x-orbitrage-signature    hexadecimal HMAC-SHA256, with one of the edge keys, over these lines, joined by "\\n":
                             v1, timestamp, METHOD, path, user, organization, hexadecimal SHA-256 of the body

`path` is the one after the stage, decoded (`/v1/chat/completions`), `organization` the one of the API key; texts are
UTF-8. A signature is good for 300 seconds on either side, for this very request: whoever repeats it within that time,
with the API key, says what was said already. Without it the header is a forgery, and refused (seed 004); the words of
the signature are ours, since no document has them. No text but the path may have a line break, so that the lines say
one thing only. An edge that is written in Python may sign with `sign`.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

from orrery.core.errors import Forbidden, InvalidRequest
from orrery.edge.arrive import header
from orrery.wire.attribution import label_of

USER, TIMESTAMP, SIGNATURE = b"x-orbitrage-user-id", b"x-orbitrage-timestamp", b"x-orbitrage-signature"
SKEW_S = 300
LONGEST_TIMESTAMP = 12

type Headers = Sequence[tuple[bytes, bytes]]


def verified_user(
    headers: Headers, *, method: str, path: str, organization: str, body: bytes, keys: Sequence[bytes], now: float
) -> str:
    """The user that is vouched for; "" when none is named. Raises `Forbidden`: one answer, whatever was wrong."""
    named = [value for name, value in headers if name == USER]
    if not named:
        return ""
    told, timestamp = header(headers, SIGNATURE).strip().lower(), header(headers, TIMESTAMP).strip()
    is_recent = timestamp.isdigit() and len(timestamp) <= LONGEST_TIMESTAMP and abs(now - int(timestamp)) <= SKEW_S
    user = _label(named[0])
    what = Signed(timestamp.decode("latin-1"), method, path, user, organization, body)
    # Every key is tried: how long it takes says nothing of which one it was.
    is_signed = any([hmac.compare_digest(sign(key, what).encode(), told) for key in keys])
    if not (user and is_recent and is_signed and len(named) == 1):
        raise Forbidden("x-orbitrage-user-id is reserved", code="forbidden_header")
    return user


def _label(value: bytes) -> str:
    """ "" for what could be no user."""
    try:
        return label_of(USER, value)
    except InvalidRequest:
        return ""


class Signed(NamedTuple):
    """What a signature is about."""

    timestamp: str
    method: str
    path: str
    user: str
    organization: str
    body: bytes


def sign(key: bytes, what: Signed) -> str:
    """What the edge sends as `x-orbitrage-signature`."""
    lines = ("v1", *what[:-1], hashlib.sha256(what.body).hexdigest())
    return hmac.digest(key, "\n".join(lines).encode(), "sha256").hex()
