"""How hard a model shall think: OpenAI's `reasoning_effort` and Orq's `thinking`, as each model takes them.

`thinking` decides whether, `reasoning_effort` how much. What a model has no level or mode for becomes the nearest it
has, and is named among what was lost.
"""

from typing import Any

from orrery.core.types import Json
from orrery.providers.anthropic.models import EFFORTS, UNKNOWN, Traits
from orrery.providers.lost import Lost

SMALLEST_BUDGET = 1_024
LARGEST_BUDGET = 32_000
"""Tokens. Below is refused; above, Anthropic advises batches ("Extended thinking", platform.claude.com, 2026-11-21)."""

SHARE = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.75, "xhigh": 0.9, "max": 0.95}
"""What part of the answer's tokens an effort may think, on models that take budgets only. Our choice: none is known."""


def effort_of(body: Json) -> str | None:
    """The effort asked for, or the level of thinking that stands for it; "default" (Groq's word) asks for nothing."""
    effort = body.get("reasoning_effort") or level_alone(body.get("thinking"))
    return None if effort == "default" else effort


def level_alone(wish: Json | None) -> Any:
    """Seed 003's `thinking_level`, where no budget says the same in numbers."""
    if wish is None or wish.get("type") != "enabled" or wish.get("budget_tokens"):
        return None
    return wish.get("thinking_level")


def thinking_of(body: Json, traits: Traits, max_tokens: int, *, may_budget: bool, lost: Lost) -> Json | None:
    """The `thinking` object, or None to leave the model to its default.

    `may_budget` False: a budget would be a 400 here, because a tool is forced or the history lacks its thinking.
    """
    wish, effort = body.get("thinking"), effort_of(body)
    name = "thinking" if wish else "reasoning_effort"
    if not wish and effort is None:
        return None
    if wish and wish.get("thinking_level") and effort != wish["thinking_level"]:
        lost.add("thinking.thinking_level")
    if (wish and wish["type"] == "disabled") or (not wish and effort == "none"):
        return _off(traits, name, lost)
    budget = wish.get("budget_tokens") if wish else None
    if traits.adaptive and not (budget and traits.budget and may_budget):
        if budget:
            lost.add("thinking.budget_tokens")
        return {"type": "adaptive", **_display(wish)}
    if not traits.budget or not may_budget:
        lost.add(name)
        return None
    return _budgeted(wish, effort, max_tokens, lost)


def _off(traits: Traits, name: str, lost: Lost) -> Json | None:
    if traits.off:
        return {"type": traits.off}
    if traits.adaptive:  # it always thinks; a model that never does is off already
        lost.add(name)
    return None


def _budgeted(wish: Json | None, effort: str | None, max_tokens: int, lost: Lost) -> Json | None:
    asked = wish.get("budget_tokens") if wish else None
    share = SHARE.get(effort or "", SHARE["high"])  # "high" is the effort of models that measure themselves
    budget = int(asked or min(max(share * max_tokens, SMALLEST_BUDGET), LARGEST_BUDGET))
    if wish and not asked and not level_alone(wish):
        lost.add("thinking")
    if budget >= max_tokens:
        lost.add("thinking.budget_tokens" if asked else "reasoning_effort")
        budget = max_tokens - 1
    if budget < SMALLEST_BUDGET:
        return None
    return {"type": "enabled", "budget_tokens": budget, **_display(wish)}


def _display(wish: Json | None) -> Json:
    """Anthropic's own wish, how thinking is shown, for who knows it."""
    display = (wish or {}).get("display")
    return {"display": display} if display in ("summarized", "omitted") else {}


def level_of(body: Json, traits: Traits, thinking: Json | None, lost: Lost) -> str | None:
    """`output_config.effort`: the level asked for, or the next lower one that the model has."""
    effort = effort_of(body)
    if effort is None or effort == "none":
        return None
    is_off = thinking is not None and thinking["type"] == traits.off
    levels = traits.efforts
    if is_off and traits.off_effort:
        levels = levels[: levels.index(traits.off_effort) + 1]
    if not levels:
        if is_off or (body.get("thinking") or {}).get("budget_tokens"):
            lost.add("reasoning_effort")  # a budget of the caller's own says it all
        return None
    if effort in levels:
        return str(effort)
    lost.add("reasoning_effort")
    asked = EFFORTS.index(effort) if effort in EFFORTS else 0
    lower = [level for level in levels if EFFORTS.index(level) <= asked]
    return lower[-1] if lower else levels[0]


def sampling_of(body: Json, traits: Traits, thinking: Json | None, lost: Lost) -> Json:
    """`temperature`, `top_p` and `top_k`, as far as the model takes them. A default that goes is no loss.

    Temperatures above 1 become 1. Sources, read 2026-11-21: Anthropic's "OpenAI SDK compatibility" (temperature),
    migration guide of Haiku 4.5 (one of two), "Extended thinking" (temperature 1, no top_k, top_p from 0.95 to 1).
    """
    asked = {name: body[name] for name in ("temperature", "top_p", "top_k") if body.get(name) is not None}
    if asked.get("temperature", 0) > 1:
        lost.add("temperature")
        asked["temperature"] = 1
    taken = dict(asked)
    if traits.sampling == "none":
        taken = {}
    elif thinking is not None and thinking["type"] in ("enabled", "adaptive") and traits is not UNKNOWN:
        taken = {name: value for name, value in asked.items() if _suits_thinking(name, value)}
    if traits.sampling == "one" and "temperature" in taken and "top_p" in taken:
        del taken["top_p" if taken["temperature"] != 1 or taken["top_p"] == 1 else "temperature"]
    for name, value in asked.items():
        if name not in taken and not _is_default(name, value):
            lost.add(name)
    if "top_k" in taken and not float(taken["top_k"]).is_integer():
        lost.add("top_k")
        del taken["top_k"]
    return {name: int(value) if name == "top_k" else value for name, value in taken.items()}


def _suits_thinking(name: str, value: Any) -> bool:
    return bool(name == "top_p" and value >= 0.95) or _is_default(name, value)


def _is_default(name: str, value: Any) -> bool:
    return bool(name in ("temperature", "top_p") and value == 1)
