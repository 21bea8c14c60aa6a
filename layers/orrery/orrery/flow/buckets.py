"""Addresses of cloud storage, which providers read with the operator's credentials, not with the caller's."""

import re
from collections.abc import Collection

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation

FIELDS = {"image_url": ("url",), "file": ("uri", "file_data"), "video_url": ("url",)}
SPOKEN = frozenset({Operation.CHAT})
_BUCKET = re.compile(r"((?:gs|s3)://[^/]+)(?:/|\Z)", re.IGNORECASE)


def refuse_buckets(call: Call, allowed: Collection[str]) -> None:
    """Raises `InvalidRequest` for a part or a link whose bucket is not among `allowed` (`gs://name`, `s3://name`).

    Vertex and Bedrock read them as whoever signed the call, so a caller could read whatever the operator's role may.
    """
    for link in call.links:
        _refuse(link.url, link.param, allowed)
    messages = call.body.get("messages") if call.operation in SPOKEN else ()
    for number, message in enumerate(messages or ()):
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            kind = part.get("type")
            held = part.get(kind)
            for field in FIELDS.get(kind, ()) if isinstance(held, dict) else ():
                _refuse(held.get(field), f"messages[{number}].content[{place}].{kind}.{field}", allowed)


def _refuse(url: object, param: str, allowed: Collection[str]) -> None:
    if (bucket := bucket_of(url)) and bucket not in allowed:
        raise InvalidRequest(
            f"This gateway does not read {bucket[:80]} for its callers (ORRERY_MEDIA_BUCKETS names those that it "
            "does); send the content, or a web address.",
            param=param,
        )


def bucket_of(url: object) -> str:
    """`gs://bucket` or `s3://bucket` of an address in one; "" for any other."""
    match = _BUCKET.match(url) if isinstance(url, str) else None
    return match[1].lower() if match else ""
