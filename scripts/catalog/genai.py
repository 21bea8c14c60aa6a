"""Rows out of the installed genai-prices: names, windows, and prices as they stand on a day."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fnmatch import fnmatchcase
from importlib.metadata import version
from typing import Any

from genai_prices import data, types
from scripts.catalog.kinds import is_any, is_other_kind, is_theirs, operations_of, spelled
from scripts.catalog.names import Names, names_of, once
from scripts.catalog.pico import Rates, Tally, pico

PACKAGE = f"genai-prices {version('genai-prices')}"

RATES = {
    "input": ("input_mtok",),
    "output": ("output_mtok",),
    "cache_read": ("cache_read_mtok",),
    "cache_write": ("cache_write_5m_mtok", "cache_write_mtok"),
    "cache_write_1h": ("cache_write_1h_mtok",),
    "audio_input": ("input_audio_mtok",),
    "audio_output": ("output_audio_mtok",),
}
"""Our rates, and the keys that give them, the more particular first."""

BESIDE = {"cache_audio_read_mtok", "cache_image_read_mtok", "web_searches_kcount", "storage_searches_kcount"}
"""Prices that we leave aside: cached audio and images are charged like other cached input, searches not at all."""

NO_DEARER = {"input_image_mtok": "input_mtok", "input_video_mtok": "input_mtok"}
"""Parts that replies do not count: fine while they cost no more than their whole."""

CHARGEABLE = {key for keys in RATES.values() for key in keys} | BESIDE | NO_DEARER.keys() | {"requests_kcount"}

FEE_UNKNOWN = ("*-search-preview*", "*-search-api*", "*deep-research*", "*sonar-pro-search*")
"""Models that search on every request, for a fee that the token prices do not hold."""

FEE_UNKNOWN_AT = {"openrouter": ("perplexity/sonar*", "switchpoint/router")}
"""Perplexity's fee per request; a router whose price is that of the model it takes."""

FAMILIES = ("regional.",)
"""What genai-prices calls a price that several names share: no API takes such a name."""

type Rate = Decimal | types.TieredPrices
type Classes = Mapping[str, tuple[str, ...]]


def provider_of(name: str) -> types.Provider:
    """A provider of genai-prices. Raises StopIteration when there is none."""
    return next(entry for entry in data.providers if entry.id == name)


def prices_on(model: types.ModelInfo, day: date, tally: Tally) -> dict[str, Rate]:
    """The standard prices in force on `day`, by genai-prices' keys; where the hour matters, the dearest of the day."""
    if isinstance(model.prices, types.ModelPrice):
        return dict(model.prices.__dict__)
    noon = datetime.combine(day, time(12), UTC)
    standing = 0
    for index, entry in enumerate(model.prices):
        constraint = entry.constraint
        if constraint is None or (isinstance(constraint, types.StartDateConstraint) and constraint.active(noon)):
            standing = index
    # The last entry that applies wins, so only hours listed after the standing price ever replace it.
    hourly = [e.prices for e in model.prices[standing:] if isinstance(e.constraint, types.TimeOfDateConstraint)]
    tally["priced at the dearest hour of the day"] += bool(hourly)
    return _dearest([model.prices[standing].prices.__dict__, *(prices.__dict__ for prices in hourly)], model.id)


def _dearest(candidates: list[dict[str, Any]], model: str) -> dict[str, Rate]:
    if len(candidates) == 1:
        return dict(candidates[0])
    values = [value for prices in candidates for value in prices.values()]
    if len({frozenset(prices) for prices in candidates}) > 1 or not all(isinstance(v, Decimal) for v in values):
        raise ValueError(f"{model}: hourly prices with tiers or with different keys have no dearest")
    return {key: max(prices[key] for prices in candidates) for key in candidates[0]}


def rates_of(prices: dict[str, Rate], above: int, tally: Tally, classes: Classes = RATES) -> Rates:
    """Our rates for more than `above` input tokens (-1: the base). 1 USD per million is 10^6 pico each."""
    rates = {"input": 0, "output": 0}
    for name, keys in classes.items():
        rate = next((prices[key] for key in keys if key in prices), None)
        if isinstance(rate, types.TieredPrices):
            rate = [rate.base, *(tier.price for tier in rate.tiers if tier.start <= above)][-1]
        if rate is not None:
            rates[name] = pico(rate, 10**6, tally)
    return rates


def _values(rate: Rate) -> list[Decimal]:
    return [rate.base, *(tier.price for tier in rate.tiers)] if isinstance(rate, types.TieredPrices) else [rate]


