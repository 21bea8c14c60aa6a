"""One write of a row: alone, or, in a conversation, together with the question whether that is still there.

Without the question, a response that ends after its conversation was deleted would leave its words behind. Transactions
on one conversation at the same time may refuse each other: those are tried again, for some seconds in all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import batched

from orrery.core.errors import AwsFault, NotFound, Unavailable
from orrery.core.types import Json
from orrery.stores.response_places import head_key, tree_of
from orrery.stores.table import Cancelled, ConditionFailed, Table

IS_LIVE = "st = :live AND #ttl > :now"

ROUNDS = 4
"""Of a table's own attempts each."""

AT_ONCE = 25

IN_THE_WAY = frozenset(
    {"TransactionCanceledException", "TransactionConflictException", "TransactionInProgressException"}
)


async def write(table: Table, part: tuple[str, Json], organization: str, conversation: str, now: int) -> None:
    """A `Put` or an `Update`. Raises `ConditionFailed`, `Unavailable`; `NotFound` where `conversation` is gone.

    `conversation` is "" where there is none.
    """
    if not conversation:
        kind, body = part
        await table.run(f"{kind}Item", body)
        return
    await transact(table, live_check(organization, conversation, now), part, conversation)


async def transact(table: Table, check: tuple[str, Json], part: tuple[str, Json], conversation: str) -> None:
    """`part`, if `check` holds. Raises as `write` does."""
    for left in reversed(range(ROUNDS)):
        try:
            return await table.transact(check, part)
        except Cancelled as err:
            if err.refused[0]:
                raise no_conversation(conversation) from None
            raise ConditionFailed(err.items[1]) from None
        except Unavailable as err:
            if not left or not _is_in_the_way(err):
                raise
    raise AssertionError("unreachable: the last round returns or raises")


def live_check(organization: str, conversation: str, now: int) -> tuple[str, Json]:
    """The part of a transaction that asks for the conversation. Raises `NotFound` for an id that is none."""
    tree = tree_of(conversation)
    if tree is None:
        raise no_conversation(conversation)
    return "ConditionCheck", {
        "Key": head_key(organization, tree),
        "ConditionExpression": IS_LIVE,
        "ExpressionAttributeNames": {"#ttl": "ttl"},
        "ExpressionAttributeValues": {":live": {"S": "live"}, ":now": {"N": str(now)}},
    }


async def in_turn[T](work: Sequence[T], do: Callable[[T], Awaitable[None]]) -> None:
    """All of it, 25 at a time."""
    for some in batched(work, AT_ONCE, strict=False):
        await asyncio.gather(*(do(one) for one in some))


def no_conversation(conversation: str) -> NotFound:
    """OpenAI's words, as printed in reports of its answers (read 2026-11-21)."""
    return NotFound(f"Conversation with id '{conversation[:80]}' not found.")


def _is_in_the_way(err: Unavailable) -> bool:
    return isinstance(err.__cause__, AwsFault) and err.__cause__.kind in IN_THE_WAY
