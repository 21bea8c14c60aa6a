"""Prompts and their versions, page by page, the newest first.

A page ends early when what is on it would not fit into an answer: `more` says that there is more.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from itertools import batched

from orrery.core.pages import Listed, Page
from orrery.core.prompts import PromptVersion, StoredPrompt, is_key
from orrery.core.types import Json
from orrery.stores.definition import PROMPTS, organization_id
from orrery.stores.pages import AT_ONCE, MOST_BYTES, no_cursor, of_index
from orrery.stores.prompt_rows import (
    VERSION,
    Head,
    VersionRow,
    cursor_of,
    head_of,
    key_of,
    partition,
    sort_of,
    stored,
    version_of,
)
from orrery.stores.table import Table

VERSIONS = "PK = :p AND begins_with(SK, :c)"
OLDER_VERSIONS = "PK = :p AND SK BETWEEN :v AND :c"
NEWER_VERSIONS = "PK = :p AND SK > :c"


class PromptLists:
    """Reads heads and versions; see `stores.prompts`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def prompts(self, organization: str, page: Page) -> Listed[StoredPrompt]:
        """Each as `PromptStore.read` gives it."""
        place = ""
        if page.cursor:
            head = await self._head(organization, page.cursor) if is_key(page.cursor) else None
            if head is None:
                raise no_cursor(page)
            place = cursor_of(head.created_at, head.id)
        body = of_index(PROMPTS + organization_id(organization), place, page)
        ids: list[str] = []
        async with aclosing(self._table.query(body)) as found:  # type: ignore[type-var]  # it is a generator
            async for item in found:
                ids.append(item["GSK"].partition("#")[2])
                if len(ids) > page.limit:
                    break
        data, more = await self._filled(organization, ids[: page.limit])
        return _page(data, page, more=more or len(ids) > page.limit)

    async def versions(self, organization: str, prompt: str, page: Page) -> Listed[PromptVersion]:
        """The versions of a prompt that is there."""
        condition, cursor = VERSIONS, VERSION
        if page.cursor:
            number = _number(page)
            condition = OLDER_VERSIONS if page.after else NEWER_VERSIONS
            cursor = sort_of(number - 1 if page.after else number)
        values = {":p": {"S": partition(organization, prompt)}, ":c": {"S": cursor}}
        body: Json = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values | ({":v": {"S": VERSION}} if page.after else {}),
            "ScanIndexForward": bool(page.before),
            "ConsistentRead": True,
            "Limit": page.limit + 1,
        }
        rows: list[VersionRow] = []
        size, more = 0, False
        async with aclosing(self._table.query(body)) as found:  # type: ignore[type-var]  # it is a generator
            async for item in found:
                row = version_of(item)
                size += len(row.raw)
                more = len(rows) == page.limit or (bool(rows) and size > MOST_BYTES)
                if more:
                    break
                rows.append(row)
        return _page([row.version for row in rows], page, more=more)

    async def _filled(self, organization: str, ids: Sequence[str]) -> tuple[list[StoredPrompt], bool]:
        """The prompts of these ids, as far as they fit; whether some did not."""
        data: list[StoredPrompt] = []
        size = 0
        for some in batched(ids, AT_ONCE, strict=False):
            for found in await asyncio.gather(*(self._one(organization, prompt) for prompt in some)):
                if found is None:
                    continue
                head, row = found
                size += len(row.raw)
                if data and size > MOST_BYTES:
                    return data, True
                data.append(stored(head, row))
        return data, False

    async def _one(self, organization: str, prompt: str) -> tuple[Head, VersionRow] | None:
        """None: deleted since the index was written."""
        head = await self._head(organization, prompt)
        if head is None:
            return None
        item = await self._table.get(key_of(organization, prompt, sort_of(head.published or head.newest)))
        return (head, version_of(item)) if item is not None and item["made"] == head.made else None

    async def _head(self, organization: str, prompt: str) -> Head | None:
        return head_of(organization, await self._table.get(key_of(organization, prompt)))


def _page[T](data: Sequence[T], page: Page, *, more: bool) -> Listed[T]:
    """In the list's own order, whichever way it was read."""
    return Listed(list(data)[::-1] if page.before else list(data), more)


def _number(page: Page) -> int:
    text = page.cursor
    if not (text.isascii() and text.isdigit() and len(text) <= 8):
        raise no_cursor(page)
    return int(text)
