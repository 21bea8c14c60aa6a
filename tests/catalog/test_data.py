"""The data files: every row has a source, and nothing in it that the catalog would not understand."""

from datetime import date
from itertools import pairwise
from typing import Any

import orjson
import pytest
from scripts.catalog import kinds

from orrery.catalog import models
from orrery.core.types import Operation, Rates

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

MODALITIES = {"text", "image", "audio", "video", "pdf", "embedding"}
WITHOUT_A_PRICE = {"nvidia", "github"}
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
    priced = any("rates" in row for row in SHEETS[provider]["models"].values())
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
        assert ("rates" in row) != ("note" in row), (provider, name)
        for rates in every_rates_in(row):
            assert {"input", "output"} <= rates.keys() <= set(Rates.__slots__), (provider, name)
            assert all(type(pico) is int and 0 <= pico <= DEAREST_PICO for pico in rates.values()), (provider, name)


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
    free = {f"{provider}/{name}" for provider, name, row in ROWS if row.get("rates", {}).get("input") == 0}
    assert {model for model in free if not model.endswith(":free")} == {
        "google/gemma-3",
        "google/gemma-3n",
        "google/gemma-4-26b-a4b-it",
        "google/gemma-4-31b-it",
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
    assert SHEETS["sandbox"]["models"].keys() == {"echo"}
