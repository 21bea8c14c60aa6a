"""Credit, exactly once: set aside before a request, spent after it, whatever crashes in between.

    hold      balance → hold         one conditional UpdateItem on the shard
    record    the receipt            one PutItem: from here on the cost is certain
    settle    hold → spent, balance  one conditional UpdateItem that names the hold; a second one finds it gone

What a hold does not cover becomes debt, and debt is paid from the balance at once: at settling, by the next hold, by
a grant. While debt remains, nothing more is held. So, in nano-USD, at every moment and for every shard:

    granted == balance + Σ holds + spent          balance >= 0, debt >= 0
    Σ cost of the receipts whose hold has ended == spent + debt, per organization

    hold a                  balance - a, holds + a
    settle a at cost c      holds - a, spent + min(a, c), balance + a - min(a, c), debt + c - min(a, c)
    pay p                   balance - p, spent + p, debt - p
    correct was → c         debt + (c - was); or, when it was less, balance + (was - c), spent - (was - c)
    grant x                 granted + x, balance + x

A request that is served with its caller's own provider key costs nothing, and holds nothing: its hold has no amount, is
in no balance, and ends with its receipt. Nothing is set aside that a crash could leave behind, the organization needs
no balance, be it in debt or unknown here, and a cost of 0 is in neither sum.

A hold whose request died is reclaimed once it is `GRACE_S` past its expiry (see `reclaim`): by whoever is short of
credit, and by `sweep`. One shard per organization so far; each hold names its own.
"""

import math
import time
from collections.abc import Callable

from orrery.core.errors import GatewayError, InvalidRequest, NotFound, OutOfCredit
from orrery.core.exchange import Hold, Receipt
from orrery.stores import audit, expressions
from orrery.stores.account import Account, Balance, account_of, balance_of, expiry_of, hold_value
from orrery.stores.books import Receipted, pay_debt, pay_soon, read_account, spend
from orrery.stores.definition import organization_id
from orrery.stores.reclaim import Reclaimed, reclaim_all
from orrery.stores.table import Cancelled, ConditionFailed, Table
from orrery.stores.tokens import random_text

SHARD = 0
HOLD_TRIES = 6
"""How often a hold looks again after making room."""

RECLAIMED_AT_ONCE = 32
"""How many dead holds a request clears on its way; the rest is for the sweep."""

REMEMBERED = 4096
"""Receipts that were written and not yet settled."""


