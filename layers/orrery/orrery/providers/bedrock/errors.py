"""Bedrock's errors: over HTTP by status, `x-amzn-errortype` and `message`; within a stream as exceptions.

Source: the exceptions of `Converse` and `ConverseStream` in botocore 1.44.5's service model, "Common errors" of the
Amazon Bedrock API reference (docs.aws.amazon.com/bedrock), read 2026-11-21.
"""

import re
from typing import Any

from orrery.core.dialect import Event, Reply
from orrery.core.errors import BadCredential, UpstreamError
from orrery.providers.answer import object_of, text_of
from orrery.providers.errors import CODE, read_json, scrub, upstream_error
from orrery.wire.eventstream import EXCEPTION

STATUS = {
    "accessdenied": 403,
    "throttling": 429,
    "resourcenotfound": 404,
    "modeltimeout": 408,
    "internalserver": 500,
    "serviceunavailable": 503,
    "validation": 400,
    "modelnotready": 429,
    "modelerror": 424,
    "modelstreamerror": 424,
}
"""By the names of exceptions, without "Exception", which streams begin in lower case."""

SHOWN = {408: 504, 424: 502}
"""What the caller sees where the status would blame it: the model took too long, or failed. Another may do better."""

BAD_CREDENTIAL = frozenset(
    {"expiredtoken", "incompletesignature", "invalidclienttokenid", "invalidsignature", "missingauthenticationtoken"}
    | {"notauthorized", "optinrequired", "unrecognizedclient", "accessdenied"}
)
"""Names that blame our credential, under whatever status: the reference lists most of them with 400."""

_NAME = re.compile(r"[A-Za-z]\w{0,63}")


def explain(reply: Reply) -> UpstreamError:
    """A refusal as what the caller shall see. The path is fixed, so a 404 is about the model."""
    body = object_of(read_json(reply.body))
    kind = reply.headers.get("x-amzn-errortype") or text_of(body.get("__type"))
    return _error(reply.status, kind.partition(":")[0].rpartition("#")[2], body, dict(reply.headers))


def exception_in(event: Event) -> UpstreamError | None:
    """The error that an event of a stream is, if it is one; it has no status but its name's."""
    if not event.name.startswith(EXCEPTION):
        return None
    kind = event.name.removeprefix(EXCEPTION)
    return _error(STATUS.get(_bare(kind), 502), kind, object_of(read_json(event.data)), {})


def _bare(kind: str) -> str:
    return kind.lower().removesuffix("exception")


def _error(status: int, kind: str, body: dict[str, Any], headers: dict[str, str]) -> UpstreamError:
    message = text_of(body.get("message") or body.get("Message") or body.get("originalMessage"))
    if _bare(kind) in BAD_CREDENTIAL:
        return BadCredential(scrub(message) or "the credential is not valid", upstream_status=status)
    code = kind if _NAME.fullmatch(kind) and status not in CODE else None
    err = upstream_error(status, message, code="model_not_found" if status == 404 else code, headers=headers)
    if status in SHOWN and not isinstance(err, BadCredential):
        err.status, err.type = SHOWN[status], "api_error"
    return err
