"""An operator's own model: as it is stored, and as the model that callers see.

| PK     | SK                  | what it is                                              |
| MODELS | M#<provider>/<name> | what the operator says of a model at a provider         |

One partition holds all of them, so that one Query reads them. They belong to the deployment, not to an organization.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json, Model, Operation, Price, Rates

PARTITION = "MODELS"
PREFIX = "M#"

SOURCE = "this gateway's operator"

_PROVIDER = re.compile(r"[0-9a-z][0-9a-z_.-]{0,63}")
LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class OwnModel:
    """What an operator says of a model; None: as the catalog says of it, or of the model that it is `like`.

    A price is given whole: where there is one, nothing of the catalog's own remains, tiers neither. `like` names a
    model of the catalog (`openai/gpt-4o`) that this one is: for a deployment, an ARN, a server of one's own. It stays a
    name, so that a newer catalog's price counts here, too. `set_at` is epoch seconds.
    """

    provider: str
    name: str
    like: str = ""
    price: Price | None = None
    context_window: int | None = None
    max_output: int | None = None
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = None
    operations: tuple[Operation, ...] | None = None
    set_at: int = 0

    @property
    def id(self) -> str:
        """`provider/name`."""
        return f"{self.provider}/{self.name}"


OVERRIDES = ("price", "context_window", "max_output", "input_modalities", "output_modalities", "operations")


def model_of(row: OwnModel, base: Model | None) -> Model:
    """The model that callers see: what the operator says, and `base` (the catalog's model) where they say nothing."""
    said = {name: value for name in OVERRIDES if (value := getattr(row, name)) is not None}
    like = f", like {row.like}" if row.like else ""
    found = base or Model(row.provider, row.name)
    checked = found.checked if base and row.price is None else _day(row.set_at)
    source = f"{SOURCE}{like}" if row.price or not base else f"{SOURCE}{like}; {base.source}"
    return replace(found, provider=row.provider, name=row.name, source=source, checked=checked, **said)


def _day(epoch_s: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch_s, UTC).date().isoformat()


def checked_id(provider: str, name: str) -> tuple[str, str]:
    """The same. Raises `InvalidRequest` for what no caller could ask for."""
    if not _PROVIDER.fullmatch(provider) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(
            f"a model is provider/name, at most {LONGEST_NAME} printable characters, not {f'{provider}/{name}'[:80]!r}",
            param="model",
        )
    return provider, name


def key_of(provider: str, name: str) -> Json:
    """The primary key of a model's row."""
    return {"PK": {"S": PARTITION}, "SK": {"S": f"{PREFIX}{provider}/{name}"}}


def item_of(row: OwnModel) -> Json:
    """What is stored: nothing for what the operator does not say."""
    facts: Json = {"PK": PARTITION, "SK": PREFIX + row.id, "set_at": row.set_at}
    if row.like:
        facts["like"] = row.like
    if row.price is not None:
        facts["price"] = _price_item(row.price)
    facts |= {name: value for name in ("context_window", "max_output") if (value := getattr(row, name)) is not None}
    for name in ("input_modalities", "output_modalities", "operations"):
        if (values := getattr(row, name)) is not None:
            facts[name] = [str(value) for value in values]
    return facts


def row_of(item: Mapping[str, Any]) -> OwnModel:
    """What an item says. Raises `ValueError`, `KeyError` or `TypeError` for one that this version cannot read."""
    provider, _, name = item["SK"].removeprefix(PREFIX).partition("/")
    lists = {key: tuple(item[key]) for key in ("input_modalities", "output_modalities", "operations") if key in item}
    if "operations" in lists:
        lists["operations"] = tuple(Operation(operation) for operation in lists["operations"])
    return OwnModel(
        provider=provider,
        name=name,
        like=item.get("like", ""),
        price=_price_of(item["price"]) if "price" in item else None,
        context_window=item.get("context_window"),
        max_output=item.get("max_output"),
        set_at=item["set_at"],
        **lists,
    )


def _price_item(price: Price) -> Json:
    item: Json = {"rates": _rates_item(price.rates)}
    if price.above:
        item["above"] = [[tokens, _rates_item(rates)] for tokens, rates in price.above]
    if price.request:
        item["request"] = price.request
    if price.units:
        item["units"] = dict(price.units)
    return item


def _rates_item(rates: Rates) -> Json:
    found = {field.name: getattr(rates, field.name) for field in fields(rates)}
    return {name: pico for name, pico in found.items() if pico is not None}


def _price_of(item: Mapping[str, Any]) -> Price:
    above = tuple((tokens, Rates(**rates)) for tokens, rates in item.get("above", ()))
    return Price(Rates(**item["rates"]), above, item.get("request", 0), SOURCE, item.get("units", {}))
