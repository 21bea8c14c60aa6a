"""What may be used, by whom, in which time: paces (a minute's worth, flowing) and budgets (a period's worth)."""

from dataclasses import dataclass
from typing import Literal

type Scope = Literal["organization", "workflow", "key", "identity", "provider", "model"]
type Period = Literal["daily", "weekly", "monthly", "one_time"]


@dataclass(frozen=True, slots=True)
class Pace:
    """Requests and tokens a minute, of one key; None: as many as come."""

    requests: int | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What one `target` (an id, a provider's name, `provider/model`; "*": each one by itself) may use in a period.

    Periods are UTC's: days, weeks that begin on Monday, months. `cost_nano` is nano-USD, `tokens` prompt and completion
    together; None: without a limit. `id` is `scope:target:period`: there is one for each.
    """

    scope: Scope
    target: str
    period: Period
    cost_nano: int | None = None
    tokens: int | None = None

    @property
    def id(self) -> str:
        return f"{self.scope}:{self.target}:{self.period}"
