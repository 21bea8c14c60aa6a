"""What an operator may say of a model, by options or in a file, as the row that is stored."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from orrery.catalog import models as catalog
from orrery.catalog.near import near
from orrery.catalog.units import FORMS, is_unit
from orrery.core.types import Operation, Price, Rates
from orrery.edge.cli.place import Refused
from orrery.edge.cli.rates import pico_of, pico_of_one
from orrery.providers.directory import ALIASES
from orrery.stores.model_rows import OwnModel

MODALITIES = ("text", "image", "audio", "video", "pdf", "embedding", "score")

LISTS = {
    "operations": tuple(operation.value for operation in Operation),
    "input_modalities": MODALITIES,
    "output_modalities": MODALITIES,
}
COUNTS = ("context_window", "max_output")
FACTS = frozenset({"like", "rates", "units", "request", *COUNTS, *LISTS})


def own_model(model: str, facts: dict[str, Any]) -> OwnModel:
    """What is to be stored. Raises `Refused` and `NotAnAmount`, naming the model."""
    provider, name = canonical(model)
    if strange := sorted(facts.keys() - FACTS):
        raise Refused(f"{model}: {', '.join(strange)} is nothing that can be set; what can: {', '.join(sorted(FACTS))}")
    row = OwnModel(provider, name, like=_like(str(facts.get("like", ""))), price=_price(model, facts))
    for key in COUNTS:
        if key in facts and (type(facts[key]) is not int or facts[key] < 1):
            raise Refused(f"{model}: {key} is a number of tokens, not {facts[key]!r}")
    for key, allowed in LISTS.items():
        if key in facts and (not isinstance(facts[key], list) or not set(facts[key]) <= set(allowed)):
            raise Refused(f"{model}: {key} is a list of {', '.join(allowed)}")
    said: dict[str, Any] = {key: facts[key] for key in COUNTS if key in facts}
    said |= {key: tuple(facts[key]) for key in LISTS if key in facts}
    if "operations" in said:
        said["operations"] = tuple(Operation(operation) for operation in said["operations"])
    row = replace(row, **said)
    if row == OwnModel(provider, name):
        raise Refused(f"{model}: say something of it, such as --input and --output, or --like")
    return row


def canonical(model: str) -> tuple[str, str]:
    """The provider by our name for it, and the rest. Raises `Refused` for what has no provider."""
    provider, _, name = model.partition("/")
    if not provider or not name:
        raise Refused(f"{model!r} is no provider/name")
    return ALIASES.get(provider, provider), name


def _like(model: str) -> str:
    """The built-in model's id. Raises `Refused` when there is none, with what it may have meant."""
    if not model:
        return ""
    provider, name = canonical(model)
    known = catalog.find(provider, name)
    if known is None:
        meant = near(f"{provider}/{name}", {each: catalog.names(each) for each in catalog.PREFERENCE})
        hint = f": did you mean {' or '.join(meant)}?" if meant else ""
        raise Refused(f"the built-in catalog knows no {model}{hint}")
    return f"{provider}/{name}"


def _price(model: str, facts: dict[str, Any]) -> Price | None:
    rates, units = facts.get("rates"), facts.get("units")
    if not rates and not units and "request" not in facts:
        return None
    if units and not rates and "request" not in facts:
        return Price(Rates(0, 0), units=_units(model, units))
    if not isinstance(rates, dict) or not {"input", "output"} <= rates.keys() <= set(Rates.__slots__):
        raise Refused(f"{model}: a price has input and output, and may have {', '.join(Rates.__slots__[2:])}")
    pico = {name: pico_of(_decimal(usd)) for name, usd in rates.items()}
    request = pico_of(_decimal(facts["request"])) if "request" in facts else 0
    return Price(Rates(**pico), request=request, units=_units(model, units) if units else {})


def _units(model: str, units: Any) -> dict[str, int]:
    if not isinstance(units, dict) or not all(is_unit(name) for name in units):
        raise Refused(f"{model}: units are {FORMS}, each with the price of one in US dollars")
    return {name: pico_of_one(_decimal(usd)) for name, usd in units.items()}


def _decimal(usd: Any) -> str:
    """As a person would write it: a number of a JSON file may have an exponent."""
    return f"{Decimal(repr(usd)):f}" if isinstance(usd, float) else str(usd)


def units_of(words: list[str]) -> dict[str, str]:
    """`image/high/1024x1024=0.04`, as options say it. Raises `Refused` for one that has no price."""
    pairs = [word.partition("=") for word in words]
    if strange := [name for name, equals, usd in pairs if not (equals and usd)]:
        raise Refused(f"{strange[0]!r} has no price: write {strange[0]}=0.04")
    return {name: usd for name, _, usd in pairs}
