"""How the tests of responses ask whether a body is accepted, and by whom resources are judged."""

from typing import Any

import orjson
from openai.types.responses import Response
from openresponses_types import ResponseResource
from pydantic import TypeAdapter

from orrery.core.errors import GatewayError, InvalidRequest
from orrery.core.responses import Responding
from orrery.core.types import Call
from orrery.wire.posted import Posted
from orrery.wire.response_object import begun
from orrery.wire.responses import read_compaction, read_response

MINIMAL = {"model": "openai/gpt-5", "input": "hi"}

OPENAI: TypeAdapter[Response] = TypeAdapter(Response)


def read(**fields: Any) -> Call:
    """A minimal request and `fields`."""
    return read_response(Posted(orjson.dumps({**MINIMAL, **fields})))


def asked(**fields: Any) -> Responding:
    """What a minimal request and `fields` ask of the gateway."""
    found = read(**fields).options.responding
    assert found is not None
    return found


def refusal(**fields: Any) -> InvalidRequest:
    """The error that a minimal request and `fields` raise."""
    try:
        read(**fields)
    except InvalidRequest as err:
        assert (err.status, err.type, err.code) == (400, "invalid_request_error", "invalid_request_body")
        assert len(err.message) < 1_000
        return err
    raise AssertionError(f"accepted: {fields}")


def compaction(**fields: Any) -> Call:
    return read_compaction(Posted(orjson.dumps({**MINIMAL, **fields})))


def resource(call: Call, **fields: Any) -> dict[str, Any]:
    """The resource at its beginning."""
    told: dict[str, Any] = {
        "id": "resp_1",
        "created_at": 1_764_000_000,
        "status": "in_progress",
        "model": "gpt-5",
        "previous": "",
        "conversation": "",
        "background": False,
    }
    return begun(call, **{**told, **fields})


def echoed(**fields: Any) -> dict[str, Any]:
    """The resource of a minimal request and `fields`."""
    return resource(read(**fields))


def judge(found: dict[str, Any], *, extensions: bool = False) -> None:
    """Both judges accept it, as it goes over the wire. `extensions`: Open Responses does not know what is in it."""
    raw = orjson.dumps(found)
    OPENAI.validate_json(raw)
    if not extensions:
        ResponseResource.model_validate_json(raw, strict=True)


def status_of(err: GatewayError) -> tuple[int, str | None]:
    return err.status, err.param
