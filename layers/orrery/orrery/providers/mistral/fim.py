"""Completions of Mistral's code models: what fits between a prompt and a suffix. The replies are those of its chat.

Source: FIMCompletionRequest and FIMCompletionResponse of the mistralai Python SDK 3.7, read 2026-11-21.
"""

from dataclasses import replace

from orrery.core.dialect import Encoded
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Target
from orrery.providers.bridge.completions import translating
from orrery.providers.compatible.completion_facts import NOTHING
from orrery.providers.lost import Lost
from orrery.providers.mistral import CHAT
from orrery.providers.prompts import text_of
from orrery.wire.completions import MAX_TOKENS

TAKES = frozenset({"temperature", "top_p", "max_tokens", "min_tokens", "stream", "stop", "metadata", "suffix"})
RENAMED = {"seed": "random_seed"}
LACKS = frozenset({"best_of", "echo", "logprobs", "n"})
"""What the answer would be another without."""


def encode(call: Call, target: Target) -> Encoded:
    """Raises `InvalidRequest` for tokens, and for what Mistral does not have and nothing can stand for."""
    lost = Lost()
    body: Json = {"model": target.model, "prompt": text_of(call, target.provider), "max_tokens": MAX_TOKENS}
    for name, value in call.body.items():
        if value is None or name in ("model", "prompt", "stream_options") or value in NOTHING.get(name, ()):
            continue
        if name in LACKS:
            raise InvalidRequest(f"{target.provider} has no '{name}' for completions.", param=name)
        if name in TAKES or name in RENAMED or name == "prompt_cache_key":
            body[RENAMED.get(name, name)] = value
        else:
            lost.add(name)
    return Encoded(body, lost.names())


ADAPTER = replace(translating(CHAT), path=lambda call, target: "/fim/completions", encode=encode)
