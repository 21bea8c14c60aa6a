"""The items of a request, as they are kept and as they are listed."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orrery.core.types import Json
from orrery.wire.response_item_shapes import kind_of

PREFIXES: Mapping[str, str] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "compaction": "cmp",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "computer_call": "cu",
    "mcp_list_tools": "mcpl",
    "mcp_call": "mcp",
    "mcp_approval_request": "mcpr",
    "mcp_approval_response": "mcpa",
}
"""How ids begin: OpenAI's ways where its documents show one (read 2026-11-21)."""

# SDKs write out the fields that they leave empty, and these items are strict about some of them: null is absent.
_WITHOUT_NULLS = frozenset({"message", "reasoning", "function_call", "function_call_output", "compaction"})


def new_id(kind: str) -> str:
    """An id for an item of this type; `orq_…` for `orq:anything`."""
    slug, colon, _ = kind.partition(":")
    return f"{PREFIXES.get(kind) or (slug if colon and slug.isalnum() else 'item')}_{secrets.token_hex(24)}"


def items_of(given: str | Sequence[Json] | None) -> list[Json]:
    """The items of an `input`: each with its type and an id, otherwise as they came. A text is one message.

    What has both already is the same afterwards, so that it does not matter how often this is asked.
    """
    if given is None:
        return []
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_normal(item) for item in given]


def _normal(item: Json) -> Json:
    kind = kind_of(item)
    if kind in _WITHOUT_NULLS:
        item = {name: value for name, value in item.items() if value is not None}
    return {**item, "type": kind, "id": item.get("id") or new_id(kind)}


def listed(items: Sequence[Json], *, more: bool) -> Json:
    """OpenAI's `list` of items. `more`: there are others after these."""
    data = [shown_item(item) for item in items]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": more,
    }


def shown_item(item: Json) -> Json:
    """An item as `input_items` and conversations show it: texts as parts, with the fields that resources have."""
    return _SHOWN.get(item["type"], _as_it_is)(item)


def _as_it_is(item: Json) -> Json:
    return item


def _message(item: Json) -> Json:
    said, content = item.get("role") == "assistant", item.get("content")
    if isinstance(content, str):
        content = [{"type": "input_text", "text": content}]
    parts = _parts(content)
    return _ended({**item, "content": [_as_said(part) for part in parts] if said else parts})


def _as_said(part: Json) -> Json:
    """The assistant's words, which clients may bring as if they were the user's."""
    return _part({**part, "type": "output_text"}) if part.get("type") == "input_text" else part


def _output(item: Json) -> Json:
    output = item.get("output")
    return _ended({**item, "output": _parts(output) if isinstance(output, list) else output})


def _ended(item: Json) -> Json:
    """Items that clients bring have happened, unless they say otherwise."""
    return {**item, "status": item.get("status") or "completed"}


def _parts(parts: Any) -> list[Json]:
    return [_part(part) for part in parts or ()]


def _part(part: Json) -> Json:
    kind = part.get("type")
    told = {name: value for name, value in part.items() if value is not None}
    if kind == "input_image":
        return {"image_url": None, "detail": "auto", **told}
    if kind == "output_text":
        return {"annotations": [], **told}
    return told


_SHOWN: Mapping[str, Callable[[Json], Json]] = {
    "message": _message,
    "function_call": _ended,
    "function_call_output": _output,
    "custom_tool_call": _ended,
    "custom_tool_call_output": _output,
}
