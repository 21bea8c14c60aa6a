"""Names of form fields that lead into an object: `retry[on_codes][]`, as openai's SDKs write nested parameters.

Source: openai 3.52 (Python), `_serialize_multipartform`, which calls this style "brackets"; read 2026-11-21.
"""

import re
from collections.abc import Sequence
from typing import Any

import orjson

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\]){1,4})")
_STEP = re.compile(r"\[([^\[\]]*)\]")
_NOT_TEXT = re.compile(r"-?\d{1,15}(\.\d{1,15})?|true|false|null")


def steps_of(name: str) -> tuple[str, list[str]]:
    """The field that a name begins with, and the steps from there; "" is the next item of a list."""
    match = _NAME.fullmatch(name)
    return (match[1], _STEP.findall(match[2])) if match else (name, [])


def leaf_of(text: str) -> Any:
    """The number, the truth value or the nothing that a text writes, else the text."""
    return orjson.loads(text) if _NOT_TEXT.fullmatch(text) and not re.match(r"-?0\d", text) else text


def placed(held: Any, steps: Sequence[str], value: Any) -> Any:
    """`held` with a value where the steps lead.

    An item's fields come one after another: one that the last item has already begins the next item.
    """
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if step:
        known = held if isinstance(held, dict) else {}
        return {**known, step: placed(known.get(step), rest, value)}
    items = held if isinstance(held, list) else [] if held is None else [held]
    if rest and items and isinstance(items[-1], dict) and (rest[0] not in items[-1] or rest[1:]):
        return [*items[:-1], placed(items[-1], rest, value)]
    return [*items, placed(None, rest, value)]
