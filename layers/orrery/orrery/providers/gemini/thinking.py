"""How hard a model shall think: OpenAI's `reasoning_effort` and Orq's `thinking`, as each model takes them.

`thinking` decides whether, `reasoning_effort` how much, unless `thinking` brings a level or a budget of its own. What a
model has no level for becomes the nearest it has, and is named among what was lost. Thoughts are asked for only where
the caller asked for thinking.
"""

from typing import Any

from orrery.core.types import Json
from orrery.providers.gemini.models import LEVELS, Traits
from orrery.providers.lost import Lost

BUDGET = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
"""Tokens for each effort: Google's own table ("OpenAI compatibility", ai.google.dev, read 2026-11-21)."""

AUTOMATIC = -1
"""The budget of a model that measures itself ("Gemini thinking", ai.google.dev, read 2026-11-21)."""

_ORDER = (*LEVELS, "max")


def thinking_of(body: Json, traits: Traits, lost: Lost) -> Json | None:
    """The `thinkingConfig`, or None to leave the model to its default."""
    wish, effort = body.get("thinking"), _effort(body)
    if not wish and effort is None:
        return None
    off = wish["type"] == "disabled" if wish else effort == "none"
    name = "thinking" if wish else "reasoning_effort"
    if not traits.levels and not traits.budget:
        if not off:
            lost.add(name)
        return None
    if off:
        return _off(traits, name, lost)
    named = {"thinking.thinking_level": (wish or {}).get("thinking_level"), "reasoning_effort": effort}
    named = {source: level for source, level in named.items() if level and level != "none"}
    budget = (wish or {}).get("budget_tokens")
    if traits.budget and (budget or not traits.levels):
        return {"includeThoughts": True, "thinkingBudget": _budget(budget, named, traits.budget, lost)}
    source, level = next(iter(named.items()), ("thinking.budget_tokens", _level_for(budget)))
    if budget and source != "thinking.thinking_level":
        lost.add("thinking.budget_tokens")
    return {"includeThoughts": True, **({"thinkingLevel": _level(level, source, traits, lost)} if level else {})}


def _effort(body: Json) -> str | None:
    """The effort asked for; "default" (Groq's word) asks for nothing."""
    effort = body.get("reasoning_effort")
    return None if effort == "default" else effort


def _off(traits: Traits, name: str, lost: Lost) -> Json:
    if traits.budget and traits.off:
        return {"thinkingBudget": 0}
    lost.add(name)  # it always thinks: as little as it can
    return {"thinkingBudget": traits.budget[0]} if traits.budget else {"thinkingLevel": traits.levels[0].upper()}


def _budget(asked: Any, named: dict[str, Any], bounds: tuple[int, int], lost: Lost) -> int:
    if not asked and not named:
        return AUTOMATIC
    if asked:
        source, wanted = "thinking.budget_tokens", int(asked)
        if "reasoning_effort" in named:
            lost.add("reasoning_effort")
    else:
        source, level = next(iter(named.items()))
        wanted = BUDGET.get(level, BUDGET["high"])
        if level not in BUDGET:
            lost.add(source)
    taken = min(max(wanted, bounds[0]), bounds[1])
    if taken != wanted:
        lost.add(source)
    return taken


def _level_for(budget: Any) -> str | None:
    """The effort whose budget holds so many tokens."""
    return next((level for level in ("low", "medium") if budget <= BUDGET[level]), "high") if budget else None


def _level(asked: str, source: str, traits: Traits, lost: Lost) -> str:
    if asked not in traits.levels:
        lost.add(source)
    rank = _ORDER.index(asked)
    lower = [level for level in traits.levels if _ORDER.index(level) <= rank]
    return (lower[-1] if lower else traits.levels[0]).upper()
