"""A provider's sheet: what genai-prices, LiteLLM and our own hands know of it, joined."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from scripts.catalog import genai, genai_media, litellm, media
from scripts.catalog.pico import Tally, is_dearer, raised
from scripts.catalog.providers import PROVIDERS, ROUTED, Sources

from orrery.catalog.models import is_like

BY_HAND: dict[str, Any] = json.loads((Path(__file__).parent / "sources/by_hand.json").read_text(encoding="utf-8"))

PRICE = ("rates", "above", "request", "regional", "note", "source")

ORDER = (
    *("operations", "context_window", "max_output", "reasoning", "rates", "above", "request", "units", "regional"),
    "note",
)
"""How the fields of a line stand; the others follow as they were found."""

type Rows = dict[str, dict[str, Any]]


def rows_of(provider: str, day: date, tally: Tally) -> Rows:
    """Every row of a provider by its name, each with the text of its `source`."""
    sources = PROVIDERS[provider]
    rows: Rows = {}
    for group in sources.genai:
        read = partial(_routed, group) if group in ROUTED else genai.rows_of
        _take(rows, group, provider, read, day, tally)
    _join(rows, provider, sources, day, tally)
    _add_media(rows, provider, sources, day, tally)
    rows |= BY_HAND.get(provider, {})
    _tidy(rows)
    for row in rows.values():
        if "note" in row:
            tally[f"without a price: {row['note']}"] += 1
    tally["models written"] += len(rows)
    return rows


def _take(rows: Rows, group: str, provider: str, read: Callable[..., Iterator[Any]], day: date, tally: Tally) -> None:
    """Adds what a provider of genai-prices has. Raises ValueError for a name that it has twice."""
    theirs = genai.provider_of(group)
    known = {name.lower() for row, facts in rows.items() for name in (row, *facts.get("aliases", ()))}
    fresh: Rows = {}
    for model in theirs.models:
        for name, row in read(provider, model, day, tally):
            if name in fresh:
                raise ValueError(f"{provider}: two models are called {name}")
            fresh[name] = row | {"source": ", ".join((genai.PACKAGE, *(theirs.pricing_urls or ())[:1]))}
    for name, row in fresh.items():
        if known.isdisjoint(alias.lower() for alias in (name, *row.get("aliases", ()))):
            rows[name] = row


def _routed(group: str, provider: str, model: Any, day: date, tally: Tally) -> Iterator[tuple[str, dict[str, Any]]]:
    """A model at one of the hosts behind Hugging Face's router: by its id there, with the host where we ask the router.

    Without a host the router chooses one, and so the price: that name has none.
    """
    prices = genai.prices_on(model, day, tally)
    row = genai.row_of(provider, model.id, model, prices, tally)
    yield model.id + (f":{group.removeprefix('huggingface_')}" if provider == "huggingface" else ""), row


def _join(rows: Rows, provider: str, sources: Sources, day: date, tally: Tally) -> None:
    """LiteLLM's facts into the rows that are there, and its own rows where it may add some."""
    known = {name.lower(): row for row, facts in rows.items() for name in (row, *facts.get("aliases", ()))}
    ruled = [(rule, row) for row, facts in rows.items() for rule in facts.get("matches", ())]
    filled: set[str] = set()
    for name, entry in litellm.entries(provider, sources):
        by_rule = next((row for rule, row in ruled if is_like(name.lower(), rule)), None)
        row = known.get(name.lower()) or by_rule
        if row and (name == row or row not in filled):
            _fill(rows[row], litellm.facts_of(entry, day), retire=name == row)
            filled |= {row} if name == row else set()
        if sources.rows and (row is None or sources.exact):
            added = litellm.row_of(provider, name, entry, day, tally)
            if added:
                _place(rows, name, added | {"source": f"{litellm.PACKAGE}, {entry['source']}"}, row)


