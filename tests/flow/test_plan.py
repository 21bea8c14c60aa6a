"""Where a call may go: prefixes, bare names, the default provider, and what is refused before anyone is called."""

import pytest

from orrery.core.errors import Unavailable
from orrery.core.types import Price, Rates
from orrery.flow.gateway import Policy
from orrery.flow.plan import resolve
from orrery.stores.model_rows import OwnModel
from tests.fakes import FakeAccounts, FakeModels, FakeTransport, Room, completion
from tests.flow.asking import HELLO, ask, read, refused


def room(**policy) -> Room:
    return Room(transport=FakeTransport(completion()), policy=Policy(**policy))


async def served_by(room: Room, model: str) -> tuple[str, str]:
    told = await ask(room, model=model)
    return told.answer.headers["x-orrery-provider"], room.transport.body()["model"]


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [
        ("openai/gpt-4o-mini", "openai", "gpt-4o-mini"),
        ("gpt-4o-mini", "openai", "gpt-4o-mini"),
        ("gpt-4o-2024-08-06", "openai", "gpt-4o-2024-08-06"),
        ("groq/llama-3.3-70b-versatile", "groq", "llama-3.3-70b-versatile"),
        ("openrouter/openai/gpt-4o-mini", "openrouter", "openai/gpt-4o-mini"),
    ],
)
async def test_a_model_is_found_by_prefix_or_by_its_bare_name(model, provider, name):
    assert await served_by(room(), model) == (provider, name)


async def test_a_bare_name_that_no_catalog_knows_is_400():
    err = await refused(room(), model="no-such-model")
    assert (err.status, err.param) == (400, "model")
    assert "invalid model format" in err.message


@pytest.mark.parametrize("model", ["openai/no-such-model", "nowhere/gpt-4o-mini-x"])
async def test_an_unknown_model_is_404(model):
    err = await refused(room(), model=model)
    assert (err.status, err.code, err.param) == (404, "model_not_found", "model")


async def test_an_unpriced_model_goes_through_at_zero_when_the_operator_says_so():
    allowed = room(allow_unpriced=True)
    await ask(allowed, model="openai/no-such-model")
    assert allowed.ledger.settled["r1"].cost_nano == 0


async def test_the_default_provider_takes_bare_unlisted_names():
    assert await served_by(room(default_provider="own", allow_unpriced=True), "my-model") == ("own", "my-model")


async def test_the_default_provider_does_not_make_unpriced_models_free():
    assert (await refused(room(default_provider="own"), model="my-model")).status == 404


async def test_a_named_server_is_reached_by_its_name():
    assert await served_by(room(allow_unpriced=True), "own/any/model") == ("own", "any/model")


async def test_a_provider_without_a_key_is_422_and_names_itself():
    keyless = Room(accounts=FakeAccounts("openai"), transport=FakeTransport(completion()))
    err = await refused(keyless, model="openai/gpt-4o-mini")
    assert (err.status, err.code) == (422, "provider_credential_invalid")
    assert "openai" in err.message


async def test_a_bad_fallback_is_refused_before_the_first_target_is_called():
    asked = room()
    err = await refused(asked, fallbacks=[{"model": "openai/no-such-model"}])
    assert (err.status, err.param) == (404, "fallbacks[0].model")
    assert asked.transport.requests == []


async def test_a_tier_without_a_price_is_refused():
    assert (await refused(room(), service_tier="priority")).param == "service_tier"
    assert (await ask(room(), service_tier="default")).payloads


async def test_a_long_model_name_is_not_echoed_whole():
    assert len((await refused(room(), model="openai/" + "x" * 200)).message) < 400


@pytest.mark.parametrize(
    ("model", "status", "hint"),
    [
        ("openai/gpt-4o-mni", 404, "did you mean 'openai/gpt-4o-mini', "),
        ("opena/gpt-4o", 404, "did you mean 'openai/gpt-4o'?"),
        ("gpt-4o-mni", 400, "did you mean 'openai/gpt-4o-mini', "),
        ("openai/claude-haiku-4-5", 404, "did you mean 'anthropic/claude-haiku-4-5'?"),
    ],
)
async def test_a_mistaken_name_is_answered_with_what_it_may_have_meant(model, status, hint):
    err = await refused(room(), model=model)
    assert err.status == status
    assert hint in err.message


