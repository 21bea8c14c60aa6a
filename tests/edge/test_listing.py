"""`GET /models` and `GET /models/{id}`: what this deployment can call, an operator's own models included."""

from dataclasses import replace

import pytest

from orrery.catalog import models
from orrery.core.errors import Unavailable
from orrery.core.types import Model, Operation, Price, Rates
from orrery.edge import families
from orrery.edge.listing import _is_priced
from orrery.edge.model_object import bias_of, model_object, tier_of
from orrery.flow.gateway import Policy
from orrery.stores.model_rows import OwnModel
from tests.edge.asgi import Heard, request
from tests.fakes import FakeAccounts, FakeModels, Room

OWN = OwnModel("openai", "acme/writer", like="openai/gpt-4o", context_window=9)


async def get(room: Room, model: str = "", **more) -> Heard:
    gateway = room.gateway()
    return await request(families.models(lambda: gateway), path=f"/v1/models{model}", method="GET", **more)


async def ids(room: Room) -> list[str]:
    heard = await get(room)
    assert heard.status == 200
    return [model["id"] for model in heard.json()["data"]]


async def test_every_model_that_can_be_called_is_listed_once_and_in_order():
    listed = await ids(Room())
    assert listed == sorted(set(listed))
    assert {model.split("/")[0] for model in listed} == {"openai", "anthropic", "groq"}
    assert "openai/gpt-4o-mini" in listed


async def test_a_provider_without_a_key_is_not_listed():
    assert not [model for model in await ids(Room(accounts=FakeAccounts("openai"))) if model.startswith("openai/")]


async def test_a_model_of_a_provider_without_a_key_is_404():
    assert (await get(Room(accounts=FakeAccounts("anthropic")), "/anthropic/claude-haiku-4-5")).status == 404


async def test_what_no_call_would_reach_is_not_listed():
    listed = await ids(Room())
    for model in ("o1-pro", "gpt-4o-audio-preview", "gpt-4", "ft:gpt-4o"):
        assert f"openai/{model}" not in listed


async def test_models_without_a_price_are_listed_where_they_can_be_called():
    assert "openai/gpt-4o-audio-preview" in await ids(Room(policy=Policy(allow_unpriced=True)))


@pytest.mark.parametrize(
    ("operation", "price", "offered"),
    [
        (Operation.CHAT, Price(Rates(0, 0), units={"image": 1}), False),
        (Operation.CHAT, Price(Rates(0, 0)), True),
        (Operation.IMAGES, Price(Rates(0, 0), units={"image/hd/1024x1024": 1}), True),
        (Operation.IMAGES, Price(Rates(0, 0), units={"page": 1}), False),
        (Operation.IMAGES, Price(Rates(1, 1)), True),
        (Operation.IMAGES, Price(Rates(0, 0)), False),
        (Operation.OCR, Price(Rates(0, 0), units={"page": 1}), False),
    ],
)
async def test_a_model_is_offered_where_its_price_says_what_an_operation_costs(operation, price, offered):
    own = OwnModel("openai", "acme/one", price=price, operations=(operation,))
    assert ("openai/acme/one" in await ids(Room(models=FakeModels([own])))) is offered


def test_every_built_in_price_says_what_one_of_its_operations_costs():
    assert not [
        row.id
        for row in models.listed(models.PREFERENCE)
        if row.price and not any(_is_priced(row.price, operation) for operation in row.operations)
    ]


async def test_an_operators_models_are_listed_with_what_was_said_of_them():
    room = Room(models=FakeModels([OWN, OwnModel("cohere", "mine", price=Price(Rates(1, 1)))]))
    listed = await ids(room)
    assert "openai/acme/writer" in listed and "cohere/mine" not in listed
    model = (await get(room, "/openai/acme/writer")).json()
    assert (model["context_window"], model["pricing"]["input"]) == (9, "0.0000025")


async def test_an_operators_price_is_the_one_that_is_shown():
    room = Room(models=FakeModels([OwnModel("openai", "gpt-4o", price=Price(Rates(1_000_000, 2_000_000)))]))
    model = (await get(room, "/openai/gpt-4o")).json()
    assert (model["pricing"]["input"], model["pricing"]["source"]) == ("0.000001", "this gateway's operator")


@pytest.mark.parametrize(
    "asked", ["openai/gpt-4o-mini", "gpt-4o-mini", "openai%2Fgpt-4o-mini", "OPENAI/x", "nowhere/x", ""]
)
async def test_a_model_is_found_by_its_id_and_nothing_else_is(asked):
    heard = await get(Room(), f"/{asked}")
    if "gpt-4o-mini" in asked:
        assert (heard.status, heard.json()["id"]) == (200, "openai/gpt-4o-mini")
    else:
        assert heard.status == 404


async def test_a_bare_name_is_that_of_a_provider_that_can_be_called():
    heard = await get(Room(accounts=FakeAccounts("openai")), "/llama-3.3-70b-versatile")
    assert heard.json()["id"] == "groq/llama-3.3-70b-versatile"


