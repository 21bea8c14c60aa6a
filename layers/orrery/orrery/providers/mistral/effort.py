"""How hard a model shall think: `reasoning_effort`, as each model takes it.

The API's schema knows seven levels (`ReasoningEffort` of the mistralai Python SDK 3.7), but Mistral's own models take
"none" and "high" alone ("Reasoning", docs.mistral.ai; "reasoning_effort='medium' is not supported for this model. Must
be one of …", 400, quoted in github.com/architects-toolkit/SmartHopper/issues/647, 2026-07-06). Other makers' models
that it serves take others (github.com/mistralai/mistral-vibe/issues/1117, 2026-09-21). All read 2026-11-21.
"""

from orrery.core.types import Json
from orrery.providers.lost import Lost

MAKERS_OWN = ("mistral", "ministral", "magistral", "mixtral", "codestral", "devstral", "pixtral", "voxtral")


def effort_of(body: Json, model: str, lost: Lost) -> str | None:
    """The level to send, or None to leave the model to its default. `thinking` decides, then `reasoning_effort`."""
    wish, effort = body.get("thinking"), body.get("reasoning_effort")
    effort, name = None if effort == "default" else effort, "reasoning_effort"
    if wish:
        off, level = wish["type"] == "disabled", wish.get("thinking_level")
        if wish.get("budget_tokens"):
            lost.add("thinking.budget_tokens")
        if effort is not None and (effort == "none") != off:
            lost.add("reasoning_effort")
        if off:
            return "none"
        if effort in (None, "none"):
            effort, name = level or "high", "thinking.thinking_level"
        elif level not in (None, effort):
            lost.add("thinking.thinking_level")
    if effort in (None, "none", "high") or not is_own(model):
        return effort
    lost.add(name)
    return "high"


def is_own(model: str) -> bool:
    """Whether Mistral made the model, by its name."""
    name = model.lower()
    return any(own in name for own in MAKERS_OWN)
