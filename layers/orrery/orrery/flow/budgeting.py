"""Budgets: every one that a request matches must have room for the worst case; what it used is settled after it.

All are held at once. Where one refuses, the plan is made smaller if that may help (`flow.budget_plans`), and what is
still short is tried again. Else what was held is given back, and the first refusal is raised.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from orrery.core.errors import GatewayError, LimitExceeded
from orrery.core.exchange import Exchange
from orrery.core.extras import BudgetHold, Budgets
from orrery.core.limits import Budget
from orrery.flow.admit import GRACE_S
from orrery.flow.budget_plans import Refusal, Want, make_smaller, wanted
from orrery.flow.gateway import Gateway
from orrery.flow.pacing import used_tokens
from orrery.flow.visit import extras_of

ROUNDS = 4
"""How often the plan is made smaller at most: for fallbacks, for pooled credit, for cost, for tokens."""


async def hold_budgets(exchange: Exchange, gateway: Gateway, budgets: Sequence[Budget]) -> None:
    """Sets the worst case aside of each budget that the request matches, and appends to `exchange.after` what settles.

    `exchange.plan` may have fewer targets then, or a smaller limit on the answer.
    Raises `RateLimited`, `Unavailable`; nothing stays held then.
    """
    short = wanted(exchange, budgets)
    if not short:
        return
    holding = _Holding(exchange, extras_of(gateway).budgets)
    try:
        for _ in range(ROUNDS):
            refusals = await holding.hold(short)
            if refusals:
                make_smaller(exchange, refusals)
            short = [want for want, _ in refusals if any(map(want.concerns, exchange.plan.targets))]
            if not short:
                break
        else:
            raise refusals[0][1]
    except BaseException:
        await asyncio.shield(holding.give_back())
        raise
    exchange.after.append(holding.settle)


class _Holding:
    """What one request holds of budgets."""

    def __init__(self, exchange: Exchange, budgets: Budgets) -> None:
        self._exchange = exchange
        self._budgets = budgets
        self._held: list[tuple[Want, BudgetHold]] = []

    async def hold(self, wants: Sequence[Want]) -> list[Refusal]:
        """Those that refused; the others are held. Raises whatever else went wrong."""
        loop = asyncio.get_running_loop()
        lifetime_s = max(0.0, self._exchange.arrival.deadline - loop.time()) + GRACE_S
        asking = asyncio.ensure_future(self._ask(wants, lifetime_s))
        try:
            answers = await asyncio.shield(asking)
        except asyncio.CancelledError:  # a caller who leaves in this instant must not leave anything set aside
            await asyncio.shield(asking)
            raise
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, LimitExceeded):
                raise answer
        pairs = zip(wants, answers, strict=True)
        return [(want, answer) for want, answer in pairs if isinstance(answer, LimitExceeded)]

    async def _ask(self, wants: Sequence[Want], lifetime_s: float) -> list[BudgetHold | BaseException]:
        answers = await asyncio.gather(*(self._one(want, lifetime_s) for want in wants), return_exceptions=True)
        pairs = zip(wants, answers, strict=True)
        self._held += [(want, answer) for want, answer in pairs if not isinstance(answer, BaseException)]
        return answers

    def _one(self, want: Want, lifetime_s: float) -> Coroutine[Any, Any, BudgetHold]:
        cost_nano, tokens = want.worst(self._exchange.plan)
        return self._budgets.hold(
            organization=self._exchange.principal.organization,
            request_id=self._exchange.arrival.id,
            budget=want.budget,
            target=want.target,
            cost_nano=cost_nano,
            tokens=tokens,
            lifetime_s=lifetime_s,
        )

    async def settle(self, exchange: Exchange) -> None:
        """What was used stands in the place of what was held: of a provider's or a model's budget, if it served."""
        receipt, tokens = exchange.receipt, used_tokens(exchange)
        cost_nano = 0 if receipt is None else receipt.cost_nano
        nothing = (0, 0)
        await self._end(
            [(hold, (cost_nano, tokens) if receipt and want.counts(receipt) else nothing) for want, hold in self._held]
        )

    async def give_back(self) -> None:
        """Nothing was used."""
        await self._end([(hold, (0, 0)) for _, hold in self._held])

    async def _end(self, ended: Sequence[tuple[BudgetHold, tuple[int, int]]]) -> None:
        async def one(hold: BudgetHold, cost_nano: int, tokens: int) -> None:
            with suppress(GatewayError):  # it ends by itself, at what the receipt says
                await self._budgets.settle(hold, cost_nano=cost_nano, tokens=tokens)

        self._held = []
        await asyncio.gather(*(one(hold, *used) for hold, used in ended))
