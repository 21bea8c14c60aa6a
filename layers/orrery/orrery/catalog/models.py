"""Which models there are and what they cost, read from `data/<provider>.json` when a provider is first asked about.

A name is looked for as it stands, then among the aliases, then by the rules (`gpt-5-nano-*`: `*` at an end is anything,
`#` is one digit). The `Model` found carries the catalog's own name, which may be a family's (`claude-haiku-4-5` for
`claude-haiku-4-5-20251001`): whoever calls the provider sends the name as the caller typed it. For a name without a
provider, an index (`data/_bare.json`, `data/_slashed.json`) says whose sheets are worth opening.
"""

from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import orjson

from orrery.core.types import Json, Model, Operation, Price, Rates

MAKERS = ("openai", "anthropic", "google", "mistral", "cohere", "deepseek", "xai", "moonshot", "qwen", "zhipu")
CLOUDS = ("vertex", "bedrock", "azure", "databricks", "cloudflare")
HOSTS = ("groq", "cerebras", "sambanova", "fireworks", "together", "deepinfra", "novita", "nebius", "hyperbolic")

SPECIALISTS = ("voyage", "jina", "nomic", "mixedbread", "stability", "elevenlabs", "deepgram")

PREFERENCE = (
    *MAKERS,
    "minimax",
    "perplexity",
    "ai21",
    *SPECIALISTS,
    *CLOUDS,
    *HOSTS,
    "nvidia",
    "github",
    "huggingface",
    "openrouter",
    "sandbox",
)
"""Where a bare name goes first: to those who make models, then to those who host others', then to those who resell."""

EVERYWHERE = ("", "global")
"""Regions at whose endpoints a price is that without a region."""

LONGEST_NAME = 256
"""Characters: a longer name is no model's."""

NOTHING = {"input": 0, "output": 0}
"""The rates of what is sold by the unit alone."""

DATA = Path(__file__).parent / "data"


def find(provider: str, name: str, region: str = "") -> Model | None:
    """What the catalog knows about `name` at `provider`; None for either unknown. Reads that provider's file only.

    `region`: where the call goes, for providers that charge more in some.
    """
    if provider not in PREFERENCE or len(name) > LONGEST_NAME:
        return None
    return _find(provider, name, "" if region in EVERYWHERE or len(region) > LONGEST_NAME else region)


@lru_cache(maxsize=2048)
def _find(provider: str, name: str, region: str) -> Model | None:
    row = _exact(provider, f"{region}/{name}") if region else None
    row = row or _exact(provider, name) or _by_rule(provider, name)
    return _model(provider, row, bool(region)) if row else None


def named(name: str) -> tuple[str, ...]:
    """The providers that have a model called `name`, in the order of `PREFERENCE`; where only a rule says so, last.

    Opens no sheet, but where a rule takes the name: a name that nobody has costs a look into an index.
    """
    return _named(name) if len(name) <= LONGEST_NAME else ()


@lru_cache(maxsize=512)
def _named(name: str) -> tuple[str, ...]:
    index = _index("_slashed" if "/" in name else "_bare")
    lowered, providers = name.lower(), index["providers"]
    ruled = {providers[n] for rule, found in index["rules"].items() if is_like(lowered, rule) for n in found}
    exact = {providers[n] for n in index["names"].get(lowered, ())}
    by_rule = [provider for provider in ruled - exact if _by_rule(provider, name)]
    return (*sorted(exact, key=PREFERENCE.index), *sorted(by_rule, key=PREFERENCE.index))


def listed(providers: Collection[str]) -> list[Model]:
    """Every model of these providers that has a name of its own and still runs, sorted by id.

    Fine-tunes are priced by rule only; what a provider has switched off, by LiteLLM's dates, keeps its price for those
    who may still call it.
    """
    known = [provider for provider in PREFERENCE if provider in providers]
    return sorted((model for provider in known for model in _listed(provider)), key=lambda model: model.id)


@cache
def _listed(provider: str) -> tuple[Model, ...]:
    return tuple(_model(provider, row, False) for row in names(provider))


@cache
def names(provider: str) -> tuple[str, ...]:
    """The names of `listed` at one provider, in the sheet's order; none for an unknown one."""
    rows = _sheet(provider)["models"] if provider in PREFERENCE else {}
    return tuple(row for row, facts in rows.items() if facts.get("listed", True))


@cache
def _sheet(provider: str) -> Json:
    sheet: Json = orjson.loads((DATA / f"{provider}.json").read_bytes())
    return sheet


@cache
def _index(kind: str) -> Json:
    index: Json = orjson.loads((DATA / f"{kind}.json").read_bytes())
    return index


def _exact(provider: str, name: str) -> str | None:
    """The row called `name`, or that has it among its aliases, in any case of letters."""
    return name if name in _sheet(provider)["models"] else _aliases(provider).get(name.lower())


@cache
def _aliases(provider: str) -> dict[str, str]:
    rows: dict[str, Any] = _sheet(provider)["models"]
    names = {row.lower(): row for row in rows}
    return {alias.lower(): row for row, facts in rows.items() for alias in facts.get("aliases", ())} | names


def _by_rule(provider: str, name: str) -> str | None:
    lowered = name.lower()
    for row, matches, never in _rules(provider):
        if any(is_like(lowered, rule) for rule in matches) and not any(is_like(lowered, rule) for rule in never):
            return row
    return None


@cache
def _rules(provider: str) -> tuple[tuple[str, list[str], list[str]], ...]:
    rows: dict[str, Any] = _sheet(provider)["models"]
    return tuple((row, facts["matches"], facts.get("never", [])) for row, facts in rows.items() if "matches" in facts)


def is_like(name: str, rule: str) -> bool:
    """Does `name` follow `rule`? One pass over the name, however the rule is written; no regular expressions."""
    body = rule.strip("*")
    if rule.startswith("*"):
        return body in name if rule.endswith("*") else name.endswith(body)
    head = name[: len(body)] if rule.endswith("*") else name
    if "#" not in body:
        return head == body
    pairs = zip(head, body, strict=False)
    return len(head) == len(body) and all(c == r or (r == "#" and c in "0123456789") for c, r in pairs)


@cache
def _model(provider: str, row: str, regional: bool) -> Model:
    sheet = _sheet(provider)
    facts: Json = sheet["models"][row]
    source = sheet["sources"][facts.get("source", 0)]
    price = {**facts, **facts["regional"]} if regional and "regional" in facts else facts
    return Model(
        provider=provider,
        name=row,
        price=_price(price, source),
        context_window=facts.get("context_window"),
        max_output=facts.get("max_output"),
        input_modalities=tuple(facts.get("input_modalities", ("text",))),
        output_modalities=tuple(facts.get("output_modalities", ("text",))),
        operations=tuple(Operation(operation) for operation in facts["operations"]),
        reasoning=facts.get("reasoning", False),
        source=source,
        checked=sheet["checked"],
    )


def _price(facts: Json, source: str) -> Price | None:
    if "rates" not in facts and "units" not in facts:
        return None
    rates = facts.get("rates", NOTHING)
    above = tuple((tokens, Rates(**rates)) for tokens, rates in facts.get("above", ()))
    return Price(Rates(**rates), above, facts.get("request", 0), source, facts.get("units", {}))
