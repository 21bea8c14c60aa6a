"""What genai-prices knows of models that `genai` leaves out: prices by the hour, the page, the character, and more.

A model that it prices by the unit is a row; of one that LiteLLM has already, the dearer price of both counts.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from scripts.catalog import genai, media
from scripts.catalog.kinds import is_other_kind, is_theirs
from scripts.catalog.litellm import DATED, PAGE
from scripts.catalog.names import names_of, once
from scripts.catalog.pico import Tally, pico

UNITS = {
    "input_audio_hours": ("audio_transcription", "audio_ms", Decimal(10**12) / 3_600_000),
    "input_document_kpages": ("ocr", "page", Decimal(10**9)),
    "input_mchars": ("audio_speech", "character", Decimal(10**6)),
}
"""Their prices by the unit; what such a model serves (in LiteLLM's word), our unit, and pico-USD of it in their USD."""

ANNOTATED = "input_annotated_document_kpages"

RATES = genai.RATES | {"image_input": ("input_image_mtok",), "image_output": ("output_image_mtok",)}

PARENT = {"audio_input": "input", "image_input": "input", "audio_output": "output", "image_output": "output"}
"""What a class of tokens costs where they say nothing of it."""

type Row = dict[str, Any]


def rows_of(provider: str, group: str, day: date, tally: Tally) -> Iterator[tuple[str, Row]]:
    """The models of a provider of genai-prices that are priced by the unit alone, under each of their names."""
    theirs = genai.provider_of(group)
    page = ", ".join((genai.PACKAGE, *(theirs.pricing_urls or ())[:1]))
    for model in theirs.models:
        prices = genai.prices_on(model, day, tally)
        priced = [key for key in UNITS if isinstance(prices.get(key), Decimal)]
        if "input_mtok" in prices or not priced:
            continue
        mode, _, _ = UNITS[priced[0]]
        units = _units(prices, tally)
        for name in once([model.id, *names_of(model.match).exact]):
            if is_theirs(provider, name) and not media.LIVE.search(name):
                row = media.row_of(provider, name, {"mode": mode, PAGE: ""}, day)
                listed = {} if name == model.id else {"listed": False}
                yield name, row | {"units": units, "source": page} | listed


def _units(prices: dict[str, genai.Rate], tally: Tally) -> dict[str, int]:
    units = {}
    for key, (_, unit, scale) in UNITS.items():
        if isinstance(usd := prices.get(key), Decimal):
            units[unit] = pico(usd * scale, 1, tally)
    if isinstance(usd := prices.get(ANNOTATED), Decimal):
        units["page/annotated"] = units["page"] + pico(usd, 10**9, tally)  # beside the page: see `media.ANNOTATED`
    return units


def dearer(row: Row, group: str, name: str, day: date, tally: Tally) -> Row:
    """The row at no less than what genai-prices says of the model; the same where it says nothing."""
    theirs = genai.provider_of(group)
    found = theirs.find_model(name) or theirs.find_model(DATED.sub("", name))
    if found is None or "rates" not in row or not is_other_kind(found.id):
        return row
    prices = genai.prices_on(found, day, tally)
    if "input_mtok" not in prices:
        return row
    told = genai.rates_of(prices, -1, tally, RATES)
    floor = {key: told.get(key, told[PARENT[key]] if key in PARENT else 0) for key in row["rates"]}
    rates = {key: max(rate, floor[key]) for key, rate in row["rates"].items()}
    rates |= {key: rate for key, rate in told.items() if key not in rates and key in PARENT}
    if rates == row["rates"]:
        return row
    above = [
        (start, rates | {key: max(rate, rates[key]) for key, rate in each.items()})
        for start, each in row.get("above", ())
    ]
    source = f"{genai.PACKAGE} and, where it is dearer, {row['source']}"
    return row | {"rates": rates, "source": source} | ({"above": above} if above else {})
