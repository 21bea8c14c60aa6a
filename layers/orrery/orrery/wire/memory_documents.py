"""Memory stores, their entities and documents as they are posted.

Source: Orq's field trees of POST /v2/memory-stores, …/memories and …/documents, and for changes its Python SDK
(orq-ai/orq-python; both read 2026-11-21). What a `ttl` counts is said nowhere: here it is seconds, from when a document
is written.
"""

from collections.abc import Callable, Mapping
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.registries import ENTITY, STORE_KEY
from orrery.core.types import Json
from orrery.wire.agent_documents import keyed
from orrery.wire.shapes import FILLED, OBJECT, STRING, Shape, checking, record, rule, string, whole

LONGEST_TEXT = 16_384
LONGEST_DESCRIPTION = 4_096
LONGEST_PATH = 256
MOST_TTL_S = 10 * 366 * 24 * 3600
MOST_PAIRS, LONGEST_NAME, LONGEST_VALUE = 32, 64, 512


def _said(text: str) -> str | None:
    return None if 0 < len(text.strip()) <= LONGEST_TEXT else f"1 to {LONGEST_TEXT} characters"


def _pairs(pairs: dict[str, Any]) -> str | None:
    fits = len(pairs) <= MOST_PAIRS and all(
        len(name) <= LONGEST_NAME and type(value) is str and len(value) <= LONGEST_VALUE
        for name, value in pairs.items()
    )
    return None if fits else f"at most {MOST_PAIRS} names and strings of {LONGEST_NAME} and {LONGEST_VALUE} characters"


_METADATA = rule(_pairs, OBJECT)
_TEXT = rule(_said, STRING)
_FURTHER: dict[str, Shape] = {"ttl": whole(1, MOST_TTL_S)}
_DESCRIBED: dict[str, Shape] = {"description": string(LONGEST_DESCRIPTION), "path": string(LONGEST_PATH)}

_check_store = checking(
    record({"key": keyed(STORE_KEY), "embedding_config": record({"model": FILLED}), **_DESCRIBED}, _FURTHER)
)
_check_change = checking(record({}, {**_DESCRIBED, **_FURTHER}))
_check_entity = checking(record({"entity_id": keyed(ENTITY)}, {"metadata": _METADATA}))
_check_metadata = checking(record({"metadata": _METADATA}))
_check_document = checking(record({"text": _TEXT}, {"metadata": _METADATA}))
_check_document_change = checking(record({}, {"text": _TEXT, "metadata": _METADATA}))


def read_store(body: Mapping[str, Any]) -> tuple[str, Json]:
    """A store to be made: its key and its document. Raises `InvalidRequest` with the first offence."""
    _refuse_unknown(body, {"key", "embedding_config", "description", "path", "ttl"})
    _check_store(body)
    return body["key"], {name: value for name, value in body.items() if name != "key" and value is not None}


def read_store_change(body: Mapping[str, Any]) -> Callable[[Json], Json]:
    """What makes of a store's document the one that is to be: its key and its model stay. Raises `InvalidRequest`."""
    _refuse_unknown(body, {"description", "path", "ttl"})
    _check_change(body)
    for name in _DESCRIBED:
        if name in body and body[name] is None:
            raise InvalidRequest(f"Invalid value for '{name}': it cannot be taken away.", param=name)

    def apply(document: Json) -> Json:
        after = {**document, **body}
        return {name: value for name, value in after.items() if value is not None}

    return apply


def read_entity(body: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Whom to remember, and what is said of them. Raises `InvalidRequest`."""
    _refuse_unknown(body, {"entity_id", "metadata"})
    _check_entity(body)
    return body["entity_id"], dict(body.get("metadata") or {})


def read_metadata(body: Mapping[str, Any]) -> dict[str, str]:
    """Raises `InvalidRequest`."""
    _refuse_unknown(body, {"metadata"})
    _check_metadata(body)
    return dict(body["metadata"])


def read_document(body: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """What to remember, without the white space around it. Raises `InvalidRequest`."""
    _refuse_unknown(body, {"text", "metadata"})
    _check_document(body)
    return body["text"].strip(), dict(body.get("metadata") or {})


def read_document_change(body: Mapping[str, Any]) -> tuple[str | None, dict[str, str] | None]:
    """None where nothing is said. Raises `InvalidRequest`."""
    _refuse_unknown(body, {"text", "metadata"})
    _check_document_change(body)
    text, metadata = body.get("text"), body.get("metadata")
    return (None if text is None else text.strip()), (None if metadata is None else dict(metadata))


def _refuse_unknown(body: Mapping[str, Any], known: set[str]) -> None:
    """What stands under a mistaken name must not seem to be stored."""
    for name in body:
        if name not in known:
            raise InvalidRequest(f"Unknown parameter: '{name[:40]}'.", param=name[:40])
