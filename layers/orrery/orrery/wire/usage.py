"""Token counts, from and to OpenAI's `usage` object (seed 003 adds `cache_creation_tokens`)."""

from typing import Any

from orrery.core.types import Json, Usage

WRITTEN = ("cache_creation_tokens", "cache_write_tokens", "cache_creation_input_tokens")
"""Seed 003's name for what was put into the cache, OpenAI's and OpenRouter's, DashScope's."""


def _count(holder: Any, *names: str) -> int:
    """The first of `names` that holds a whole number from 0 up; 0 when none does (floats with a whole value count)."""
    if isinstance(holder, dict):
        for name in names:
            value = holder.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
                return int(value)
    return 0


def read_usage(usage: Any, *, reasoning_apart: bool = False) -> Usage | None:
    """The counts of an OpenAI-shaped `usage`, or None when it is absent, not an object, or counts below zero.

    Zeros are honoured: the provider says nothing was used. Parts larger than their whole are cut to it.
    `reasoning_apart`: the provider counts reasoning beside `completion_tokens`, not within it.
    """
    if not isinstance(usage, dict) or "prompt_tokens" not in usage:
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens") or 0
    if not isinstance(prompt, int | float) or not isinstance(completion, int | float) or prompt < 0 or completion < 0:
        return None
    of_prompt, of_completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    reasoning = _count(of_completion, "reasoning_tokens")
    prompt, completion = int(prompt), int(completion) + (reasoning if reasoning_apart else 0)
    # DeepSeek and Moonshot have their cached part beside the details; DashScope has its own name for what was written
    # (api-docs.deepseek.com, 2026-11-20; @ai-sdk/moonshotai and @ai-sdk/alibaba, 2026-11-21).
    cached = _count(of_prompt, "cached_tokens") or _count(usage, "prompt_cache_hit_tokens", "cached_tokens")
    cache_read = min(cached, prompt)
    return Usage(
        prompt=prompt,
        completion=completion,
        cache_read=cache_read,
        cache_write=min(_count(of_prompt, *WRITTEN), prompt - cache_read),
        audio_input=min(_count(of_prompt, "audio_tokens"), prompt),
        reasoning=min(reasoning, completion),
        audio_output=min(_count(of_completion, "audio_tokens"), completion),
    )


def write_usage(usage: Usage) -> Json:
    """OpenAI's `usage` object; `total_tokens` is always the sum of the two others."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_creation_tokens": usage.cache_write + usage.cache_write_1h,
            "audio_tokens": usage.audio_input,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.audio_output,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
