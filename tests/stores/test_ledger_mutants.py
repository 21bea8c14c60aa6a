"""The tests' own test: each of these faults in the ledger, planted, must be noticed by a storm."""

import contextlib

import pytest

from orrery.core.errors import GatewayError
from orrery.core.exchange import Hold
from orrery.stores import expressions, reclaim
from orrery.stores.table import ConditionFailed, Table
from tests.stores.storms import run_storm

STORMS = 12
"""Seeds to try, after the one that is known to notice, before saying that a fault goes unnoticed."""

ANYTHING = "attribute_not_exists(SK) OR attribute_exists(SK) OR "

UNHINDERED = {
    # the known seed, and a condition that goes on naming its values, as AWS demands
    "no funds check": (10, "RESERVE_IF", "debt = :none AND attribute_not_exists(holds.#r)"),
    "no duplicate check when holding": (0, "RESERVE_IF", "bal >= :a AND debt = :none"),
    "no hold check when settling": (0, "SETTLE_IF", "attribute_exists(PK) OR holds.#r = :h"),
    "a receipt over a reclaimed one": (
        0,
        "WRITE_AHEAD_IF",
        ANYTHING + "expires < :x OR held = :h OR st IN (:stream, :expired)",
    ),
    "a checkpoint over a receipt": (
        0,
        "CHECKPOINT_IF",
        ANYTHING + "expires < :x OR held = :h OR cost <= :c OR st IN (:stream, :expired)",
    ),
    "expiring over a receipt": (0, "EXPIRE_IF", ANYTHING + "expires < :x OR st = :expired"),
    "closing another checkpoint than seen": (
        1,
        "CLOSE_IF",
        "st = :stream AND held = :h AND (cost = :c OR cost <> :c)",
    ),
    "closing a receipt that is final": (1, "CLOSE_IF", ANYTHING + "st = :stream OR held = :h OR cost = :c"),
    "correcting twice": (1, "CORRECT_IF", ANYTHING + "st = :seen OR held = :h OR cost = :c"),
    "granting twice": (0, "IS_NEW", ANYTHING + "attribute_exists(PK)"),
    "paying more than there is": (0, "PAY_IF", "bal >= :p OR debt >= :p"),
}


async def notices(table: Table, known_seed: int) -> bool:
    """Whether some storm fails."""
    for seed in (known_seed, *range(STORMS)):
        try:
            await run_storm(table, seed)
        except (AssertionError, GatewayError):
            return True
    return False


@pytest.mark.parametrize("name", UNHINDERED)
async def test_a_missing_condition_is_noticed(name: str, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    known_seed, constant, text = UNHINDERED[name]
    monkeypatch.setattr(expressions, constant, text)
    assert await notices(table, known_seed)


async def test_a_reclaimer_that_ignores_the_receipt_is_noticed(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(table: Table, hold: Hold, now: int) -> int:
        with contextlib.suppress(ConditionFailed):
            await table.run("PutItem", expressions.expire(hold, now))
        return 0

    monkeypatch.setattr(reclaim, "charge_of", nothing)
    assert await notices(table, 0)
