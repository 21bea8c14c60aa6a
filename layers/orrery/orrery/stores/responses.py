"""Stored responses; `core.keeping.Responses`.

What a request brought and what it was answered with stands in one row, and in no other: deleting it deletes it. What
came before it is in its ancestors' rows; see `response_places` for where they stand, `response_chains` for how they are
read, `response_rows` for what is in them.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal

from orrery.core.errors import NotFound, Unavailable
from orrery.core.ports import Blobs
from orrery.core.responses import Context, StoredResponse, home_of
from orrery.core.types import Json
from orrery.stores.response_bodies import Bodies, Body
from orrery.stores.response_chains import FOUNDING, Chains
from orrery.stores.response_places import new_own, new_tree, place_of
from orrery.stores.response_removal import forget, sweep_response
from orrery.stores.response_renewal import renew
from orrery.stores.response_rows import (
    CANCELLED,
    PROGRESS,
    QUEUED,
    finish_of,
    first_of,
    flat,
    items_of,
    keep_of,
    must_place,
    response_of,
    save_of,
    whole_of,
)
from orrery.stores.response_work import Work, must_find, not_found
from orrery.stores.response_writing import write
from orrery.stores.table import ConditionFailed, Table

TRIES = 4

MOST_FOUNDED = 1000
"""Trees about to be founded that this process remembers the tips of. Whose are forgotten are read one by one."""


class ResponseStore:
    """`clock` gives epoch seconds, `bits` so many random ones. Without `blobs`, what fits into no item is refused."""

    def __init__(
        self,
        table: Table,
        blobs: Blobs | None,
        *,
        clock: Callable[[], float] = time.time,
        bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self._table = table
        self._bodies = Bodies(blobs)
        self._work = Work(table, clock=clock)
        self._clock = clock
        self._bits = bits
        self._founded: dict[str, str] = {}

    def new_id(self, context: Context | None = None) -> str:
        """See `core.keeping.Responses.new_id`."""
        place = context.place if context is not None else ""
        own = new_own(self._bits, self._now_ms())
        if place and not place.startswith(FOUNDING):
            return f"resp_{place}{own}"
        founded = f"resp_{new_tree(self._bits)}000{own}"
        if place:
            if len(self._founded) >= MOST_FOUNDED:
                del self._founded[next(iter(self._founded))]
            self._founded[founded] = place.removeprefix(FOUNDING)
        return founded

    async def context(self, organization: str, response: str) -> Context:
        """See `core.keeping.Responses.context`. Raises `TooLarge` for more than 32 MiB."""
        now = self._clock()
        last = place_of(response)
        chain = await Chains(self._table, organization, now).read(last) if last is not None else None
        if chain is None:
            raise NotFound(
                f"Previous response with id '{response[:80]}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        wholes = await self._bodies.get_all(organization, chain.rows)
        await renew(self._table, self._bodies, organization, chain.rows, int(now))
        items = [item for (_, row), whole in zip(chain.rows, wholes, strict=True) for item in items_of(row, whole)]
        return Context(items, chain.next)

    async def begin(self, response: StoredResponse) -> None:
        """See `core.keeping.Responses.begin`. Raises `NotFound` where its conversation is gone, `TooLarge`."""
        body = await self._packed(response)
        try:
            await self._write(response, ("Put", first_of(response, self._tips(response), body, self._now_ms())))
        except ConditionFailed as refused:  # it is there: this is the second arrival, or was overtaken
            await self._unless_named(response, body, refused.item)
        except NotFound:
            await self._unless_named(response, body, None)
            raise

    async def save(self, response: StoredResponse) -> bool:
        """See `core.keeping.Responses.save`. Raises `TooLarge`."""
        body = await self._packed(response)
        after_ms = 0
        for _ in range(TRIES):
            try:
                now_ms = max(self._now_ms(), after_ms)
                await self._write(response, ("Update", save_of(response, self._tips(response), body, now_ms)))
                return True
            except NotFound:
                return await self._unless_named(response, body, None)
            except ConditionFailed as refused:
                item = flat(refused.item or {})
                if item.get("st") not in (QUEUED, PROGRESS):
                    return await self._unless_named(response, body, item)
                if item["sha"] == body.sha:
                    return True
                after_ms = item["wrote"] + 1  # a clock went back: whoever hears of it is not the one who is late
        raise Unavailable("this response is being written just now", retry_after_s=1.0)

    async def finish(self, response: StoredResponse) -> bool:
        """See `core.keeping.Responses.finish`. False, too, where it has been taken for lost. Raises `TooLarge`."""
        body = await self._packed(response)
        try:
            await self._write(response, ("Update", finish_of(response, self._tips(response), body, self._now_ms())))
        except NotFound:
            return await self._unless_named(response, body, None)
        except ConditionFailed as refused:
            item = flat(refused.item or {})
            if item.get("st") == response.status and item.get("sha") == body.sha:
                return True
            if item.get("st") == CANCELLED:
                return await self._keep(response, body)
            return await self._unless_named(response, body, item)
        self._founded.pop(response.id, None)
        return True

    async def read(self, organization: str, response: str) -> StoredResponse:
        """See `core.keeping.Responses.read`."""
        return await self._whole(organization, response, await self._work.row(organization, response))

    async def items(self, organization: str, ids: Sequence[str]) -> Mapping[str, Json]:
        """See `core.keeping.Responses.items`."""
        homes = {home for id in ids if (home := home_of(id))}
        found = await asyncio.gather(*(self._items_in(organization, home) for home in sorted(homes)))
        known = {str(item["id"]): item for items in found for item in items}
        return {id: known[id] for id in ids if id in known}

    async def _items_in(self, organization: str, response: str) -> Sequence[Json]:
        try:
            return (await self.read(organization, response)).output
        except NotFound:
            return ()

    async def cancel(self, organization: str, response: str) -> StoredResponse:
        """See `core.keeping.Responses.cancel`."""
        return await self._whole(organization, response, await self._work.cancel(organization, response))

    async def claim(self, organization: str, response: str, *, owner: str, lease_s: float) -> StoredResponse | None:
        """See `core.keeping.Responses.claim`."""
        item = await self._work.claim(organization, response, owner, lease_s)
        return await self._whole(organization, response, item) if item is not None else None

    async def beat(self, organization: str, response: str, *, owner: str, lease_s: float) -> bool:
        """See `core.keeping.Responses.beat`."""
        return await self._work.beat(organization, response, owner, lease_s)

    async def delete(self, organization: str, response: str) -> None:
        """See `core.keeping.Responses.delete`. One that was interrupted is gone already, and may be repeated."""
        place = must_find(response)
        await self._work.must_be_in_reach(organization, response)
        token = secrets.token_urlsafe(12)
        try:
            left = await forget(self._table, place.key(organization), token=token, now=int(self._clock()))
        except ConditionFailed:
            raise not_found(response) from None
        await sweep_response(self._table, self._bodies, organization, place, left)

    async def _whole(self, organization: str, response: str, item: Json) -> StoredResponse:
        whole = await self._bodies.get(organization, must_find(response).name, item)
        return response_of(organization, response, item, whole)

    async def _packed(self, response: StoredResponse) -> Body:
        return await self._bodies.pack(response.organization, must_place(response).name, whole_of(response))

    async def _write(self, response: StoredResponse, part: tuple[str, Json]) -> None:
        """Raises `ConditionFailed`, and `NotFound` where its conversation is gone."""
        await write(self._table, part, response.organization, response.conversation, int(self._clock()))

    def _tips(self, response: StoredResponse) -> str:
        return self._founded.get(response.id, "")

    async def _keep(self, response: StoredResponse, body: Body) -> Literal[False]:
        """What a cancelled response had said."""
        try:
            await self._write(response, ("Update", keep_of(response, body, self._now_ms())))
        except (ConditionFailed, NotFound) as err:
            item = err.item if isinstance(err, ConditionFailed) else None
            return await self._unless_named(response, body, item)
        return False

    async def _unless_named(self, response: StoredResponse, body: Body, item: Json | None) -> Literal[False]:
        """Deletes the blob of a write that was refused, unless `item`, which stood in its way, names it."""
        if not body.is_inline and body.sha not in (item or {}).get("blobs", ()):
            with suppress(Unavailable):
                await self._bodies.drop(response.organization, must_place(response).name, [body.sha])
        return False

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
