"""What organizations stored and decided: own credentials at providers, budgets, choices.

Nothing here can read a credential: they come encrypted, and go so.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from orrery.core.credentials import OrganizationSettings, OwnKey
from orrery.core.errors import InvalidRequest, NotFound
from orrery.core.limits import Budget, Period, Scope
from orrery.core.types import Json
from orrery.stores.attributes import pack
from orrery.stores.credential_rows import (
    AT,
    BUDGET,
    FALLBACK,
    TRANSCRIPTS,
    budget_entry,
    entry_of,
    key_of,
    own_keys,
)
from orrery.stores.table import ConditionFailed, Table

SET = "SET #a = :v"
FORGET = "REMOVE #a"
SWITCH = "SET #a.#on = :on, #a.#set = :now"
IS_THERE = "attribute_exists(#a)"

MOST_BUDGETS = 100
"""Of one organization: every request reads them all, and holds each that it matches."""

LONGEST_TARGET = 256
"""Characters."""

MOST_AMOUNT = 10**18
"""A billion dollars in nano-USD, and more tokens than there are: a slip of the hand."""


class CredentialStore:
    """Reads the item anew each time; `edge.credentials` keeps it for the gateway. `clock` gives epoch seconds.

    Each write may come twice. Of two that come at once, the last one stands. Every method raises `Unavailable`.
    """

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    async def read(self, organization: str) -> OrganizationSettings:
        """What is stored, read consistently."""
        return own_keys(organization, await self._table.get(key_of(organization)))

    async def put(self, key: OwnKey) -> OwnKey:
        """Stores a credential in place of what was; gives it with its instants."""
        was = (await self.read(key.organization)).keys.get(key.provider)
        now = int(self._clock())
        stamped = replace(key, created_at=was.created_at if was else now, updated_at=now)
        await self._write(key.organization, SET, {"#a": AT + key.provider}, {":v": pack(entry_of(stamped))})
        return stamped

    async def enable(self, organization: str, provider: str, *, enabled: bool) -> OwnKey:
        """Whether it is used. Raises `NotFound`."""
        names = {"#a": AT + provider, "#on": "on", "#set": "set"}
        values = {":on": pack(enabled), ":now": pack(int(self._clock()))}
        try:
            await self._write(organization, SWITCH, names, values, IS_THERE)
            return (await self.read(organization)).keys[provider]
        except (ConditionFailed, KeyError):
            raise _nothing(provider) from None

    async def remove(self, organization: str, provider: str) -> None:
        """Forgets it. Raises `NotFound`."""
        if provider not in (await self.read(organization)).keys:
            raise _nothing(provider)
        await self._write(organization, FORGET, {"#a": AT + provider}, {})

    async def allow_fallback(self, organization: str, *, allowed: bool) -> None:
        """The organization's choice."""
        await self._write(organization, SET, {"#a": FALLBACK}, {":v": pack(allowed)})

    async def keep_transcripts(self, organization: str, *, kept: bool) -> None:
        """The organization's choice: whether what is said in its threads is kept."""
        await self._write(organization, SET, {"#a": TRANSCRIPTS}, {":v": pack(kept)})

    async def put_budget(self, organization: str, budget: Budget) -> None:
        """Stores a budget in place of the one of its id. What was used stays. Raises `InvalidRequest`."""
        _refuse_misfit(budget)
        others = [each for each in (await self.read(organization)).budgets if each.id != budget.id]
        if len(others) >= MOST_BUDGETS:
            raise InvalidRequest(f"an organization has {MOST_BUDGETS} budgets at most", param="budgets")
        await self._write(organization, SET, {"#a": BUDGET + budget.id}, {":v": pack(budget_entry(budget))})

    async def remove_budget(self, organization: str, budget_id: str) -> None:
        """Forgets it; what was used of it stands until its period is over. Raises `NotFound`."""
        if budget_id not in {budget.id for budget in (await self.read(organization)).budgets}:
            raise NotFound(f"there is no budget {budget_id[:80]!r}")
        await self._write(organization, FORGET, {"#a": BUDGET + budget_id}, {})

    async def _write(
        self, organization: str, update: str, names: dict[str, str], values: Json, condition: str = ""
    ) -> None:
        body: Json = {"Key": key_of(organization), "UpdateExpression": update, "ExpressionAttributeNames": names}
        if values:
            body["ExpressionAttributeValues"] = values
        if condition:
            body["ConditionExpression"] = condition
        await self._table.run("UpdateItem", body)


def _nothing(provider: str) -> NotFound:
    return NotFound(f"no credential of yours is stored for provider '{provider[:40]}'")


def _refuse_misfit(budget: Budget) -> None:
    """Raises `InvalidRequest` for a budget that limits nothing, or that nothing could ever be used of."""
    amounts = {"cost": budget.cost_nano, "tokens": budget.tokens}
    if budget.cost_nano is None and budget.tokens is None:
        raise InvalidRequest("a budget limits the cost, the tokens, or both", param="cost")
    for name, amount in amounts.items():
        if amount is not None and not 1 <= amount <= MOST_AMOUNT:
            raise InvalidRequest(f"a budget's '{name}' is between 1 and {MOST_AMOUNT}, not {amount}", param=name)
    for name, known in (("scope", Scope), ("period", Period)):
        if getattr(budget, name) not in get_args(known.__value__):
            raise InvalidRequest(f"a budget has no {name} {getattr(budget, name)[:40]!r}", param=name)
    if not 1 <= len(budget.target) <= LONGEST_TARGET:
        raise InvalidRequest(f"a budget's target has 1 to {LONGEST_TARGET} characters", param="target")
