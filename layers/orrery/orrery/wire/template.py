"""The `text` engine: `{{ name }}` becomes the value of that name, in one pass, and nothing more.

What was put in is never read again, so that a value cannot name another. A name that stands for nothing is left as it
is. Source: Orq's templating page, read 2026-11-21.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.wire.body import dumps

LONGEST_NAME = 256
"""Characters of a placeholder's name, its dots included; a longer one is no placeholder."""

# Every quantifier is possessive or bounded: no text makes it look at a character more than a few times.
_PLACEHOLDER = re.compile(rf"\{{\{{[ \t]*+([\w.\-]{{1,{LONGEST_NAME}}}+)[ \t]*+\}}\}}")

_INDEX = re.compile(r"[0-9]{1,9}")

MISSING = object()

MASK = "***"


def fill(
    texts: Sequence[str], values: Mapping[str, Any], *, most_chars: int, hidden: Collection[str] = ()
) -> list[str]:
    """Each text with its values. Strings stand as they are, anything else as JSON, and all of a `hidden` one as `***`.

    Raises `InvalidRequest`, with the number of the text as `param`, once more than `most_chars` would come out in all.
    """
    filler = _Filler(values, most_chars, hidden)
    return [filler.fill(text, place) for place, text in enumerate(texts)]


def find(name: str, values: Mapping[str, Any]) -> Any:
    """What a name stands for: a variable of just that name, or else what its dots lead to; `MISSING` for nothing."""
    if name in values:
        return values[name]
    found: Any = values
    for step in name.split("."):
        if isinstance(found, Mapping):
            found = found.get(step, MISSING)
        elif isinstance(found, list) and _INDEX.fullmatch(step) and int(step) < len(found):
            found = found[int(step)]
        else:
            return MISSING
    return found


class _Filler:
    def __init__(self, values: Mapping[str, Any], most_chars: int, hidden: Collection[str]) -> None:
        self._values = values
        self._hidden = hidden
        self._most = most_chars
        self._left = most_chars
        self._known: dict[str, str | None] = {}

    def fill(self, text: str, place: int) -> str:
        self._take(len(text), place)

        def put(match: re.Match[str]) -> str:
            found = self._text(match[1])
            if found is None:
                return match[0]
            self._take(len(found) - len(match[0]), place)
            return found

        return _PLACEHOLDER.sub(put, text)

    def _text(self, name: str) -> str | None:
        """Looked up and written once, however often it stands there."""
        if name not in self._known:
            self._known[name] = self._written(name)
        return self._known[name]

    def _written(self, name: str) -> str | None:
        found = find(name, self._values)
        if found is MISSING:
            return None
        if (name if name in self._values else name.partition(".")[0]) in self._hidden:
            return MASK
        return found if isinstance(found, str) else dumps(found).decode()

    def _take(self, chars: int, place: int) -> None:
        self._left -= chars
        if self._left < 0:
            raise InvalidRequest(
                f"With its variables, the request has more than {self._most} characters.", param=str(place)
            )
