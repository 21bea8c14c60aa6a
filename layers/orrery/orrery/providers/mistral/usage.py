"""Mistral's token counts, as OpenAI lays them out.

Cached tokens have three names (`UsageInfo` in Mistral's OpenAPI document, 2026-08-21). Sound is counted in
`total_tokens` alone, beside the prompt: what the total has more than its parts, where `prompt_audio_seconds` tells of
any ("Audio Transcription", docs.mistral.ai: 10 and 67 of 452 tokens, with 19 seconds; read 2026-11-21).
"""

from dataclasses import replace
from typing import Any

from orrery.core.types import Usage
from orrery.providers.answer import object_of
from orrery.wire import usage as openai


def read_usage(usage: Any) -> Usage | None:
    told = object_of(usage)
    details = object_of(told.get("prompt_tokens_details")) or object_of(told.get("prompt_token_details"))
    cached = details.get("cached_tokens") or told.get("num_cached_tokens")
    counts = openai.read_usage({**told, "prompt_tokens_details": {**details, "cached_tokens": cached}})
    total = told.get("total_tokens")
    if counts is None or not told.get("prompt_audio_seconds") or type(total) is not int or total <= counts.total:
        return counts
    sound = total - counts.total
    return replace(counts, prompt=counts.prompt + sound, audio_input=sound)
