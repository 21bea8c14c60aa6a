"""What a provider's refusal becomes for the caller: OpenAI's shape, a status that blames the right side, and no keys.

Status decides the class; a provider's words are shown, never interpreted.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import orjson

from orrery.core.dialect import Reply
from orrery.core.errors import BadCredential, UpstreamError
from orrery.core.types import Json

LONGEST_MESSAGE = 500
"""Characters of a provider's message that are shown."""

STATUS = {529: 503, 402: 502}
"""What the caller sees where the provider's own status would mislead.

529 is Anthropic's "overloaded" and nobody else's. 402 is a bill of ours that is unpaid: the caller's own 402 means
that *its* credit is gone, and another provider may still serve it.
"""

TYPE = {429: "rate_limit_error"}
CODE = {429: "rate_limit_exceeded", 402: "provider_billing", 529: "provider_overloaded"}
"""By the provider's status, where it gave no word of its own."""

STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "server_error": 500,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""For errors inside a stream, which have no status: the types that OpenAI's and Anthropic's documents list.

Sources: Anthropic, "Claude API errors" (platform.claude.com/docs/en/api/errors), and `ErrorType` of its Python SDK
2.11; OpenAI, "Error codes". Read 2026-11-21.
"""

_KEYS = re.compile(
    r"""\b(?:sk|rk|gsk|csk|xai|pplx|nvapi|hf|fw|tgp|r8|orb)[-_][\w*.…-]{6,}  # by their issuers' prefixes, masked or not
      | \bAIza[\w-]{20,} | \b(?:AKIA|ASIA)[A-Z0-9]{12,}                      # Google, AWS
      | \beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?                               # JSON web tokens
      | (?<=[?&]key=)[^&\s"']+ | (?<=[Bb]earer\ )[\w.~+/=-]{8,}
    """,
    re.VERBOSE,
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\s]+")
_CODE = re.compile(r"[A-Za-z][\w.-]{0,63}")


def scrub(text: str) -> str:
    """`text` on one line, with whatever looks like a key replaced by `[key]`, at most `LONGEST_MESSAGE` characters."""
    line = _KEYS.sub("[key]", _UNPRINTABLE.sub(" ", text[: LONGEST_MESSAGE * 4])).strip()
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, by `retry-after-ms` or `retry-after`; None for neither or nonsense.

    A date counts from the reply's own `date`, so that two clocks that disagree do no harm.
    """
    wait_ms = _number(headers.get("retry-after-ms"))
    if wait_ms is not None:
        return wait_ms / 1000
    value = headers.get("retry-after")
    wait_s = _number(value)
    if wait_s is not None or value is None:
        return wait_s
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, until.timestamp() - now.timestamp())
    except (ValueError, OverflowError):
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if isfinite(number) and number >= 0 else None


def upstream_error(
    status: int,
    message: str = "",
    *,
    type: str | None = None,
    param: str | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> UpstreamError:
    """The error for a provider's `status`: 401 and 403 are our key's fault, what is no error status becomes 502."""
    known = 400 <= status <= 599
    said = scrub(message) or f"the provider answered with status {status} and no message"
    wait_s = retry_after(headers or {})
    if status in (401, 403):
        return BadCredential(said, upstream_status=status, retry_after_s=wait_s)
    return UpstreamError(
        said,
        status=STATUS.get(status, status) if known else 502,
        upstream_status=status,
        type=TYPE.get(status) or type or ("invalid_request_error" if 400 <= status < 500 else "api_error"),
        param=param,
        code=code or CODE.get(status),
        retry_after_s=wait_s,
    )


def explain_openai(reply: Reply) -> UpstreamError:
    """For providers with OpenAI's error body, or something near it; survives anything, HTML included."""
    error = _error(read_json(reply.body))
    return upstream_error(
        reply.status,
        _message(error),
        type=_word(error.get("type")),
        param=_text(error.get("param")),
        code=_word(error.get("code")),
        headers=reply.headers,
    )


def stream_error(event: Json) -> UpstreamError:
    """For an error that came inside an answer: its status is in it as a number, or follows from its type, or is 502."""
    error = _error(event)
    named = (error.get("code"), error.get("status"), error.get("status_code"))
    numbers = [n for n in named if isinstance(n, int) and 400 <= n <= 599]
    words = [w for w in (error.get("type"), error.get("code")) if isinstance(w, str)]
    by_word = [STATUS_OF_TYPE[word] for word in words if word in STATUS_OF_TYPE]
    return upstream_error(
        (numbers + by_word + [502])[0],
        _message(error) or "the provider failed while it answered",
        type=_word(error.get("type")),
        param=_text(error.get("param")),
        code=_word(error.get("code")),
    )


def read_json(body: bytes) -> Any:
    """What `body` holds, or None when that is no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _error(body: Any) -> Json:
    """The object that describes the error: under `error`, or the body itself; a bare text becomes its message."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return {}
    inner = body.get("error")
    if isinstance(inner, dict):
        return inner
    if isinstance(inner, str):
        return {**body, "message": inner}
    return body


def _message(error: Json) -> str:
    """The first of the usual places that says something; FastAPI's `detail` may be a list of objects."""
    for name in ("message", "detail", "error_description", "msg"):
        value = error.get(name)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = value[0].get("msg")
        elif isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _text(value: Any) -> str | None:
    return scrub(value) or None if isinstance(value, str) else None


def _word(value: Any) -> str | None:
    """A type or code that can go on: short and plain, else none."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None
