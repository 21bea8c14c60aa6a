"""Memory stores, entities and documents as they are posted."""

from collections.abc import Callable
from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.wire.memory_documents import (
    LONGEST_TEXT,
    read_document,
    read_document_change,
    read_entity,
    read_metadata,
    read_store,
    read_store_change,
)

STORE: Json = {"key": "k", "description": "d", "path": "p", "embedding_config": {"model": "openai/e"}}


def test_a_store_is_kept_as_it_came() -> None:
    kept = {name: value for name, value in STORE.items() if name != "key"}
    assert read_store(STORE) == read_store({**STORE, "ttl": None}) == ("k", kept)
    assert read_store({**STORE, "ttl": 60.0})[1]["ttl"] == 60


def test_a_store_is_changed_in_part() -> None:
    _, kept = read_store({**STORE, "ttl": 60})
    assert read_store_change({"description": "new"})(kept) == {**kept, "description": "new"}
    assert "ttl" not in read_store_change({"ttl": None})(kept)
    assert read_store_change({})(kept) == kept


def test_texts_are_trimmed() -> None:
    assert read_document({"text": "  a b\n"}) == ("a b", {})
    assert read_document({"text": "a", "metadata": {"n": "1"}}) == ("a", {"n": "1"})
    assert read_document_change({"text": " a "}) == ("a", None)
    assert read_document_change({"metadata": {}}) == (None, {})
    assert read_document_change({"text": None}) == (None, None)


def test_an_entity_and_its_metadata() -> None:
    assert read_entity({"entity_id": "a-b_c"}) == ("a-b_c", {})
    assert read_entity({"entity_id": "1", "metadata": {"n": "1"}}) == ("1", {"n": "1"})
    assert read_metadata({"metadata": {}}) == {}


@pytest.mark.parametrize(
    ("read", "body", "param"),
    [
        *((read_store, {**STORE, name: None}, name) for name in STORE),
        (read_store, {**STORE, "key": "a-b"}, "key"),
        (read_store, {**STORE, "key": "a" * 256}, "key"),
        (read_store, {**STORE, "embedding_config": {}}, "embedding_config.model"),
        (read_store, {**STORE, "ttl": 0}, "ttl"),
        (read_store, {**STORE, "ttl": 1.5}, "ttl"),
        (read_store, {**STORE, "ttl": 10**12}, "ttl"),
        (read_store, {**STORE, "models": "x"}, "models"),
        (read_store, {**STORE, "description": "x" * 4097}, "description"),
        (read_store_change, {"key": "k"}, "key"),
        (read_store_change, {"embedding_config": {"model": "m"}}, "embedding_config"),
        (read_store_change, {"description": None}, "description"),
        (read_store_change, {"ttl": -1}, "ttl"),
        (read_entity, {}, "entity_id"),
        (read_entity, {"entity_id": "a b"}, "entity_id"),
        (read_entity, {"entity_id": "a" * 65}, "entity_id"),
        (read_entity, {"entity_id": "a", "meta": {}}, "meta"),
        (read_metadata, {}, "metadata"),
        (read_metadata, {"metadata": {"n": 1}}, "metadata"),
        (read_metadata, {"metadata": {str(n): "" for n in range(33)}}, "metadata"),
        (read_metadata, {"metadata": {"x" * 65: ""}}, "metadata"),
        (read_metadata, {"metadata": {"x": "y" * 513}}, "metadata"),
        (read_document, {}, "text"),
        (read_document, {"text": " \n"}, "text"),
        (read_document, {"text": "x" * (LONGEST_TEXT + 1)}, "text"),
        (read_document, {"text": "x", "vector": []}, "vector"),
        (read_document_change, {"text": ""}, "text"),
        (read_document_change, {"metadata": []}, "metadata"),
    ],
)
def test_what_is_wrong_is_named(read: Callable[[Json], Any], body: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(body)
    assert refused.value.param == param
