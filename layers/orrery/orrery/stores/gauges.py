"""GCRA's arithmetic, in whole nanoseconds: how far ahead of now a key has used its requests, or its tokens.

Each unit used moves the gauge's instant (`tat`, the theoretical arrival time) ahead by `interval_ns`; time itself moves
towards it. A full minute ahead, nothing more is taken. So at once at most `limit` are taken, and in any t seconds at
most `limit` + `limit` · t / 60: a whole minute's allowance may come at once, as OpenAI lets it, since less would refuse
for ever a request that needs more than that in tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from orrery.core.errors import LimitExceeded
from orrery.core.limits import Pace

MINUTE_NS = 60_000_000_000
SECOND_NS = 1_000_000_000

type Dimension = Literal["requests", "tokens"]

ATTRIBUTE: Mapping[Dimension, str] = {"requests": "tat_r", "tokens": "tat_t"}
"""Where a key's row has it: epoch nanoseconds."""

MESSAGE = "Rate limit exceeded. Maximum {} allowed per minute."
NO_USE = {"x-should-retry": "false"}
"""What keeps OpenAI's SDKs from trying again by themselves: it would be refused for ever."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One limit of a key, and how much of it is wanted."""

    dimension: Dimension
    limit: int
    amount: int

    @property
    def attribute(self) -> str:
        return ATTRIBUTE[self.dimension]

    @property
    def interval_ns(self) -> int:
        """Rounded up: never faster than the limit."""
        return -(-MINUTE_NS // self.limit)

    @property
    def step_ns(self) -> int:
        """What is wanted moves the gauge by this much."""
        return self.amount * self.interval_ns

    @property
    def window_ns(self) -> int:
        """How far ahead it may be: a minute, and what the rounding of so many intervals adds."""
        return self.limit * self.interval_ns

    def latest_ns(self, now_ns: int) -> int:
        """The gauge may stand here at most for the amount to be taken."""
        return now_ns + self.window_ns - self.step_ns

    def remaining(self, tat_ns: int, now_ns: int) -> int:
        """Units left."""
        return max(0, min(self.limit, (now_ns + self.window_ns - tat_ns) // self.interval_ns))


def gauges_of(pace: Pace, tokens: int) -> tuple[Gauge, ...]:
    """What one request takes."""
    requests = () if pace.requests is None else (Gauge("requests", pace.requests, 1),)
    return requests if pace.tokens is None else (*requests, Gauge("tokens", pace.tokens, max(0, tokens)))


def refusal(
    gauge: Gauge, gauges: tuple[Gauge, ...], tats: Mapping[str, int], now_ns: int, key_id: str
) -> LimitExceeded:
    """The 429 of a gauge that stands too far ahead."""
    wait_ns = tats[gauge.attribute] - gauge.latest_ns(now_ns)
    err = _exceeded(gauge, MESSAGE.format(gauge.dimension), key_id, wait_ns / SECOND_NS)
    err.available = gauge.remaining(tats[gauge.attribute], now_ns)
    err.told = headers_of(gauges, tats, now_ns, gauge)
    return err


def too_large(gauge: Gauge, key_id: str) -> LimitExceeded:
    """The 429 of a request that a whole minute does not suffice for: waiting does not help."""
    message = (
        f"Request too large: it may use {gauge.amount} {gauge.dimension}, this key may use {gauge.limit} per minute. "
        "A shorter prompt, or a smaller limit on the answer, may fit."
    )
    err = _exceeded(gauge, message, key_id, None)
    err.told = NO_USE
    return err


def _exceeded(gauge: Gauge, message: str, key_id: str, wait_s: float | None) -> LimitExceeded:
    return LimitExceeded(
        message,
        code=f"{gauge.dimension}_per_minute_exceeded",
        scope_kind="API_KEY",
        scope_target_id=key_id,
        dimension=gauge.dimension,
        retry_after_s=wait_s,
    )


def headers_of(
    gauges: tuple[Gauge, ...], tats: Mapping[str, int], now_ns: int, first: Gauge | None = None
) -> dict[str, str]:
    """OpenAI's headers for each gauge, and Orq's for the `first` (the one that refused; else requests, if limited).

    `reset` says when all of the limit is there again. Source: OpenAI's guide to rate limits, and seed 001's router.
    """
    told: dict[str, str] = {}
    for gauge in gauges:
        tat_ns = tats.get(gauge.attribute, now_ns)
        remaining, reset_ns = str(gauge.remaining(tat_ns, now_ns)), max(0, tat_ns - now_ns)
        told |= {
            f"x-ratelimit-limit-{gauge.dimension}": str(gauge.limit),
            f"x-ratelimit-remaining-{gauge.dimension}": remaining,
            f"x-ratelimit-reset-{gauge.dimension}": duration(reset_ns),
        }
        if gauge is (first or gauges[0]):
            told |= {
                "x-ratelimit-limit": str(gauge.limit),
                "x-ratelimit-remaining": remaining,
                "x-ratelimit-reset": f"{-(-reset_ns // SECOND_NS)}s",
            }
    return told


def duration(nanoseconds: int) -> str:
    """As Go writes them, rounded up to milliseconds: `17ms`, `8.64s`, `1m0s`."""
    milliseconds = -(-nanoseconds // 1_000_000)
    if milliseconds < 1_000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
