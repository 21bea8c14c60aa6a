"""Breakers in memory, for the flow's tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class FakeBreakers:
    """`open` are those that cool down. `heard` is what breakers were told, `asked` which names were asked after."""

    open: set[str] = field(default_factory=set)
    heard: list[tuple[str, str, float | None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def cooling(self, names: Sequence[str]) -> frozenset[str]:
        self.asked += names
        return frozenset(self.open.intersection(names))

    async def failed(self, name: str, *, retry_after_s: float | None) -> None:
        self.heard.append(("failed", name, retry_after_s))

    def worked(self, name: str) -> None:
        self.heard.append(("worked", name, None))


@dataclass
class Extras:
    """A gateway's extras that has nothing but breakers."""

    breakers: FakeBreakers = field(default_factory=FakeBreakers)
