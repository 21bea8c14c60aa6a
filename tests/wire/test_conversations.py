"""Conversations: the bodies that make and change them, and what is shown of them."""

import typing
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.conversations import Conversation as Theirs
from openai.types.conversations import ConversationDeletedResource
from openai.types.conversations.conversation_create_params import ConversationCreateParams

from orrery.core.errors import InvalidRequest
from orrery.core.responses import Conversation
from orrery.wire.conversations import conversation, deleted, read_change, read_creation, read_items
from tests.wire.response_items import ITEMS

MESSAGE = {"role": "user", "content": "hi"}
FULL = {"k" * 64: "v" * 512, **{str(place): "" for place in range(15)}}


@pytest.mark.parametrize("raw", [b"", b" ", b"{}", b'{"items": null, "metadata": null}', b'{"items": []}'])
def test_a_conversation_may_begin_empty(raw: bytes) -> None:
    assert read_creation(raw) == ([], {})


def test_a_conversation_may_begin_with_items_and_metadata() -> None:
    items, metadata = read_creation(orjson.dumps({"items": [MESSAGE] * 20, "metadata": FULL}))
    assert len({item["id"] for item in items}) == 20
    assert {item["type"] for item in items} == {"message"}
    assert metadata == FULL
    assert typing.get_type_hints(ConversationCreateParams).keys() == {"items", "metadata"}


def test_every_kind_of_item_may_be_added() -> None:
    for item in ITEMS.values():
        (found,) = read_items(orjson.dumps({"items": [item]}))
        assert found["id"]
    assert read_items(b'{"items": []}') == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"items": [MESSAGE] * 21}, "items"),
        ({"items": "hi"}, "items"),
        ({"items": [{"type": "x"}]}, "items[0].type"),
        ({"items": [{"role": "user"}]}, "items[0].content"),
    ],
)
def test_items_that_are_none_are_refused(body: dict[str, Any], param: str) -> None:
    for reading in (read_creation, read_items):
        with pytest.raises(InvalidRequest) as caught:
            reading(orjson.dumps(body))
        assert caught.value.param == param


@pytest.mark.parametrize("metadata", [{"k": 1}, {"k" * 65: ""}, {"k": "v" * 513}, FULL | {"x": ""}, [], "x"])
def test_metadata_beyond_its_bounds_is_refused(metadata: object) -> None:
    for reading in (read_creation, read_change):
        with pytest.raises(InvalidRequest) as caught:
            reading(orjson.dumps({"metadata": metadata}))
        assert caught.value.param == "metadata"


def test_a_change_needs_metadata_and_adding_needs_items() -> None:
    assert read_change(b'{"metadata": {"a": "b"}}') == {"a": "b"}
    for reading, raw, param in (
        (read_change, b"{}", "metadata"),
        (read_change, b'{"metadata": null}', "metadata"),
        (read_items, b"{}", "items"),
        (read_items, b'{"items": null}', "items"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            reading(raw)
        assert caught.value.param == param


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60)
@given(json_values, json_values)
def test_any_body_is_read_or_named(items: object, metadata: object) -> None:
    for reading in (read_creation, read_change, read_items):
        try:
            reading(orjson.dumps({"items": items, "metadata": metadata}))
        except InvalidRequest as err:
            assert err.param


def test_resources_are_those_of_openai() -> None:
    shown = conversation(Conversation("conv_1", 5, {"a": "b"}))
    assert shown == {"id": "conv_1", "object": "conversation", "created_at": 5, "metadata": {"a": "b"}}
    Theirs.model_validate_json(orjson.dumps(shown), strict=True)
    assert deleted("conv_1") == {"id": "conv_1", "object": "conversation.deleted", "deleted": True}
    ConversationDeletedResource.model_validate_json(orjson.dumps(deleted("conv_1")), strict=True)