async def test_only_providers_that_can_be_called_are_suggested():
    err = await refused(Room(accounts=FakeAccounts("openai")), model="opena/gpt-4o")
    assert "did you mean" not in err.message


async def test_a_name_like_nothing_says_how_to_write_one():
    assert "write provider/model" in (await refused(room(), model="qqqqqq")).message


async def test_a_model_that_is_known_without_a_price_is_not_called_mistaken():
    err = await refused(room(), model="openai/gpt-4o-search-preview")
    assert err.status == 404
    assert "did you mean" not in err.message and "orrery models set" in err.message


async def test_a_mistake_in_a_fallback_is_explained_too():
    err = await refused(room(), fallbacks=[{"model": "openai/gpt-4o-mni"}])
    assert err.param == "fallbacks[0].model" and "did you mean" in err.message


def own(*rows: OwnModel) -> Room:
    return Room(transport=FakeTransport(completion()), models=FakeModels(list(rows)))


async def test_an_operators_price_is_charged():
    priced = own(OwnModel("openai", "gpt-4o-mini", price=Price(Rates(1_000_000, 1_000_000))))
    await ask(priced, model="openai/gpt-4o-mini")
    assert priced.ledger.settled["r1"].cost_nano == 15 * 1_000


@pytest.mark.parametrize("model", ["own/my-model", "my-model"])
async def test_an_operators_model_is_called_by_its_name(model):
    rows = OwnModel("own", "my-model", price=Price(Rates(0, 0)))
    assert await served_by(own(rows), model) == ("own", "my-model")


async def test_an_operators_model_is_called_by_any_of_its_providers_names():
    rows = OwnModel("google", "tuned", like="google/gemini-2.5-pro")
    err = await refused(Room(accounts=FakeAccounts("gemini"), models=FakeModels([rows])), model="gemini/tuned")
    assert err.code == "provider_credential_invalid"


async def test_an_operators_model_is_suggested():
    err = await refused(own(OwnModel("openai", "acme-writer-1", like="openai/gpt-4o")), model="openai/acme-writer")
    assert "did you mean 'openai/acme-writer-1'?" in err.message


async def test_a_model_that_only_the_unreadable_table_could_know_is_503():
    down = Room(models=FakeModels(fault=Unavailable("down")))
    assert (await refused(down, model="openai/acme-writer")).status == 503
    assert down.notes


async def test_a_known_model_is_served_while_the_operators_rows_cannot_be_read():
    down = Room(transport=FakeTransport(completion()), models=FakeModels(fault=Unavailable("down")))
    assert await served_by(down, "openai/gpt-4o-mini") == ("openai", "gpt-4o-mini")


async def test_a_bare_name_imports_no_provider_after_the_first_that_can_be_called():
    asked = []

    class Counting(FakeAccounts):
        async def find(self, name):
            asked.append(name)
            return await super().find(name)

    await ask(Room(accounts=Counting(), transport=FakeTransport(completion())), model="gpt-4.1")
    assert {*asked} == {"openai"}


async def test_a_bare_name_goes_on_to_a_provider_that_can_be_called():
    keyless = Room(accounts=FakeAccounts("openai"), transport=FakeTransport(completion()))
    assert await served_by(keyless, "gpt-4.1") == ("azure", "gpt-4.1")


async def test_a_call_costs_what_its_region_costs():
    costs = []
    for name in ("vertex/gemini-3.5-flash", "vertex/europe-west4/gemini-3.5-flash"):
        (target,) = await resolve(name, read(HELLO | {"model": name}), room().gateway(), "model")
        costs.append(target.price.rates.input)
    assert costs[1] * 10 == costs[0] * 11


@pytest.mark.parametrize("model", ["auto", "router", "default", "orbitrage", "orqen/fast"])
async def test_a_model_that_others_choose_is_refused_by_its_name(model: str):
    err = await refused(Room(), model=model)
    assert (err.status, err.code, err.param) == (400, "unsupported_parameter", "model")
