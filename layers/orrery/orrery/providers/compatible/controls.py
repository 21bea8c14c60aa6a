"""Whether and how hard a model shall think: OpenAI's `reasoning_effort` and Orq's `thinking`, as a provider says it.

`thinking` decides whether, `reasoning_effort` how much. A level of thinking stands for an effort where none is given.
"""

from typing import Any

from orrery.core.types import Json
from orrery.providers.compatible.row import EFFORTS, Controls
from orrery.providers.lost import Lost


def controlled(asked: Json, controls: Controls, lost: Lost) -> Json:
    """The request with both parameters in the provider's words; what these cannot say is named in `lost`."""
    wish, effort = asked.get("thinking"), asked.get("reasoning_effort")
    rest = {name: value for name, value in asked.items() if name not in ("thinking", "reasoning_effort")}
    if effort == "default" and "default" not in controls.efforts:
        effort = None  # Groq's word; it asks for nothing
    if wish is not None:
        said = _switched(wish, controls, lost, effort=effort)
        level = _level(wish, effort, controls, lost)
    elif effort == "none" and "none" not in controls.efforts:
        if controls.off is None:
            lost.add("reasoning_effort")
        said, level = controls.off or {}, None
    else:
        said, level = {}, effort
    if level is not None and controls.either and said:
        lost.add("reasoning_effort")
    elif level is not None:
        said = _merged(_effort(level, controls, lost), said)
    return _merged(rest, said)


def _switched(wish: Json, controls: Controls, lost: Lost, *, effort: str | None) -> Json:
    """What says whether to think, and within which budget."""
    words = {"enabled": controls.on, "disabled": controls.off, "adaptive": controls.adaptive}
    said = words.get(wish["type"])
    enabled = wish["type"] == "enabled"
    budget = wish.get("budget_tokens") if enabled and not wish.get("thinking_level") else None
    if budget and not controls.budget:
        lost.add("thinking.budget_tokens")
    if said is None and not (enabled and (effort or wish.get("thinking_level"))):
        lost.add("thinking")
    return _merged(said or {}, _nested(controls.budget, int(budget)) if budget and controls.budget else {})


def _level(wish: Json, effort: str | None, controls: Controls, lost: Lost) -> str | None:
    """The effort beside a wish: none where thinking is off, for that says it all."""
    level = wish.get("thinking_level") if wish["type"] == "enabled" else None
    if effort and level and effort != level:
        lost.add("thinking.thinking_level")
    if wish["type"] == "disabled" and controls.off is not None:
        if effort not in (None, "none"):
            lost.add("reasoning_effort")
        return None
    return effort or level


def _effort(level: str, controls: Controls, lost: Lost) -> Json:
    """`reasoning_effort` with this level, or the next lower one that the provider takes, or its lowest."""
    if level in controls.efforts:
        return {"reasoning_effort": level}
    lost.add("reasoning_effort")
    known = [each for each in EFFORTS if each in controls.efforts and each != "none"]
    asked = EFFORTS.index(level) if level in EFFORTS else 0
    lower = [each for each in known if EFFORTS.index(each) <= asked]
    return {"reasoning_effort": (lower[-1:] or known[:1])[0]} if known else {}


def _nested(dotted: str, value: Any) -> Json:
    for name in reversed(dotted.split(".")):
        value = {name: value}
    found: Json = value
    return found


def _merged(given: Json, said: Json) -> Json:
    """Both; where they meet, objects are merged, and what is `said` wins."""
    found = dict(given)
    for name, value in said.items():
        both = isinstance(value, dict) and isinstance(found.get(name), dict)
        found[name] = _merged(found[name], value) if both else value
    return found
