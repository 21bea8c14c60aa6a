"""Facts and prices out of LiteLLM's price map (`sources/litellm.json`, which `snapshot` makes).

A price counts only where LiteLLM names the page it was read from; `snapshot` keeps no other.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from scripts.catalog.kinds import is_any, is_other_kind, is_theirs
from scripts.catalog.pico import Tally, pico
from scripts.catalog.providers import Sources
from scripts.catalog.snapshot import KEPT

MAP: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
PACKAGE = str(MAP["package"])

OPERATIONS = {"chat": "chat", "completion": "text_completion", "embedding": "embeddings", "responses": "responses"}

RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "audio_input": "input_cost_per_audio_token",
    "audio_output": "output_cost_per_audio_token",
}
"""Our rates, and the keys that give them, in USD per token."""

BESIDE = {"input_cost_per_token_cache_hit", "cache_read_input_audio_token_cost", "explicit_cache_read_input_token_cost"}
"""The same price again, or a part's that is charged like other cached input."""

NO_DEARER = ("input_cost_per_image_token", "input_cost_per_video_token")
"""Parts that replies do not count: fine while they cost no more than other input."""

THINKING = "output_cost_per_reasoning_token"
"""What output costs in a model's thinking mode. Replies do not say which mode it was, so the dearer rate counts."""

CHARGEABLE = {*RATES.values(), *BESIDE, *NO_DEARER, THINKING, "tiered_pricing"}

ABOVE = re.compile(r"_above_(\d+)k_tokens$")

DEAREST_USD = Decimal("0.001")
"""Per token; 1,000 US dollars per million: what is dearer is an error of units."""

MODALITIES = ("text", "image", "audio", "video", "pdf")
SUPPORTS = {"vision": "image", "audio_input": "audio", "video_input": "video", "pdf_input": "pdf"}

ANSWERS_TOO = ("openai", "azure")
"""Where LiteLLM's `supported_endpoints` are the provider's own; elsewhere they are what LiteLLM itself translates."""

PAGE = "source"
"""The key of the page that a price was read from."""

DATED = re.compile(r"-20\d\d-\d\d-\d\d$")

REGION = re.compile(r"(?:us|eu)/|[a-z]{2}(?:-gov)?-[a-z]+-\d/")
"""What precedes a name at a price that holds in one region only."""


def entries(provider: str, sources: Sources) -> Iterator[tuple[str, dict[str, Any]]]:
    """The provider's own name for each model that LiteLLM knows there, and its entry."""
    seen = set()
    for group, prefix in sources.litellm:
        found: dict[str, Any] = MAP["models"][group]
        newest = {
            key[: -len("-2026-11-21")]: entry for key, entry in found.items() if DATED.search(key) and PAGE in entry
        }
        for key, entry in found.items():
            name = key.removeprefix(prefix)
            if name.lower() not in seen and is_theirs(provider, name) and not is_other_kind(name):
                seen.add(name.lower())
                # A name without a date is that of its newest version, so that one's page says its price, too.
                yield name, entry if PAGE in entry else newest.get(key, {}) | entry


def facts_of(entry: dict[str, Any], day: date) -> dict[str, Any]:
    """Window, longest answer, modalities, whether it reasons and was switched off, and how much dearer a region is."""
    window, longest = entry.get("max_input_tokens"), entry.get("max_output_tokens")
    found: dict[str, Any] = {"input_modalities": _read(entry), "output_modalities": _written(entry)}
    if isinstance(window, int) and window > 0:
        found["context_window"] = window
    # As much out as in: that is the window again, not a limit.
    if isinstance(longest, int) and 0 < longest < (window or 0):
        found["max_output"] = longest
    if "reasoning" in entry.get("supports", ()):
        found["reasoning"] = True
    if uplift := entry.get("regional_endpoint_uplift_multiplier"):
        found["uplift"] = uplift
    if str(entry.get("deprecation_date", "9999")) <= f"{day}":
        found["listed"] = False
    return found


def _read(entry: dict[str, Any]) -> list[str]:
    told = {*entry.get("supported_modalities", ())}
    told |= {SUPPORTS[what] for what in entry.get("supports", ()) if what in SUPPORTS}
    return ["text", *(kind for kind in MODALITIES[1:] if kind in told)]


