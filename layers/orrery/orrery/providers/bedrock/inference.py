"""How the answer is made: its length, sampling, stop sequences and thinking.

Converse takes four of these from every model (`InferenceConfiguration` in botocore 1.44.5, read 2026-11-21); the rest
are the model's own fields.
"""

from typing import Any

from orrery.core.types import Json, Target
from orrery.providers.anthropic.encode import max_tokens_of
from orrery.providers.anthropic.models import Traits as ClaudeTraits
from orrery.providers.anthropic.thinking import level_of, sampling_of
from orrery.providers.anthropic.thinking import thinking_of as claude_thinking_of
from orrery.providers.bedrock.models import Traits
from orrery.providers.bedrock.thinking import thinking_of
from orrery.providers.lost import Lost

RENAMED = {"temperature": "temperature", "top_p": "topP"}


def inference_of(
    asked: Json, traits: Traits, target: Target, *, may_budget: bool, lost: Lost
) -> tuple[Json, dict[str, Any]]:
    """`inferenceConfig`, and the model's own fields. `may_budget` False: a thinking budget would be a 400 here.

    Claude's answers always get a limit, as from Anthropic itself: it is what the ledger holds.
    """
    limit = asked.get("max_completion_tokens") or asked.get("max_tokens")
    if traits.claude is not None:
        limit = max_tokens_of(asked, traits.claude, target)
        sampling, more = _of_claude(asked, traits.claude, limit, may_budget=may_budget, lost=lost)
    else:
        sampling, more = _of_others(asked, traits, lost)
    inference: Json = {"maxTokens": int(limit)} if limit else {}
    inference |= {RENAMED[name]: value for name, value in sampling.items()}
    if traits.claude is None:
        more |= thinking_of(asked, traits, inference, lost)
    if stops := _stop_sequences(asked, traits, lost):
        inference["stopSequences"] = stops
    return inference, more


def _of_claude(
    asked: Json, known: ClaudeTraits, max_tokens: int, *, may_budget: bool, lost: Lost
) -> tuple[Json, dict[str, Any]]:
    """Sampling and fields, by the rules of Anthropic's own dialect."""
    thinking = claude_thinking_of(asked, known, max_tokens, may_budget=may_budget, lost=lost)
    effort = level_of(asked, known, thinking, lost)
    sampling = sampling_of(asked, known, thinking, lost)
    more: Json = {"thinking": thinking} if thinking else {}
    if effort:
        more["output_config"] = {"effort": effort}
    if "top_k" in sampling:
        more["top_k"] = sampling.pop("top_k")
    return sampling, more


def _of_others(asked: Json, traits: Traits, lost: Lost) -> tuple[Json, dict[str, Any]]:
    """Sampling within Converse's bounds; `top_k` where Nova has it (recorded 2026-05 by pydantic/pydantic-ai)."""
    sampling = {name: asked[name] for name in RENAMED if asked.get(name) is not None}
    if sampling.get("temperature", 0) > 1:
        lost.add("temperature")
        sampling["temperature"] = 1
    top_k = asked.get("top_k")
    if top_k is None:
        return sampling, {}
    if not traits.top_k or not float(top_k).is_integer():
        lost.add("top_k")
        return sampling, {}
    return sampling, {"inferenceConfig": {"topK": int(top_k)}}


def _stop_sequences(body: Json, traits: Traits, lost: Lost) -> list[str]:
    """Without empty ones, nor for Claude blank ones: "must contain non-whitespace" (BerriAI/litellm#3286)."""
    stop = body.get("stop") or []
    asked = [stop] if isinstance(stop, str) else stop
    taken = [sequence for sequence in asked if (sequence.strip() if traits.claude else sequence)]
    if not traits.stops:
        taken = []
    if len(taken) < len(asked):
        lost.add("stop")
    return taken
