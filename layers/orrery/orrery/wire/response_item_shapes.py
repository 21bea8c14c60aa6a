"""The items of a response, wherever Open Responses, OpenAI or Orq publishes them: what they hold, at their bounds.

Sources: Open Responses 2026-04-24; OpenAI's API document 2.3.0 and the types of its Python SDK 3.52; Orq's field trees
(all read 2026-11-21). Where they differ, the wider one is taken. An item whose type is `slug:name` may hold anything.
"""

from collections.abc import Mapping
from typing import Any

from pydantic_core import core_schema as cs

from orrery.wire.shapes import (
    BOOLEAN,
    FILLED,
    OBJECT,
    STRING,
    Shape,
    array,
    either,
    one_of,
    or_null,
    record,
    rule,
    string,
    variants,
)

LONGEST_TEXT = 10_485_760
"""Characters of a text; Open Responses has the same bound wherever it has one."""

LONGEST_IMAGE, LONGEST_FILE, LONGEST_SEAL = 20_971_520, 33_554_432, 20_971_520
"""Characters of an image's URL, of a file's data, of what a compaction hides."""

TEXT = string(LONGEST_TEXT)
STATUS = one_of("in_progress", "completed", "incomplete")
CALL_ID = rule(lambda text: None if 0 < len(text) <= 64 else "1 to 64 characters", STRING)

_BREAKPOINT = {"prompt_cache_breakpoint": OBJECT}

INPUT_TEXT = record({"text": TEXT}, _BREAKPOINT)
_INPUT_PARTS = {
    "input_text": INPUT_TEXT,
    "input_image": record(
        {},
        {
            "image_url": string(LONGEST_IMAGE),
            "file_id": STRING,
            "detail": one_of("low", "high", "auto", "original"),
            **_BREAKPOINT,
        },
    ),
    "input_file": record(
        {},
        {
            "file_id": STRING,
            "filename": STRING,
            "file_data": string(LONGEST_FILE),
            "file_url": STRING,
            "detail": one_of("low", "high", "auto"),
            **_BREAKPOINT,
        },
    ),
    "input_video": record({"video_url": FILLED}),
}
_SAID_PARTS = {
    "output_text": record({"text": TEXT}, {"annotations": array(OBJECT), "logprobs": array(OBJECT)}),
    "refusal": record({"refusal": TEXT}),
}

INPUT = either(text=TEXT, array=array(variants("type", _INPUT_PARTS)))
# OpenAI's shorter form of a message has input parts in every role, also in the assistant's.
_SAID = either(text=TEXT, array=array(variants("type", {**_SAID_PARTS, **_INPUT_PARTS})))

_HEAD = {"id": STRING, "status": STRING}

_GIVEN = record({"content": INPUT}, {**_HEAD, "name": STRING})
_MESSAGE = variants(
    "role",
    {
        "user": _GIVEN,
        "system": _GIVEN,
        "developer": _GIVEN,
        "assistant": record({"content": _SAID}, {**_HEAD, "phase": one_of("commentary", "final_answer")}),
    },
)

_SUMMARY = array(variants("type", {"summary_text": record({"text": TEXT})}))
_THOUGHTS = array(variants("type", dict.fromkeys(("reasoning_text", "text", "summary_text"), record({"text": TEXT}))))

_ANY = record({}, _HEAD)
_NAMED = {"server_label": STRING, "name": FILLED, "arguments": STRING}

ITEMS: Mapping[str, Shape] = {
    "message": _MESSAGE,
    "reasoning": record({"summary": _SUMMARY}, {**_HEAD, "content": _THOUGHTS, "encrypted_content": STRING}),
    "function_call": record(
        {"call_id": FILLED, "name": FILLED, "arguments": STRING},
        {"id": STRING, "status": STATUS, "namespace": STRING},
    ),
    "function_call_output": record(
        {"call_id": CALL_ID, "output": INPUT}, {"id": STRING, "status": STATUS, "name": STRING, "namespace": STRING}
    ),
    "item_reference": record({"id": FILLED}),
    "compaction": record({"encrypted_content": string(LONGEST_SEAL)}, {"id": STRING}),
    "custom_tool_call": record({"call_id": FILLED, "name": FILLED, "input": STRING}, _HEAD),
    "custom_tool_call_output": record({"call_id": CALL_ID, "output": INPUT}, _HEAD),
    "web_search_call": record({}, {**_HEAD, "action": OBJECT, "results": array(OBJECT)}),
    "file_search_call": record({}, {**_HEAD, "queries": array(STRING), "results": array(OBJECT)}),
    "code_interpreter_call": record({}, {**_HEAD, "code": STRING, "outputs": array(OBJECT)}),
    "image_generation_call": record({}, {**_HEAD, "result": STRING}),
    "mcp_list_tools": record({"server_label": STRING, "tools": array(OBJECT)}, _HEAD),
    "mcp_call": record(_NAMED, {**_HEAD, "output": STRING, "approval_request_id": STRING}),
    "mcp_approval_request": record(_NAMED, {"id": STRING}),
    "mcp_approval_response": record(
        {"approval_request_id": FILLED, "approve": BOOLEAN}, {"id": STRING, "reason": STRING}
    ),
    # What these hold is between the client and the one provider that has them.
    **dict.fromkeys(
        (
            *("computer_call", "computer_call_output", "local_shell_call", "local_shell_call_output"),
            *("shell_call", "shell_call_output", "apply_patch_call", "apply_patch_call_output"),
            *("tool_search_call", "tool_search_output", "additional_tools", "configuration_update"),
            *("program", "program_output", "compaction_trigger"),
        ),
        _ANY,
    ),
}
"""Shapes by type."""

_LABELS = {kind: f"<{kind}>" for kind in ITEMS}
_EXTENSION = "<slug:name>"


def kind_of(item: Mapping[str, Any]) -> Any:
    """An item's type. What has none is a message, or, with an id and nothing that a message has, a reference."""
    kind = item.get("type")
    if kind is not None:
        return kind
    return "item_reference" if item.get("id") is not None and "role" not in item else "message"


def _label(item: Any) -> str | None:
    kind = kind_of(item)
    if type(kind) is not str:
        return None
    return _LABELS.get(kind) or (_EXTENSION if is_extension(kind) else None)


def is_extension(kind: str) -> bool:
    """Whether a type is one that an implementor made: `slug:name`."""
    slug, colon, name = kind.partition(":")
    return bool(slug and colon and name)


ITEM: Shape = cs.chain_schema(
    [
        OBJECT,
        cs.tagged_union_schema(
            {**{_LABELS[kind]: shape for kind, shape in ITEMS.items()}, _EXTENSION: _ANY},
            _label,
            custom_error_type="variant",
            custom_error_message="variant",
            custom_error_context={"expected": "a type of item that is known here", "tag": "type"},
        ),
    ]
)

ITEM_LIST = array(ITEM)
INPUT_ITEMS = or_null(either(text=TEXT, array=ITEM_LIST))
"""`input` of a request: a text is one message of the user."""
