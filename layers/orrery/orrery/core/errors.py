"""What can go wrong, each with the status and the OpenAI body a client sees.

    GatewayError 500
    ├ InvalidRequest 400   ├ Unauthenticated 401   ├ OutOfCredit 402   ├ Forbidden 403
    ├ UnknownModel 404     ├ Conflict 409          ├ TooLarge 413      ├ RateLimited 429   ├ Unavailable 503
    └ UpstreamError 502    (the provider's own status, where it sent one)
       ├ BadCredential 422   ├ UpstreamTimeout 504   ├ Unreachable 502   └ Truncated 502

Raised anywhere; caught in three places: the retry loop, the exception handler, the event writer.
Status decides the class; message text never does.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class GatewayError(Exception):
    """Something failed here. `message` is safe to show to the caller; it never holds a secret or a prompt."""

    status = 500
    type = "api_error"
    code: str | None = "internal_error"

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.told: Mapping[str, str] = {}
        if code is not None:
            self.code = code

    def body(self) -> dict[str, Any]:
        """The error in OpenAI's shape: `{"error": {message, type, param, code}}`."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def headers(self) -> dict[str, str]:
        """`Retry-After` in whole seconds, rounded up, where waiting helps; and what was `told` of the request."""
        wait = {} if self.retry_after_s is None else {"retry-after": str(max(0, -int(-self.retry_after_s // 1)))}
        return {**self.told, **wait}


class InvalidRequest(GatewayError):
    """The body or a header is wrong; `param` is the JSON path of the first offence."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request_body"


class Unauthenticated(GatewayError):
    """No key, a malformed one, an unknown one or a revoked one: the caller is never told which."""

    status = 401
    type = "invalid_request_error"
    code = None

    def __init__(self) -> None:
        super().__init__("Invalid or missing API key")

    def body(self) -> dict[str, Any]:
        """Exactly the two keys that Orbitrage's gateway documents (seed 004)."""
        return {"error": {"message": self.message, "type": self.type}}


class OutOfCredit(GatewayError):
    """The balance does not cover the smallest useful answer. `available_nano` is what is left, in nano-USD."""

    status = 402
    type = "insufficient_quota"
    code = "insufficient_credits"

    def __init__(self, available_nano: int = 0) -> None:
        super().__init__("Organization credits exhausted")
        self.available_nano = available_nano


class Forbidden(GatewayError):
    """The key is good but may not do this."""

    status = 403
    type = "invalid_request_error"
    code = "forbidden"


class UnknownModel(GatewayError):
    """No such model, or none that this account may use."""

    status = 404
    type = "invalid_request_error"
    code = "model_not_found"


class NotFound(GatewayError):
    """No such route or object."""

    status = 404
    type = "invalid_request_error"
    code = "not_found"


class Conflict(GatewayError):
    """Something else is at it just now; `retry_after_s` says when to come back."""

    status = 409
    type = "invalid_request_error"
    code = "idempotency_in_progress"


class TooLarge(GatewayError):
    """The body exceeds what this deployment takes; the message names the limit."""

    status = 413
    type = "invalid_request_error"
    code = "request_too_large"


class RateLimited(GatewayError):
    """Too many requests or tokens; `retry_after_s` says when to come back."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class LimitExceeded(RateLimited):
    """A limit or a budget of this gateway's own: whose, and of what. The words are those of Orq's router.

    `available` is what is left just now (requests, tokens or nano-USD), where that is known.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        scope_kind: str,
        scope_target_id: str,
        dimension: str,
        available: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, code=code, retry_after_s=retry_after_s)
        self.scope_kind = scope_kind
        self.scope_target_id = scope_target_id
        self.dimension = dimension
        self.available = available

    def body(self) -> dict[str, Any]:
        """OpenAI's shape, and three keys that say which limit it was."""
        body = super().body()
        body["error"] |= {
            "scope_kind": self.scope_kind,
            "scope_target_id": self.scope_target_id,
            "dimension": self.dimension,
        }
        return body


class Unavailable(GatewayError):
    """A part of the gateway itself (its table, its secrets) does not answer: nothing was sent upstream."""

    status = 503
    type = "api_error"
    code = "service_unavailable"


class UpstreamError(GatewayError):
    """A provider refused or failed.

    `status` is what the caller sees, `upstream_status` what the provider sent (0: it sent nothing readable).
    `failures` lists the attempts before this one, as `{model, status, message}`.
    """

    status = 502
    type = "api_error"
    code = "provider_error"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        upstream_status: int = 0,
        type: str | None = None,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, param=param, code=code, retry_after_s=retry_after_s)
        self.upstream_status = upstream_status
        self.failures: Sequence[Mapping[str, Any]] = ()
        if status is not None:
            self.status = status
        if type is not None:
            self.type = type

    def body(self) -> dict[str, Any]:
        """OpenAI's shape, with `failures` added where other targets were tried first."""
        body = super().body()
        if self.failures:
            body["error"]["failures"] = list(self.failures)
        return body


class BadCredential(UpstreamError):
    """The provider rejected our key for it, or none is configured. Not 401: that would blame the caller's key."""

    status = 422
    type = "invalid_request_error"
    code = "provider_credential_invalid"


class UpstreamTimeout(UpstreamError):
    """The provider was too slow: to connect, to begin, between events, or in all."""

    status = 504
    code = "provider_timeout"


class Unreachable(UpstreamError):
    """No connection, or it broke before an answer began."""

    status = 502
    code = "provider_unreachable"


class Truncated(UpstreamError):
    """An answer that began and did not end as the provider's protocol says it must."""

    status = 502
    code = "provider_truncated"


class AwsFault(Exception):
    """An AWS service answered with an error, or not at all.

    `kind` is the bare exception name ("ConditionalCheckFailedException"; "Unreachable" when no answer came),
    `status` the HTTP status (0 for none), `body` the error's JSON. Never shown to callers: stores translate it.
    """

    def __init__(self, kind: str, message: str = "", *, status: int = 0, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.status = status
        self.body: Mapping[str, Any] = body or {}
