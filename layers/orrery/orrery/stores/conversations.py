"""Conversations; `core.keeping.Conversations`.

| PK                 | SK        | attributes                                                                         |
| RESP#<org>#<tree>  | C         | `st`: LIVE, or GONE; `made`: epoch s; `meta`: what its owner says of it; `wrote`:  |
|                    |           | when, epoch ms; `ev`: until nothing is left of one that was deleted; `ttl`: 30     |
|                    |           | days after it was written, or read as a context                                    |
| RESP#<org>#<tree>  | R#<pos>#… | a response in it (see `response_rows`), or items that were added: of the same form |

Rows stand by position, then by time: what was asked after something had been read stands behind it, and of what was
asked at the same time both stay.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress

from orrery.core.errors import NotFound, Unavailable
from orrery.core.pages import Listed, Page
from orrery.core.ports import Blobs
from orrery.core.responses import KEPT_S, Context, Conversation
from orrery.core.types import Json
from orrery.stores.attributes import pack_item, unpack_item
from orrery.stores.conversation_items import paged
from orrery.stores.pages import no_cursor
from orrery.stores.response_bodies import Bodies
from orrery.stores.response_chains import Named, Rows, said_in
from orrery.stores.response_places import (
    HEAD,
    LAST_POSITION,
    ROW,
    Place,
    base62,
    head_key,
    new_own,
    new_tree,
    partition,
    place_of_row,
    tree_of,
)
from orrery.stores.response_removal import forget, sweep_conversation
from orrery.stores.response_renewal import has_aged, renew, renewed
from orrery.stores.response_rows import ITEMS, LIVE, flat, ids_of, is_live, items_of, update
from orrery.stores.response_writing import no_conversation, write
from orrery.stores.table import ConditionFailed, Table

IS_NEW = "attribute_not_exists(PK)"
CHANGE = "SET meta = :meta, wrote = :wrote, #ttl = :ttl"
CHANGE_IF = "st = :live AND #ttl > :now AND wrote < :wrote"
ALL = "PK = :p"
NEWEST = "PK = :p AND begins_with(SK, :row)"
TRIES = 4


class ConversationStore:
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
        self._clock = clock
        self._bits = bits

    async def create(self, organization: str, items: Sequence[Json], metadata: Mapping[str, str]) -> Conversation:
        """See `core.keeping.Conversations.create`. Raises `TooLarge`."""
        tree, now_ms = new_tree(self._bits), self._now_ms()
        if items:  # before the head: without that, nobody reads them
            await self._add(organization, Place(tree, 0, new_own(self._bits, now_ms)), items, "")
        facts = {
            "st": LIVE,
            "made": now_ms // 1000,
            "meta": dict(metadata),
            "wrote": now_ms,
            "ev": True,
            "ttl": now_ms // 1000 + KEPT_S,
        }
        item = head_key(organization, tree) | pack_item(facts)
        with suppress(ConditionFailed):  # the second arrival
            await self._table.run("PutItem", {"Item": item, "ConditionExpression": IS_NEW})
        return Conversation(f"conv_{tree}", now_ms // 1000, dict(metadata))

    async def read(self, organization: str, conversation: str) -> Conversation:
        """See `core.keeping.Conversations.read`."""
        item = await self._table.get(head_key(organization, _must_find(conversation)))
        if item is None or not is_live(item, self._clock()):
            raise no_conversation(conversation)
        return _conversation_of(conversation, item)

    async def change(self, organization: str, conversation: str, metadata: Mapping[str, str]) -> Conversation:
        """See `core.keeping.Conversations.change`."""
        key = head_key(organization, _must_find(conversation))
        meta, wrote = dict(metadata), self._now_ms()
        for _ in range(TRIES):
            now = int(self._clock())
            values = {":meta": meta, ":wrote": wrote, ":ttl": now + KEPT_S, ":now": now, ":live": LIVE}
            body = update(key, CHANGE, CHANGE_IF, pack_item(values))
            try:
                answer = await self._table.run("UpdateItem", body | {"ReturnValues": "ALL_NEW"})
                return _conversation_of(conversation, unpack_item(answer["Attributes"]))
            except ConditionFailed as refused:
                item = refused.item
                if item is None or not is_live(item, now):
                    raise no_conversation(conversation) from None
                if item["meta"] == meta:
                    return _conversation_of(conversation, item)
                wrote = item["wrote"] + 1  # whoever hears of it is not the one who is late
        raise Unavailable("this conversation is changing just now", retry_after_s=1.0)

    async def delete(self, organization: str, conversation: str) -> None:
        """See `core.keeping.Conversations.delete`. One that was interrupted is gone already, and may be repeated."""
        tree = _must_find(conversation)
        key, now = head_key(organization, tree), int(self._clock())
        try:
            await forget(self._table, key, token=secrets.token_urlsafe(12), now=now)
        except ConditionFailed:
            raise no_conversation(conversation) from None
        await sweep_conversation(self._table, self._bodies, organization, tree, now)

    async def context(self, organization: str, conversation: str) -> Context:
        """See `core.keeping.Conversations.context`. Raises `TooLarge` for more than 32 MiB."""
        tree, now = _must_find(conversation), int(self._clock())
        rows = await self._rows(organization, conversation, tree)
        said = said_in(tree, rows, now)
        wholes = await self._bodies.get_all(organization, said)
        await renew(self._table, self._bodies, organization, said, now)
        if has_aged(rows[HEAD], now):
            await renewed(self._table, head_key(organization, tree), rows[HEAD]["ttl"], now)
        items = [item for (_, row), whole in zip(said, wholes, strict=True) for item in items_of(row, whole)]
        last = max(sort for sort in rows)  # the head's is before all others
        return Context(items, tree + base62(_after(tree, last), 3))

    async def add(self, organization: str, conversation: str, items: Sequence[Json]) -> None:
        """See `core.keeping.Conversations.add`. Raises `TooLarge`."""
        tree = _must_find(conversation)
        position = _after(tree, await self._last(organization, tree))
        await self._add(organization, Place(tree, position, new_own(self._bits, self._now_ms())), items, conversation)

    async def items(self, organization: str, conversation: str, page: Page, *, newest_first: bool) -> Listed[Json]:
        """See `core.keeping.Conversations.items`. An item that came twice is listed once, where it came first."""
        said = await self._said(organization, conversation)
        found = paged(said, page, newest_first=newest_first)
        if found is None:
            raise no_cursor(page)
        return await found.read(self._bodies, organization)

    async def item(self, organization: str, conversation: str, item: str) -> Json:
        """One of its items, by its id. Raises `NotFound`."""
        for name, row in await self._said(organization, conversation):
            if item in row["ids"]:
                whole = await self._bodies.get(organization, name, row)
                return next(one for one in items_of(row, whole) if one.get("id") == item)
        raise NotFound(f"Item with id '{item[:80]}' not found.")

    async def _said(self, organization: str, conversation: str) -> Named:
        """Its rows, each with the ids of its items."""
        tree = _must_find(conversation)
        said = said_in(tree, await self._rows(organization, conversation, tree), self._clock())
        for name, row in said:
            if row["ids"] is None:
                items = items_of(row, await self._bodies.get(organization, name, row))
                row["ids"] = [str(item.get("id", "")) for item in items]
        return said

    async def _rows(self, organization: str, conversation: str, tree: str) -> Rows:
        """Everything of a conversation that is there. Raises `NotFound`."""
        body: Json = {
            "KeyConditionExpression": ALL,
            "ExpressionAttributeValues": {":p": {"S": partition(organization, tree)}},
            "ConsistentRead": True,
        }
        rows = {item["SK"]: flat(item) async for item in self._table.query(body)}
        if not is_live(rows.get(HEAD), self._clock()):
            raise no_conversation(conversation)
        return rows

    async def _last(self, organization: str, tree: str) -> str:
        """The sort key of its last row; its head's where there is none."""
        body: Json = {
            "KeyConditionExpression": NEWEST,
            "ProjectionExpression": "SK",
            "ExpressionAttributeValues": {":p": {"S": partition(organization, tree)}, ":row": {"S": ROW}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": 1,
        }
        async with aclosing(self._table.query(body)) as found:  # type: ignore[type-var]  # it is a generator
            async for item in found:
                return str(item["SK"])
        return HEAD

    async def _add(self, organization: str, place: Place, items: Sequence[Json], conversation: str) -> None:
        body = await self._bodies.pack(organization, place.name, {"items": list(items)})
        now = int(self._clock())
        facts = {"made": now, "ids": ids_of(items), **body.facts()}
        rest = {"st": ITEMS, "conv": f"conv_{place.tree}", "facts": facts, "ttl": now + KEPT_S}
        put: Json = {
            "Item": place.key(organization) | pack_item(rest) | body.attributes(),
            "ConditionExpression": IS_NEW,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            await write(self._table, ("Put", put), organization, conversation, now)
        except ConditionFailed:
            return  # the second arrival
        except NotFound:
            await self._bodies.drop(organization, place.name, [] if body.is_inline else [body.sha])
            raise

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _conversation_of(conversation: str, item: Json) -> Conversation:
    return Conversation(conversation, item["made"], item["meta"])


def _after(tree: str, sort: str) -> int:
    """The position after a row."""
    return 0 if sort == HEAD else min(place_of_row(tree, sort).position + 1, LAST_POSITION)


def _must_find(conversation: str) -> str:
    """Its tree. Raises `NotFound` for a text that is no id."""
    tree = tree_of(conversation)
    if tree is None:
        raise no_conversation(conversation)
    return tree
