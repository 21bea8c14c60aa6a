"""The catalog with its operator's rows before it: what they change, and how seldom they are read."""

import asyncio

import pytest

from orrery.catalog import models
from orrery.core.errors import AwsFault, Unavailable
from orrery.core.types import Json, Price, Rates
from orrery.stores.catalog import AGAIN_S, FRESH_S, STALE_S, WAIT_S, OperatorCatalog
from orrery.stores.model_rows import OwnModel
from orrery.stores.models import ModelStore
from tests.fakes import in_virtual_time
from tests.stores.books import Clock, quick_table

CHEAP = Price(Rates(1, 2))


class Shelf:
    """A catalog over rows that a test sets; counts the reads, which last until `open` is set."""

    def __init__(self, *rows: OwnModel) -> None:
        self.rows = list(rows)
        self.fault: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.reads = 0
        self.notes: list[str] = []
        self.clock = Clock()
        self.catalog = OperatorCatalog(self.read, self.notes.append, clock=self.clock)

    async def read(self) -> list[OwnModel]:
        self.reads += 1
        await self.open.wait()
        if self.fault:
            raise self.fault
        return list(self.rows)

    async def input_rate(self, provider: str = "openai", name: str = "gpt-4o") -> int | None:
        model = await self.catalog.find(provider, name)
        return model.price.rates.input if model and model.price else None


async def settled() -> None:
    """Lets what runs behind a request finish."""
    for _ in range(5):
        await asyncio.sleep(0)


BUILT_IN = 2_500_000
OWN = OwnModel("openai", "gpt-4o", price=CHEAP)


async def test_an_operators_price_comes_before_the_catalogs() -> None:
    assert await Shelf().input_rate() == BUILT_IN
    assert await Shelf(OWN).input_rate() == 1


@pytest.mark.parametrize("name", ["gpt-4o-2024-08-06", "GPT-4O"])
async def test_it_counts_for_every_name_that_the_catalog_counts_to_the_model(name: str) -> None:
    assert await Shelf(OWN).input_rate("openai", name) == 1


async def test_a_row_for_a_name_of_its_own_comes_before_the_familys() -> None:
    shelf = Shelf(OWN, OwnModel("openai", "gpt-4o-2024-08-06", price=Price(Rates(7, 7))))
    assert await shelf.input_rate("openai", "gpt-4o-2024-08-06") == 7


async def test_a_deployment_costs_what_its_model_costs() -> None:
    shelf = Shelf(OwnModel("azure", "prod", like="openai/gpt-4o"))
    model = await shelf.catalog.find("azure", "prod")
    assert model is not None and model.price is not None
    assert (model.id, model.price.rates.input, model.context_window) == ("azure/prod", BUILT_IN, 128_000)


async def test_what_it_is_like_costs_more_in_regions_too() -> None:
    shelf = Shelf(OwnModel("vertex", "tuned", like="vertex/gemini-3.5-flash"))
    prices = [await shelf.catalog.find("vertex", "tuned", region) for region in ("global", "europe-west4")]
    rates = [model.price.rates.input for model in prices if model and model.price]
    assert rates[1] > rates[0]


async def test_a_row_for_a_region_counts_there_only() -> None:
    shelf = Shelf(OwnModel("bedrock", "eu-west-1/deepseek.v3.2", price=CHEAP))
    there, elsewhere = [await shelf.catalog.find("bedrock", "deepseek.v3.2", r) for r in ("eu-west-1", "eu-west-2")]
    assert there and there.price == CHEAP
    assert elsewhere and elsewhere.price != CHEAP


async def test_a_model_like_none_has_no_price() -> None:
    model = await Shelf(OwnModel("azure", "prod", like="openai/gone")).catalog.find("azure", "prod")
    assert model is not None and model.price is None


async def test_own_names_are_found_bare_listed_and_suggested() -> None:
    shelf = Shelf(OwnModel("azure", "prod-chat", like="openai/gpt-4o"), OwnModel("own", "gpt-4.1", price=CHEAP))
    assert await shelf.catalog.named("prod-chat") == ("azure",)
    assert await shelf.catalog.named("gpt-4.1") == ("own", "openai", "azure")
    listed = [model.id for model in await shelf.catalog.listed(["azure", "cohere"])]
    assert listed == sorted(listed) and "azure/prod-chat" in listed and "own/gpt-4.1" not in listed
    assert await shelf.catalog.near("azure/prod-chatt", ["azure"]) == ("azure/prod-chat",)


async def test_listing_shows_an_override_once() -> None:
    shelf = Shelf(OWN)
    found = [model for model in await shelf.catalog.listed(["openai"]) if model.name == "gpt-4o"]
    assert [model.price for model in found] == [CHEAP]
    assert len(await shelf.catalog.listed(["openai"])) == len(models.listed(["openai"]))


