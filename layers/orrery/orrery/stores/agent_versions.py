"""The versions of agents: one, a page of them, and what remains of them when an agent goes."""

import asyncio
from contextlib import aclosing
from itertools import batched

from orrery.core.pages import Listed, Page
from orrery.core.registries import AgentVersion
from orrery.core.types import Json
from orrery.stores.agent_rows import VERSION, is_version, sort_of, version_of
from orrery.stores.document_rows import delete, inflated
from orrery.stores.pages import MOST_BYTES, no_cursor
from orrery.stores.table import Table

VERSIONS = "PK = :p AND begins_with(SK, :c)"
OLDER_VERSIONS = "PK = :p AND SK BETWEEN :v AND :c"
NEWER_VERSIONS = "PK = :p AND SK > :c"
THAT_AGENTS = "made = :m"
AT_ONCE = 25


class AgentVersions:
    """Reads and deletes rows of versions; `partition` is an agent's, `made` what it was made as."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def row(self, partition: str, version: str, made: str) -> Json | None:
        """None where there is none, or it is another agent's of the same key."""
        if not is_version(version):
            return None
        found = await self._table.get(_place(partition, sort_of(version)))
        return found if found is not None and found["made"] == made else None

    async def page(self, partition: str, made: str, page: Page) -> Listed[AgentVersion]:
        """The newest first; a page ends early when what is on it would not fit into an answer."""
        rows: list[AgentVersion] = []
        size, more = 0, False
        async with aclosing(self._table.query(_asked(partition, page))) as found:  # type: ignore[type-var]  # a generator
            async for item in found:
                if item["made"] != made:
                    continue
                size += len(inflated(item))
                more = len(rows) == page.limit or (bool(rows) and size > MOST_BYTES)
                if more:
                    break
                rows.append(version_of(item))
        return Listed(rows[::-1] if page.before else rows, more)

    async def sweep(self, partition: str, made: str) -> None:
        """Deletes all of them. Harmless when repeated, or late."""
        body: Json = {
            "KeyConditionExpression": VERSIONS,
            "ProjectionExpression": "SK",
            "ExpressionAttributeValues": {":p": {"S": partition}, ":c": {"S": VERSION}},
            "ConsistentRead": True,
        }
        found = [item["SK"] async for item in self._table.query(body)]
        for sorts in batched(found, AT_ONCE, strict=False):
            values = {":m": {"S": made}}
            await asyncio.gather(*(delete(self._table, _place(partition, sort), THAT_AGENTS, values) for sort in sorts))


def _place(partition: str, sort: str) -> Json:
    return {"PK": {"S": partition}, "SK": {"S": sort}}


def _asked(partition: str, page: Page) -> Json:
    values = {":p": {"S": partition}, ":c": {"S": VERSION}}
    condition = VERSIONS
    if page.cursor:
        if not is_version(page.cursor):
            raise no_cursor(page)
        sort = sort_of(page.cursor)
        condition = OLDER_VERSIONS if page.after else NEWER_VERSIONS
        values[":c"] = {"S": _below(sort) if page.after else sort}
    if page.after:
        values[":v"] = {"S": VERSION}
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": bool(page.before),
        "ConsistentRead": True,
    }


def _below(sort: str) -> str:
    """Above every version before this one, and below it: BETWEEN has both of its ends."""
    return sort[:-1] + chr(ord(sort[-1]) - 1)
