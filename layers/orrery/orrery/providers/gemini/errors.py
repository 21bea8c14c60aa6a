"""Google's errors: `{"error": {code, status, message, details}}`, sometimes within an array.

Sources, read 2026-11-21: "API errors" (ai.google.dev/gemini-api/docs/generate-content/api-errors), which shows that a
key that is not valid is a 400 with the reason API_KEY_INVALID; google.rpc.RetryInfo, whose delay is like "34.07s".
"""

import re
from typing import Any

from orrery.core.dialect import Reply
from orrery.core.errors import BadCredential, UpstreamError
from orrery.core.types import Json
from orrery.providers.answer import text_of
from orrery.providers.errors import CODE, read_json, scrub, upstream_error

BAD_KEY = frozenset({"API_KEY_INVALID"})
"""Reasons that blame our key under a status that blames the caller."""

_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_STATUS = re.compile(r"[A-Z][A-Z_]{1,63}")


def explain(reply: Reply) -> UpstreamError:
    """A refusal as what the caller shall see. The path is fixed, so a 404 is about the model, or about a file."""
    err = _error(read_json(reply.body), reply.status, dict(reply.headers))
    if reply.status == 404:
        err.code = "model_not_found"
    return err


def fault(body: Any) -> UpstreamError | None:
    """The error that a body or an event under status 200 holds, if it holds one."""
    error = _inner(body)
    if error is None:
        return None
    code = error.get("code")
    return _error(body, code if isinstance(code, int) and 400 <= code <= 599 else 502, {})


def _inner(body: Any) -> Json | None:
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else None


def _error(body: Any, status: int, headers: dict[str, str]) -> UpstreamError:
    error = _inner(body) or {}
    listed = error.get("details")
    details = [detail for detail in listed if isinstance(detail, dict)] if isinstance(listed, list) else []
    message, word = text_of(error.get("message")), text_of(error.get("status"))
    if any(text_of(detail.get("reason")) in BAD_KEY for detail in details):
        return BadCredential(scrub(message) or "the key is not valid", upstream_status=status)
    code = word.lower() if _STATUS.fullmatch(word) and status not in CODE else None
    err = upstream_error(status, message, code=code, headers=headers)
    if err.retry_after_s is None:
        delays = [_SECONDS.fullmatch(text_of(detail.get("retryDelay"))) for detail in details]
        err.retry_after_s = next((float(delay[1]) for delay in delays if delay), None)
    return err


def failure(reason: str, message: str) -> UpstreamError:
    """The error for an answer that ended because it went wrong."""
    said = scrub(message) or f"the model's answer failed: {reason}"
    return UpstreamError(said, upstream_status=200, code=reason.lower())