async def test_rows_are_read_once_a_minute_however_many_ask() -> None:
    shelf = Shelf(OWN)
    await asyncio.gather(*(shelf.input_rate() for _ in range(20)))
    shelf.clock.now += FRESH_S - 1
    await shelf.input_rate()
    assert shelf.reads == 1


async def test_a_warm_request_waits_for_nothing_and_the_next_sees_what_changed() -> None:
    shelf = Shelf(OWN)
    assert await shelf.input_rate() == 1
    shelf.rows = []
    shelf.open.clear()
    shelf.clock.now += FRESH_S
    began = asyncio.get_running_loop().time()
    assert [await shelf.input_rate(), await shelf.input_rate()] == [1, 1]
    assert asyncio.get_running_loop().time() - began < WAIT_S
    shelf.open.set()
    await settled()
    assert (await shelf.input_rate(), shelf.reads) == (BUILT_IN, 2)


async def test_rows_that_are_too_old_are_waited_for() -> None:
    shelf = Shelf(OWN)
    await shelf.input_rate()
    shelf.rows = []
    shelf.clock.now += STALE_S
    assert await shelf.input_rate() == BUILT_IN


async def test_a_clock_that_was_set_back_makes_nothing_fresh() -> None:
    shelf = Shelf(OWN)
    await shelf.input_rate()
    shelf.rows = []
    shelf.clock.now -= 10 * FRESH_S
    assert await shelf.input_rate() == BUILT_IN


async def test_preparing_reads_beside_whatever_else_is_done() -> None:
    shelf = Shelf(OWN)
    shelf.catalog.prepare()
    shelf.catalog.prepare()
    await settled()
    assert shelf.reads == 1
    shelf.open.clear()
    assert await shelf.input_rate() == 1


def test_a_slow_table_is_waited_for_a_second_at_most() -> None:
    async def main() -> tuple[int | None, float]:
        shelf = Shelf(OWN)
        shelf.open.clear()
        began = asyncio.get_running_loop().time()
        rate = await shelf.input_rate()
        shelf.open.set()
        return rate, asyncio.get_running_loop().time() - began

    rate, waited_s = in_virtual_time(main)
    assert rate == BUILT_IN
    assert 0.9 < waited_s < 1.5


async def test_while_the_table_fails_the_built_in_catalog_serves_and_a_line_is_written() -> None:
    shelf = Shelf(OWN)
    shelf.fault = Unavailable("the gateway's table failed")
    assert [await shelf.input_rate() for _ in range(3)] == [BUILT_IN] * 3
    assert shelf.reads == 1
    assert shelf.notes == ["the operator's models cannot be read: the gateway's table failed"]
    shelf.fault = None
    shelf.clock.now += AGAIN_S
    assert await shelf.input_rate() == 1


async def test_what_was_read_before_the_table_failed_still_counts() -> None:
    shelf = Shelf(OWN)
    await shelf.input_rate()
    shelf.fault = Unavailable("down")
    shelf.clock.now += 10 * STALE_S
    assert await shelf.input_rate() == 1


async def test_what_only_the_operator_could_know_is_not_called_unknown_while_the_table_fails() -> None:
    shelf = Shelf()
    shelf.fault = Unavailable("down")
    with pytest.raises(Unavailable):
        await shelf.catalog.find("azure", "prod")
    with pytest.raises(Unavailable):
        await shelf.catalog.named("prod")
    assert await shelf.catalog.named("gpt-4.1") == ("openai", "azure")


def test_another_event_loop_reads_for_itself() -> None:
    shelf = Shelf(OWN)
    shelf.open.clear()
    gone = asyncio.new_event_loop()
    gone.run_until_complete(_prepared(shelf))
    (left_behind,) = asyncio.all_tasks(gone)
    shelf.open = asyncio.Event()
    shelf.open.set()
    assert asyncio.run(shelf.input_rate()) == 1
    left_behind.cancel()
    gone.run_until_complete(settled())
    gone.close()


async def _prepared(shelf: Shelf) -> None:
    """Begins a read that this loop will not see the end of."""
    shelf.catalog.prepare()
    await settled()


async def test_one_query_reads_all_of_them() -> None:
    asked: list[tuple[str, Json]] = []

    async def call(action: str, payload: Json) -> Json:
        asked.append((action, payload))
        if len(asked) > 1:
            raise AwsFault("AccessDeniedException", "no", status=400)
        return {"Items": []}

    store = ModelStore(quick_table(call, "t"))
    assert await store.all() == ()
    assert [action for action, _ in asked] == ["Query"]
    assert asked[0][1]["ExpressionAttributeValues"] == {":p": {"S": "MODELS"}}
    with pytest.raises(Unavailable):
        await store.all()
