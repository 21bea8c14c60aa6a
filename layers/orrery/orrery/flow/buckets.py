"""Addresses of cloud storage, which providers read with the operator's credentials, not with the caller's."""

import re
from collections.abc import Collection

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json

FIELDS = {"image_url": ("url",), "file": ("uri", "file_data"), "video_url": ("url",)}
_BUCKET = re.compile(r"((?:gs|s3)://[^/]+)(?:/|\Z)", re.IGNORECASE)


def refuse_buckets(body: Json, allowed: Collection[str]) -> None:
    """Raises `InvalidRequest` for a part whose bucket is not among `allowed` (`gs://name`, `s3://name`).

    Vertex and Bedrock read them as whoever signed the call, so a caller could read whatever the operator's role may.
    """
    for number, message in enumerate(body.get("messages") or ()):
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            kind = part.get("type")
            held = part.get(kind)
            for field in FIELDS.get(kind, ()) if isinstance(held, dict) else ():
                if (bucket := bucket_of(held.get(field))) and bucket not in allowed:
                    raise InvalidRequest(
                        f"This gateway does not read {bucket[:80]} for its callers (ORRERY_MEDIA_BUCKETS names those "
                        "that it does); send the content, or a web address.",
                        param=f"messages[{number}].content[{place}].{kind}.{field}",
                    )


def bucket_of(url: object) -> str:
    """`gs://bucket` or `s3://bucket` of an address in one; "" for any other."""
    match = _BUCKET.match(url) if isinstance(url, str) else None
    return match[1].lower() if match else ""
