"""Who judges each provider's cases beside ourselves: its vendor's own published types, or OpenAI's alone."""

from pathlib import Path

import pytest

from orrery import providers
from tests.providers.cases import CHATTING

HERE = Path(__file__).parent

OWN_JUDGES = {
    "anthropic": ("test_anthropic_judged.py", "from anthropic.types import"),
    "azure": ("test_azure_judged.py", "from openai.types"),
    "bedrock": ("test_bedrock_judged.py", "botocore"),
    "cohere": ("test_cohere_judged.py", "from cohere"),
    "google": ("test_google_judged.py", "google.genai"),
    "mistral": ("test_mistral_judged.py", "mistralai"),
    "openai": ("test_openai_judged.py", "from openai.types"),
    "vertex": ("test_google_judged.py", "google.genai"),
}
"""The test module in which the vendor's types judge, and what it imports of them."""

BY_OPENAIS_TYPES_ALONE = (
    {"ai21", "cerebras", "cloudflare", "databricks", "deepinfra", "deepseek", "fireworks", "github", "groq"}
    | {"huggingface", "hyperbolic", "minimax", "moonshot", "nebius", "novita", "nvidia", "ollama", "openrouter"}
    | {"perplexity", "qwen", "sambanova", "together", "vllm", "xai", "zhipu", "sandbox"}
)
"""They speak OpenAI's wire; their own SDKs, where there are any, were read but do not judge."""


def test_every_provider_has_a_judge_or_is_listed_as_having_none_of_its_own() -> None:
    assert set(OWN_JUDGES) | BY_OPENAIS_TYPES_ALONE == set(CHATTING)
    assert not set(OWN_JUDGES) & BY_OPENAIS_TYPES_ALONE
    assert set(providers.DIALECTS) & set(CHATTING) <= set(OWN_JUDGES), "a dialect of its own needs a judge of its own"


@pytest.mark.parametrize("provider", OWN_JUDGES)
def test_the_judge_is_the_vendors(provider: str) -> None:
    module, imported = OWN_JUDGES[provider]
    assert imported in (HERE / module).read_text(encoding="utf-8")
