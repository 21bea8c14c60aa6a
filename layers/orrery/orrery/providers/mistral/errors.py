"""Mistral's refusals, in all their shapes.

The documented one is OpenAI's without the `error` around it, and with an `object` ("Error glossary", docs.mistral.ai).
Its validation says `{"detail": [{loc, msg, type}]}` (`HTTPValidationError` of the mistralai Python SDK 3.7), at times
within `message`; its door says `{"message", "request_id"}`. All read 2026-11-21.
"""

from typing import Any

from orrery.core.dialect import Reply
from orrery.core.errors import UpstreamError
from orrery.core.types import Json
from orrery.providers.answer import object_of, text_of
from orrery.providers.errors import explain_openai, read_json, scrub, stream_error

UNKNOWN_MODEL = "invalid_model"


def explain(reply: Reply) -> UpstreamError:
    err = explain_openai(reply)
    body = object_of(read_json(reply.body))
    if offence := _offence(body):
        err.message = scrub(text_of(offence.get("msg"))) or err.message
        err.param = _path(offence.get("loc")) or err.param
    if text_of(body.get("type")) == UNKNOWN_MODEL or reply.status == 404:
        err.code = "model_not_found"
    return err


def failure(event: Json) -> UpstreamError:
    """For an error inside an answer; its status stands in `raw_status_code`."""
    inner = event.get("error")
    error = inner if isinstance(inner, dict) else event
    return stream_error({**error, "status": error.get("raw_status_code") or error.get("status")})


def _offence(body: Json) -> Json:
    """The first field that did not pass validation; nothing where the refusal is about something else."""
    for holder in (body, object_of(body.get("message"))):
        detail = holder.get("detail")
        if isinstance(detail, list) and detail:
            return object_of(detail[0])
    return {}


def _path(loc: Any) -> str:
    """`["body", "messages", 0, "user", "content"]` as a JSON path; tags of unions stand in it like fields."""
    if not isinstance(loc, list):
        return ""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc if step != "body"]
    return scrub("".join(steps).removeprefix("."))
