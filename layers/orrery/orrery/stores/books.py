"""The moves that a settling request and a reclaimer share: ending a hold, paying debt, reading a shard."""

import contextlib
from typing import NamedTuple

from orrery.core.errors import Unavailable
from orrery.core.exchange import Hold
from orrery.stores import expressions
from orrery.stores.account import Account, account_of
from orrery.stores.table import ConditionFailed, Table

TRIES = 4
"""How often to look again at what others are changing."""


class Receipted(NamedTuple):
    """What a receipt says already: its state, and the cost that goes with it."""

    state: str
    cost_nano: int


async def read_account(table: Table, organization: str, shard: int) -> Account | None:
    """A shard as it is now; None when there is none."""
    item = await table.get(expressions.account_key(organization, shard))
    return account_of(item) if item else None


async def spend(table: Table, hold: Hold, cost_nano: int) -> bool:
    """Ends the hold at this cost; False when it had ended before. Raises `Unavailable`; the hold may stand then."""
    ended = True
    try:
        await table.run("UpdateItem", expressions.settle(hold, cost_nano))
    except ConditionFailed:
        # Our own write whose answer was lost, or somebody else's: all charge what the receipt says.
        ended = False
    if cost_nano > hold.amount_nano:
        await pay_soon(table, hold)
    return ended


async def pay_soon(table: Table, hold: Hold) -> None:
    """Pays debt now if that works; the next hold does it otherwise."""
    with contextlib.suppress(Unavailable):
        await pay_debt(table, await read_account(table, hold.organization, hold.shard))


async def pay_debt(table: Table, account: Account | None) -> None:
    """Pays what debt the balance covers, starting from what was seen of the shard."""
    for _ in range(TRIES):
        if account is None or not account.payable_nano:
            return
        try:
            await table.run("UpdateItem", expressions.pay(account.organization, account.shard, account.payable_nano))
            return
        except ConditionFailed as refused:
            account = account_of(refused.item) if refused.item else None