async def test_models_are_listed_while_the_operators_rows_cannot_be_read():
    room = Room(models=FakeModels(fault=Unavailable("down")))
    assert "openai/gpt-4o-mini" in await ids(room)
    assert (await get(room, "/openai/acme/writer")).status == 503


async def test_a_missing_key_is_401():
    assert (await get(Room(), token=None)).status == 401


async def test_the_price_that_is_shown_is_that_of_the_accounts_region():
    class InEurope(FakeAccounts):
        async def find(self, name):
            account = await super().find(name)
            return replace(account, region="europe-west4") if account and name == "vertex" else account

        async def usable(self):
            return (await self.find("vertex"),)

    shown = (await get(Room(accounts=InEurope()), "/vertex/gemini-3.5-flash")).json()
    everywhere = models.find("vertex", "gemini-3.5-flash")
    assert everywhere and everywhere.price
    assert shown["pricing"]["input"] == "0.00000165"
    assert everywhere.price.rates.input == 1_500_000


def test_a_model_shows_the_fields_of_openai_of_orbitrage_and_ours():
    shown = model_object(replace(models.find("openai", "gpt-5.4"), created=5))
    assert {key: shown[key] for key in ("id", "object", "created", "owned_by")} == {
        "id": "openai/gpt-5.4",
        "object": "model",
        "created": 5,
        "owned_by": "openai",
    }
    assert (shown["tier"], shown["vision"], shown["bias"]) == ("high", True, "reasoning")
    assert shown["max_output_tokens"] == 128_000 and "pdf" in shown["input_modalities"]
    assert shown["pricing"]["above"][0]["input_tokens"] == 272_000
    assert shown["pricing"]["checked"] and shown["pricing"]["source"].startswith("genai-prices")


@pytest.mark.parametrize(
    ("usd", "tier"),
    [("0.99", "basic"), ("1", "mid"), ("4.99", "mid"), ("5", "high"), ("19.99", "high"), ("20", "frontier")],
)
def test_tiers_are_told_by_the_price_of_output(usd, tier):
    model = Model("openai", "m", Price(Rates(1, round(float(usd) * 10**6))))
    assert tier_of(model) == tier
    assert tier_of(replace(model, output_modalities=("text", "image"))) == "image"
    assert tier_of(replace(model, price=None)) is None
    assert tier_of(replace(model, operations=(Operation.EMBEDDINGS,))) is None


@pytest.mark.parametrize("operation", [Operation.MODERATIONS, Operation.TRANSCRIPTIONS, Operation.SPEECH])
def test_what_writes_no_text_of_its_own_has_no_tier(operation):
    assert tier_of(Model("openai", "m", Price(Rates(1, 1)), operations=(operation,))) is None


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        (Price(Rates(0, 0)), {"unit": "token", "input": "0", "output": "0"}),
        (
            Price(Rates(5_000_000, 40_000_000, image_input=10_000_000, image_output=40_000_000)),
            {"unit": "token", "input": "0.000005", "output": "0.00004", "image_input": "0.00001"}
            | {"image_output": "0.00004"},
        ),
        (
            Price(Rates(0, 0), units={"image/hd/1024x1792": 132 * 10**9, "image": 40 * 10**9}),
            {"unit": "image", "units": {"image/hd/1024x1792": "0.132", "image": "0.04"}},
        ),
        (Price(Rates(0, 0), units={"audio_ms": 100_000}), {"unit": "audio_ms", "units": {"audio_ms": "0.0000001"}}),
        (
            Price(Rates(1_000_000, 0), units={"page": 10**9}),
            {"unit": "token", "input": "0.000001", "output": "0", "units": {"page": "0.001"}},
        ),
    ],
)
def test_a_price_says_what_it_is_the_price_of(price, shown):
    pricing = model_object(Model("openai", "m", price))["pricing"]
    assert pricing == {"currency": "USD", **shown, "source": "", "checked": ""}


async def test_what_answers_with_no_text_is_listed_with_its_operations():
    listed = {model["id"]: model for model in (await get(Room())).json()["data"]}
    picture, speech = listed["openai/gpt-image-2"], listed["openai/tts-1"]
    assert (picture["tier"], picture["operations"]) == ("image", ["image_generation", "image_edit"])
    assert (speech["output_modalities"], speech["pricing"]["unit"]) == (["audio"], "character")


@pytest.mark.parametrize(
    ("name", "reasoning", "bias"),
    [
        ("gpt-4o", False, "chat"),
        ("o3", True, "reasoning"),
        ("codestral", False, "code"),
        ("gpt-5-codex", True, "mixed"),
    ],
)
def test_biases_are_told_by_name_and_by_reasoning(name, reasoning, bias):
    assert bias_of(Model("openai", name, reasoning=reasoning)) == bias
