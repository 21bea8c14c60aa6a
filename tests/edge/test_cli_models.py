"""`orrery models`, as people and programs use it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orrery.core.types import Model
from orrery.edge.cli import app
from orrery.edge.cli.money import NotAnAmount
from orrery.edge.cli.rates import pico_of, pico_of_one, rate_of, usd_of_one
from orrery.edge.embedded.opening import open_state
from orrery.stores.catalog import OperatorCatalog
from orrery.stores.models import ModelStore
from orrery.stores.table import Table

type Result = Any
type Run = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".orrery"


@pytest.fixture
def run(state: Path) -> Run:
    def run(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--state", str(state)])

    assert run("init").exit_code == 0
    return run


def document(result: Result) -> Any:
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def refusal(result: Result) -> str:
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    return str(result.stderr)


async def seen(state: Path, provider: str, name: str) -> Model | None:
    """What the gateway makes of it."""
    async with open_state(state) as table:
        return await OperatorCatalog(ModelStore(Table(table.call, "orrery")).all, print).find(provider, name)


def test_a_price_that_was_set_is_what_the_gateway_charges(run: Run, state: Path) -> None:
    words = ("--input", "1.25", "--output", "10", "--cache-read", "0.125", "--request", "5", "--context", "4096")
    assert run("models", "set", "openai/gpt-4o", *words).exit_code == 0
    model = asyncio.run(seen(state, "openai", "gpt-4o"))
    assert model is not None and model.price is not None
    rates = model.price.rates
    assert (rates.input, rates.output, rates.cache_read) == (1_250_000, 10_000_000, 125_000)
    assert (model.price.request, model.context_window, model.max_output) == (5_000_000, 4096, 16_384)


def test_what_is_sold_by_the_unit_has_a_price_for_one(run: Run, state: Path) -> None:
    words = ("--unit", "image/high/1024x1024=0.04", "--unit", "image=0.1", "--operation", "image_generation")
    shown = document(run("models", "set", "own/painter", *words, "--json"))
    units = {"image/high/1024x1024": "0.04", "image": "0.1"}
    assert {key: shown["pricing"].get(key) for key in ("unit", "units", "input")} == {
        "unit": "image",
        "units": units,
        "input": None,
    }
    assert "0.04-0.1/image" in run("models", "list", "own").stdout
    model = asyncio.run(seen(state, "own", "painter"))
    assert model is not None and model.price is not None
    assert model.price.units == {"image/high/1024x1024": 40 * 10**9, "image": 10**11}
    assert (model.price.rates.input, model.price.rates.output) == (0, 0)


def test_a_price_may_be_by_the_token_and_by_the_unit(run: Run, state: Path) -> None:
    tokens = ("--input", "1", "--output", "2", "--image-input", "3", "--image-output", "4")
    run("models", "set", "own/both", *tokens, "--unit", "audio_ms=0.0000001")
    model = asyncio.run(seen(state, "own", "both"))
    assert model is not None and model.price is not None
    rates = model.price.rates
    assert (rates.output, rates.image_input, rates.image_output) == (2 * 10**6, 3 * 10**6, 4 * 10**6)
    assert model.price.units == {"audio_ms": 100_000}


def test_a_deployment_is_like_its_model(run: Run, state: Path) -> None:
    shown = document(run("models", "set", "azure-openai/prod", "--like", "openai/gpt-4o-mini", "--json"))
    assert (shown["id"], shown["like"]) == ("azure/prod", "openai/gpt-4o-mini")
    model = asyncio.run(seen(state, "azure", "prod"))
    assert model is not None and model.price is not None and model.price.rates.input == 150_000


def test_what_is_set_is_listed_and_goes_when_it_is_unset(run: Run) -> None:
    run("models", "set", "own/m", "--input", "0", "--output", "0")
    assert [model["id"] for model in document(run("models", "list", "--own", "--json"))] == ["own/m"]
    assert "own/m" in run("models", "list").stdout
    assert "does not know it" in run("models", "unset", "own/m").stdout
    assert document(run("models", "list", "--own", "--json")) == []
    assert "nothing is set" in refusal(run("models", "unset", "own/m"))


def test_the_list_holds_the_built_in_models_of_a_provider_by_any_of_its_names(run: Run) -> None:
    listed = document(run("models", "list", "gemini", "--json"))
    assert {model["owned_by"] for model in listed} == {"google"}
    assert "google/gemini-2.5-pro" in run("models", "list", "google").stdout


def test_setting_again_replaces(run: Run) -> None:
    run("models", "set", "own/m", "--input", "1", "--output", "1")
    run("models", "set", "own/m", "--context", "7")
    (model,) = document(run("models", "list", "--own", "--json"))
    assert (model["pricing"], model["context_window"]) == (None, 7)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("gpt-4o", "--context", "1"), "no provider/name"),
        (("openai/x", "--like", "openai/gpt-4o-mni"), "did you mean openai/gpt-4o-mini"),
        (("openai/x", "--input", "1"), "a price has input and output"),
        (("openai/x", "--input", "1e3", "--output", "1"), "is not a price"),
        (("openai/x", "--input", "-1", "--output", "1"), "is not a price"),
        (("openai/x", "--request", "1"), "a price has input and output"),
        (("openai/x", "--reads", "smells"), "input_modalities is a list of"),
        (("openai/x",), "say something of it"),
        (("openai/x", "--unit", "image"), "has no price"),
        (("openai/x", "--unit", "image="), "has no price"),
        (("openai/x", "--unit", "picture=1"), "units are image"),
        (("openai/x", "--unit", "image=1e3"), "is not the price of one"),
        (("openai/x", "--unit", "image=-1"), "is not the price of one"),
        (("openai/x", "--unit", "image=1", "--input", "1"), "a price has input and output"),
        (("openai/x", "--unit", "image=1", "--request", "1"), "a price has input and output"),
        (("Nobody Inc/x", "--context", "1"), "a model is provider/name"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(run: Run, words: tuple[str, ...], told: str) -> None:
    assert told in refusal(run("models", "set", *words))
    assert document(run("models", "list", "--own", "--json")) == []


def test_a_file_sets_many(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    rows = {
        "own/a": {"rates": {"input": 0.5, "output": "1"}, "operations": ["chat", "embeddings"], "context_window": 5},
        "own/b": {"like": "openai/gpt-4o", "output_modalities": ["text"]},
        "own/c": {"units": {"audio_ms": 1e-7, "page": "0.001"}, "operations": ["transcription"]},
    }
    file.write_text(json.dumps(rows))
    a, b, c = document(run("models", "import", str(file), "--json"))
    assert (a["pricing"]["input"], a["operations"]) == ("0.0000005", ["chat", "embeddings"])
    assert b["like"] == "openai/gpt-4o"
    assert c["pricing"]["units"] == {"audio_ms": "0.0000001", "page": "0.001"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no JSON"),
        ("[1]", "no JSON object of models"),
        ('{"own/a": {"context_window": 1}, "own/b": {"price": 1}}', "price is nothing that can be set"),
        ('{"own/a": {"context_window": 1}, "own/b": {"max_output": "1"}}', "a number of tokens"),
        ('{"own/a": {"context_window": 1}, "own/b": {"rates": [1]}}', "a price has input and output"),
        ('{"own/a": {"context_window": 1}, "own/b": {"operations": ["telepathy"]}}', "operations is a list of"),
        ('{"own/a": {"context_window": 1}, "own/b": {"units": ["image"]}}', "units are image"),
    ],
)
def test_of_a_file_with_a_fault_nothing_is_set(run: Run, tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "models.json"
    file.write_text(text)
    assert told in refusal(run("models", "import", str(file)))
    assert document(run("models", "list", "--own", "--json")) == []


@pytest.mark.parametrize(("text", "pico"), [("0", 0), ("1.25", 1_250_000), ("$0.000001", 1), ("1000000", 10**12)])
def test_a_usd_per_million_is_a_million_pico_per_token(text: str, pico: int) -> None:
    assert pico_of(text) == pico
    assert pico_of(rate_of(pico)) == pico


@pytest.mark.parametrize("text", ["", "1.0000001", "1,5", "١", "1000000.1", "nan", "1e1"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount):
        pico_of(text)


@pytest.mark.parametrize(
    ("text", "pico"), [("0", 0), ("0.04", 40 * 10**9), ("$0.000000000001", 1), ("1000000", 10**18)]
)
def test_a_usd_for_one_is_a_million_million_pico(text: str, pico: int) -> None:
    assert pico_of_one(text) == pico
    assert pico_of_one(usd_of_one(pico)) == pico


@pytest.mark.parametrize("text", ["", "0.0000000000001", "1,5", "-1", "nan", "1e1", "١"])
def test_what_is_no_price_of_one_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount):
        pico_of_one(text)


def test_prices_have_all_the_digits_there_are() -> None:
    assert [rate_of(pico) for pico in (0, 1, 1_500_000, None)] == ["0.00", "0.000001", "1.50", "-"]
