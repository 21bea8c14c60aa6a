"""What a usage costs, in integers from end to end.

The classes of tokens partition the whole: a part is charged at its own rate, the rest of `prompt` at `input` and the
rest of `completion` at `output`. A part without a rate is charged like its parent, `cache_write_1h` like `cache_write`
where that has one. What is not counted in tokens is charged by the unit, beside them.
"""

from orrery.core.types import Price, Rates, Usage

PICO_PER_NANO = 1_000
NANO_PER_USD = 1_000_000_000


def cost_pico(price: Price, usage: Usage) -> int:
    """Pico-USD for one request, never negative; the fee per request is in it, whatever the usage.

    Counts that contradict each other are clamped: a negative count is 0, and parts larger than their whole are cut to
    it, the dearest class served first, so that a provider's bad arithmetic neither earns credit nor hides a cost.
    """
    rates = rates_for(price, usage.prompt)
    written = rates.input if rates.cache_write is None else rates.cache_write
    prompt = (
        (usage.cache_write_1h, written if rates.cache_write_1h is None else rates.cache_write_1h),
        (usage.cache_write, written),
        (usage.audio_input, rates.input if rates.audio_input is None else rates.audio_input),
        (usage.image_input, rates.input if rates.image_input is None else rates.image_input),
        (usage.cache_read, rates.input if rates.cache_read is None else rates.cache_read),
    )
    completion = (
        (usage.audio_output, rates.output if rates.audio_output is None else rates.audio_output),
        (usage.image_output, rates.output if rates.image_output is None else rates.image_output),
    )
    tokens = _side(usage.prompt, rates.input, prompt) + _side(usage.completion, rates.output, completion)
    units = sum(max(count, 0) * (unit_pico(price, unit) or 0) for unit, count in usage.units.items())
    return price.request + tokens + units


def unit_pico(price: Price, unit: str) -> int | None:
    """Pico-USD for one `unit`; None where nothing tells.

    By its name or the first shorter one that has a price; else the dearest of the more particular ones that it may be.
    """
    name = unit
    while name not in price.units:
        name, slash, _ = name.rpartition("/")
        if not slash:
            return max((pico for longer, pico in price.units.items() if longer.startswith(f"{unit}/")), default=None)
    return price.units[name]


def covers(price: Price, most: Usage | None) -> bool:
    """Whether `price` says what `most` costs (None: tokens): its units, or else its tokens at rates above nothing.

    What is free has no units either: a price by the unit alone says nothing about tokens.
    """
    is_by_tokens = bool(price.rates.input or price.rates.output)
    if most is None or not most.units:
        return is_by_tokens or not price.units
    if any(unit_pico(price, unit) is not None for unit in most.units):
        return True
    return most.total > 0 and is_by_tokens


def _side(whole: int, rate: int, parts: tuple[tuple[int, int], ...]) -> int:
    """Pico-USD for `whole` tokens, of which `parts` (count, rate) are charged apart and what is left at `rate`."""
    left = max(whole, 0)
    total = 0
    for count, own_rate in sorted((part for part in parts if part[0] > 0), key=_by_rate, reverse=True):
        taken = min(count, left)
        left -= taken
        total += taken * own_rate
    return total + left * rate


def _by_rate(part: tuple[int, int]) -> int:
    return part[1]


def rates_for(price: Price, prompt: int) -> Rates:
    """The rates of a whole request with `prompt` input tokens, cached ones included: of the highest threshold exceeded.

    Exactly at a threshold the lower rates hold. Source: genai-prices 0.2.3, `TieredPrices`, read 2026-11-21.
    """
    for threshold, rates in reversed(price.above):
        if prompt > threshold:
            return rates
    return price.rates


def cost_nano(price: Price, usage: Usage) -> int:
    """Nano-USD, rounded up once, at the end."""
    return -(-cost_pico(price, usage) // PICO_PER_NANO)


def usd(nano: int) -> str:
    """Nano-USD as a plain decimal string of USD, exactly: `0.000123`, `12`, `-0.5`."""
    whole, rest = divmod(abs(nano), NANO_PER_USD)
    digits = f"{whole}.{rest:09d}".rstrip("0").rstrip(".")
    return f"-{digits}" if nano < 0 else digits
