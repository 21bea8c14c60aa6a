"""What this process knows of one breaker, and when it opens.

Five failures in a row open it for 10 s. Then requests go there again: when the first one fails, too, it opens for twice
as long, up to two minutes; when it works, all is forgotten. A 429 that says how long opens it at once, for that long.
"""

from dataclasses import dataclass

IN_A_ROW = 5
FIRST_MS, LONGEST_MS = 10_000, 120_000
SHORTEST_S, LONGEST_S = 1.0, LONGEST_MS / 1000
MOST_DOUBLINGS = 4
"""Ten seconds doubled so often are more than the longest."""

FRESH_MS = 5_000
"""What was read stays true for this long: an opening is known everywhere after as much."""

SLACK_MS = 5_000
"""While a target cools, refusals that would spare it for a little longer do not count: they come in storms."""


@dataclass(slots=True)
class Breaker:
    """Failures in a row, openings since it last worked, until when it is spared, and when the table was last asked.

    Instants are epoch milliseconds, given by the caller; `retry_after_s` is a refusal's, None for any other failure.
    """

    failures: int = 0
    opened: int = 0
    until_ms: int = 0
    read_ms: int | None = None

    def is_open(self, now_ms: int) -> bool:
        """Whether it is spared now."""
        return now_ms < self.until_ms and _is_sane(self.until_ms, now_ms)

    def is_stale(self, now_ms: int) -> bool:
        """Whether the table may know of an opening that we do not."""
        if self.is_open(now_ms):
            return False
        return self.read_ms is None or not 0 <= now_ms - self.read_ms < FRESH_MS

    def fails(self, now_ms: int, retry_after_s: float | None) -> bool:
        """Counts a failure; whether it opens, or opens for longer."""
        self.failures += 1
        is_open = self.is_open(now_ms)
        if now_ms >= self.until_ms + LONGEST_MS:
            self.opened = 0
        if retry_after_s is not None:
            until_ms = now_ms + int(1000 * min(max(retry_after_s, SHORTEST_S), LONGEST_S))
            if is_open and until_ms < self.until_ms + SLACK_MS:
                return False
        elif not is_open and (self.opened or self.failures >= IN_A_ROW):
            until_ms = now_ms + min(FIRST_MS * 2 ** min(self.opened, MOST_DOUBLINGS), LONGEST_MS)
            self.opened += 1
            self.failures = 0
        else:
            return False
        self.until_ms = until_ms
        return True

    def works(self, now_ms: int) -> None:
        """Ends the row; closes it, where its time is over."""
        self.failures = 0
        if not self.is_open(now_ms):
            self.opened = 0

    def learn(self, until_ms: int, opened: int, now_ms: int) -> None:
        """Of an opening in another process; one that we knew of may have closed here since."""
        if until_ms > self.until_ms and _is_sane(until_ms, now_ms):
            self.until_ms, self.opened = until_ms, opened


def _is_sane(until_ms: int, now_ms: int) -> bool:
    """A clock that is or was wrong somewhere must not spare a target for hours."""
    return until_ms <= now_ms + LONGEST_MS + SLACK_MS
