"""`POST /videos/generations` (and `/videos`, where OpenAI has it): the posted bytes as a `Call`.

Source: OpenAI's API document 2.3.0, CreateVideoJsonBody and CreateVideoMultipartBody, read 2026-11-21.
"""

import re
from collections.abc import Mapping

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Link, Operation
from orrery.wire.images import OWN, is_size
from orrery.wire.options import passed_on, read_options
from orrery.wire.pictures import checked
from orrery.wire.posted import Posted, read_body
from orrery.wire.shapes import FILLED, STRING, Shape, checking, record, rule

REFERENCE = "input_reference"
"""The form field of the picture that a video shall look like."""

_SECONDS = re.compile(r"[1-9]\d{0,2}")


def _is_count(value: str) -> str | None:
    return None if _SECONDS.fullmatch(value) else "a number of seconds, as a string"


_FIELDS: Mapping[str, Shape] = {
    "seconds": rule(_is_count, STRING),
    "size": rule(is_size, STRING),
    REFERENCE: record({}, {"image_url": FILLED, "file_id": FILLED}),
}
_FORM: Mapping[str, Shape] = {**_FIELDS, "prompt": STRING, "seconds": STRING, "size": STRING}

_check = checking(record({"model": FILLED, "prompt": FILLED}, _FIELDS))


def read_video(posted: Posted) -> Call:
    """The call that a request for a video makes. Raises `InvalidRequest` for the first offence."""
    body, files = read_body(posted, _FORM)
    _check(body)
    if any(file.field_name != REFERENCE for file in files) or len(files) > 1:
        raise InvalidRequest(f"This endpoint takes one file, '{REFERENCE}'.", param=REFERENCE)
    reference = body.get(REFERENCE) or {}
    if reference.get("file_id"):
        raise InvalidRequest(
            f"'{REFERENCE}.file_id' names a stored file, and this gateway keeps none: send 'image_url' instead.",
            param=f"{REFERENCE}.file_id",
        )
    url = reference.get("image_url")
    return Call(
        operation=Operation.VIDEOS,
        model=body["model"],
        body=passed_on(body, OWN),
        options=read_options(body, own=OWN),
        body_bytes=len(posted.raw),
        strict=posted.strict,
        files=tuple(checked(file, REFERENCE) for file in files),
        links=(Link((REFERENCE, "image_url"), url, REFERENCE),) if url else (),
    )
