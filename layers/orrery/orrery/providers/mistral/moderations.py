"""Mistral's moderations: OpenAI's wire for texts, with categories of its own, and without the sum of them.

Source: `ClassificationRequest`, `ModerationResponse` and `ModerationObject` of the mistralai Python SDK 3.7, read
2026-11-21.
"""

from typing import Any

from orrery.core.dialect import Adapter, Encoded
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Target
from orrery.providers.compatible.moderations import decode, path
from orrery.providers.lost import Lost

KNOWN = frozenset({"model", "input", "metadata"})


def encode(call: Call, target: Target) -> Encoded:
    """Raises `InvalidRequest` for parts that are judged together: it judges texts, one by one."""
    lost = Lost()
    for name, value in call.body.items():
        if name not in KNOWN and value is not None:
            lost.add(name)
    body: Json = {"model": target.model, "input": _texts(call.body["input"])}
    if call.body.get("metadata") is not None:
        body["metadata"] = call.body["metadata"]
    return Encoded(body, lost.names())


def _texts(given: Any) -> Any:
    if isinstance(given, str) or isinstance(given[0], str):
        return given
    if len(given) == 1 and given[0]["type"] == "text":
        return given[0]["text"]
    raise InvalidRequest("mistral moderates texts: send a string, or a list of strings.", param="input")


ADAPTER = Adapter(path=path, encode=encode, decode=decode)
