"""How genai-prices says what a model may be called, as exact names and as rules that `orrery.catalog` can follow."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product

from genai_prices import types

NO_TTS = r"^(?!.*-[tT][tT][sS](?:$|-))"
"""The one look-ahead among genai-prices' rules: `never` says the same."""


@dataclass
class Names:
    """How a model may be called: exactly, by rule, and what no rule of it may take."""

    exact: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)


def names_of(clause: object) -> Names:
    """A match clause as data. Raises ValueError for one that the catalog's rules cannot say."""
    match clause:
        case types.ClauseEquals(equals=text):
            return Names([text])
        case types.ClauseStartsWith(starts_with=text):
            return Names(rules=[f"{text.lower()}*"])
        case types.ClauseEndsWith(ends_with=text):
            return Names(rules=[f"*{text.lower()}"])
        case types.ClauseContains(contains=text):
            return Names(rules=[f"*{text.lower()}*"])
        case types.ClauseRegex(regex=text) if text == NO_TTS:
            return Names(never=["*-tts", "*-tts-*"])
        case types.ClauseRegex(regex=text):
            return Names(rules=list(rules_of(text)))
        case types.ClauseOr(or_=parts):
            return _joined(names_of(part) for part in parts)
        case types.ClauseAnd(and_=[_, types.ClauseRegex(regex=text)] as parts) if text == NO_TTS:
            return _joined(names_of(part) for part in parts)
    raise ValueError(f"no rule can say {clause}")


def _joined(parts: Iterable[Names]) -> Names:
    whole = Names()
    for part in parts:
        whole.exact += part.exact
        whole.rules += part.rules
        whole.never += part.never
    return whole


def rules_of(regex: str) -> Iterator[str]:
    """`^claude-opus-5[-@]\\d{8}$` as two rules with eight `#`. Raises ValueError for anything richer."""
    parts = re.fullmatch(r"\^((?:[a-z0-9/-]|\\\.|\\d(?:\{\d\})?|\[-@\])+)(\$?)", regex)
    if not parts:
        raise ValueError(f"no rule can say {regex}")
    body = re.sub(r"\\d(?:\{(\d)\})?", lambda digits: "#" * int(digits[1] or 1), parts[1].replace(r"\.", "."))
    pieces = [("-", "@") if piece == "[-@]" else (piece,) for piece in re.split(r"(\[-@\])", body)]
    for combination in product(*pieces):
        yield "".join(combination) + ("" if parts[2] else "*")


def once(names: Iterable[str]) -> Iterator[str]:
    """Each name once, as it is spelled first: providers do not tell names apart by the case of letters."""
    seen = set()
    for name in names:
        if name.lower() not in seen:
            seen.add(name.lower())
            yield name
