"""What each Claude model takes of thinking, effort, sampling and tools, by its name.

Sources, read 2026-11-21: Anthropic's "Thinking & Effort" table (github.com/anthropics/skills, claude-api); on
platform.claude.com "Troubleshooting thinking", "Effort", "Thinking in tool and multi-turn workflows", the migration
guides of Fable 5.1, Opus 5.5, Sonnet 5.5, Haiku 5.5 and Haiku 4.5, "Structured outputs".
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model takes; everything else is a 400.

    `budget`: thinking with `budget_tokens`. `adaptive`: thinking that measures itself. `off`: the type that turns
    thinking off (None: nothing does). `efforts`: its levels of `output_config.effort`; `off_effort`: the highest one
    while thinking is off. `sampling`: which of temperature and top_p (and top_k, but for "none") may be set.
    `forced`: `tool_choice` any and tool. `structured`: JSON schemas and strict tools. `max_output`: where it is less
    than the default of this dialect.
    """

    budget: bool = False
    adaptive: bool = True
    off: Literal["disabled", "between_tools"] | None = "disabled"
    efforts: tuple[str, ...] = EFFORTS
    off_effort: str | None = None
    sampling: Literal["both", "one", "none"] = "none"
    forced: bool = True
    structured: bool = True
    max_output: int | None = None


UNKNOWN = Traits(budget=True, sampling="both")
"""A name without a version that we can read, or another maker's: nothing is withheld, its server decides."""

_CLAUDE_3 = Traits(adaptive=False, off=None, efforts=(), sampling="both", structured=False, max_output=4_096)
_CLAUDE_3_5 = replace(_CLAUDE_3, max_output=8_192)
_CLAUDE_3_7 = Traits(budget=True, adaptive=False, efforts=(), sampling="both", structured=False)
_CLAUDE_4_5 = Traits(budget=True, adaptive=False, efforts=(), sampling="one")
_CLAUDE_4_6 = Traits(budget=True, efforts=("low", "medium", "high", "max"), sampling="one")
_CLAUDE_4_7 = Traits()
_CLAUDE_5 = Traits(off_effort="high")
_ALWAYS_THINKING = Traits(off=None)
_UNFORCED = replace(_ALWAYS_THINKING, forced=False)

TRAITS: dict[str, dict[tuple[int, int], Traits]] = {
    "opus": {
        (3, 0): _CLAUDE_3,
        (4, 0): _CLAUDE_3_7,
        (4, 1): replace(_CLAUDE_3_7, sampling="one"),
        (4, 5): replace(_CLAUDE_4_5, efforts=("low", "medium", "high")),
        (4, 6): _CLAUDE_4_6,
        (4, 7): _CLAUDE_4_7,
        (5, 0): _CLAUDE_5,
        (5, 5): _UNFORCED,
    },
    "sonnet": {
        (3, 0): _CLAUDE_3,
        (3, 5): _CLAUDE_3_5,
        (3, 7): _CLAUDE_3_7,
        (4, 5): _CLAUDE_4_5,
        (4, 6): _CLAUDE_4_6,
        (5, 0): _CLAUDE_4_7,
        (5, 5): Traits(off="between_tools", forced=False),
    },
    "haiku": {(3, 0): _CLAUDE_3, (3, 5): _CLAUDE_3_5, (4, 5): _CLAUDE_4_5, (5, 5): _CLAUDE_5},
    "fable": {(5, 0): _ALWAYS_THINKING, (5, 1): _UNFORCED},
    "mythos": {(5, 0): _ALWAYS_THINKING, (5, 1): _UNFORCED},
}
"""By family, from which version on. A version that is newer than all of them is taken for the newest."""

_NOT_VERSION = re.compile(r"20\d\d-?\d\d-?\d\d|[-@]v\d+(:\d+)?$")
_NUMBERS = re.compile(r"\d+")


@lru_cache(maxsize=256)
def traits_of(model: str) -> Traits:
    """What `model` takes: `claude-opus-4-8`, `claude-4-8-opus`, `claude-opus-4.8` and dated names are one model."""
    found = _found(model)
    if found is None:
        return UNKNOWN
    family, version = found
    rows = TRAITS[family]
    return next((rows[first] for first in reversed(rows) if first <= version), UNKNOWN)


def version_of(model: str) -> tuple[int, int] | None:
    """`(4, 8)` for the names above; None for one without a version that we can read."""
    found = _found(model)
    return found[1] if found else None


def _found(model: str) -> tuple[str, tuple[int, int]] | None:
    """The family and version in a model's name."""
    name = model.lower()
    families = [family for family in TRAITS if family in name]
    numbers = [int(number) for number in _NUMBERS.findall(_NOT_VERSION.sub("", name))]
    if len(families) != 1 or not numbers or "claude" not in name:
        return None
    return families[0], (numbers[0], numbers[1] if len(numbers) > 1 else 0)
