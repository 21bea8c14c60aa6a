"""The HTTP request that an encoded call becomes."""

from collections.abc import Mapping
from dataclasses import replace

import orjson

from orrery.core.dialect import Adapter, Encoded, Form, Pieces, Provider, UpstreamRequest
from orrery.core.types import Call, Target, Upload


def request_for(
    encoded: Encoded, call: Call, target: Target, *, provider: Provider, adapter: Adapter, now: float
) -> UpstreamRequest:
    """Only headers made here ever go upstream, none of the caller's."""
    content_type, body = body_of(encoded)
    headers: Mapping[str, str] = {
        "content-type": content_type,
        "accept": "*/*" if call.raw else "text/event-stream" if call.stream else "application/json",
        "user-agent": "orrery",
        **encoded.headers,
    }
    url = target.base_url.rstrip("/") + adapter.path(call, target)
    request = UpstreamRequest("POST", url, headers, body)
    return replace(request, headers={**headers, **provider.sign(request, target, now)})


def body_of(encoded: Encoded) -> tuple[str, bytes | Pieces]:
    """The body and its `Content-Type`; files stay the pieces that they are."""
    if isinstance(encoded.body, Form):
        from orrery.wire.form import write_form

        return write_form(encoded.body)
    if isinstance(encoded.body, Upload):
        return encoded.body.media_type, (encoded.body.data,)
    return "application/json", orjson.dumps(encoded.body)
