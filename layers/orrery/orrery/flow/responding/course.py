"""The course of one response: turn after turn, until nothing more is to be done here.

    a turn: models answer, events go out        turns
    what there is so far is kept                keeping      before the turn is charged
    the turn is charged                         replay, settle
    its calls of hosted tools run               calling
    the next turn, or the end

What came before goes into each turn whole; what a turn gave, and what tools said, goes into the next one.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from orrery.core.dialect import Frame
from orrery.core.errors import GatewayError, OutOfCredit, RateLimited
from orrery.core.exchange import Exchange, Receipt
from orrery.core.responses import item_id
from orrery.core.types import Json, Plan, Usage
from orrery.flow.gateway import Gateway
from orrery.flow.responding import keeping, turns
from orrery.flow.responding.asked import Asked
from orrery.flow.responding.bounds import Reached
from orrery.flow.responding.calling import failure
from orrery.flow.responding.hosting import Hosting
from orrery.flow.settle import mark_failed, receipt_of, run_after
from orrery.wire.composer import Composer
from orrery.wire.response_object import usage_of

SPENT = frozenset({"insufficient_credits", "cost_budget_exceeded", "token_budget_exceeded"})
"""Words for money that is spent: what there is of a response then is no failure, and goes no further."""

CANCELLED = {"code": "cancelled", "message": "The response was cancelled."}


class Course:
    """`begin` makes the first turn; then `events` gives all there is to tell, and `close` must be awaited.

    `exchange` is the record of the response as a whole: each turn has its own, which is charged and logged. `farewell`
    are the events of one that was ended by `close`: whoever listened to it has gone.
    """

    def __init__(self, asked: Asked, gateway: Gateway, *, kept: bool = False) -> None:
        self.asked, self.gateway = asked, gateway
        self.composer = Composer(keeping.begun(asked), reveals=asked.responding.include, ids=self._id)
        visit = asked.visit
        call = replace(asked.call, answer_id=asked.id)
        self.exchange = Exchange(visit.arrival, visit.principal, Plan(call, ()), headers=visit.headers)
        self.exchange.after = visit.after
        self.keeper = keeping.Keeper(asked, gateway, begun=kept)
        self.hosting = Hosting(asked, self.composer)
        self.reached = Reached(asked)
        self.ended = False
        self.farewell: Sequence[Json] = ()
        self._turn: turns.Turn | None = None
        self._pending: list[Json] = []
        self._usage = Usage()
        self._cost_nano = 0

    def _id(self, prefix: str, place: int) -> str:
        return item_id(prefix, self.asked.id, place)

    async def begin(self) -> "Course":
        """The first turn's answer has begun. Raises `GatewayError`; nothing stays held then."""
        await self.hosting.approve()
        self._turn = await turns.begun(self.asked, self.hosting.produced, 1, self._keep, self.gateway)
        return self

    @property
    def headers(self) -> dict[str, str]:
        """Those of the first turn."""
        assert self._turn is not None
        return dict(self._turn.answer.headers)

    async def events(self) -> AsyncGenerator[Sequence[Json]]:
        """Every event, in batches; the last one is terminal. Raises no `GatewayError`: that is an event, too."""
        try:
            if self.asked.call.stream:  # nobody knows of one that does not stream before its end
                self.keeper.announce(self.composer.resource)
            yield [*self.composer.begin(queued=self.asked.responding.background), *self.hosting.opening()]
            while self._turn is not None:
                async with aclosing(self._of_turn(self._turn)) as batches:
                    async for batch in batches:
                        yield batch
                if self.ended:
                    return  # the last turn is settled when nobody waits for it any more
                await self._settled()
                yield await self.hosting.run(self._left())
                yield await self._onward()
                if self.ended:
                    return
        except GatewayError as err:
            yield await self._failed(err)
        except Exception:
            yield await self._failed(GatewayError("Internal error"))
            raise

    async def _of_turn(self, turn: "turns.Turn") -> AsyncGenerator[Sequence[Json]]:
        self.composer.open_turn(hidden=self.asked.tools.hidden, allowed=self.asked.allowed)
        async for batch in turn.answer.batches:
            events = [event for payload in batch for event in turns.told(payload, turn, self.composer)]
            if events:
                yield events
        if not turn.kept:  # an answer that was given again: nothing is charged
            await self._turn_over(turn.answer.exchange)
        if self._pending:
            yield self._pending
            self._pending = []

    async def _keep(self, exchange: Exchange, frames: Sequence[Frame]) -> None:
        """The turn is whole, and not charged yet (`Exchange.keep`)."""
        assert self._turn is not None
        for frame in frames:
            self._pending += self.composer.whole(turns.resource_of(frame))
        await self._turn_over(exchange)

    async def _turn_over(self, exchange: Exchange) -> None:
        turn = self._turn
        assert turn is not None
        turn.kept = True
        events, given = self.composer.close_turn()
        self._pending += events
        turn.given = given
        receipt = exchange.receipt
        if receipt is not None:
            self._usage = _sum(self._usage, receipt.usage)
            self._cost_nano += receipt.cost_nano
        self.hosting.heard(given)
        if given.status == "incomplete":
            await self._end("incomplete", exchange, reason=given.reason)
        elif not self.hosting.has_work:
            await self._end("completed", exchange)
        else:
            await self.keeper.save(self.composer.resource)

    async def _onward(self) -> Sequence[Json]:
        """The next turn; or the end, where the caller must answer first, or a bound is reached."""
        if self.hosting.waits:
            return await self._end_now("completed")
        if reason := self.reached.bound(self.cost_nano):
            return await self._end_now("incomplete", reason=reason)
        number = self._turn.number + 1 if self._turn else 1
        try:
            self._turn = await turns.begun(self.asked, self.hosting.produced, number, self._keep, self.gateway)
        except (OutOfCredit, RateLimited) as err:
            if err.code not in SPENT:
                raise
            return await self._end_now("incomplete", reason=err.code or "")
        return ()

    @property
    def cost_nano(self) -> int:
        """All that it has cost so far, what tools asked besides included."""
        return self._cost_nano + self.asked.asking.cost_nano

    async def _end_now(self, status: str, *, reason: str = "", error: Json | None = None) -> Sequence[Json]:
        await self._end(status, None, reason=reason, error=error)
        events, self._pending = self._pending, []
        return events

    async def _end(
        self, status: str, exchange: Exchange | None, *, reason: str = "", error: Json | None = None
    ) -> None:
        """The last events, and what is kept. Where it cannot be kept, the response has failed, and costs nothing."""
        self.ended = True
        now = int(self.gateway.now())
        usage = usage_of(self._usage, self.cost_nano)
        self._pending += self.composer.finish(status, now=now, reason=reason, error=error, usage=usage)
        try:
            await self.keeper.finish(self.composer.resource)
        except GatewayError as err:
            if exchange is not None and exchange.receipt is not None:
                exchange.receipt = replace(exchange.receipt, cost_nano=0)
            mark_failed(self.exchange, err)
            self._pending[-1:] = keeping.not_kept(self._pending[-1])

    async def _failed(self, err: GatewayError) -> Sequence[Json]:
        mark_failed(self.exchange, err)
        if self.ended:
            return ()
        self._count_broken()
        return await self._end_now("failed", error=failure(err))

    def _count_broken(self) -> None:
        """What a turn that broke off will be charged for, so that the response tells that, too."""
        turn = self._turn
        if turn is None or turn.kept:
            return
        turn.kept = True
        receipt = receipt_of(turn.answer.exchange, whole=False)
        self._usage = _sum(self._usage, receipt.usage)
        self._cost_nano += receipt.cost_nano

    async def _settled(self) -> None:
        """Closes the turn: what it cost is spent."""
        assert self._turn is not None
        if self._turn.settled:
            return
        self._turn.settled = True
        answer = self._turn.answer
        await answer.batches.aclose()
        await answer.close()
        self._add(answer.exchange)

    def _add(self, turn: Exchange) -> None:
        whole = self.exchange
        whole.attempts += turn.attempts
        whole.target, whole.dropped = turn.target, turn.dropped or whole.dropped
        whole.upstream_s += turn.upstream_s
        whole.first_frame_s = whole.first_frame_s or turn.first_frame_s
        whole.chunks += turn.chunks
        whole.cache = turn.cache
        receipt = turn.receipt or Receipt(0, Usage(), "none")
        whole.receipt = replace(receipt, usage=self._usage, cost_nano=self.cost_nano)

    def _left(self) -> float:
        """Seconds that tools may take together."""
        return max(0.0, min(self.asked.visit.arrival.deadline, self.reached.until) - asyncio.get_running_loop().time())

    async def close(self) -> None:
        """Ends it, wherever it is: kept as far as it came, settled, and what options still do, done."""
        try:
            if not self.ended:
                await self._abandoned()
            if self._turn is not None:
                await self._settled()
        finally:
            if self.exchange.receipt is not None:  # tools that ran last may have asked models, too
                self.exchange.receipt = replace(self.exchange.receipt, cost_nano=self.cost_nano)
            await self.keeper.close()
            await run_after(self.exchange)

    async def _abandoned(self) -> None:
        self.ended = True
        self.exchange.outcome, self.exchange.status = "abandoned", 499
        self.exchange.error_code = "client_closed_request"
        self._count_broken()
        usage = usage_of(self._usage, self.cost_nano)
        now = int(self.gateway.now())
        self.farewell = self.composer.finish("cancelled", now=now, error=CANCELLED, usage=usage)
        with suppress(GatewayError):
            await self.keeper.finish(self.composer.resource)


def _sum(one: Usage, other: Usage) -> Usage:
    """Both together."""
    units = {name: one.units.get(name, 0) + other.units.get(name, 0) for name in {*one.units, *other.units}}
    names = ("prompt", "completion", "cache_read", "cache_write", "cache_write_1h", "audio_input", "reasoning")
    more = ("audio_output", "image_input", "image_output")
    counts = {name: getattr(one, name) + getattr(other, name) for name in (*names, *more)}
    return Usage(**counts, units=units, ours=one.ours or other.ours)
