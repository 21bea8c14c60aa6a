"""Videos on OpenAI's wire: a job is accepted at once, and found again by its id until its video is there.

Source: OpenAI's API document 2.3.0 ("Videos"), which calls them deprecated; openai 3.52 has the Sora API shut down for
2026-09-24. Others still speak this wire. Read 2026-11-21.
"""

from urllib.parse import quote

from orrery.core.dialect import Adapter, Encoded, Form, Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Target, Usage
from orrery.providers.compatible.decode import object_in
from orrery.providers.compatible.row import Row
from orrery.providers.errors import stream_error
from orrery.wire.pictures import checked
from orrery.wire.videos import REFERENCE

SECONDS, SIZE = "4", "720x1280"
"""What OpenAI makes unless told."""


def encode(call: Call, target: Target) -> Encoded:
    """A form where there is a picture to look like, else JSON."""
    body = {name: value for name, value in call.body.items() if value is not None and name != REFERENCE}
    body["model"] = target.model
    if not call.files:
        return Encoded(body)
    fields = tuple((name, value if isinstance(value, str) else str(value)) for name, value in body.items())
    return Encoded(Form(fields, tuple(checked(file, REFERENCE) for file in call.files)))


def decode(body: bytes, call: Call) -> Frame:
    """The job, as it came. Raises `UpstreamError` for what is none."""
    job = object_in(body, "a reply")
    if job.get("error") and not job.get("id"):
        raise stream_error(job)
    if not isinstance(job.get("id"), str) or not job["id"]:
        raise UpstreamError("the provider's reply is no video job", upstream_status=200)
    return Frame(job, charged(call))


def charged(call: Call) -> Usage:
    """A video is paid for when its job is accepted: by its length and its size."""
    seconds, size = call.body.get("seconds") or SECONDS, call.body.get("size") or SIZE
    return Usage(units={f"video_ms/{size}": int(seconds) * 1_000}, ours=True)


def adapter(row: Row) -> Adapter:
    """The adapter of the provider that a row describes."""
    return Adapter(
        path=lambda call, target: "/videos",
        encode=encode,
        decode=decode,
        most=lambda call, target: charged(call),
        later=lambda id, part, target: f"/videos/{quote(id, safe='')}{part}",
    )
