"""Items: which are accepted, which ids they get, and how they are listed."""

import typing
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.pagination import SyncCursorPage
from openai.types.conversations import ConversationItem
from openai.types.responses import ResponseInputItemParam, ResponseItem
from openresponses_types import types as open_types
from pydantic import TypeAdapter

from orrery.wire.response_item_shapes import ITEMS as KNOWN
from orrery.wire.response_items import PREFIXES, items_of, listed, new_id, shown_item
from tests.wire.responding import read, refusal
from tests.wire.response_items import CALL, ITEMS, MESSAGES, OTHERS, OUTPUT, Item

RESPONSE_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseItem)
CONVERSATION_ITEM: TypeAdapter[Any] = TypeAdapter(ConversationItem)
OPEN_ITEM: TypeAdapter[Any] = TypeAdapter(
    open_types.Message
    | open_types.FunctionCall
    | open_types.FunctionCallOutput
    | open_types.ReasoningBody
    | open_types.CompactionBody
)

BEYOND_OPEN = {"user_parts"}  # it knows no picture that is a file of OpenAI's
REFERENCES = {"reference", "reference_typeless", "reference_null"}


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS.keys())
def test_every_kind_of_item_is_accepted_and_goes_on_as_it_came(item: Item) -> None:
    assert orjson.dumps(read(input=[item]).body["input"]) == orjson.dumps([item])


def test_every_type_of_the_openai_sdk_is_known() -> None:
    theirs: set[str] = set()
    for each in typing.get_args(ResponseInputItemParam):
        theirs |= set(typing.get_args(_bare(typing.get_type_hints(each).get("type"))))
    assert len(theirs) > 25
    assert theirs - {type(None)} <= KNOWN.keys()


def _bare(hint: Any) -> Any:
    """The literal in `Required[Literal[…]]`, `Optional[Literal[…]]`."""
    for each in typing.get_args(hint):
        if typing.get_origin(each) is typing.Literal:
            return each
    return hint


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ("x", ""),
        ({}, ".role"),
        ({"type": "nothing"}, ".type"),
        ({"type": ":x"}, ".type"),
        ({"type": "x:"}, ".type"),
        ({"type": 1}, ".type"),
        ({"role": "robot", "content": "x"}, ".role"),
        ({"role": "tool", "content": "x"}, ".role"),
        ({"role": "user"}, ".content"),
        ({"role": "user", "content": None}, ".content"),
        ({"role": "user", "content": [{"type": "output_text", "text": "x"}]}, ".content[0].type"),
        ({"role": "user", "content": [{"type": "input_text"}]}, ".content[0].text"),
        ({"role": "user", "content": [{"type": "input_image", "detail": "huge"}]}, ".content[0].detail"),
        ({"role": "user", "content": [{"type": "input_video"}]}, ".content[0].video_url"),
        ({"role": "assistant", "content": "x", "phase": "thought"}, ".phase"),
        ({"role": "assistant", "content": [{"type": "summary_text", "text": "x"}]}, ".content[0].type"),
        ({"type": "reasoning"}, ".summary"),
        ({"type": "reasoning", "summary": [{"type": "text", "text": "x"}]}, ".summary[0].type"),
        ({"type": "reasoning", "summary": [], "content": [{"type": "input_text", "text": "x"}]}, ".content[0].type"),
        ({**CALL, "call_id": ""}, ".call_id"),
        ({**CALL, "name": ""}, ".name"),
        ({**CALL, "arguments": {}}, ".arguments"),
        ({**CALL, "status": "failed"}, ".status"),
        ({**OUTPUT, "call_id": ""}, ".call_id"),
        ({**OUTPUT, "call_id": "x" * 65}, ".call_id"),
        ({**OUTPUT, "output": None}, ".output"),
        ({**OUTPUT, "output": [{"type": "output_text", "text": "x"}]}, ".output[0].type"),
        ({"type": "item_reference"}, ".id"),
        ({"id": ""}, ".id"),
        ({"type": "compaction"}, ".encrypted_content"),
        ({"type": "mcp_approval_response", "approval_request_id": "x"}, ".approve"),
        ({"type": "mcp_approval_response", "approve": True}, ".approval_request_id"),
        ({"type": "mcp_call", "server_label": "s", "name": "f"}, ".arguments"),
        ({"type": "mcp_list_tools", "server_label": "s", "tools": [1]}, ".tools[0]"),
        ({"type": "orq:x", "id": 1}, ".id"),
        ({"type": "shell_call", "id": 1}, ".id"),
    ],
)
def test_an_item_that_is_none_is_refused_where_it_fails(item: object, param: str) -> None:
    assert refusal(input=[{"role": "user", "content": "x"}, item]).param == f"input[1]{param}"


