"""Whose responses are asked for natively, and whose over the provider's chat."""

import pytest

from orrery import providers
from orrery.core.types import Operation, Target
from orrery.providers.serving import adapter_for

CHAT, RESPONSES, BOTH = (Operation.CHAT,), (Operation.RESPONSES,), (Operation.CHAT, Operation.RESPONSES)
DATED, V1 = "api-version=2025-04-01-preview", "api-version=preview"


@pytest.mark.parametrize(
    ("provider", "model", "known", "query", "way"),
    [
        ("openai", "gpt-5", CHAT, "", "compatible"),
        ("openai", "gpt-5-pro", RESPONSES, "", "compatible"),
        ("openai", "gpt-4o-audio-preview", CHAT, "", "bridge"),
        ("openai", "gpt-5-search-api-2025-10-14", CHAT, "", "bridge"),
        ("openai", "text-embedding-3-small", (Operation.EMBEDDINGS,), "", None),
        ("azure", "my-deployment", (), "", "compatible"),
        ("azure", "gpt-5", BOTH, V1, "compatible"),
        ("azure", "grok-4", CHAT, "", "bridge"),
        ("azure", "gpt-5", BOTH, DATED, "bridge"),
        ("azure", "o3-pro", RESPONSES, DATED, None),
        ("xai", "grok-4.3", CHAT, "", "compatible"),
        ("ollama", "qwen3", (), "", "bridge"),
        ("sandbox", "echo", (), "", "bridge"),
        ("anthropic", "claude", CHAT, "", "bridge"),
        ("perplexity", "openai/gpt-5", RESPONSES, "", None),
        ("voyage", "voyage-3", (), "", None),
    ],
)
def test_the_provider_s_own_are_taken_where_it_has_them(provider, model, known, query, way):
    found = providers.get(provider)
    assert found is not None
    made = adapter_for(found, Operation.RESPONSES, Target(provider, model, "", query=query, operations=known))
    assert (made and made.decode.__module__.removeprefix("orrery.providers.").split(".")[0]) == way
