"""The data files: every row has a source, and nothing in it that the catalog would not understand."""

from datetime import date
from itertools import pairwise
from typing import Any

import orjson
import pytest
from scripts.catalog import kinds

from orrery import providers
from orrery.catalog import models
from orrery.catalog.units import is_unit
from orrery.core.types import Operation, Rates
from orrery.edge.sandbox import MODELS

FILES = sorted(path for path in models.DATA.glob("*.json") if not path.name.startswith("_"))
SHEETS = {path.stem: orjson.loads(path.read_bytes()) for path in FILES}
ROWS = [(provider, name, row) for provider, sheet in SHEETS.items() for name, row in sheet["models"].items()]
KEYS = {
    "operations": list,
    "context_window": int,
    "max_output": int,
    "reasoning": bool,
    "regional": dict,
    "source": int,
    "rates": dict,
    "above": list,
    "request": int,
    "units": dict,
    "note": str,
    "input_modalities": list,
    "output_modalities": list,
    "aliases": list,
    "matches": list,
    "never": list,
    "listed": bool,
}
DEAREST_PICO = 10**9
"""1,000 USD per million tokens: dearer than any model so far, so a unit mistaken in a source shows."""

DEAREST_UNIT_PICO = 10**12
"""1 USD for a picture, a page, a search or a second: none is dearer so far."""

TEXTUAL = {"chat", "text_completion", "embeddings", "responses"}
MODALITIES = {"text", "image", "audio", "video", "pdf", "embedding", "score"}
WITHOUT_A_PRICE = {"nvidia", "github", "nomic", "mixedbread"}
"""Providers that no source has prices for; their files say why."""


def rates_in(row: dict[str, Any]) -> list[dict[str, int]]:
    return [rates for rates in (row.get("rates"), *(rates for _, rates in row.get("above", ()))) if rates]


def every_rates_in(row: dict[str, Any]) -> list[dict[str, int]]:
    return [*rates_in(row), *rates_in(row.get("regional", {}))]


def test_every_provider_that_may_be_asked_has_a_file_and_no_other() -> None:
    assert {path.stem for path in FILES} == set(models.PREFERENCE)


@pytest.mark.parametrize("provider", SHEETS)
def test_every_file_says_where_it_is_from_and_when_it_was_checked(provider: str) -> None:
    sheet = SHEETS[provider]
    assert date.fromisoformat(sheet["checked"]) >= date(2026, 11, 21)
    assert len(set(sheet["sources"])) == len(sheet["sources"])
    assert {row.get("source", 0) for row in sheet["models"].values()} == set(range(len(sheet["sources"])))
    if provider != "sandbox":
        assert all("https://" in source for source in sheet["sources"])


@pytest.mark.parametrize("provider", SHEETS)
def test_every_provider_has_prices_or_says_why_not(provider: str) -> None:
    priced = any("rates" in row or "units" in row for row in SHEETS[provider]["models"].values())
    assert priced is (provider not in WITHOUT_A_PRICE)
    assert ("note" in SHEETS[provider]) is not priced


def test_every_row_has_known_fields_of_the_right_type() -> None:
    for provider, name, row in ROWS:
        assert all(type(value) is KEYS[key] for key, value in row.items()), (provider, name)
        assert 0 < len(name) <= models.LONGEST_NAME and name.isprintable()
        assert row["operations"] and all(Operation(operation) for operation in row["operations"])
        assert row.get("context_window", 1) > 0
        assert 0 < row.get("max_output", 1) <= row.get("context_window", 10**9)
        assert {*row.get("input_modalities", ()), *row.get("output_modalities", ())} <= MODALITIES
        assert row.get("aliases", True) and row.get("matches", True)


def test_every_rate_is_a_sane_integer_and_every_missing_price_has_a_reason() -> None:
    for provider, name, row in ROWS:
        assert ("rates" in row or "units" in row) != ("note" in row), (provider, name)
        for rates in every_rates_in(row):
            assert {"input", "output"} <= rates.keys() <= set(Rates.__slots__), (provider, name)
            assert all(type(pico) is int and 0 <= pico <= DEAREST_PICO for pico in rates.values()), (provider, name)


def test_every_unit_has_a_known_name_and_a_sane_price() -> None:
    for provider, name, row in ROWS:
        for unit, pico in row.get("units", {}).items():
            assert is_unit(unit) and type(pico) is int, (provider, name, unit)
            a_second = pico * 1_000 if "_ms" in unit else pico
            assert 0 < a_second <= DEAREST_UNIT_PICO, (provider, name, unit)


def test_pictures_and_sound_are_sold_one_way() -> None:
    for provider, name, row in ROWS:
        if "units" in row and not TEXTUAL & set(row["operations"]):
            assert "rates" not in row, (provider, name)


def test_a_picture_is_sold_by_the_piece_or_by_its_tokens_and_never_by_both() -> None:
    for provider, name, row in ROWS:
        by_the_piece = any(unit.startswith("image") for unit in row.get("units", {}))
        by_tokens = any("image_output" in rates for rates in rates_in(row))
        assert not (by_the_piece and by_tokens), (provider, name)


