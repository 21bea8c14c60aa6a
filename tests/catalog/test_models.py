"""Finding models by name: exactly, by alias, by rule; and how little is read for it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import orrery
from orrery.catalog import models
from orrery.core.types import Operation, Rates

CACHES = (
    models._find,
    models._named,
    models._listed,
    models.names,
    models._sheet,
    models._index,
    models._aliases,
    models._rules,
    models._model,
)


@pytest.fixture
def cold() -> Iterator[None]:
    """As if nothing had been asked in this process yet."""
    for cached in CACHES:
        cached.cache_clear()
    yield


@pytest.mark.parametrize(
    ("provider", "name", "row"),
    [
        ("openai", "gpt-4o-mini", "gpt-4o-mini"),
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc", "ft:gpt-4o-mini"),
        ("openai", "ft:gpt-4.1-2025-04-14:acme::abc", "ft:gpt-4.1-2025-04-14"),
        ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("anthropic", "claude-opus-5-20260101", "claude-opus-5"),
        ("groq", "llama-3.3-70b-versatile", "llama-3.3-70b-versatile"),
        ("together", "META-LLAMA/llama-3.3-70b-instruct-turbo", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("fireworks", "accounts/fireworks/models/deepseek-v3p2", "accounts/fireworks/models/deepseek-v3p2"),
        ("openrouter", "openai/gpt-4o", "openai/gpt-4o"),
        ("sandbox", "echo", "echo"),
        ("vertex", "gemini-2.5-pro", "gemini-2.5-pro"),
        ("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("bedrock", "global.anthropic.claude-opus-5-v1:0", "global.anthropic.claude-opus-5"),
        ("azure", "gpt-4o-mini", "gpt-4o-mini"),
        ("azure", "eu/gpt-4o", "eu/gpt-4o"),
        ("cohere", "command-a-03-2025", "command-a"),
        ("sambanova", "Meta-Llama-3.3-70B-Instruct", "Meta-Llama-3.3-70B-Instruct"),
        ("moonshot", "kimi-k2.6", "kimi-k2.6"),
        ("qwen", "qwen-plus", "qwen-plus"),
        ("zhipu", "glm-5.3", "GLM-5.3"),
        ("minimax", "MiniMax-M2.5", "MiniMax-M2"),
        ("huggingface", "openai/gpt-oss-120b:groq", "openai/gpt-oss-120b:groq"),
        ("cloudflare", "@cf/openai/gpt-oss-120b", "@cf/openai/gpt-oss-120b"),
        ("databricks", "databricks-claude-haiku-4-5", "databricks-claude-haiku-4-5"),
        ("ai21", "jamba-large", "jamba-large"),
        ("novita", "zai-org/glm-5", "zai-org/glm-5"),
        ("deepinfra", "deepseek-ai/DeepSeek-V3.2", "deepseek-ai/DeepSeek-V3.2"),
        ("hyperbolic", "Qwen/Qwen2.5-VL-72B-Instruct", "Qwen/Qwen2.5-VL-72B-Instruct"),
        ("nebius", "moonshotai/Kimi-K3", "moonshotai/Kimi-K3"),
    ],
)
def test_a_name_finds_its_row_with_a_price(provider: str, name: str, row: str) -> None:
    found = models.find(provider, name)
    assert found is not None and found.price is not None
    assert (found.provider, found.name) == (provider, row)
    assert found.price.rates.output > 0
    assert found.source and found.checked


def test_gpt_4o_mini_costs_what_its_maker_publishes() -> None:
    found = models.find("openai", "gpt-4o-mini")
    assert found is not None and found.price is not None
    assert found.price.rates == Rates(input=150_000, output=600_000, cache_read=75_000)
    assert found.context_window == 128_000


def test_a_dearer_tier_comes_with_all_its_rates() -> None:
    found = models.find("openai", "gpt-5.4")
    assert found is not None and found.price is not None
    assert found.price.above == ((272_000, Rates(5_000_000, 22_500_000, cache_read=500_000)),)


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "no-such-model"),
        ("openai", ""),
        ("openai", "claude-haiku-4-5"),
        ("openai", "gpt-4o-mini\n"),
        ("no-such-provider", "gpt-4o-mini"),
        ("../data/openai", "gpt-4o-mini"),
        ("", "gpt-4o-mini"),
        ("openai", "ft:gpt-4o-2024-" + "a" * 300),
    ],
)
def test_what_is_unknown_is_none(provider: str, name: str) -> None:
    assert models.find(provider, name) is None


@pytest.mark.parametrize(("provider", "name"), [("openai", "gpt-realtime"), ("google", "gemini-2.5-flash-live-001")])
def test_what_speaks_another_protocol_is_no_row(provider: str, name: str) -> None:
    assert models.find(provider, name) is None


@pytest.mark.parametrize(
    ("provider", "name", "operations", "unit"),
    [
        ("openai", "gpt-image-1", (Operation.IMAGES, Operation.IMAGE_EDITS), ""),
        ("openai", "whisper-1", (Operation.TRANSCRIPTIONS, Operation.TRANSLATIONS), "audio_ms"),
        ("openai", "gpt-4o-mini-tts", (Operation.SPEECH,), ""),
        ("openai", "tts-1", (Operation.SPEECH,), "character"),
        ("openai", "gpt-4o-transcribe", (Operation.TRANSCRIPTIONS,), ""),
        ("openai", "omni-moderation-latest", (Operation.MODERATIONS,), ""),
        ("google", "gemini-2.5-flash-image", (Operation.IMAGES, Operation.IMAGE_EDITS), ""),
        ("mistral", "mistral-ocr-latest", (Operation.OCR,), "page"),
        ("groq", "whisper-large-v3", (Operation.TRANSCRIPTIONS, Operation.TRANSLATIONS), "audio_ms"),
        ("cohere", "rerank-v4.0-fast", (Operation.RERANK,), "search"),
        ("deepgram", "nova-3", (Operation.TRANSCRIPTIONS,), "audio_ms"),
    ],
)
def test_what_answers_with_no_text_has_a_price_of_its_kind(
    provider: str, name: str, operations: tuple[Operation, ...], unit: str
) -> None:
    row = models.find(provider, name)
    assert row is not None and row.operations == operations and row.price is not None
    assert (unit in row.price.units) is bool(unit)


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("gpt-4o", Operation.CHAT),
        ("gpt-5-codex", Operation.RESPONSES),
        ("o1-pro-2025-03-19", Operation.RESPONSES),
        ("gpt-3.5-turbo-instruct", Operation.COMPLETIONS),
        ("text-embedding-3-small", Operation.EMBEDDINGS),
    ],
)
def test_a_model_says_what_it_serves(name: str, operation: Operation) -> None:
    found = models.find("openai", name)
    assert found is not None
    assert found.operations == (operation,)


@pytest.mark.parametrize("name", ["gpt-4o-search-preview", "gpt-4o-audio-preview", "o3-deep-research"])
def test_a_model_whose_cost_cannot_be_told_from_tokens_has_no_price(name: str) -> None:
    found = models.find("openai", name)
    assert found is not None and found.price is None


def test_a_bare_name_goes_to_its_maker_first() -> None:
    assert models.named("gpt-4.1") == ("openai", "azure")
    assert models.named("claude-haiku-4-5-20251001") == ("anthropic",)
    assert models.named("gemini-2.5-pro") == ("google", "vertex")
    assert models.named("openai/gpt-oss-120b")[:2] == ("groq", "together")
    assert models.named("openai/gpt-oss-120b")[-1] == "openrouter"
    assert models.named("no-such-model") == ()


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_index_finds_what_looking_into_every_sheet_finds(slash: str) -> None:
    known = {
        n for provider in models.PREFERENCE for n in (*models._aliases(provider), *models._sheet(provider)["models"])
    }
    dated = {f"{name}-20260101" for name in sorted(known)[::7]}
    for name in sorted(known | dated):
        if ("/" in name) is bool(slash):
            assert set(models.named(name)) == {p for p in models.PREFERENCE if models.find(p, name)}, name


def test_exact_matches_come_before_rules(monkeypatch: pytest.MonkeyPatch, cold: None) -> None:
    index = {"providers": ["groq", "openai", "xai"], "names": {"xy": [0, 2]}, "rules": {"x*": [0, 1], "z*": [2]}}
    monkeypatch.setattr(models, "_index", lambda kind: index)
    monkeypatch.setattr(models, "_by_rule", lambda provider, name: "x*")
    assert models.named("XY") == ("xai", "groq", "openai")


def test_a_model_costs_more_in_a_region_where_its_provider_says_so() -> None:
    everywhere, there = (
        models.find("vertex", "gemini-3.5-flash", "global"),
        models.find("vertex", "gemini-3.5-flash", "eu"),
    )
    assert everywhere and there and everywhere.price and there.price and everywhere.name == there.name
    assert there.price.rates.input * 10 == everywhere.price.rates.input * 11
    assert everywhere == models.find("vertex", "gemini-3.5-flash")
    tokyo, ohio = [models.find("bedrock", "deepseek.v3.2", region) for region in ("ap-northeast-1", "us-east-2")]
    assert tokyo and tokyo.price and ohio and ohio.price
    assert tokyo.price.rates.input > ohio.price.rates.input


def test_a_region_nobody_has_a_price_for_changes_nothing() -> None:
    assert models.find("openai", "gpt-4o", "mars-1") == models.find("openai", "gpt-4o")
    assert models.find("openai", "gpt-4o", "m" * 300) == models.find("openai", "gpt-4o")


def test_what_was_switched_off_keeps_its_price_and_leaves_the_list() -> None:
    old = models.find("openai", "gpt-4")
    assert old is not None and old.price is not None
    assert "gpt-4" not in models.names("openai") and "gpt-4o" in models.names("openai")
    assert models.names("no-such-provider") == ()


def test_facts_beside_the_price_come_with_a_model() -> None:
    model = models.find("anthropic", "claude-haiku-4-5")
    assert model is not None
    assert (model.context_window, model.max_output, model.reasoning) == (200_000, 64_000, True)
    assert model.input_modalities == ("text", "image", "pdf")


def test_the_router_of_hugging_face_has_no_price_without_a_host() -> None:
    assert models.find("huggingface", "openai/gpt-oss-120b") is None


@pytest.fixture(autouse=True)
def no_traces() -> Iterator[None]:
    """What a test made of the catalog dies with it."""
    yield
    for cached in CACHES:
        if cached not in (models._sheet, models._index):
            cached.cache_clear()


def test_listed_is_sorted_and_only_of_the_providers_asked_for() -> None:
    found = models.listed(["sandbox", "anthropic", "unknown"])
    ids = [model.id for model in found]
    assert ids == sorted(ids)
    assert ids[-1] == "sandbox/speak"
    assert {model.provider for model in found} == {"anthropic", "sandbox"}


def test_every_listed_model_is_found_again_under_its_name() -> None:
    for model in models.listed(models.PREFERENCE):
        assert models.find(model.provider, model.name) is model


def test_price_rules_for_fine_tunes_are_not_listed() -> None:
    assert not [model.id for model in models.listed(["openai"]) if "ft:" in model.id or ".ft-" in model.id]


def test_find_reads_one_providers_file_only(cold: None) -> None:
    models.find("openai", "gpt-4o-mini")
    models.find("openai", "no-such-model")
    assert models._sheet.cache_info().currsize == 1


def test_a_bare_name_opens_no_sheet_at_all(cold: None) -> None:
    assert models.named("gpt-4o-mini") and not models.named("no-such-model")
    assert models._sheet.cache_info().currsize == 0
    assert models._index.cache_info().currsize == 1


def test_a_name_that_only_a_rule_takes_opens_the_sheets_of_that_rule(cold: None) -> None:
    assert models.named("gpt-5-nano-2099-01-01") == ("openai",)
    assert models._sheet.cache_info().currsize == 1


def test_importing_reads_no_data_and_no_genai_prices() -> None:
    asked = "import sys; from orrery.catalog import models; print(models._sheet.cache_info().currsize, *sys.modules)"
    folder = Path(orrery.__file__).parent.parent
    shown = subprocess.run([sys.executable, "-c", asked], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("0 ")
    assert not {"genai_prices", "pydantic", "httpx"} & set(shown.split())


@pytest.mark.parametrize(
    ("name", "rule", "fits"),
    [
        ("gpt-5-nano-x", "gpt-5-nano-*", True),
        ("gpt-5-nano", "gpt-5-nano-*", False),
        ("x-claude-opus-5", "*claude-opus-5", True),
        ("claude-opus-5-5", "*claude-opus-5", False),
        ("a-claude-v2-b", "*claude-v2*", True),
        ("claude-opus-5-20260101", "claude-opus-5-########", True),
        ("claude-opus-5-2026010", "claude-opus-5-########", False),
        ("claude-opus-5-202601011", "claude-opus-5-########", False),
        ("claude-opus-5-2026010x", "claude-opus-5-########", False),
        ("claude-opus-5-2026010²", "claude-opus-5-########", False),
        ("gemini-3.5-flash-001", "gemini-3.5-flash-#*", True),
        ("gemini-3.5-flash-lite", "gemini-3.5-flash-#*", False),
        ("", "*", True),
    ],
)
def test_rules(name: str, rule: str, fits: bool) -> None:
    assert models.is_like(name, rule) is fits


@given(st.text(max_size=256))
def test_any_text_is_looked_for_without_harm(name: str) -> None:
    for provider in models.named(name):
        assert models.find(provider, name)