class DynamoLedger:
    """`core.ports.Ledger`, and what operators do. `clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock
        self._recorded: dict[tuple[str, str], Receipted] = {}

    async def hold(
        self, *, request_id: str, organization: str, key_id: str, amount_nano: int, lifetime_s: float
    ) -> Hold:
        """See `core.ports.Ledger.hold`. Raises `OutOfCredit` while there is debt, too, and `Unavailable`."""
        amount = max(1, whole(amount_nano))
        expires_at = math.ceil(self._clock() + lifetime_s)
        sent: list[str] = []

        def reserve() -> dict[str, object]:
            # Each attempt differs: a straggler among them must not be taken for the one that was settled.
            sent.append(hold_value(amount, expires_at + len(sent)))
            return expressions.reserve(organization, SHARD, request_id, amount, sent[-1])

        for _ in range(HOLD_TRIES):
            try:
                await self._table.run("UpdateItem", reserve(), again=reserve)
                value = sent[-1]
            except ConditionFailed as refused:
                account = account_of(refused.item) if refused.item else None
                standing = account.holds.get(request_id) if account else None
                if account is None or (standing is None and not await self._make_room(account)):
                    raise OutOfCredit(_available(account)) from None
                if standing is None:
                    continue
                if standing not in sent:
                    raise GatewayError(f"request {request_id} holds credit already") from None
                value = standing
            return Hold(request_id, organization, SHARD, amount, expiry_of(value), value, key_id)
        raise OutOfCredit

    async def _make_room(self, account: Account) -> bool:
        """After a refusal: pays debt, else reclaims dead holds; False when neither can help."""
        if account.payable_nano:
            await pay_debt(self._table, account)
            return True
        now = self._clock()
        dead = account.dead_holds(now)[:RECLAIMED_AT_ONCE]
        return bool(dead) and (await reclaim_all(self._table, dead, int(now))).failed < len(dead)

    async def checkpoint(self, hold: Hold, receipt: Receipt) -> None:
        """Writes what a long request cost so far: charged if it dies. Never lowers an earlier one. Idempotent."""
        whole_cost(receipt)
        if not hold.amount_nano:
            return  # nobody would look for it: there is no hold to reclaim
        try:
            await self._table.run("PutItem", expressions.checkpoint(hold, receipt, int(self._clock())))
        except ConditionFailed:
            return  # an older one that comes late, or the receipt is final

    async def record(self, hold: Hold, receipt: Receipt) -> None:
        """See `core.ports.Ledger.record`. The first receipt of a request stands: later ones change nothing."""
        written = await self._write_ahead(hold, receipt)
        if len(self._recorded) >= REMEMBERED:
            del self._recorded[next(iter(self._recorded))]
        self._recorded[hold.organization, hold.request_id] = written

    async def settle(self, hold: Hold, receipt: Receipt) -> None:
        """See `core.ports.Ledger.settle`. What is charged is the receipt that was written first."""
        whole_cost(receipt)
        written = self._recorded.pop((hold.organization, hold.request_id), None)
        if written is None:
            written = await self._write_ahead(hold, receipt)
        if written.state == expressions.LATE or not hold.amount_nano:
            return
        await spend(self._table, hold, written.cost_nano)
        if written.state != expressions.SETTLED:
            await self._correct(hold, receipt, written)

    async def _write_ahead(self, hold: Hold, receipt: Receipt) -> Receipted:
        cost = whole_cost(receipt)
        if cost and not hold.amount_nano:
            raise ValueError(f"request {hold.request_id} held nothing and cannot cost {cost} nano-USD")
        try:
            await self._table.run("PutItem", expressions.write_ahead(hold, receipt, int(self._clock())))
            return Receipted(expressions.SETTLED, cost)
        except ConditionFailed as refused:
            row = refused.item
        if row is None or row["held"] != hold.value:
            raise GatewayError(f"request {hold.request_id} has another request's receipt")
        return Receipted(row["st"], row["cost"])

    async def _correct(self, hold: Hold, receipt: Receipt, was: Receipted) -> None:
        """This request was given up while it lived: charges the difference, once."""
        more = receipt.cost_nano - was.cost_nano
        row = expressions.correct(hold, receipt, was.state, was.cost_nano, int(self._clock()))
        try:
            await self._table.transact(("Put", row), ("Update", expressions.adjust(hold, more)))
        except Cancelled as cancelled:
            if not cancelled.refused[0]:
                raise GatewayError(f"organization {hold.organization} has no balance {hold.shard}") from cancelled
        if more:
            await pay_soon(self._table, hold)

    async def create_organization(self, name: str, organization: str | None = None) -> str:
        """A new organization without credit; gives its id. Naming one that is there already changes nothing."""
        chosen = organization_id(organization) if organization is not None else f"org_{random_text(12)}"
        row = expressions.organization(chosen, name, int(self._clock()))
        try:
            await self._table.transact(("Put", row), ("Put", expressions.account(chosen, SHARD)))
        except Cancelled:
            return chosen
        return chosen

    async def grant(self, organization: str, amount_nano: int, event_id: str, source: str) -> None:
        """Adds credit, once per event; debt is paid from it first.

        Raises `InvalidRequest` for an amount that is not positive, or for an event that came with another amount;
        `NotFound` for an organization that is not there; `Unavailable`.
        """
        amount = whole(amount_nano)
        if amount <= 0 or not 0 < len(event_id) <= 256:
            raise InvalidRequest("a grant needs a positive amount and an event id of at most 256 characters")
        event = expressions.grant_event(organization_id(organization), event_id, amount, source, int(self._clock()))
        try:
            await self._table.transact(("Put", event), ("Update", expressions.grant(organization, SHARD, amount)))
        except Cancelled as cancelled:
            made = cancelled.items[0]
            if not cancelled.refused[0]:
                raise NotFound(f"there is no organization {organization!r}") from cancelled
            if made is None or made["amount"] != amount:
                raise InvalidRequest(f"event {event_id!r} granted another amount before") from cancelled
        await pay_debt(self._table, await read_account(self._table, organization, SHARD))

    async def balance(self, organization: str) -> Balance:
        """All that an organization has. Raises `NotFound`."""
        accounts = await audit.accounts_of(self._table, organization)
        if not accounts:
            raise NotFound(f"there is no organization {organization[:80]!r}")
        return balance_of(organization, accounts)

    async def audit(self, organization: str | None = None) -> tuple[Account, ...]:
        """Every shard of one or all organizations, each read at one moment: `sound` and `drift_nano` judge it."""
        if organization is not None:
            return await audit.accounts_of(self._table, organization)
        return tuple([account async for account in audit.all_accounts(self._table)])

    async def sweep(self) -> Reclaimed:
        """Reclaims every dead hold there is; `failed` counts those that must wait for the next sweep.

        Raises `Unavailable` when the balances cannot even be read.
        """
        done = Reclaimed()
        async for account in audit.all_accounts(self._table):
            now = self._clock()
            done += Reclaimed(accounts=1) + await reclaim_all(self._table, account.dead_holds(now), int(now))
        return done


def whole(amount_nano: int) -> int:
    """The same amount. Raises `TypeError` for what is not exactly an integer: money is never a float."""
    if type(amount_nano) is not int:
        raise TypeError(f"an amount of nano-USD is an int, not {amount_nano!r}")
    return amount_nano


def whole_cost(receipt: Receipt) -> int:
    """What the receipt says. Raises `ValueError` for a negative cost, which would make credit out of nothing."""
    if whole(receipt.cost_nano) < 0:
        raise ValueError(f"a request cannot cost {receipt.cost_nano} nano-USD")
    return receipt.cost_nano


def _available(account: Account | None) -> int:
    return account.balance_nano if account and not account.debt_nano else 0
