"""How many tokens a picture of OpenAI's may take: for holds. What is charged is what the reply tells."""

from collections.abc import Mapping

from orrery.core.types import Call, Usage
from orrery.wire.image_answers import count_of, size_of

STANDARD = ((1024, 1024), (1024, 1536), (1536, 1024))

FIRST: Mapping[str, tuple[int, int, int]] = {
    "low": (272, 408, 400),
    "medium": (1_056, 1_584, 1_568),
    "high": (4_160, 6_240, 6_208),
}
"""Output tokens of gpt-image-1, 1-mini and 1.5, by quality, for the sizes in `STANDARD`.

Source: OpenAI's image generation guide, as quoted in community.openai.com/t/1371851, read 2026-11-21.
"""

FACTORS: Mapping[str, int] = {"low": 16, "medium": 48, "high": 96, "xhigh": 136, "max": 192}
"""Of gpt-image-2, by quality: tokens grow with their square. The last two, of 2.5 and newer, are written down nowhere:
they are allowances, for twice and four times the tokens of "high".

Source: OpenAI's own calculator, read out in community.openai.com/t/1382699; 7,024 tokens for "high" at 1024x1024, as
OpenAI bills them, in community.openai.com/t/1379464. Read 2026-11-21.
"""

DEAREST = "max"
PARTIAL = 100
"""Output tokens of each picture shown before the last. Source: as for `FIRST`, community.openai.com/t/1275254."""

PICTURE_INPUT = 8_000
"""An allowance for each picture that comes in: gpt-image-1.5 counts up to about 7,000 for one, at high fidelity."""

BYTES_PER_TOKEN = 2


def most_tokens(call: Call, model: str) -> Usage:
    """The tokens that the call may use at most; none for DALL·E, which never counted any."""
    if model.startswith("dall-e"):
        return Usage()
    text = -(-len(str(call.body.get("prompt") or "").encode()) // BYTES_PER_TOKEN)
    seen = PICTURE_INPUT * (len(call.files) + len(call.links))
    each = output_tokens(model, str(call.body.get("quality") or "auto"), size_of(call))
    partial = PARTIAL * int(call.body.get("partial_images") or 0) if call.stream else 0
    drawn = (each + partial) * count_of(call)
    return Usage(prompt=text + seen, completion=drawn, image_input=seen, image_output=drawn)


def output_tokens(model: str, quality: str, size: tuple[int, int] | None) -> int:
    """Tokens of one picture. A quality or a size that the model shall choose counts as the dearest."""
    sizes = (size,) if size else STANDARD
    if model.startswith("gpt-image-1"):
        tokens = FIRST.get(quality, FIRST["high"])
        return max(tokens[STANDARD.index(each)] if each in STANDARD else max(tokens) for each in sizes)
    # Deployments have names of their own: what is not known to be an older model is taken for the newest.
    is_second = model.startswith("gpt-image-2") and not model.startswith("gpt-image-2.")
    factor = FACTORS.get(quality, FACTORS["high" if is_second else DEAREST])
    return max(_by_area(factor, *each) for each in sizes)


def _by_area(factor: int, width: int, height: int) -> int:
    long, short = max(width, height), min(width, height)
    across = (2 * factor * short + long) // (2 * long)
    return -(-factor * across * (2_000_000 + width * height) // 4_000_000)
