"""An operator's models in the table: what was set is read again, and what it makes of the catalog's model."""

from dataclasses import replace

import pytest

from orrery.catalog import models
from orrery.core.errors import InvalidRequest
from orrery.core.types import Operation, Price, Rates
from orrery.stores.attributes import pack_item
from orrery.stores.model_rows import PARTITION, PREFIX, OwnModel, item_of, model_of, row_of
from orrery.stores.models import ModelStore
from orrery.stores.table import Table
from tests.stores.books import Clock

RATES = Rates(1, 2, cache_read=3, cache_write_1h=4, image_input=8, image_output=9)
PRICE = Price(RATES, ((200_000, Rates(5, 6)),), 7, units={"image/high/1024x1024": 40 * 10**9, "audio_ms": 1})
FULL = OwnModel(
    "azure",
    "a/b:c",
    like="openai/gpt-4o",
    price=PRICE,
    context_window=8,
    max_output=9,
    input_modalities=("text", "image"),
    output_modalities=("text",),
    operations=(Operation.CHAT, Operation.RESPONSES),
)


@pytest.fixture
def store(table: Table, clock: Clock) -> ModelStore:
    return ModelStore(table, clock=clock)


@pytest.mark.parametrize("row", [FULL, OwnModel("own", "m", max_output=1), OwnModel("own", "m", like="openai/gpt-4o")])
async def test_what_was_set_is_read_again(store: ModelStore, clock: Clock, row: OwnModel) -> None:
    stored = await store.put(row)
    assert stored == replace(row, set_at=int(clock.now))
    (found,) = await store.all()
    sourced = replace(row.price, source=found.price.source) if row.price and found.price else None
    assert found == replace(stored, price=sourced)


async def test_setting_again_replaces_all_that_was_said(store: ModelStore) -> None:
    await store.put(FULL)
    await store.put(OwnModel("azure", "a/b:c", max_output=1))
    (found,) = await store.all()
    assert (found.price, found.max_output, found.like) == (None, 1, "")


async def test_rows_come_sorted_and_go_when_removed(store: ModelStore) -> None:
    for name in ("c", "a", "b"):
        await store.put(OwnModel("own", name, max_output=1))
    assert [row.name for row in await store.all()] == ["a", "b", "c"]
    assert await store.remove("own", "b") and not await store.remove("own", "b")
    assert [row.name for row in await store.all()] == ["a", "c"]


@pytest.mark.parametrize(
    ("provider", "name"), [("", "m"), ("a/b", "m"), ("A", "m"), ("a", ""), ("a", "m\n"), ("a", "m" * 257)]
)
async def test_what_nobody_could_ask_for_is_not_stored(store: ModelStore, provider: str, name: str) -> None:
    with pytest.raises(InvalidRequest):
        await store.put(OwnModel(provider, name, max_output=1))
    assert await store.all() == ()


async def test_a_row_of_another_version_is_left_out(store: ModelStore, table: Table) -> None:
    await store.put(OwnModel("own", "m", max_output=1))
    for name, more in (("x", {"operations": ["telepathy"]}), ("y", {"price": {"rates": {"thoughts": 1}}}), ("z", {})):
        item = {"PK": PARTITION, "SK": f"{PREFIX}own/{name}", **more}
        await table.run("PutItem", {"Item": pack_item(item if name == "z" else {**item, "set_at": 1})})
    assert [row.name for row in await store.all()] == ["m"]


def test_what_is_not_said_is_the_catalogs() -> None:
    base = models.find("openai", "gpt-4o")
    assert base is not None
    model = model_of(OwnModel("azure", "prod", like="openai/gpt-4o", max_output=5, set_at=1), base)
    assert (model.id, model.max_output) == ("azure/prod", 5)
    assert (model.price, model.context_window, model.operations) == (base.price, base.context_window, base.operations)
    assert "like openai/gpt-4o" in model.source and base.source in model.source
    assert model.checked == base.checked


def test_a_price_is_given_whole() -> None:
    base = models.find("openai", "gpt-5.4")
    assert base is not None and base.price is not None and base.price.above
    model = model_of(OwnModel("openai", "gpt-5.4", price=Price(Rates(1, 2)), set_at=86_400), base)
    assert model.price == Price(Rates(1, 2))
    assert base.source not in model.source and model.checked == "1970-01-02"


def test_a_price_that_an_older_version_stored_has_no_units() -> None:
    item = item_of(OwnModel("own", "m", price=Price(RATES), set_at=1))
    assert "units" not in item["price"]
    found = row_of(item).price
    assert found is not None and found.units == {}


def test_a_model_that_no_catalog_knows_is_what_is_said_of_it() -> None:
    model = model_of(row_of(item_of(OwnModel("own", "m", price=PRICE, set_at=1))), None)
    assert (model.operations, model.context_window) == ((Operation.CHAT,), None)
    assert model.price is not None and model.price.rates == RATES and model.price.above == PRICE.above
    assert model.price.request == 7 and model.price.units == PRICE.units
