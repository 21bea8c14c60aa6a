"""Responses that go on after their request: who works on one, and how it ends without having been finished.

    queued ── claim ──> in_progress ── finish ──> completed | incomplete | failed
       └───── cancel ────────┴──────────────────> cancelled
       └───── deadline ──────┴── or lease over ─> failed, as soon as anybody looks

Whoever sees that nobody works on one any more writes so before saying so: what was shown as failed stays failed.
"""

import secrets
import time
from collections.abc import Callable

from orrery.core.errors import InvalidRequest, NotFound, Unavailable
from orrery.core.responses import ENDED
from orrery.core.types import Json
from orrery.stores.attributes import pack_item, unpack_item
from orrery.stores.response_places import Place, head_key, place_of
from orrery.stores.response_rows import (
    BEAT,
    BEAT_IF,
    CANCEL,
    CANCEL_IF,
    CANCELLED,
    CLAIM,
    CLAIM_IF,
    FAIL,
    FAIL_CLAIMED_IF,
    FAIL_UNCLAIMED_IF,
    FAILED,
    ITEMS,
    PROGRESS,
    STATES,
    flat,
    is_live,
    is_lost,
    update,
)
from orrery.stores.table import ConditionFailed, Table

TRIES = 4
"""Rounds of looking and writing, while others write."""


class Work:
    """`clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    async def row(self, organization: str, response: str) -> Json:
        """Its row as it is by now. Raises `NotFound`, `Unavailable`."""
        place = must_find(response)
        for _ in range(TRIES):
            item = flat(await self._table.get(place.key(organization)) or {})
            if not item or not await self._is_there(organization, place, item):
                raise not_found(response)
            if not is_lost(item, self._now_ms()) or await self._fail(place.key(organization), item):
                return item
        raise Unavailable("this response is changing just now", retry_after_s=1.0)

    async def must_be_in_reach(self, organization: str, response: str) -> None:
        """Raises `NotFound` where there is nothing, not even the rest of a deletion, or its conversation is gone."""
        place = must_find(response)
        item = await self._table.get(place.key(organization), "conv, st")
        if item is None or item["st"] == ITEMS or not await self._is_in_reach(organization, place, item):
            raise not_found(response)

    async def cancel(self, organization: str, response: str) -> Json:
        """The row, once it has ended. Raises as `row` does, and `InvalidRequest`."""
        for _ in range(TRIES):
            item = await self.row(organization, response)
            if not item["bg"]:
                raise InvalidRequest("Cannot cancel a synchronous response.", code="invalid_request_error")
            if item["st"] in ENDED:
                return item
            key = must_find(response).key(organization)
            values = STATES | pack_item({":cancelled": CANCELLED, ":yes": True})
            try:
                await self._table.run("UpdateItem", update(key, CANCEL, CANCEL_IF, values))
            except ConditionFailed:
                continue  # it ended meanwhile, or this very write had come through
            return item | {"st": CANCELLED}
        raise Unavailable("this response is changing just now", retry_after_s=1.0)

    async def claim(self, organization: str, response: str, owner: str, lease_s: float) -> Json | None:
        """The row, if the caller is to work on it. Raises `Unavailable`."""
        place = place_of(response)
        if place is None:
            return None
        token = secrets.token_urlsafe(12)
        now_ms = self._now_ms()
        facts = {
            ":worker": owner,
            ":lease": now_ms + round(lease_s * 1000),
            ":tk": token,
            ":now": now_ms // 1000,
            ":ms": now_ms,
            ":zero": 0,
        }
        body = update(place.key(organization), CLAIM, CLAIM_IF, STATES | pack_item(facts))
        try:
            answer = await self._table.run("UpdateItem", body | {"ReturnValues": "ALL_NEW"})
            item = flat(unpack_item(answer["Attributes"]))
        except ConditionFailed as refused:
            item = flat(refused.item or {})
            if item.get("tk") != token or item.get("st") != PROGRESS:
                await self._notice(place, organization, item)
                return None
        return item if await self._is_there(organization, place, item) else None

    async def beat(self, organization: str, response: str, owner: str, lease_s: float) -> bool:
        """See `core.keeping.Responses.beat`. A lease is never made shorter."""
        place = place_of(response)
        if place is None:
            return False
        until = self._now_ms() + round(lease_s * 1000)
        values = pack_item({":progress": PROGRESS, ":worker": owner, ":lease": until})
        try:
            await self._table.run("UpdateItem", update(place.key(organization), BEAT, BEAT_IF, values))
        except ConditionFailed as refused:
            item = refused.item or {}
            return item.get("st") == PROGRESS and item.get("worker") == owner
        return True

    async def _notice(self, place: Place, organization: str, item: Json) -> None:
        if item and is_lost(item, self._now_ms()):
            await self._fail(place.key(organization), item)

    async def _fail(self, key: Json, item: Json) -> bool:
        """Writes that nobody works on it any more, unless it has changed since `item`; then `item` says so, too."""
        values = {":failed": FAILED, ":was": item["st"], ":dl": item["dl"]}
        condition = FAIL_UNCLAIMED_IF
        if "lease" in item:
            values[":lease"] = item["lease"]
            condition = FAIL_CLAIMED_IF
        try:
            await self._table.run("UpdateItem", update(key, FAIL, condition, pack_item(values)))
        except ConditionFailed:
            return False
        item["st"] = FAILED
        return True

    async def _is_there(self, organization: str, place: Place, item: Json) -> bool:
        """Whether it is neither deleted nor expired, and the conversation that it is in is not either."""
        return (
            is_live(item, self._clock()) and item["st"] != ITEMS and await self._is_in_reach(organization, place, item)
        )

    async def _is_in_reach(self, organization: str, place: Place, item: Json) -> bool:
        return not item["conv"] or is_live(await self._table.get(head_key(organization, place.tree)), self._clock())

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def must_find(response: str) -> Place:
    """Raises `NotFound` for a text that is no id."""
    place = place_of(response)
    if place is None:
        raise not_found(response)
    return place


def not_found(response: str) -> NotFound:
    """OpenAI's words, as printed in reports of its answers (read 2026-11-21)."""
    return NotFound(f"Response with id '{response[:80]}' not found.")
