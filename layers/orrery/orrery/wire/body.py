"""A request's bytes as JSON. Whatever they are, the outcome is an object or a `GatewayError` that quotes none of it.

orjson 3.13 (tried 2026-11-21) does most of it: it refuses NaN and Infinity, numbers beyond a double (`1e400`, 310
digits), lone surrogates, a byte order mark, invalid UTF-8, and more than 1,024 levels without recursing into them.
Two things it does silently: of equal keys the last one stands, and an integer outside 64 bits becomes a double.
"""

from typing import Any

import orjson

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.types import Json

MAX_DEPTH = 64


def read_json(raw: bytes, *, limit_bytes: int | None = None, max_depth: int = MAX_DEPTH) -> Json:
    """The object that `raw` holds.

    Raises `TooLarge` over `limit_bytes` (None: the edge has measured it), `InvalidRequest` for anything but a JSON
    object of at most `max_depth` levels of objects and arrays, itself the first.
    """
    if limit_bytes is not None and len(raw) > limit_bytes:
        raise TooLarge(f"The request body has {len(raw)} bytes; at most {limit_bytes} are accepted.")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as err:
        # The cause carries the whole document; a traceback of it must reach no log.
        raise InvalidRequest(_complaint(raw, err)) from None
    if not isinstance(body, dict):
        raise InvalidRequest("The request body must be a JSON object.")
    # Most bodies have fewer brackets than that: counting them is far cheaper than walking.
    if raw.count(b"{") + raw.count(b"[") > max_depth and _is_deeper(body, max_depth):
        raise InvalidRequest(f"The request body is nested more than {max_depth} levels deep.")
    return body


def _complaint(raw: bytes, err: orjson.JSONDecodeError) -> str:
    if not raw.strip():
        return "The request body is empty."
    try:
        raw.decode()
    except UnicodeDecodeError as undecoded:
        return f"The request body is not UTF-8: byte {undecoded.start}."
    return f"The request body is not valid JSON: {err.msg} (line {err.lineno}, column {err.colno})."


def _is_deeper(value: Any, max_depth: int) -> bool:
    """Whether containers lie more than `max_depth` deep; level by level, so depth costs no stack."""
    level = [value]
    for _ in range(max_depth):
        level = [
            child
            for holder in level
            for child in (holder.values() if type(holder) is dict else holder)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON on one line. Raises `TypeError` for what JSON cannot say and for over 254 levels."""
    return orjson.dumps(value)


def drop_idle_stream_options(body: Json) -> None:
    """Takes `stream_options` out of a body that asks for no stream: seed 003 sends both, and OpenAI refuses them
    (BerriAI/litellm#5803)."""
    if body.get("stream_options") is not None and body.get("stream") is not True:
        del body["stream_options"]
