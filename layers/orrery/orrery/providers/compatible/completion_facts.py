"""What is particular about each provider's completions on OpenAI's wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

READ = "read 2026-11-21"

NOTHING: Mapping[str, tuple[Any, ...]] = {"best_of": (0, 1), "echo": (False,), "suffix": ("",), "n": (1,)}
"""Values that ask for nothing that would not happen anyway: no loss where a provider does not have the parameter."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is particular about a provider's completions; each has its `source`, with the day it was read.

    `one_text`: a prompt is one text there. `lacks`: parameters that it does not have and that the answer would be
    another without: they are refused. `drop`: others that it does not have. `is_short`: where no limit is stated, its
    own is OpenAI's (`MAX_TOKENS`); to others that limit is sent, so that an answer is as long as what was held for it.
    `stream_usage` False: it has no `stream_options` here, whatever the row says of chat; usage comes unasked.
    """

    source: str
    path: str = "/completions"
    one_text: bool = False
    lacks: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()
    is_short: bool = False
    stream_usage: bool = True


ANY = Facts("a server of the operator's own: as llama.cpp and others that have this endpoint")

OPENAI = Facts(f"OpenAI API document 2.3.0, CreateCompletionRequest; {READ}", is_short=True)

FACTS: Mapping[str, Facts] = {
    "openai": OPENAI,
    "azure": OPENAI,
    "together": Facts(
        f"together 3.1.1 (Python SDK), CompletionCreateParams: the prompt is a string; {READ}",
        one_text=True,
        lacks=frozenset({"best_of", "suffix"}),
        drop=frozenset({"user", "metadata", "service_tier"}),
        stream_usage=False,
    ),
    "fireworks": Facts(
        f"fireworks-ai 1.2.30 (Python SDK), CompletionCreateParams; it refuses fields that it does not know; {READ}",
        lacks=frozenset({"best_of", "suffix"}),
    ),
    "novita": Facts(
        f"'Create completion' (novita.ai/docs/api-reference/model-apis-llm-create-completion); {READ}",
        path="/v1/completions",
        lacks=frozenset({"echo", "suffix"}),
        drop=frozenset({"user", "metadata", "service_tier"}),
    ),
    "deepinfra": Facts(f"@ai-sdk/deepinfra (github.com/vercel/ai, 2026-08-22), completionModel; {READ}"),
    "deepseek": Facts(
        f"'FIM Completion (Beta)' (api-docs.deepseek.com), at a path of its own, for deepseek-v4-pro; {READ}",
        path="/beta/completions",
        one_text=True,
        lacks=frozenset({"best_of", "n"}),
        drop=frozenset({"logit_bias", "seed", "user", "metadata", "service_tier"}),
    ),
    "ollama": Facts(
        "github.com/ollama/ollama, openai/openai.go, CompletionRequest: what that lacks is not read, and the prompt is "
        f"a string; {READ}",
        one_text=True,
        lacks=frozenset({"best_of", "echo", "logprobs", "n"}),
        drop=frozenset({"logit_bias", "user", "metadata", "service_tier"}),
    ),
    "vllm": Facts(
        f"docs.vllm.ai, CompletionRequest: max_tokens is 16 unless it is given; {READ}",
        is_short=True,
    ),
    "sandbox": Facts("Orrery's own practice provider", is_short=True),
}
"""By provider; others get what comes, as it comes."""
