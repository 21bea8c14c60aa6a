"""What headers say of a request's place among others: seed 004's `x-orbitrage-…`, and Orq's `X-ORQ-…`.

Sources: seed 004; Orq's pages on identities and metadata, Orqen's chat reference (its session), read 2026-11-20.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.options import Attribution, Identity

LONGEST = 256
"""Characters of a label."""

MOST_METADATA = 16
"""Pairs, as many as the body's own `metadata` may have."""

LABELS: Mapping[bytes, str] = {
    b"x-orbitrage-run-id": "run",
    b"x-orbitrage-session-id": "session",
    b"x-orqen-session-id": "session",
    b"x-orbitrage-end-user-id": "end_user",
    b"x-orbitrage-customer-id": "customer",
    b"x-orbitrage-tenant-id": "tenant",
    b"x-orbitrage-workflow-id": "workflow",
    b"x-orbitrage-parent-request-id": "parent",
}
STEP = b"x-orbitrage-step-index"
METADATA = b"x-orq-metadata-"
IDENTITY = b"x-orq-identity-id"

type Headers = Iterable[tuple[bytes, bytes]]


def read_attribution(headers: Headers, body: Mapping[str, Any]) -> Attribution | None:
    """What the headers say; None when they say nothing. The body's own `metadata` stands before theirs, pair by pair.

    Raises `InvalidRequest` for a label that is too long or not printable, and for a step that is no whole number.
    """
    labels: dict[str, str] = {}
    metadata: dict[str, str] = {}
    step: int | None = None
    for name, value in headers:
        if not name.startswith(b"x-or"):
            continue
        if field := LABELS.get(name):
            labels.setdefault(field, label_of(name, value))
        elif name == STEP:
            step = _whole(name, value)
        elif name.startswith(METADATA) and len(metadata) < MOST_METADATA:
            metadata[name[len(METADATA) :].decode("latin-1")] = label_of(name, value)
    if not labels and not metadata and step is None:
        return None
    told = body.get("metadata")
    if isinstance(told, Mapping):
        metadata |= {name: text for name, text in told.items() if isinstance(text, str)}
    return Attribution(step=step, metadata=metadata, **{name: text for name, text in labels.items() if text})


def identity_header(headers: Headers) -> Identity | None:
    """Whom `X-ORQ-IDENTITY-ID` names: a label, which changes nothing of what is known of them."""
    text = next((label_of(name, value) for name, value in headers if name == IDENTITY), "")
    return Identity(text) if text else None


def label_of(name: bytes, value: bytes) -> str:
    """A header's text: UTF-8, or else Latin-1. Raises `InvalidRequest`."""
    try:
        text = value.decode().strip()
    except UnicodeDecodeError:
        text = value.decode("latin-1").strip()
    if len(text) > LONGEST or not text.isprintable():
        _refuse(name, f"at most {LONGEST} printable characters")
    return text


def _whole(name: bytes, value: bytes) -> int:
    text = value.strip()
    if not 0 < len(text) <= 9 or not text.isdigit():
        _refuse(name, "a whole number from 0")
    return int(text)


def _refuse(name: bytes, expected: str) -> None:
    header = name.decode("latin-1")
    raise InvalidRequest(f"Invalid value for '{header}': expected {expected}.", param=header)
