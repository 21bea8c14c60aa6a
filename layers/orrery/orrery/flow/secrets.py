"""The values of secret variables in what is kept: they are `***` there, wherever a model repeated them."""

from collections.abc import Iterator
from typing import Any

import orjson

from orrery.core.types import Call

MASK = b"***"


def secrets_of(call: Call) -> tuple[bytes, ...]:
    """Every text among the secret values, as it stands in JSON; the longest first, since one may hold another."""
    if call.private is None or call.options.variables is None:
        return ()
    values = call.options.variables.values
    found = {text for name in call.options.variables.secrets for text in _texts(values.get(name)) if text.strip()}
    return tuple(sorted({orjson.dumps(text)[1:-1] for text in found}, key=len, reverse=True))


def masked(payload: bytes, secrets: tuple[bytes, ...]) -> bytes:
    """The payload without them."""
    for secret in secrets:
        payload = payload.replace(secret, MASK)
    return payload


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield str(value)
