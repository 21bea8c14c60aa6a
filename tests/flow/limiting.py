"""Paces and budgets in memory, for the flow's tests."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orrery.core.credentials import OrganizationSettings
from orrery.core.errors import GatewayError, LimitExceeded, Unavailable
from orrery.core.limits import Budget, Pace
from orrery.core.types import Principal
from tests.fakes import ALICE, FakeKeys, FakeTransport, Room

PACED = replace(ALICE, pace=Pace(requests=10, tokens=1_000))


@dataclass
class FakePaces:
    """What was taken and corrected; `refuses` is raised instead."""

    taken: list[int] = field(default_factory=list)
    corrected: list[int] = field(default_factory=list)
    refuses: GatewayError | None = None
    broken: bool = False

    async def take(self, principal: Principal, tokens: int) -> Mapping[str, str]:
        if self.refuses:
            raise self.refuses
        self.taken.append(tokens)
        return {"x-ratelimit-limit": "10"}

    async def correct(self, principal: Principal, tokens: int) -> None:
        if self.broken:
            raise Unavailable("the table is away")
        self.corrected.append(tokens)


@dataclass(frozen=True)
class FakeHold:
    budget: Budget
    target: str
    cost_nano: int
    tokens: int
    lifetime_s: float = 0.0


@dataclass
class FakeBudgets:
    """Amounts in dictionaries, by scope and target. `left` overrides what is left of one; `broken` are away.

    `most` is how many holds were asked for at the same time.
    """

    left: dict[str, tuple[int, int]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    held: list[FakeHold] = field(default_factory=list)
    asked: list[FakeHold] = field(default_factory=list)
    settled: list[tuple[str, int, int]] = field(default_factory=list)
    broken_settling: bool = False
    waiting: int = 0
    most: int = 0

    async def hold(
        self,
        *,
        organization: str,
        request_id: str,
        budget: Budget,
        target: str,
        cost_nano: int,
        tokens: int,
        lifetime_s: float,
    ) -> FakeHold:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1
        assert (organization, request_id) == (ALICE.organization, "r1")
        name = f"{budget.scope}:{target}"
        if name in self.broken:
            raise Unavailable("the table is away")
        hold = FakeHold(budget, target, cost_nano, tokens, lifetime_s)
        self.asked.append(hold)
        cost_left, tokens_left = self.left.get(name, (budget.cost_nano or 10**18, budget.tokens or 10**18))
        for dimension, amount, left in (("cost", cost_nano, cost_left), ("tokens", tokens, tokens_left)):
            if amount > left:
                raise LimitExceeded(
                    f"{name} is used up",
                    code=f"{dimension}_budget_exceeded",
                    scope_kind=budget.scope.upper(),
                    scope_target_id=target,
                    dimension=dimension,
                    available=left,
                )
        self.held.append(hold)
        return hold

    async def settle(self, hold: FakeHold, *, cost_nano: int, tokens: int) -> None:
        if self.broken_settling:
            raise Unavailable("the table is away")
        self.held.remove(hold)
        self.settled.append((f"{hold.budget.scope}:{hold.target}", cost_nano, tokens))

    def names(self) -> list[str]:
        """What was held and settled, sorted."""
        return sorted(name for name, _, _ in self.settled)


@dataclass
class FakeExtras:
    paces: FakePaces = field(default_factory=FakePaces)
    budgets: FakeBudgets = field(default_factory=FakeBudgets)
    breakers: None = None


@dataclass
class Settings:
    """An organization's decisions."""

    budgets: tuple[Budget, ...] = ()

    def prepare(self, organization: str) -> None:
        return None

    async def find(self, organization: str) -> OrganizationSettings:
        return OrganizationSettings(budgets=self.budgets)


def paced(*replies: object, principal: Principal = PACED, fresh: bool = False) -> Room:
    """A room whose caller has a pace."""
    keys = FakeKeys({"good": principal}, fresh=fresh)
    return Room(keys=keys, transport=FakeTransport(*replies), extras=FakeExtras())


def budgeted(*replies: object, budgets: tuple[Budget, ...] = (), principal: Principal = ALICE) -> Room:
    """A room whose organization has these budgets."""
    keys = FakeKeys({"good": principal})
    return Room(keys=keys, transport=FakeTransport(*replies), extras=FakeExtras(), own=Settings(budgets))
