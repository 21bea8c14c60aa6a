"""Prices as people write them, and the pico-dollars that the catalog keeps: per million tokens, or for one unit."""

import re

from orrery.edge.cli.money import NotAnAmount

PICO_PER_USD = 10**12
PICO_PER_USD_A_MILLION = 10**6
MOST_USD = 1_000_000  # per million tokens: more is a slip of the hand
_RATE = re.compile(r"([0-9]{1,7})(?:\.([0-9]+))?", re.ASCII)


def pico_of(text: str) -> int:
    """ "1.25" is 1_250_000, "0" is free. Raises `NotAnAmount` for signs, exponents and more than six decimals."""
    found = _RATE.fullmatch(text.strip().removeprefix("$"))
    if found is None:
        raise NotAnAmount(f"{text!r} is not a price in US dollars per million tokens, such as 3 or 0.15")
    decimals = (found[2] or "").rstrip("0")
    if len(decimals) > 6:
        raise NotAnAmount(f"{text!r} has {len(decimals)} decimals: the catalog keeps six")
    pico = int(found[1]) * PICO_PER_USD_A_MILLION + int(decimals.ljust(6, "0"))
    if pico > MOST_USD * PICO_PER_USD_A_MILLION:
        raise NotAnAmount(f"{text!r} is more than {MOST_USD} US dollars per million tokens")
    return pico


def pico_of_one(text: str) -> int:
    """Of one unit: "0.04" is 40_000_000_000. Raises `NotAnAmount` for signs, exponents, more than twelve decimals."""
    found = _RATE.fullmatch(text.strip().removeprefix("$"))
    decimals = (found[2] or "").rstrip("0") if found else ""
    if found is None or len(decimals) > 12:
        raise NotAnAmount(f"{text!r} is not the price of one in US dollars, such as 0.04 or 0.0000001")
    return int(found[1]) * PICO_PER_USD + int(decimals.ljust(12, "0"))


def usd_of_one(pico: int) -> str:
    """All the digits there are: 40_000_000_000 is "0.04"."""
    whole, rest = divmod(pico, PICO_PER_USD)
    return f"{whole}.{rest:012d}".rstrip("0").rstrip(".")


def rate_of(pico: int | None) -> str:
    """All the digits there are, at least two decimals: 1_250_000 is "1.25"; "-" for None."""
    if pico is None:
        return "-"
    whole, rest = divmod(pico, PICO_PER_USD_A_MILLION)
    return f"{whole}.{f'{rest:06d}'.rstrip('0').ljust(2, '0')}"
