"""Answers that are made in one piece, with the ids of their request."""

from typing import Any

import orjson

from orrery.core.errors import GatewayError
from orrery.edge.arrive import arrive
from orrery.edge.web import Request, Response


def respond(request: Request, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    arrival = arrive(request.scope, 1.0)
    own = {"x-request-id": f"req_{arrival.id}", "x-orq-trace-id": arrival.trace_id, **(headers or {})}
    return Response(orjson.dumps(body), status, own, "application/json")


def respond_error(request: Request, err: GatewayError) -> Response:
    """An error that is known before any answer began."""
    return respond(request, err.status, err.body(), err.headers())
