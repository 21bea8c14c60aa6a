"""US dollars of any unit as whole pico-USD, and what the sheets call each rate."""

from collections import Counter
from decimal import ROUND_CEILING, Decimal

type Tally = Counter[str]
type Rates = dict[str, int]

NOISE = Decimal("1e-6")
"""Pico-USD: what a float in a source is off its own decimals is far less, and no price is this small."""


def pico(usd: Decimal, scale: int, tally: Tally) -> int:
    """`usd` x `scale` as an integer, rounded up; what had to be rounded is counted."""
    exact = usd * scale
    whole = exact.to_integral_value()
    if abs(exact - whole) > NOISE:
        tally["rates rounded up to a whole pico-USD"] += 1
        whole = exact.to_integral_value(ROUND_CEILING)
    return int(whole)


def is_dearer(rates: Rates, than: Rates) -> bool:
    """Whether a token in and a token out cost more together."""
    return rates["input"] + rates["output"] > than["input"] + than["output"]


def raised(rates: Rates, factor: Decimal) -> Rates:
    """Every rate times `factor`, rounded up."""
    return {name: int((rate * factor).to_integral_value(ROUND_CEILING)) for name, rate in rates.items()}
