"""How hard a model shall think: it may be told not to, or for how many tokens at most.

Sources, read 2026-11-21: "Reasoning" and "Compatibility API" (docs.cohere.com: an effort of "none" or "high" means
`thinking` off or on, others have no counterpart); `Thinking` of the cohere Python SDK 7.3.1.
"""

from orrery.core.types import Json
from orrery.providers.lost import Lost


def thinking_of(body: Json, lost: Lost) -> Json | None:
    """The `thinking` object, or None to leave the model to its default. `thinking` decides, then `reasoning_effort`."""
    wish, effort = body.get("thinking"), body.get("reasoning_effort")
    if wish:
        if effort not in (None, "default", "none" if wish["type"] == "disabled" else "high"):
            lost.add("reasoning_effort")
        if wish.get("thinking_level") not in (None, "high"):
            lost.add("thinking.thinking_level")
        if wish["type"] == "disabled":
            return {"type": "disabled"}
        budget = wish.get("token_budget") or wish.get("budget_tokens")  # the first is Cohere's own name
        return {"type": "enabled", "token_budget": int(budget)} if budget else {"type": "enabled"}
    if effort in (None, "default"):
        return None
    if effort not in ("none", "high"):
        lost.add("reasoning_effort")
    return {"type": "disabled" if effort == "none" else "enabled"}
