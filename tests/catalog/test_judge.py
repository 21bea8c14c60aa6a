"""genai-prices itself as the judge: the same names find the same models, the same usages cost the same.

Tolerated: we round a rate up to whole pico-USD (a few of OpenRouter's cache writes), we take the dearest hour of the
day, where we give no price (fees beside the tokens) there is nothing to compare, and where LiteLLM knows a name as
well and both differ (regions of Bedrock and Azure), the dearer of both counts: then ours is no less than theirs.
"""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import types
from hypothesis import given
from hypothesis import strategies as st
from scripts.catalog import genai, kinds
from scripts.catalog.names import names_of
from scripts.catalog.providers import PROVIDERS, ROUTED

from orrery.catalog import models
from orrery.catalog.cost import cost_nano, cost_pico
from orrery.core.types import Model, Operation, Usage

THEIRS = {
    ours: [genai.provider_of(group) for group in sources.genai]
    for ours, sources in PROVIDERS.items()
    if sources.genai and not set(ROUTED) & set(sources.genai)
}
TEXTUAL = {Operation.CHAT, Operation.COMPLETIONS, Operation.EMBEDDINGS, Operation.RESPONSES}
NOISE_PICO = Decimal("0.01")
"""What binary fractions in a price of theirs (0.18000000000000002) add up to over the usages here."""

USAGES = (
    Usage(1_000, 500),
    Usage(1, 1),
    Usage(7_777, 333, cache_read=4_001, cache_write=1_003, cache_write_1h=207, audio_input=59, audio_output=31),
    Usage(100_000, 10),
    Usage(128_001, 10, cache_read=128_000),
    Usage(200_000, 4_321),
    Usage(200_001, 4_321, cache_read=3, cache_write=5),
    Usage(272_001, 9, cache_write_1h=17),
    Usage(1_000_000, 64_000),
)


def find_model(provider: str, name: str) -> types.ModelInfo | None:
    """The model of the first of their providers that knows the name."""
    return next((found for theirs in THEIRS[provider] if (found := theirs.find_model(name))), None)


def their_cost(model: types.ModelInfo, provider: str, usage: Usage, checked: str) -> Decimal:
    """USD at the dearest hour of the day on which our data was checked."""
    day = datetime.fromisoformat(checked).replace(tzinfo=UTC)
    hourly = isinstance(model.prices, list) and any(
        isinstance(price.constraint, types.TimeOfDateConstraint) for price in model.prices
    )
    theirs = TheirUsage(
        input_tokens=usage.prompt,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write + usage.cache_write_1h,
        cache_write_1h_tokens=usage.cache_write_1h,
        input_audio_tokens=usage.audio_input,
        cache_audio_read_tokens=0,
        output_tokens=usage.completion,
        output_audio_tokens=usage.audio_output,
    )
    hours = [day.replace(hour=hour) for hour in (range(24) if hourly else (12,))]
    prices = [model.calc_price(theirs, THEIRS[provider][0], genai_request_timestamp=hour) for hour in hours]
    return max(price.total_price for price in prices)


def agree(ours: Model, theirs: types.ModelInfo, usage: Usage) -> bool:
    """Equal to the pico-USD; above by less than one for each token where a rate was rounded up."""
    assert ours.price is not None
    expected = their_cost(theirs, ours.provider, usage, ours.checked) * 10**12
    over = cost_pico(ours.price, usage) - expected
    if not ours.source.startswith(genai.PACKAGE):
        return over >= 0
    return abs(over) < NOISE_PICO or (
        ours.provider == "openrouter" and 0 < over < usage.cache_write + usage.cache_write_1h
    )


def names() -> list[tuple[str, str]]:
    """Every name that either side knows, and an instance of every rule."""
    found: set[tuple[str, str]] = set()
    for provider, theirs in THEIRS.items():
        for model in (model for each in theirs for model in each.models):
            known = names_of(model.match)
            rules = [kinds.spelled(provider, rule) for rule in known.rules]
            instances = [rule.replace("#", "1").replace("*", "x") for rule in rules]
            dated = [f"{rule.strip('*').replace('#', '2')}-20260101" for rule in rules]
            found.update((provider, name) for name in (model.id, *known.exact, *instances, *dated))
    return sorted(found)


PRICED = [
    (row, theirs)
    for provider, name in names()
    if (row := models.find(provider, name)) and row.price and (theirs := find_model(provider, name))
    if TEXTUAL & set(row.operations)
]
"""Of models that answer with text or vectors: genai-prices has no prices by the piece."""


def test_the_judge_has_something_to_judge() -> None:
    assert len(PRICED) > 1_500
    assert {row.provider for row, _ in PRICED} == set(THEIRS)


def test_every_name_finds_the_model_that_genai_prices_finds() -> None:
    for provider, name in names():
        theirs = find_model(provider, name)
        row = models.find(provider, name)
        if theirs and row and row.source.startswith(genai.PACKAGE):
            assert row.name in {theirs.id, name, *names_of(theirs.match).exact}, (provider, name)


def test_no_name_of_a_model_that_we_have_is_lost() -> None:
    for provider, name in names():
        theirs = THEIRS[provider][0].find_model(name)  # of a second one, only models that the first has not are ours
        row = models.find(provider, theirs.id) if theirs else None
        if row and row.source.startswith(genai.PACKAGE) and models.find(provider, name) is None:
            # genai-prices also rewrites `-20260101` to `-2026-01-01`: no provider takes the former for the latter.
            assert name.endswith("-20260101") or not kinds.is_theirs(provider, name), (provider, name)


def test_what_hugging_faces_router_charges_depends_on_the_host() -> None:
    for group in PROVIDERS["huggingface"].genai:
        for theirs in genai.provider_of(group).models:
            row = models.find("huggingface", f"{theirs.id}:{group.removeprefix('huggingface_')}")
            assert row is not None and models.find("huggingface", theirs.id) is None
            assert row.price is None or agree(replace(row, provider="openai"), theirs, Usage(1_000, 500))


@pytest.mark.parametrize("usage", USAGES, ids=repr)
def test_every_model_costs_what_genai_prices_says(usage: Usage) -> None:
    wrong = [row.id for row, theirs in PRICED if not agree(row, theirs, usage)]
    assert wrong == []


@given(st.sampled_from(PRICED), st.lists(st.integers(0, 300_000), min_size=7, max_size=7))
def test_any_usage_costs_what_genai_prices_says_rounded_up(
    pair: tuple[Model, types.ModelInfo], counts: list[int]
) -> None:
    row, theirs = pair
    rest, read, write, hour, audio, text, spoken = counts
    usage = Usage(
        prompt=rest + read + write + hour + audio,
        completion=text + spoken,
        cache_read=read,
        cache_write=write,
        cache_write_1h=hour,
        audio_input=audio,
        audio_output=spoken,
    )
    assert agree(row, theirs, usage)
    assert row.price is not None
    if row.provider != "openrouter" and row.source.startswith(genai.PACKAGE):
        expected = their_cost(theirs, row.provider, usage, row.checked) * 10**9
        assert cost_nano(row.price, usage) == expected.to_integral_value(ROUND_CEILING)
