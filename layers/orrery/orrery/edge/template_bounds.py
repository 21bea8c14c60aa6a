"""How large what a template makes may become. The kernel's limits stand behind these (`edge/template_worker.py`)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

LARGEST = 8 * 1024 * 1024
"""Characters, or members, of any one value on the way."""

WIDEST = 10_000
"""Columns that a value is padded to, and rows that a list is cut into."""

MOST_BITS = 4_096
"""Of an integer; more than 1,200 decimal digits."""

# One conversion of printf, as CPython reads it: each match ends where the next may begin.
_CONVERSION = re.compile(
    r"%(?P<name>\((?:[^()]|\([^()]*\))*\))?[#0\- +]*(?P<width>\*|[0-9]*)(?:\.(?P<precision>\*|[0-9]*))?[hlL]?(?s:.)?"
)
_NUMBER = re.compile(r"[0-9]+")


class TooMuch(Exception):
    """It would take more room than a template may have."""


class Meter:
    """Counts what comes out, over all texts of a question."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, chars: int) -> None:
        """Raises `TooMuch`."""
        self._left -= chars
        if self._left < 0:
            raise TooMuch


def within(size: int, most: int = LARGEST) -> None:
    """Raises `TooMuch`."""
    if size > most:
        raise TooMuch


def joined(separator: str, texts: Iterable[str]) -> str:
    """`separator.join(texts)`."""
    found, size = [], 0
    for text in texts:
        size += len(text) + len(separator)
        within(size)
        found.append(text)
    return separator.join(found)


def replaced(text: str, old: str, new: str, count: int | None = None) -> str:
    """`text.replace(old, new, count)`; None: everywhere."""
    most = -1 if count is None else count
    times = text.count(old) if most < 0 else min(most, text.count(old))
    within(len(text) + times * (len(new) - len(old)))
    return text.replace(old, new, most)


def check_format(spec: str) -> None:
    """A format specification of `str.format`."""
    within(max((_number(found) for found in _NUMBER.findall(spec)), default=0), WIDEST)


def check_printf(form: str) -> None:
    """What stands left of `%`. Widths that are values (`*`) and names within names are refused outright."""
    for match in _CONVERSION.finditer(form):
        width, precision = match["width"], match["precision"] or ""
        if "*" in (width, precision) or (match["name"] is None and form.startswith("%(", match.start())):
            raise TooMuch
        within(max(_number(width), _number(precision)), WIDEST)


def _number(digits: str) -> int:
    """None has more digits than any that is allowed."""
    return int(digits[:9] or 0) if len(digits) < 10 else 10**9


def _plus(left: Any, right: Any) -> None:
    if hasattr(left, "__len__") and hasattr(right, "__len__"):
        within(len(left) + len(right))


def _times(left: Any, right: Any) -> None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, int) and hasattr(other, "__len__"):
            within(len(other) * one)
    if isinstance(left, int) and isinstance(right, int):
        within(left.bit_length() + right.bit_length(), MOST_BITS)


def _power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        within(left.bit_length() * right, MOST_BITS)


def _modulo(left: Any, right: Any) -> None:
    if isinstance(left, str):
        check_printf(left)


OPERATORS: Mapping[str, Callable[[Any, Any], None]] = {"+": _plus, "*": _times, "**": _power, "%": _modulo}
"""What looks at the operands of those that can make much of little."""
