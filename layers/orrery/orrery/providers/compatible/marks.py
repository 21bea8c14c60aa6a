"""What stands in content parts and tools beside OpenAI's own fields, and content that must not come by URL."""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.compatible.row import MARKS, Row
from orrery.providers.lost import Lost
from orrery.wire.media import is_http

FILE_FIELDS = frozenset({"file_data", "file_id", "filename"})
"""OpenAI's. Orq's `uri` and `mimeType` have done their work once the content is here."""


def unmarked_message(message: Json, where: str, row: Row, lost: Lost) -> Json:
    """The message without the marks that the row's provider does not take; the same object where it has none.

    Raises `InvalidRequest` for a URL where only content may stand.
    """
    message = _unmarked(message, row, lost)
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [_part(part, f"{where}.content[{number}]", row, lost) for number, part in enumerate(content)]
    changed = any(new is not old for new, old in zip(parts, content, strict=True))
    return {**message, "content": parts} if changed else message


def unmarked_tool(tool: Json, row: Row, lost: Lost) -> Json:
    """The tool without such marks, on itself or on its function."""
    tool, function = _unmarked(tool, row, lost), tool.get("function")
    plain = _unmarked(function, row, lost)
    return tool if plain is function else {**tool, "function": plain}


def _part(part: Any, where: str, row: Row, lost: Lost) -> Any:
    part = _unmarked(part, row, lost)
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in row.by_content or not isinstance(held := part.get(kind), dict):
        return part
    name = next((name for name in ("url", "file_data", "uri") if held.get(name)), "")
    if is_http(held.get(name)):
        raise InvalidRequest(f"{row.name} takes this by its content only.", param=f"{where}.{kind}.{name}")
    if kind == "file" and (held.get("file_data") or held.get("file_id")) and not held.keys() <= FILE_FIELDS:
        return {**part, "file": {name: value for name, value in held.items() if name in FILE_FIELDS}}
    return part


def _unmarked(holder: Any, row: Row, lost: Lost) -> Any:
    """`holder` without marks that are not taken; the same object where it has none."""
    if not isinstance(holder, dict):
        return holder
    foreign = [name for name in MARKS - row.marks if name in holder]
    for name in sorted(foreign):
        if holder[name] is not None:
            lost.add(name)
    return {name: value for name, value in holder.items() if name not in foreign} if foreign else holder