@pytest.mark.parametrize(
    ("part", "name", "most"),
    [
        ({"type": "input_text"}, "text", 10_485_760),
        ({"type": "input_image"}, "image_url", 20_971_520),
        ({"type": "input_file"}, "file_data", 33_554_432),
    ],
)
def test_parts_are_as_long_as_open_responses_allows(part: Item, name: str, most: int) -> None:
    read(input=[{"role": "user", "content": [{**part, name: "x" * most}]}])
    too_long = {"role": "user", "content": [{**part, name: "x" * (most + 1)}]}
    assert refusal(input=[too_long]).param == f"input[0].content[0].{name}"


def test_a_text_is_one_message_of_the_user() -> None:
    (item,) = items_of("hi")
    assert item == {"type": "message", "role": "user", "content": "hi", "id": item["id"]}
    assert item["id"].startswith("msg_")
    assert items_of(None) == items_of([]) == []
    assert items_of("")[0]["content"] == ""


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS.keys())
def test_every_item_gets_a_type_and_an_id_and_keeps_what_it_had(item: Item) -> None:
    (found,) = items_of([item])
    assert found["type"]
    assert found["id"]
    assert {**item, **found} == {**found, **{name: None for name, value in item.items() if name not in found}}
    assert items_of([found]) == [found]


@pytest.mark.parametrize("kind", ["message", "mcp_approval_response", "orq:x"])
def test_an_id_that_says_nothing_is_none(kind: str) -> None:
    for id in ("", None):
        assert items_of([{"type": kind, "id": id}])[0]["id"]


@pytest.mark.parametrize(
    ("kind", "prefix"), [*PREFIXES.items(), ("orq:x", "orq"), ("a-b:x", "item"), ("local_shell_call", "item")]
)
def test_ids_tell_what_they_are_of(kind: str, prefix: str) -> None:
    assert new_id(kind).startswith(f"{prefix}_")
    assert new_id(kind) != new_id(kind)


def test_what_sdks_leave_empty_is_absent() -> None:
    empty = {"id": None, "status": None, "phase": None, "encrypted_content": None, "content": None, "namespace": None}
    assert items_of([{"type": "reasoning", "summary": [], **empty}])[0].keys() == {"type", "summary", "id"}
    assert items_of([{**OTHERS["mcp_call"]}])[0]["error"] is None


@pytest.mark.parametrize("name", sorted(ITEMS.keys() - REFERENCES))
def test_listed_items_are_those_of_openai(name: str) -> None:
    (item,) = items_of([ITEMS[name]])
    raw = orjson.dumps(shown_item(item))
    if item["type"] in PREFIXES and name not in ("user_parts", "output_parts"):
        RESPONSE_ITEM.validate_json(raw)
        CONVERSATION_ITEM.validate_json(raw)


@pytest.mark.parametrize(
    "name", [*sorted(MESSAGES.keys() - BEYOND_OPEN), "reasoning", "reasoning_of_sdks", "call", "output", "output_parts"]
)
def test_listed_items_are_those_of_open_responses(name: str) -> None:
    (item,) = items_of([ITEMS[name]])
    OPEN_ITEM.validate_json(orjson.dumps(shown_item(item)), strict=True)


def test_texts_are_listed_as_parts() -> None:
    said = shown_item({"type": "message", "id": "m", "role": "assistant", "content": "a"})
    assert said["content"] == [{"annotations": [], "type": "output_text", "text": "a"}]
    assert said["status"] == "completed"
    for role in ("user", "system", "developer"):
        given = shown_item({"type": "message", "id": "m", "role": role, "content": "a"})
        assert given["content"] == [{"type": "input_text", "text": "a"}]


def test_what_an_item_says_of_itself_is_listed_so() -> None:
    cut = {"type": "message", "id": "m", "role": "assistant", "status": "incomplete", "content": []}
    assert shown_item(cut) == cut
    whole = {"type": "acme:x", "id": "a", "content": None}
    assert shown_item(whole) == whole


def test_a_list_names_its_ends() -> None:
    page = listed(items_of([{"role": "user", "content": text, "id": text} for text in "abc"]), more=True)
    assert (page["object"], page["first_id"], page["last_id"], page["has_more"]) == ("list", "a", "c", True)
    assert SyncCursorPage[ResponseItem].model_validate(page).data[0].id == "a"
    assert listed([], more=False) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@settings(max_examples=60)
@given(st.lists(st.sampled_from(list(ITEMS.values())), max_size=6))
def test_listing_changes_nothing_that_is_kept(items: list[Item]) -> None:
    kept = items_of(items)
    before = orjson.dumps(kept)
    page = listed(kept, more=False)
    assert orjson.dumps(kept) == before
    assert [item["id"] for item in page["data"]] == [item["id"] for item in kept]
    assert items_of(page["data"]) == page["data"]
