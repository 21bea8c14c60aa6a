"""A balance as it is stored: one shard of an organization's, with the holds inside.

A hold is an entry of the map `holds`: the request's id → `<amount in nano-USD>|<expiry in epoch seconds>`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orrery.core.exchange import Hold

GRACE_S = 60.0
"""A hold is dead when its request must have ended this long ago: clocks differ."""


@dataclass(frozen=True, slots=True)
class Account:
    """A shard at one moment. Amounts are nano-USD."""

    organization: str
    shard: int
    balance_nano: int
    granted_nano: int
    spent_nano: int
    debt_nano: int
    holds: Mapping[str, str]

    @property
    def held_nano(self) -> int:
        """What the holds set aside."""
        return sum(amount_of(value) for value in self.holds.values())

    @property
    def drift_nano(self) -> int:
        """What was granted and is nowhere (or, negative, is there and was never granted): 0 at every moment."""
        return self.granted_nano - self.balance_nano - self.held_nano - self.spent_nano

    @property
    def sound(self) -> bool:
        """Whether the invariants hold."""
        return self.drift_nano == 0 and self.balance_nano >= 0 and self.debt_nano >= 0

    @property
    def payable_nano(self) -> int:
        """How much of the debt the balance covers."""
        return max(0, min(self.balance_nano, self.debt_nano))

    def dead_holds(self, now: float) -> list[Hold]:
        """The holds whose requests must have ended."""
        return [
            self.hold(request_id, value) for request_id, value in self.holds.items() if expiry_of(value) + GRACE_S < now
        ]

    def hold(self, request_id: str, value: str, key_id: str = "") -> Hold:
        """An entry of `holds`, as the flow knows it."""
        return Hold(request_id, self.organization, self.shard, amount_of(value), expiry_of(value), value, key_id)


@dataclass(frozen=True, slots=True)
class Balance:
    """All of an organization's shards together. Amounts are nano-USD."""

    organization: str
    balance_nano: int
    held_nano: int
    spent_nano: int
    granted_nano: int
    debt_nano: int

    @property
    def available_nano(self) -> int:
        """What new requests may hold: debt is paid first."""
        return max(0, self.balance_nano - self.debt_nano)


def account_of(item: Mapping[str, Any]) -> Account:
    """Reads a stored shard."""
    return Account(
        organization=item["PK"].removeprefix("ORG#"),
        shard=int(item["SK"].removeprefix("BAL#")),
        balance_nano=item["bal"],
        granted_nano=item["granted"],
        spent_nano=item["spent"],
        debt_nano=item["debt"],
        holds=item["holds"],
    )


def balance_of(organization: str, accounts: Iterable[Account]) -> Balance:
    """Adds the shards up."""
    shards = list(accounts)
    return Balance(
        organization=organization,
        balance_nano=sum(a.balance_nano for a in shards),
        held_nano=sum(a.held_nano for a in shards),
        spent_nano=sum(a.spent_nano for a in shards),
        granted_nano=sum(a.granted_nano for a in shards),
        debt_nano=sum(a.debt_nano for a in shards),
    )


def hold_value(amount_nano: int, expires_at: int) -> str:
    """What is stored for a hold."""
    return f"{amount_nano}|{expires_at}"


def amount_of(value: str) -> int:
    """The amount in a stored hold."""
    return int(value.partition("|")[0])


def expiry_of(value: str) -> int:
    """The expiry in a stored hold."""
    return int(value.partition("|")[2])
