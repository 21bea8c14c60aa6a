"""Money: the cost of a usage, against properties and an independent computation in decimals."""

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.catalog.cost import cost_nano, cost_pico, covers, rates_for, unit_pico, usd
from orrery.core.types import Price, Rates, Usage

PARENT = {
    "cache_read": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "audio_input": "input",
    "audio_output": "output",
    "image_input": "input",
    "image_output": "output",
}
PROMPT_PARTS = ("cache_read", "cache_write", "cache_write_1h", "audio_input", "image_input")
UNITS = ("image", "image/high", "image/high/1024x1024", "image/low/512x512", "audio_ms", "page", "page/annotated")

rate = st.integers(0, 10**9)
count = st.integers(0, 10**6)


def rate_of(rates: Rates, name: str) -> int:
    """A class's own rate, else its parent's."""
    own = getattr(rates, name)
    return own if own is not None else rate_of(rates, PARENT[name])


@st.composite
def prices(draw: st.DrawFn) -> Price:
    """Any price; what lies above a threshold is at least as dear, class by class."""
    base = Rates(draw(rate), draw(rate), **{name: draw(st.none() | rate) for name in PARENT})
    above: list[tuple[int, Rates]] = []
    floor = base
    for threshold in sorted(draw(st.sets(st.integers(0, 2 * 10**6), max_size=2))):
        floor = Rates(**{name: rate_of(floor, name) + draw(rate) for name in Rates.__slots__})
        above.append((threshold, floor))
    units = draw(st.dictionaries(st.sampled_from(UNITS), rate, max_size=3))
    return Price(base, tuple(above), request=draw(rate), units=units)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Any usage whose parts lie within their wholes."""
    parts = {name: draw(count) for name in PROMPT_PARTS}
    audio, images, reasoning = draw(count), draw(count), draw(count)
    prompt, completion = sum(parts.values()) + draw(count), max(audio + images, reasoning) + draw(count)
    made = {"reasoning": reasoning, "audio_output": audio, "image_output": images}
    units = draw(st.dictionaries(st.sampled_from(UNITS), st.integers(0, 10**6), max_size=3))
    return Usage(prompt, completion, **parts, **made, units=units)


any_count = st.integers(-(10**6), 10**6)
any_usage = st.builds(Usage, *[any_count] * 10, units=st.dictionaries(st.sampled_from(UNITS), any_count, max_size=3))


def in_decimals(price: Price, usage: Usage) -> Decimal:
    """USD, the other way round: each class apart, in decimals, from USD per million."""
    rates = next((r for threshold, r in reversed(price.above) if usage.prompt > threshold), price.rates)
    counts = {name: getattr(usage, name) for name in PARENT}
    counts["input"] = usage.prompt - sum(counts[name] for name in PROMPT_PARTS)
    counts["output"] = usage.completion - usage.audio_output - usage.image_output
    per_million = {name: Decimal(rate_of(rates, name)) / 10**6 for name in counts}
    pieces = sum((Decimal(price_of(price, unit)) / 10**12 * number for unit, number in usage.units.items()), Decimal(0))
    return sum((per_million[name] * counts[name] / 10**6 for name in counts), Decimal(price.request) / 10**12 + pieces)


def price_of(price: Price, unit: str) -> int:
    """Pico-USD for a unit, the other way round: by every name that it may have been priced under."""
    shorter = [
        unit[:end] for end in range(len(unit), 0, -1) if unit[:end] in price.units and unit[end : end + 1] in "/"
    ]
    longer = [pico for name, pico in price.units.items() if name.startswith(unit + "/")]
    return price.units[shorter[0]] if shorter else max(longer, default=0)


@given(prices(), usages())
def test_cost_equals_an_independent_decimal_computation(price: Price, usage: Usage) -> None:
    assert Decimal(cost_pico(price, usage)) / 10**12 == in_decimals(price, usage)


@given(prices(), usages())
def test_nano_is_the_sum_rounded_up_once(price: Price, usage: Usage) -> None:
    assert cost_nano(price, usage) == (in_decimals(price, usage) * 10**9).to_integral_value(ROUND_CEILING)


@given(prices(), any_usage)
def test_no_usage_makes_a_cost_negative_or_a_float(price: Price, usage: Usage) -> None:
    for cost in (cost_pico(price, usage), cost_nano(price, usage)):
        assert type(cost) is int
        assert cost >= 0


@given(prices(), usages(), st.sampled_from([*PROMPT_PARTS, "prompt"]), count)
def test_more_tokens_of_any_input_class_never_cost_less(price: Price, usage: Usage, name: str, more: int) -> None:
    grown = replace(usage, prompt=usage.prompt + more)
    if name != "prompt":
        grown = replace(grown, **{name: getattr(usage, name) + more})
    assert cost_pico(price, grown) >= cost_pico(price, usage)


@given(prices(), usages(), st.sampled_from(["audio_output", "image_output", "reasoning", "completion"]), count)
def test_more_tokens_of_any_output_class_never_cost_less(price: Price, usage: Usage, name: str, more: int) -> None:
    grown = replace(usage, completion=usage.completion + more)
    if name != "completion":
        grown = replace(grown, **{name: getattr(usage, name) + more})
    assert cost_pico(price, grown) >= cost_pico(price, usage)


@given(prices(), usages())
def test_parts_of_a_class_without_a_rate_cost_what_their_parent_costs(price: Price, usage: Usage) -> None:
    flat = Price(Rates(price.rates.input, price.rates.output))
    assert cost_pico(flat, usage) == cost_pico(flat, Usage(usage.prompt, usage.completion))


@given(prices(), usages(), st.sampled_from(UNITS), count)
def test_more_of_a_unit_never_costs_less(price: Price, usage: Usage, unit: str, more: int) -> None:
    grown = replace(usage, units={**usage.units, unit: usage.units.get(unit, 0) + more})
    assert cost_pico(price, grown) >= cost_pico(price, usage)


PICTURES = Price(Rates(0, 0), units={"image/high": 8, "image/high/1024x1024": 4, "image/low/512x512": 1})


@pytest.mark.parametrize(
    ("unit", "pico"),
    [
        ("image/high/1024x1024", 4),
        ("image/high/1792x1024", 8),
        ("image/low/512x512", 1),
        ("image/low/1024x1024", None),
        ("image/low", 1),
        ("image", 8),
        ("page", None),
        ("imag", None),
    ],
)
def test_a_unit_costs_what_its_own_name_says_else_a_shorter_one_else_the_dearest_it_may_be(
    unit: str, pico: int | None
) -> None:
    assert unit_pico(PICTURES, unit) == pico


@pytest.mark.parametrize(
    ("price", "most", "covered"),
    [
        (PICTURES, Usage(units={"image": 1}), True),
        (PICTURES, Usage(units={"page": 1}), False),
        (PICTURES, Usage(10), False),
        (PICTURES, None, False),
        (Price(Rates(1, 1)), Usage(units={"image": 1}), False),
        (Price(Rates(1, 1)), Usage(10, 10, units={"image": 1}), True),
        (Price(Rates(1, 1)), None, True),
        (Price(Rates(0, 0)), None, True),
        (Price(Rates(0, 0)), Usage(10), True),
        (Price(Rates(0, 0)), Usage(10, units={"image": 1}), False),
    ],
)
def test_a_price_covers_what_it_names(price: Price, most: Usage | None, covered: bool) -> None:
    assert covers(price, most) is covered


def test_each_class_is_charged_at_its_own_rate_and_only_once() -> None:
    price = Price(Rates(1, 100, 10**4, 10**6, 10**8, 10**10, 10**12))
    usage = Usage(
        9 + 2 + 3 + 4 + 5, 7 + 6, cache_read=2, cache_write=3, cache_write_1h=4, audio_input=5, audio_output=6
    )
    assert cost_pico(price, usage) == 6_05_04_03_02_07_09


def test_hour_long_cache_writes_cost_what_short_ones_do_unless_they_have_a_rate() -> None:
    assert cost_pico(Price(Rates(1, 0, cache_write=50)), Usage(10, 0, cache_write_1h=10)) == 500


def test_parts_beyond_their_whole_are_cut_to_it_dearest_first() -> None:
    price = Price(Rates(100, 100, cache_read=10, cache_write=125))
    assert cost_pico(price, Usage(10, 0, cache_read=9, cache_write=4)) == 4 * 125 + 6 * 10


@pytest.mark.parametrize(("prompt", "rates"), [(0, 1), (100, 1), (101, 2), (200, 2), (201, 3), (10**6, 3)])
def test_a_tier_begins_one_token_above_its_threshold(prompt: int, rates: int) -> None:
    price = Price(Rates(1, 1), ((100, Rates(2, 2)), (200, Rates(3, 3))))
    assert rates_for(price, prompt).input == rates


def test_a_tier_charges_the_whole_request_cached_tokens_counted() -> None:
    price = Price(Rates(1, 10, cache_read=0), ((100, Rates(2, 20, cache_read=1)),))
    assert cost_pico(price, Usage(101, 3, cache_read=100)) == 1 * 2 + 100 * 1 + 3 * 20


def test_the_fee_per_request_is_charged_once_even_without_tokens() -> None:
    assert cost_pico(Price(Rates(1, 1), request=12_000), Usage()) == 12_000


def test_one_pico_costs_a_whole_nano_and_nothing_costs_nothing() -> None:
    assert cost_nano(Price(Rates(1, 0)), Usage(1, 0)) == 1
    assert cost_nano(Price(Rates(1, 0)), Usage(1_000, 0)) == 1
    assert cost_nano(Price(Rates(1, 0)), Usage(1_001, 0)) == 2
    assert cost_nano(Price(Rates(1, 0)), Usage()) == 0


@pytest.mark.parametrize(
    ("nano", "shown"),
    [(0, "0"), (1, "0.000000001"), (123_000, "0.000123"), (12 * 10**9, "12"), (-500_000_000, "-0.5"), (10**10, "10")],
)
def test_usd_is_a_plain_decimal(nano: int, shown: str) -> None:
    assert usd(nano) == shown


@given(st.integers(-(10**24), 10**24))
def test_usd_is_exact(nano: int) -> None:
    assert Decimal(usd(nano)) == Decimal(nano).scaleb(-9)