def _written(entry: dict[str, Any]) -> list[str]:
    if entry["mode"] == "embedding":
        return ["embedding"]
    told = {*entry.get("supported_output_modalities", ())}
    return [
        "text",
        *(kind for kind in ("image", "audio") if kind in told or f"{kind}_output" in entry.get("supports", ())),
    ]


def operations_of(provider: str, entry: dict[str, Any]) -> list[str]:
    """What it serves. OpenAI's chat models also answer on /responses where their entry says so."""
    found = [OPERATIONS[entry["mode"]]]
    if provider in ANSWERS_TOO and found == ["chat"] and "/v1/responses" in entry.get("supported_endpoints", ()):
        found.append("responses")
    return found


def row_of(provider: str, name: str, entry: dict[str, Any], day: date, tally: Tally) -> dict[str, Any] | None:
    """A line of the data; None where LiteLLM names no source, or the model serves none of our operations."""
    if PAGE not in entry:
        tally["left out: LiteLLM names no source"] += 1
        return None
    row: dict[str, Any] = {"operations": operations_of(provider, entry), **facts_of(entry, day)}
    if note := unpriced(name, entry):
        row["note"] = note
    else:
        row |= tiers_of(entry, tally)
    if REGION.match(name):
        row["listed"] = False
    if name.startswith("ft:"):  # its own name is the model that was tuned; whose it is and which follows after a colon
        row |= {"listed": False, "matches": [f"{name.lower()}:*"]}
    return row


def unpriced(name: str, entry: dict[str, Any]) -> str | None:
    """Why a request's cost cannot be told from its token counts, or None."""
    costs = {key: cost for key, cost in entry.items() if "cost" in key or key == "tiered_pricing"}
    tiers = entry.get("tiered_pricing") or [entry]
    for tier in tiers:
        if not Decimal(tier.get("input_cost_per_token") or 0):
            return "no price"
        if any(Decimal(tier.get(part) or 0) > Decimal(tier["input_cost_per_token"]) for part in NO_DEARER):
            return "images or video cost more than text, and replies do not count them"
    if any(Decimal(tier.get(key) or 0) > DEAREST_USD for tier in tiers for key in RATES.values()):
        return "a price that no model has"
    if strange := sorted(key for key in costs if ABOVE.sub("", key) not in CHARGEABLE):
        return f"also priced by {', '.join(strange)}"
    if is_any(name, ("*deep-research*", "*-search-preview*", "*-search-api*")):
        return "fees beside the tokens"
    if re.search(r"audio|voxtral", name) and "input_cost_per_audio_token" not in costs:
        return "no price for audio"
    return None


def tiers_of(entry: dict[str, Any], tally: Tally, classes: Mapping[str, str] = RATES) -> dict[str, Any]:
    """`rates` and `above`: a class of tokens without a price of its own above a threshold keeps the one below it."""
    if tiered := entry.get("tiered_pricing"):
        rated = [(int(Decimal(tier["range"][0])), _rates(tier, "", tally, classes)) for tier in tiered]
    else:
        starts = sorted({int(found[1]) for key in entry if (found := ABOVE.search(key))})
        rated = [(0, _rates(entry, "", tally, classes))]
        rated += [(start * 1000, _rates(entry, f"_above_{start}k_tokens", tally, classes)) for start in starts]
    base = rated[0][1]
    above = [(start, base | rates) for start, rates in rated[1:]]
    return {"rates": base, **({"above": above} if above else {})}


def _rates(entry: dict[str, Any], ending: str, tally: Tally, classes: Mapping[str, str]) -> dict[str, int]:
    found = {name: entry.get(f"{key}{ending}") for name, key in classes.items()}
    rates = {name: pico(Decimal(usd), 10**12, tally) for name, usd in found.items() if usd is not None}
    if thinking := entry.get(f"{THINKING}{ending}"):
        thought = pico(Decimal(thinking), 10**12, tally)
        tally["priced like thinking"] += thought > rates.get("output", 0)
        rates["output"] = max(thought, rates.get("output", 0))
    return rates if ending else {"input": 0, "output": 0} | rates
