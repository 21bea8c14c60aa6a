"""The `text` engine: `{{ name }}` is replaced by a value, in one pass. What is put in is never looked at again."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from orrery.core.errors import InvalidRequest

MOST_CHARS = 4 * 1024 * 1024
"""Of all texts of a request together, once they are filled in."""

_PLACE = re.compile(r"\{\{[ \t]{0,16}([^\s{}][^{}]{0,254}?)[ \t]{0,16}\}\}")
_NOTHING = object()


def fill(texts: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """Each text with its placeholders filled in; those of unknown names stay as they are.

    `a.b.0` walks into objects and lists, unless a value has that very name. What is no string is written as JSON.
    Raises `InvalidRequest` when it becomes too long.
    """
    left = MOST_CHARS
    written: dict[str, str | None] = {}

    def put(found: re.Match[str]) -> str:
        nonlocal left
        name = found[1]
        if name not in written:
            written[name] = _written(_value(name, values))
        text = written[name]
        text = found[0] if text is None else text
        left -= len(text)
        if left < 0:
            raise too_long()
        return text

    filled = []
    for text in texts:
        left -= len(text)
        if left < 0:
            raise too_long()
        filled.append(_PLACE.sub(put, text))
    return filled


def too_long() -> InvalidRequest:
    """The refusal of a text that grew too much, whichever engine filled it in."""
    return InvalidRequest(f"With its variables, this request has more than {MOST_CHARS} characters.", param="variables")


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name in values:
        return values[name]
    found: Any = values
    for step in name.split("."):
        if isinstance(found, Mapping) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isascii() and step.isdigit() and int(step[:9]) < len(found):
            found = found[int(step[:9])]
        else:
            return _NOTHING
    return found


def _written(value: Any) -> str | None:
    if value is _NOTHING:
        return None
    return value if isinstance(value, str) else orjson.dumps(value).decode()
