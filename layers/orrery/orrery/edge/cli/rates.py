"""Prices as people write them, US dollars per million tokens, and the pico-dollars per token that the catalog keeps."""

import re

from orrery.edge.cli.money import NotAnAmount

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


def rate_of(pico: int | None) -> str:
    """All the digits there are, at least two decimals: 1_250_000 is "1.25"; "-" for None."""
    if pico is None:
        return "-"
    whole, rest = divmod(pico, PICO_PER_USD_A_MILLION)
    return f"{whole}.{f'{rest:06d}'.rstrip('0').ljust(2, '0')}"
