"""What labelled requests leave behind: `core.extras.Steps`.

A step is one transaction: its row in its run, which must be new, guards the sums of all heads, so that they count each
request once, however often it arrives. Sums, and nothing else of a head, change with every request; its place in the
list is written once, so that only new heads write the index.

What it costs, in write units (a transaction takes two for each KB): 4 for a run alone, 4 more for a session and for a
thread, 2 more for an identity, and 1 for its profile; a new head takes 1 more for the index. Transactions on the same
head at the same time refuse each other: an identity that hundreds of requests a second name is the wrong label.
"""

import time
from collections.abc import Callable
from typing import Final

from orrery.core.activity import Kind
from orrery.core.errors import AwsFault, InvalidRequest, Unavailable
from orrery.core.records import Step
from orrery.core.types import Json
from orrery.stores.attributes import pack, pack_item
from orrery.stores.step_rows import (
    KEPT_S,
    KNOWN,
    facts_of,
    key_of,
    labels_of,
    listing_of,
    partition,
    place_of,
    step_item,
)
from orrery.stores.table import Cancelled, ConditionFailed, Table

IS_NEW = "attribute_not_exists(PK)"

NAMED = (
    "SET label = if_not_exists(label, :label), GPK = if_not_exists(GPK, :list), GSK = if_not_exists(GSK, :place), "
    "last_ms = :last"
)
KEPT = ", #ttl = :ttl"
TAGGED = ", tags = :tags"
SUMMED = (
    " ADD requests :one, failures :failed, cost_nano :cost, input_tokens :input, output_tokens :output, "
    "duration_ms :took"
)

KNOW = "SET known_ms = :ms"
KNOW_IF = "attribute_exists(PK) AND (attribute_not_exists(known_ms) OR known_ms <= :ms)"

LONGEST_LABEL = 256
ROUNDS = 4
"""Of a table's own attempts each, while transactions on the same heads are in the way: about two seconds in all."""

IN_THE_WAY: Final = frozenset(
    {"TransactionCanceledException", "TransactionConflictException", "TransactionInProgressException"}
)
FIRST_ERROR = 400


class StepStore:
    """`clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    async def add(self, step: Step) -> None:
        """See `core.extras.Steps.add`. Raises `InvalidRequest` for a label of more than 256 characters."""
        labels = labels_of(step)
        if any(len(label) > LONGEST_LABEL for label in labels.values()):
            raise InvalidRequest(f"a label has at most {LONGEST_LABEL} characters")
        await self._write(self._parts(step, labels))
        if step.identity and step.identity_profile:
            await self._know(step, facts_of(step.identity_profile))

    def _parts(self, step: Step, labels: dict[Kind, str]) -> list[tuple[str, Json]]:
        """The guard comes first."""
        expires = int(self._clock()) + KEPT_S
        rows: list[tuple[str, Json]] = [
            ("Put", {"Item": pack_item(step_item(step, kind, label, expires))})
            for kind, label in labels.items()
            if kind != "identity"
        ]
        rows[0][1]["ConditionExpression"] = IS_NEW
        return rows + [("Update", head_update(step, kind, label, expires)) for kind, label in labels.items()]

    async def _write(self, parts: list[tuple[str, Json]]) -> None:
        for left in reversed(range(ROUNDS)):
            try:
                await self._table.transact(*parts)
            except Cancelled:
                return  # the step is there, and so are its sums
            except Unavailable as err:
                if not left or not _is_in_the_way(err):
                    raise
            else:
                return

    async def _know(self, step: Step, facts: Json) -> None:
        """Changes the profile, unless a request that began later has changed it already."""
        names = {f"#{name}": KNOWN + name for name in facts}
        values = {f":{name}": fact for name, fact in facts.items()}
        body: Json = {
            "Key": key_of(step.organization, "identity", step.identity),
            "UpdateExpression": KNOW + "".join(f", #{name} = :{name}" for name in facts),
            "ConditionExpression": KNOW_IF,
            "ExpressionAttributeValues": values | {":ms": pack(step.started_ms)},
        }
        try:
            await self._table.run("UpdateItem", body | {"ExpressionAttributeNames": names} if names else body)
        except ConditionFailed:
            return


def head_update(step: Step, kind: Kind, label: str, expires: int) -> Json:
    """Counts a step in a head, which begins with its first."""
    place = place_of(step.started_ms, partition(step.organization, kind, label))
    values = {
        ":label": label,
        ":list": listing_of(step.organization, kind),
        ":place": place,
        ":last": step.started_ms + step.duration_ms,
        ":one": 1,
        ":failed": int(step.status >= FIRST_ERROR),
        ":cost": step.cost_nano,
        ":input": step.input_tokens,
        ":output": step.output_tokens,
        ":took": step.duration_ms,
    }
    update, names = NAMED, {}
    if kind != "identity":
        update, names, values[":ttl"] = update + KEPT, {"#ttl": "ttl"}, expires
    if kind == "thread" and step.thread_tags:
        update, values[":tags"] = update + TAGGED, list(step.thread_tags)
    body: Json = {
        "Key": key_of(step.organization, kind, label),
        "UpdateExpression": update + SUMMED,
        "ExpressionAttributeValues": pack_item(values),
    }
    return body | {"ExpressionAttributeNames": names} if names else body


def _is_in_the_way(err: Unavailable) -> bool:
    return isinstance(err.__cause__, AwsFault) and err.__cause__.kind in IN_THE_WAY
