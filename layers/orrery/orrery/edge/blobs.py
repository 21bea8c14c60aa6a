"""Where blobs stand, in a bucket or in a folder; `core.ports.Blobs` says what they are."""

import re

PLACE = "answers"
"""The prefix of their keys in the bucket: template.yaml has its lifecycle and who may read it."""

_ORGANIZATION = re.compile(r"[0-9A-Za-z_-]{1,64}")
_NAME = re.compile(r"[0-9A-Za-z_-]{1,128}")


def place_of(organization: str, name: str) -> str:
    """`<organization>/<name>`. Raises `ValueError` for what could lead elsewhere: that is a fault of ours."""
    if not _ORGANIZATION.fullmatch(organization) or not _NAME.fullmatch(name):
        raise ValueError("no blob can have this name")
    return f"{organization}/{name}"
