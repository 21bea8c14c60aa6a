"""Operators' own models: setting, removing and reading them."""

import time
from collections.abc import Callable
from dataclasses import replace

from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.model_rows import PARTITION, OwnModel, checked_id, item_of, key_of, row_of
from orrery.stores.table import Table

ALL = "PK = :p"


class ModelStore:
    """The rows themselves, read anew each time; `stores.catalog` keeps them for the gateway.

    `clock` gives epoch seconds. A row that this version cannot read is left out: another version may have written it.
    """

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    async def put(self, row: OwnModel) -> OwnModel:
        """Sets what is said of a model, in place of what was. Raises `InvalidRequest`, `Unavailable`."""
        checked_id(row.provider, row.name)
        stamped = replace(row, set_at=int(self._clock()))
        await self._table.run("PutItem", {"Item": pack_item(item_of(stamped))})
        return stamped

    async def remove(self, provider: str, name: str) -> bool:
        """Forgets what was said; False when nothing was. Raises `Unavailable`."""
        old = await self._table.run("DeleteItem", {"Key": key_of(provider, name), "ReturnValues": "ALL_OLD"})
        return bool(old.get("Attributes"))

    async def all(self) -> tuple[OwnModel, ...]:
        """Every row, sorted by id; consistently, so that what was set a moment ago is there. Raises `Unavailable`."""
        body: Json = {
            "KeyConditionExpression": ALL,
            "ExpressionAttributeValues": {":p": {"S": PARTITION}},
            "ConsistentRead": True,
        }
        found = []
        async for item in self._table.query(body):
            try:
                found.append(row_of(item))
            except (KeyError, TypeError, ValueError):
                continue
        return tuple(found)
