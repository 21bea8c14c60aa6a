"""What headers say of a request's place among others: seed 004's `x-orbitrage-…`, and Orq's `X-ORQ-…`.

A label is 1 to 256 printable characters; the first header of a name counts. An end user is a label of its own, beside
the identity: one is whom the caller serves in seed 004's words, the other in Orq's, and a request may name both.
Sources: seed 004; Orq's pages on identities and metadata, Orqen's chat reference (its session), read 2026-11-20.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.options import Attribution, Identity

LONGEST = 256
"""Characters of a label."""

MOST_METADATA, LONGEST_NAME, LONGEST_VALUE = 16, 64, 512
"""Pairs, and characters of their halves, as OpenAI has them in the body."""

LABELS: Mapping[bytes, str] = {
    b"x-orbitrage-run-id": "run",
    b"x-orbitrage-session-id": "session",
    b"x-orbitrage-end-user-id": "end_user",
    b"x-orbitrage-customer-id": "customer",
    b"x-orbitrage-tenant-id": "tenant",
    b"x-orbitrage-workflow-id": "workflow",
    b"x-orbitrage-parent-request-id": "parent",
}
SESSION = b"x-orqen-session-id"
STEP = b"x-orbitrage-step-index"
METADATA = b"x-orq-metadata-"
IDENTITY = b"x-orq-identity-id"

type Headers = Iterable[tuple[bytes, bytes]]


def read_attribution(headers: Headers, body: Mapping[str, Any]) -> Attribution | None:
    """What the headers say; None when they say nothing. The body's own `metadata` stands before theirs, pair by pair.

    Names are lower case. Raises `InvalidRequest` for what is no label, and for a step that is no whole number.
    """
    labels: dict[str, str] = {}
    metadata: dict[str, str] = {}
    session, step = "", None
    for name, value in headers:
        if not name.startswith(b"x-or"):
            continue
        if (field := LABELS.get(name)) is not None:
            labels.setdefault(field, label_of(name, value))
        elif name == STEP and step is None:
            step = _whole(name, value)
        elif name == SESSION:
            session = session or label_of(name, value)
        elif name.startswith(METADATA):
            metadata.setdefault(_pair_name(name), label_of(name, value))
            if len(metadata) > MOST_METADATA:
                _refuse(METADATA, f"at most {MOST_METADATA} of them")
    if session:
        labels.setdefault("session", session)
    if not labels and not metadata and step is None:
        return None
    return Attribution(step=step, metadata=metadata | metadata_of(body), **labels)


def metadata_of(body: Mapping[str, Any]) -> dict[str, str]:
    """The body's own `metadata`, as far as it is what OpenAI's may be: endpoints without the field do not check it."""
    told = body.get("metadata")
    if not isinstance(told, Mapping):
        return {}
    pairs = {
        name: text
        for name, text in told.items()
        if isinstance(text, str) and len(name) <= LONGEST_NAME and len(text) <= LONGEST_VALUE
    }
    return dict(list(pairs.items())[:MOST_METADATA])


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
    if not 0 < len(text) <= LONGEST or not text.isprintable():
        _refuse(name, f"1 to {LONGEST} printable characters")
    return text


def _whole(name: bytes, value: bytes) -> int:
    text = value.strip()
    if not 0 < len(text) <= 9 or not text.isdigit():
        _refuse(name, "a whole number from 0")
    return int(text)


def _pair_name(header: bytes) -> str:
    name = header[len(METADATA) :].decode("latin-1")
    if not 0 < len(name) <= LONGEST_NAME:
        _refuse(header[: len(METADATA)], f"a name of 1 to {LONGEST_NAME} characters behind it")
    return name


def _refuse(name: bytes, expected: str) -> None:
    header = name.decode("latin-1")
    raise InvalidRequest(f"Invalid value for '{header}': expected {expected}.", param=header)
