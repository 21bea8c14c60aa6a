"""Parts of long lists."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: at most `limit`, those after `after` or before `before` in its order ("": from an end)."""

    limit: int = 50
    after: str = ""
    before: str = ""

    @property
    def cursor(self) -> str:
        return self.after or self.before


@dataclass(frozen=True, slots=True)
class Listed[T]:
    """A page. `more`: there are others in the direction that was asked for."""

    data: Sequence[T]
    more: bool
