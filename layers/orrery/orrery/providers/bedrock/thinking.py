"""How hard a model shall think, in the field that each family has for it: all in `additionalModelRequestFields`.

Claude's is as Anthropic's dialect has it ("Adaptive thinking", docs.aws.amazon.com/bedrock). Sources of the others,
read 2026-11-21: "Extended thinking in Amazon Nova 2" (docs.aws.amazon.com/nova), and that its "high" takes no limit of
its answer, UKGovernmentBEIS/inspect_ai#3767 (2026-04-24); for gpt-oss and Qwen3, recordings of 2026-05 in
pydantic/pydantic-ai; for Kimi, langchain-ai/langchain-aws, utils.py, 2026-08-20.
"""

from collections.abc import Mapping
from typing import NamedTuple

from orrery.core.types import Json
from orrery.providers.anthropic.models import EFFORTS
from orrery.providers.anthropic.thinking import effort_of
from orrery.providers.bedrock.models import Traits
from orrery.providers.lost import Lost


class Field(NamedTuple):
    """A family's field, its levels from low to high, and the one that stands for thinking as such."""

    name: str
    levels: tuple[str, ...]
    usual: str


FIELDS: Mapping[str, Field] = {
    "nova": Field("reasoningConfig", ("low", "medium", "high"), "medium"),
    "openai": Field("reasoning_effort", ("low", "medium", "high"), "medium"),
    "qwen": Field("reasoning_config", ("low", "high"), "high"),
    "kimi": Field("reasoning_effort", ("low", "high", "max"), "high"),
}

_ORDER = ("minimal", *EFFORTS)
_UNLIMITED = ("maxTokens", "temperature", "topP")


def thinking_of(body: Json, traits: Traits, inference: Json, lost: Lost) -> Json:
    """The field of a model that is not Claude; nothing to leave it to its default. `inference`: what else it is told.

    What a model has no level or mode for becomes the nearest it has, and is named among what was lost.
    """
    wish, effort = body.get("thinking"), effort_of(body)
    name = "thinking" if wish else "reasoning_effort"
    if not wish and effort is None:
        return {}
    is_off = wish["type"] == "disabled" if wish else effort == "none"
    field = FIELDS.get(traits.thinking or "")
    if field is None or is_off:
        # Nova thinks when asked, the others always.
        if not is_off or (field is not None and traits.thinking != "nova"):
            lost.add(name)
        return {}
    if wish and wish.get("budget_tokens"):
        lost.add("thinking.budget_tokens")
    level = _nearest(effort, field, lost) if effort and effort != "none" else field.usual
    if traits.thinking != "nova":
        return {field.name: level}
    if level == "high" and any(limit in inference for limit in _UNLIMITED):
        lost.add("reasoning_effort" if body.get("reasoning_effort") else "thinking.thinking_level")
        level = "medium"
    return {field.name: {"type": "enabled", "maxReasoningEffort": level}}


def _nearest(effort: str, field: Field, lost: Lost) -> str:
    """The level asked for, or the next lower one that the model has."""
    if effort in field.levels:
        return effort
    lost.add("reasoning_effort")
    lower = [level for level in field.levels if _ORDER.index(level) <= _ORDER.index(effort)]
    return lower[-1] if lower else field.levels[0]