def left_out(provider: str, model: types.ModelInfo, names: Names, prices: dict[str, Rate]) -> str | None:
    """Why it is no row of ours, or None."""
    if is_other_kind(model.id) or not prices.keys().isdisjoint({"output_image_mtok", "output_video_mtok"}):
        return "other kinds (images, speech, moderation)"
    if not names.exact and not names.rules:
        return "names that the provider's API does not take"
    if prices and "input_mtok" not in prices:
        return "not priced by tokens"
    if prices and "output_mtok" not in prices and operations_of(provider, model.id, model.name) != ("embeddings",):
        return "no price for output, and no embeddings (Decisions APIs and the like)"
    return None


def unpriced(provider: str, name: str, model: types.ModelInfo, prices: dict[str, Rate]) -> str | None:
    """Why a request's cost cannot be told from its token counts, or None."""
    comment = model.price_comments or ""
    if not prices:
        free = name.endswith(":free") or "(free)" in (model.name or "") or "Free of charge" in comment
        return None if free else "no price"
    if strange := sorted(prices.keys() - CHARGEABLE):
        return f"also priced by {', '.join(strange)}"
    if any(
        part in prices and max(_values(prices[part])) > min(_values(prices[whole])) for part, whole in NO_DEARER.items()
    ):
        return "images or video cost more than text, and replies do not count them"
    if is_any(name, FEE_UNKNOWN) or is_any(name, FEE_UNKNOWN_AT.get(provider, ())):
        return "fees beside the tokens"
    if re.search(r"audio|voxtral", name) and "input_audio_mtok" not in prices:
        return "no price for audio"
    if "Imported from OpenRouter" in comment and "Verified against" not in comment:
        return "a reseller's price"
    return None


def row_of(provider: str, name: str, model: types.ModelInfo, prices: dict[str, Rate], tally: Tally) -> dict[str, Any]:
    """One line of the data: what is absent is unknown, or as usual (text, listed)."""
    operations = operations_of(provider, name, model.name)
    row: dict[str, Any] = {"operations": operations}
    if model.context_window:
        row["context_window"] = model.context_window
    if note := unpriced(provider, name, model, prices):
        row["note"] = note
    else:
        row["rates"] = rates_of(prices, -1, tally) if prices else {"input": 0, "output": 0}
        starts = {tier.start for rate in prices.values() if isinstance(rate, types.TieredPrices) for tier in rate.tiers}
        if starts:
            row["above"] = [(start, rates_of(prices, start, tally)) for start in sorted(starts)]
        if isinstance(fee := prices.get("requests_kcount"), Decimal):
            row["request"] = pico(fee, 10**9, tally)
    for side, kinds in (("input", ("audio", "image", "video")), ("output", ("audio",))):
        if beyond := [kind for kind in kinds if f"{side}_{kind}_mtok" in prices]:
            row[f"{side}_modalities"] = ["text", *beyond]
    if operations == ("embeddings",):
        row["output_modalities"] = ["embedding"]
    return row


def rows_of(provider: str, model: types.ModelInfo, day: date, tally: Tally) -> Iterator[tuple[str, dict[str, Any]]]:
    """A model's line; one more for each name of it that serves something else (`gpt-5-codex` beside `gpt-5`)."""
    every = names_of(model.match)
    exact = [name for name in every.exact if is_theirs(provider, name) and not is_other_kind(name)]
    spelt = [spelled(provider, rule) for rule in every.rules]
    rules = [rule for rule in dict.fromkeys(spelt) if is_theirs(provider, rule) and not is_other_kind(rule)]
    prices = prices_on(model, day, tally)
    if reason := left_out(provider, model, Names(exact, rules), prices):
        tally[f"left out: {reason}"] += 1
        return
    own = _own_name(model.id, exact, rules)
    chief = own or model.id
    groups: dict[tuple[object, ...], list[str]] = {}
    for name in once([chief, *exact]):
        alike = operations_of(provider, name, model.name), unpriced(provider, name, model, prices)
        groups.setdefault(alike, []).append(name)
    for first, *aliases in groups.values():
        row = row_of(provider, first, model, prices, tally)
        if aliases:
            row["aliases"] = aliases
        if first == chief:
            row.update({key: found for key, found in (("matches", rules), ("never", every.never)) if found})
            if not own or chief.startswith("ft:") or ".ft-" in chief:
                row["listed"] = False
        yield first, row


def _own_name(model: str, exact: list[str], rules: list[str]) -> str | None:
    """What to call it: its id if that is a name of it, else its first name; None for a family known by rule only."""
    spelling = next((name for name in exact if name.lower() == model.lower()), None)
    if model.startswith(FAMILIES):
        return spelling
    ruled = any(fnmatchcase(model.lower(), rule.replace("#", "[0-9]")) for rule in rules)
    return spelling or (model if ruled else next(iter(exact), None))