def _add_media(rows: Rows, provider: str, sources: Sources, day: date, tally: Tally) -> None:
    """Models that answer with no text; where one of that name chats at a known price, both are in its row.

    Where it chats at none, it does not: a price by the second must not make its words free.
    """
    found = media.rows_of(provider, sources, day, tally)
    for group in (group for group in sources.genai if group not in ROUTED):
        found = {name: genai_media.dearer(row, group, name, day, tally) for name, row in found.items()}
        for name, row in genai_media.rows_of(provider, group, day, tally):
            _raise_units(found.setdefault(name, row), row)
    known = {name.lower(): row for row, facts in rows.items() for name in (row, *facts.get("aliases", ()))}
    for name, row in found.items():
        theirs = rows.get(known.get(name.lower(), ""))
        if theirs is None or "rates" not in theirs:
            kept = {key: theirs[key] for key in ("aliases", "matches", "never") if key in theirs} if theirs else {}
            rows[known.get(name.lower(), name)] = row | kept
        elif "units" in row:
            theirs["operations"] = [*theirs["operations"], *row["operations"]]
            theirs["units"] = row["units"]
        else:
            tally["left out: two prices for one name"] += 1


def _raise_units(row: dict[str, Any], other: dict[str, Any]) -> None:
    """Where both sources price a model by the unit, the dearer counts; one that is priced by tokens stays so."""
    if "units" in row:
        row["units"] = {
            unit: max(each["units"].get(unit, 0) for each in (row, other)) for unit in row["units"] | other["units"]
        }


def _fill(row: dict[str, Any], facts: dict[str, Any], *, retire: bool) -> None:
    """Adds what the row does not say itself. Only its very own name retires it: an old snapshot's end is not its."""
    for key, found in facts.items():
        if key.endswith("_modalities"):
            own = row.get(key, ["text"])
            merged = [*own, *(kind for kind in found if kind not in own)]
            if merged != ["text"] and "embedding" not in own:
                row[key] = merged
        elif key == "listed":
            row |= {"listed": False} if retire else {}
        else:
            row.setdefault(key, found)


def _place(rows: Rows, name: str, added: dict[str, Any], taken_by: str | None) -> None:
    """A row of its own for a name; where a row or a rule had it already, the dearer price of both."""
    theirs = rows.get(taken_by) if taken_by else None
    name = taken_by if taken_by and taken_by.lower() == name.lower() else name
    if theirs and "rates" in theirs and ("rates" not in added or is_dearer(theirs["rates"], added["rates"])):
        added = {key: fact for key, fact in added.items() if key not in PRICE} | {
            key: theirs[key] for key in PRICE if key in theirs
        }
    if theirs and "aliases" in theirs:
        theirs["aliases"] = [alias for alias in theirs["aliases"] if alias.lower() != name.lower()]
    if theirs and taken_by == name:
        added |= {key: theirs[key] for key in ("aliases", "matches", "never", "listed") if key in theirs}
    elif theirs and "listed" in theirs and theirs["listed"] is False and "matches" not in theirs:
        added.setdefault("listed", False)
    rows[name] = added


def _tidy(rows: Rows) -> None:
    """Works out what regions add to a price; drops a region's price that is everyone's, and limits that cannot be."""
    for name, row in list(rows.items()):
        if row.get("max_output", 0) > row.get("context_window", 10**9):
            del row["max_output"]
        base = rows.get(name.partition("/")[2]) if litellm.REGION.match(name) else None
        if base and all(row.get(key) == base.get(key) for key in ("rates", "above")):
            del rows[name]
            continue
        factor = Decimal(row.pop("uplift", 1))
        if factor > 1 and "rates" in row:
            above = [(start, raised(rates, factor)) for start, rates in row.get("above", ())]
            row["regional"] = {"rates": raised(row["rates"], factor), **({"above": above} if above else {})}


def sheet_of(provider: str, rows: Rows, day: date) -> str:
    """The provider's file: JSON, one model per line, in the sources' order (the first rule that fits decides).

    `sources` lists each text once; a row names its own by number, the first one (0) by saying nothing.
    """
    sources = list(dict.fromkeys(row["source"] for row in rows.values()))
    head: dict[str, Any] = {"sources": sources, "checked": f"{day}"}
    if PROVIDERS[provider].note:
        head["note"] = PROVIDERS[provider].note
    lines = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    body = ",\n".join(f"{json.dumps(name)}: {json.dumps(_line(row, sources))}" for name, row in rows.items())
    return "\n".join(("{", *lines, '"models": {', *([body] if body else []), "}", "}", ""))


def _line(row: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    number = sources.index(row["source"])
    usual = {"input_modalities": ["text"], "output_modalities": ["text"]}
    told = {
        key: row[key] for key in (*ORDER, *row) if key in row and key != "source" and row[key] != usual.get(key, [])
    }
    return {**told, **({"source": number} if number else {})}
