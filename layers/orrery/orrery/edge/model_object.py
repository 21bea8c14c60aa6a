"""A model as `GET /models` shows it: OpenAI's fields, Orbitrage's, and ours."""

import re
from typing import Any

from orrery.catalog.units import kind_of
from orrery.core.types import Model, Operation, Rates

PICO_PER_USD = 10**12

TIERS = ((1_000_000, "basic"), (5_000_000, "mid"), (20_000_000, "high"))
"""Orbitrage's tiers as far as prices tell them: those of less than 1, 5 and 20 US dollars per million tokens of output
(in pico-USD per token), and `frontier`. Seed 004 names the tiers; nothing public says where one ends.
"""

WRITING = frozenset({Operation.CHAT, Operation.COMPLETIONS, Operation.RESPONSES})

CODE = re.compile(r"code|devstral|starcoder")


def model_object(row: Model) -> dict[str, Any]:
    """OpenAI's four fields, Orbitrage's three, then ours: window, limits, modalities, operations, prices in USD."""
    return {
        "id": row.id,
        "object": "model",
        "created": row.created,
        "owned_by": row.provider,
        "tier": tier_of(row),
        "vision": "image" in row.input_modalities,
        "bias": bias_of(row),
        "context_window": row.context_window,
        "max_output_tokens": row.max_output,
        "input_modalities": list(row.input_modalities),
        "output_modalities": list(row.output_modalities),
        "operations": [operation.value for operation in row.operations],
        "pricing": _pricing(row),
    }


def tier_of(row: Model) -> str | None:
    """`image` for what draws; None for what writes nothing, or has no price."""
    if "image" in row.output_modalities:
        return "image"
    if row.price is None or WRITING.isdisjoint(row.operations):
        return None
    return next((tier for below, tier in TIERS if row.price.rates.output < below), "frontier")


def bias_of(row: Model) -> str:
    """What a model is best at: `code` by its name, `reasoning` if it thinks before it answers, `mixed` for both."""
    if CODE.search(row.name.lower()):
        return "mixed" if row.reasoning else "code"
    return "reasoning" if row.reasoning else "chat"


def _pricing(row: Model) -> dict[str, Any] | None:
    """By the token; of what is sold by the unit alone, `unit` names it, and `units` has its price in each variety."""
    price = row.price
    if price is None:
        return None
    by_token = not price.units or price.rates.input or price.rates.output
    unit = "token" if by_token else kind_of(next(iter(price.units)))
    shown: dict[str, Any] = {"currency": "USD", "unit": unit, **(_rates(price.rates) if by_token else {})}
    if price.units:
        shown["units"] = {name: _usd_of_pico(pico) for name, pico in price.units.items()}
    if price.request:
        shown["request"] = _usd_of_pico(price.request)
    if price.above:
        shown["above"] = [{"input_tokens": tokens, **_rates(rates)} for tokens, rates in price.above]
    return {**shown, "source": row.source, "checked": row.checked}


def _rates(rates: Rates) -> dict[str, str]:
    named = {name: getattr(rates, name) for name in Rates.__slots__}
    return {name: _usd_of_pico(pico) for name, pico in named.items() if pico is not None}


def _usd_of_pico(pico: int) -> str:
    """Pico-USD as a plain decimal string of USD, exactly."""
    whole, rest = divmod(pico, PICO_PER_USD)
    return f"{whole}.{rest:012d}".rstrip("0").rstrip(".")