BY_UNITS = (
    *(Operation.IMAGES, Operation.IMAGE_EDITS, Operation.IMAGE_VARIATIONS, Operation.VIDEOS),
    *(Operation.SPEECH, Operation.TRANSCRIPTIONS, Operation.TRANSLATIONS, Operation.OCR, Operation.RERANK),
)

NO_PAGE = "LiteLLM names no page for its prices, genai-prices has none"
UNPRICED = {
    ("openai", "image_variation"): "dall-e-2 alone, of which no source that names its page has a price",
    ("bedrock", "image_variation"): "Titan v1's and Nova Canvas's prices name no page, Titan v2 is switched off",
    ("mixedbread", "rerank"): "no source that we read says what its models cost",
    ("deepgram", "speech"): "no source that we read says what Aura costs",
    ("together", "image_generation"): NO_PAGE,
    ("together", "image_edit"): NO_PAGE,
    ("together", "speech"): NO_PAGE,
    ("together", "transcription"): NO_PAGE,
    ("together", "translation"): NO_PAGE,
    ("fireworks", "image_generation"): NO_PAGE,
    ("deepinfra", "speech"): NO_PAGE,
    ("deepinfra", "transcription"): NO_PAGE,
    ("novita", "rerank"): NO_PAGE,
    ("openrouter", "rerank"): NO_PAGE,
}
"""What is refused on pooled credit until an operator gives it a price, and why."""


def test_what_is_sold_by_the_unit_has_a_priced_model_or_a_reason() -> None:
    priced = {
        (provider, operation) for provider, _, row in ROWS if "note" not in row for operation in row["operations"]
    }
    missing = set()
    for name in models.PREFERENCE:
        provider = providers.get(name)
        assert provider is not None
        missing |= {(name, o.value) for o in BY_UNITS if o in provider.adapters and (name, o.value) not in priced}
    assert missing == UNPRICED.keys()


def test_tiers_ascend_and_are_no_cheaper_than_what_is_below_them() -> None:
    for provider, name, row in ROWS:
        thresholds = [tokens for tokens, _ in row.get("above", ())]
        assert thresholds == sorted(set(thresholds)), (provider, name)
        for below, above in pairwise(rates_in(row)):
            assert below.keys() == above.keys()
            assert all(above[key] >= below[key] for key in below), (provider, name)


def test_a_price_in_one_region_is_dearer_in_everything() -> None:
    regional = [(row, row["regional"]) for _, _, row in ROWS if "regional" in row]
    assert regional
    for row, there in regional:
        assert [tokens for tokens, _ in row.get("above", ())] == [tokens for tokens, _ in there.get("above", ())]
        for everywhere, rates in zip(rates_in(row), rates_in(there), strict=True):
            assert everywhere.keys() == rates.keys()
            assert all(rates[key] >= everywhere[key] for key in rates) and rates["input"] > everywhere["input"]


def test_no_name_belongs_to_two_rows_of_a_provider() -> None:
    names = [(provider, n.lower()) for provider, name, row in ROWS for n in {name, *row.get("aliases", ())}]
    assert len(names) == len(set(names))


def test_free_models_say_so_in_their_names() -> None:
    free = {f"{provider}/{name}" for provider, name, row in ROWS if not any(row.get("rates", {"input": 1}).values())}
    assert {model for model in free if not model.endswith(":free")} == {
        "google/gemma-3",
        "google/gemma-3n",
        "google/gemma-4-26b-a4b-it",
        "google/gemma-4-31b-it",
        "mistral/mistral-moderation-2603",
        "openai/omni-moderation-2024-09-26",
        "openai/omni-moderation-latest",
        "sandbox/moderate",
    }


@pytest.mark.parametrize("provider", sorted(kinds.ONLY_THEIRS))
def test_every_name_and_rule_has_the_form_of_its_provider(provider: str) -> None:
    for name, row in SHEETS[provider]["models"].items():
        assert all(kinds.is_theirs(provider, n) for n in (name, *row.get("aliases", ()), *row.get("matches", ())))


def test_the_indexes_know_every_name_and_every_rule_and_no_other() -> None:
    for slashed, kind in ((False, "_bare"), (True, "_slashed")):
        index = orjson.loads((models.DATA / f"{kind}.json").read_bytes())
        names = {(provider, n.lower()) for provider, name, row in ROWS for n in (name, *row.get("aliases", ()))}
        told = {(index["providers"][number], name) for name, found in index["names"].items() for number in found}
        assert told == {(provider, name) for provider, name in names if ("/" in name) is slashed}
        rules = {(index["providers"][number], rule) for rule, found in index["rules"].items() for number in found}
        every = {(provider, rule) for provider, _, row in ROWS for rule in row.get("matches", ())}
        assert rules == {(p, rule) for p, rule in every if ("/" in rule) is slashed or (slashed and "*" in rule)}


def test_the_practice_provider_is_labelled_as_what_it_is() -> None:
    assert "not a real model" in SHEETS["sandbox"]["sources"][0]
    assert SHEETS["sandbox"]["models"].keys() == set(MODELS)
