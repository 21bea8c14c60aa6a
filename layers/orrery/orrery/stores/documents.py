"""Documents under keys of their own: what agents, stored tools and memory stores have in common.

A change names the head that it saw, so of two at once the second sees the first and tries again. It is one transaction
whose token is its own `rev`: DynamoDB knows it again for ten minutes (API_TransactWriteItems, read 2026-11-21), so that
a repetition is answered with success and a late arrival does nothing. Whoever finds a head with `gone` finishes what
its deletion has left.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import batched
from typing import Any

from orrery.core.errors import Unavailable
from orrery.core.pages import Listed, Page
from orrery.core.types import Json
from orrery.stores.attributes import pack_item
from orrery.stores.definition import organization_id
from orrery.stores.document_rows import HEAD, Head, Kind, cursor_of, delete, head_item, head_of, put, raw_of
from orrery.stores.pages import AT_ONCE, MOST_BYTES, no_cursor, of_index
from orrery.stores.table import Cancelled, Table

IS_NEW = "attribute_not_exists(PK)"
AS_SEEN = "rev = :seen"

ATTEMPTS = 50
"""Of a change, while others change the same document: each round lets one of them through."""


type Parts = Sequence[Json]
"""Further parts of a transaction, each as TransactWriteItems has it but for `TableName`."""

type Beside = Callable[[Head], Parts]
"""What is written together with a head."""

type Work = Callable[[Head], Awaitable[tuple[Head, Beside]]]
"""Makes of a head the one after it (the same one: nothing to do)."""

type Sweep = Callable[[str, str, str], Awaitable[None]]
"""Deletes what hangs on a document: of an organization, under a key, and what it was `made` as."""


async def nothing_more(organization: str, key: str, made: str) -> None:
    """For documents on which nothing hangs."""


def alone(head: Head) -> Parts:
    """For heads with which nothing else is written."""
    return ()


class Documents:
    """Documents of one kind. `clock` gives epoch seconds."""

    def __init__(
        self, table: Table, kind: Kind, *, sweep: Sweep = nothing_more, clock: Callable[[], float] = time.time
    ) -> None:
        self.table = table
        self.kind = kind
        self._sweep = sweep
        self._clock = clock

    async def find(self, organization: str, key: str) -> Head | None:
        """Read consistently; None where there is none, or only what is left of one."""
        return head_of(organization, key, await self._item(organization, key))

    async def head(self, organization: str, key: str) -> Head:
        """Raises the kind's `NotFound`."""
        found = await self.find(organization, key)
        if found is None:
            raise self.kind.missing(key)
        return found

    async def create(
        self,
        organization: str,
        key: str,
        body: Mapping[str, Any],
        *,
        more: Mapping[str, Any] | None = None,
        version: str = "1.0.0",
        beside: Beside = alone,
    ) -> Head:
        """Raises the kind's `Conflict`."""
        for _ in range(ATTEMPTS):
            token, now = secrets.token_hex(16), int(self._clock())
            head = Head(organization, key, token, token, version, raw_of(body), now, now, more or {})
            try:
                await self._write(token, put(head_item(self.kind, head), IS_NEW), *beside(head))
            except Cancelled as refused:
                there = refused.items[0]
                if there is not None and "gone" in there:
                    await self._finish(organization, key, there)
                elif there is not None:
                    raise self.kind.taken(key) from None
                continue
            return head
        raise self._crowded(key)

    async def change(self, organization: str, key: str, work: Work) -> Head:
        """Does `work` on the head, again while others were faster. Raises the kind's `NotFound`."""
        for _ in range(ATTEMPTS):
            head = await self.head(organization, key)
            after, beside = await work(head)
            if after is head:
                return head
            after = replace(after, rev=secrets.token_hex(16), updated_at=int(self._clock()))
            try:
                await self._write(after.rev, put(head_item(self.kind, after), AS_SEEN, head.rev), *beside(after))
            except Cancelled:
                continue
            return after
        raise self._crowded(key)

    async def remove(self, organization: str, key: str) -> None:
        """Deletes it with what hangs on it; finishes what a deletion that died has left, too."""
        for _ in range(ATTEMPTS):
            there = await self._item(organization, key)
            if there is None:
                raise self.kind.missing(key)
            if "gone" not in there:
                token = secrets.token_hex(16)
                left = {**self._place(organization, key), "made": there["made"], "rev": token, "gone": True}
                try:
                    await self._write(token, put(pack_item(left), AS_SEEN, there["rev"]))
                except Cancelled:
                    continue
                there = left
            await self._finish(organization, key, there)
            return
        raise self._crowded(key)

    async def page(self, organization: str, page: Page) -> Listed[Head]:
        """The newest first. One that was made this second may be missing. Raises `InvalidRequest`."""
        place = ""
        if page.cursor:
            head = await self.find(organization, page.cursor)
            if head is None:
                raise no_cursor(page)
            place = cursor_of(head)
        keys: list[str] = []
        body = of_index(self.kind.listing + organization_id(organization), place, page)
        async with aclosing(self.table.query(body)) as found:  # type: ignore[type-var]  # it is a generator
            async for item in found:
                keys.append(item["GSK"].partition("#")[2])
                if len(keys) > page.limit:
                    break
        data, more = await self._filled(organization, keys[: page.limit])
        return Listed(data[::-1] if page.before else data, more or len(keys) > page.limit)

    async def _filled(self, organization: str, keys: Sequence[str]) -> tuple[list[Head], bool]:
        """The documents of these keys, as far as they fit into an answer; whether some did not."""
        data: list[Head] = []
        size = 0
        for some in batched(keys, AT_ONCE, strict=False):
            for head in await asyncio.gather(*(self.find(organization, key) for key in some)):
                if head is None:  # deleted since the index was written
                    continue
                size += len(head.raw)
                if data and size > MOST_BYTES:
                    return data, True
                data.append(head)
        return data, False

    async def _finish(self, organization: str, key: str, left: Mapping[str, Any]) -> None:
        """The head goes last: as long as there is one, another deletion or a new document finishes this first."""
        await self._sweep(organization, key, left["made"])
        place = {name: {"S": value} for name, value in self._place(organization, key).items()}
        await delete(self.table, place, AS_SEEN, {":seen": {"S": left["rev"]}})

    async def _item(self, organization: str, key: str) -> Json | None:
        if not self.kind.rule.fits(key):
            return None
        place = self._place(organization, key)
        return await self.table.get({name: {"S": value} for name, value in place.items()})

    async def _write(self, token: str, *parts: Json) -> None:
        items = [{kind: body | {"TableName": self.table.name} for kind, body in part.items()} for part in parts]
        await self.table.run("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": token})

    def partition(self, organization: str, key: str) -> str:
        return self.kind.partition(organization, key)

    def _place(self, organization: str, key: str) -> dict[str, str]:
        return {"PK": self.partition(organization, key), "SK": HEAD}

    def _crowded(self, key: str) -> Unavailable:
        return Unavailable(f"too many others are changing {key[:80]!r}", retry_after_s=1.0)
