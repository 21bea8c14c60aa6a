"""Stored prompts: `core.extras.Prompts`, which requests read, and `core.extras.PromptRegistry`, which manages them.

Every change is one transaction that names the head it saw by `rev`: of two at once the second sees the first and tries
again, so both become versions. Its token is its own new `rev`: DynamoDB knows a transaction again by its token for ten
minutes (API_TransactWriteItems, read 2026-11-21), so a repetition whose first arrival was answered into the void is
answered with success, and one that arrives late does nothing.
"""

import secrets
import string
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from orrery.core.errors import Conflict, InvalidRequest, NotFound, Unavailable
from orrery.core.pages import Listed, Page
from orrery.core.prompts import PromptChange, PromptDraft, PromptVersion, StoredPrompt, is_key
from orrery.core.records import Prompt
from orrery.core.types import Json
from orrery.stores.prompt_cache import Published, PublishedCache
from orrery.stores.prompt_lists import PromptLists
from orrery.stores.prompt_removal import sweep
from orrery.stores.prompt_rows import (
    Head,
    VersionRow,
    first_head,
    head_item,
    head_of,
    key_of,
    prompt_of,
    raw_of,
    sort_of,
    stored,
    tombstone,
    version_item,
    version_of,
)
from orrery.stores.table import Cancelled, Table

IS_NEW = "attribute_not_exists(PK)"
AS_SEEN = "rev = :seen"
PUBLISHED = "made, published"

ATTEMPTS = 50
"""Of a change, while others change the same prompt: each round lets one of them through."""

MOST_VERSIONS = 10_000

_BASE62 = string.digits + string.ascii_letters

type Next = tuple[Head, VersionRow | None, VersionRow]
"""What a change makes of a head: the head after it (the same one: nothing to do), a new version, and one to show."""


class PromptStore:
    """`clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock
        self._cache = PublishedCache(self._read_published, clock)
        self._lists = PromptLists(table)

    async def published(self, organization: str, prompt: str) -> Prompt | None:
        """See `core.extras.Prompts.published`."""
        if not is_key(prompt):
            return None
        found = await self._cache.find(organization, prompt)
        return prompt_of(prompt, found.number, found.raw) if found else None

    async def create(self, organization: str, draft: PromptDraft) -> StoredPrompt:
        """See `core.extras.PromptRegistry.create`."""
        for _ in range(ATTEMPTS):
            prompt, token = draft.key or _new_id(), secrets.token_hex(16)
            head = first_head(organization, prompt, draft, token, int(self._clock()))
            row = VersionRow(1, raw_of(draft.document), head.created_at)
            try:
                await self._write(token, _put(head_item(head), IS_NEW), _put(version_item(head, row), IS_NEW))
            except Cancelled as refused:
                there = refused.items[0]
                if there is not None and "gone" in there:
                    await sweep(self._table, organization, prompt, there)
                elif there is not None and draft.key:
                    raise _taken(prompt) from None
                continue
            finally:
                self._cache.forget(organization, prompt)
            return stored(head, row)
        raise _crowded(draft.key)

    async def read(self, organization: str, prompt: str) -> StoredPrompt:
        """See `core.extras.PromptRegistry.read`."""
        head = await self._head(organization, prompt)
        return stored(head, await self._row(head, head.published or head.newest))

    async def version(self, organization: str, prompt: str, version: int) -> StoredPrompt:
        """See `core.extras.PromptRegistry.version`."""
        head = await self._head(organization, prompt)
        return stored(head, await self._row(head, version))

    async def list(self, organization: str, page: Page) -> Listed[StoredPrompt]:
        """See `core.extras.PromptRegistry.list`. A prompt that was made this second may be missing."""
        return await self._lists.prompts(organization, page)

    async def versions(self, organization: str, prompt: str, page: Page) -> tuple[StoredPrompt, Listed[PromptVersion]]:
        """See `core.extras.PromptRegistry.versions`."""
        found = await self.read(organization, prompt)
        return found, await self._lists.versions(organization, prompt, page)

    async def change(self, organization: str, prompt: str, change: PromptChange) -> StoredPrompt:
        """See `core.extras.PromptRegistry.change`."""
        return await self._changed(organization, prompt, lambda head: self._next(head, change))

    async def preview(self, organization: str, prompt: str, change: PromptChange) -> StoredPrompt:
        """What `change` would give just now. Changes nothing."""
        after, _, shown = await self._next(await self._head(organization, prompt), change)
        return stored(after, shown)

    async def publish(self, organization: str, prompt: str, version: int) -> StoredPrompt:
        """See `core.extras.PromptRegistry.publish`."""

        async def work(head: Head) -> Next:
            row = await self._row(head, version)
            return (head if head.published == version else replace(head, published=version)), None, row

        return await self._changed(organization, prompt, work)

    async def remove(self, organization: str, prompt: str) -> None:
        """See `core.extras.PromptRegistry.remove`. Finishes what one that died has left, too."""
        try:
            for _ in range(ATTEMPTS):
                there = await self._table.get(key_of(organization, prompt)) if is_key(prompt) else None
                if there is None:
                    raise _unknown(prompt)
                if "gone" not in there:
                    token = secrets.token_hex(16)
                    left = tombstone(organization, prompt, there["made"], token)
                    try:
                        await self._write(token, _put(left, AS_SEEN, there["rev"]))
                    except Cancelled:
                        continue
                    there = {"made": there["made"], "rev": token}
                await sweep(self._table, organization, prompt, there)
                return
            raise _crowded(prompt)
        finally:
            self._cache.forget(organization, prompt)

    async def _next(self, head: Head, change: PromptChange) -> Next:
        after = replace(head, facts=replace(head.facts, **change.facts))
        if change.document is None:
            shown = await self._row(head, head.published or head.newest)
            return (head if after == head else after), None, shown
        raw = raw_of(change.document)
        for number in dict.fromkeys((head.published, head.newest)):
            if number and (same := await self._row(head, number)).raw == raw:
                after = replace(after, published=number) if change.publish else after
                return (head if after == head else after), None, same
        if head.newest >= MOST_VERSIONS:
            raise InvalidRequest(f"A prompt has {MOST_VERSIONS} versions at most.", param="prompt")
        row = VersionRow(head.newest + 1, raw, int(self._clock()))
        published = row.number if change.publish else head.published
        return replace(after, newest=row.number, published=published), row, row

    async def _changed(self, organization: str, prompt: str, work: Callable[[Head], Awaitable[Next]]) -> StoredPrompt:
        """Does `work` on the head, again while others were faster."""
        try:
            for _ in range(ATTEMPTS):
                head = await self._head(organization, prompt)
                after, new, shown = await work(head)
                if after is head:
                    return stored(head, shown)
                after = replace(after, rev=secrets.token_hex(16), updated_at=int(self._clock()))
                parts = [_put(head_item(after), AS_SEEN, head.rev)]
                if new is not None:
                    parts.append(_put(version_item(head, new), IS_NEW))
                try:
                    await self._write(after.rev, *parts)
                except Cancelled:
                    continue
                return stored(after, shown)
            raise _crowded(prompt)
        finally:
            self._cache.forget(organization, prompt)

    async def _write(self, token: str, *parts: Json) -> None:
        items = [{"Put": part | {"TableName": self._table.name}} for part in parts]
        await self._table.run("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": token})

    async def _head(self, organization: str, prompt: str) -> Head:
        found = await self._table.get(key_of(organization, prompt)) if is_key(prompt) else None
        head = head_of(organization, found)
        if head is None:
            raise _unknown(prompt)
        return head

    async def _row(self, head: Head, number: int) -> VersionRow:
        found = None
        if 0 < number <= head.newest:
            found = await self._table.get(key_of(head.organization, head.id, sort_of(number)))
        if found is None or found["made"] != head.made:
            raise NotFound(f"The prompt {head.id!r} has no version {number}.", code="prompt_not_found")
        return version_of(found)

    async def _read_published(self, organization: str, prompt: str, known: Published | None) -> Published | None:
        head = await self._table.get(key_of(organization, prompt), PUBLISHED)
        if head is None or not head.get("published"):  # what is left of a deleted prompt names no version
            return None
        number, made = head["published"], head["made"]
        if known is not None and (known.made, known.number) == (made, number):
            return known
        found = await self._table.get(key_of(organization, prompt, sort_of(number)))
        if found is None or found["made"] != made:  # deleted between the two
            return None
        return Published(made, number, version_of(found).raw)


def _put(item: Json, condition: str, seen: str | None = None) -> Json:
    body: Json = {"Item": item, "ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return body if seen is None else body | {"ExpressionAttributeValues": {":seen": {"S": seen}}}


def _new_id() -> str:
    """`prompt_` and twelve base62 characters, 71 random bits."""
    return "prompt_" + "".join(secrets.choice(_BASE62) for _ in range(12))


def _unknown(prompt: str) -> NotFound:
    return NotFound(f"There is no prompt {prompt[:80]!r}.", code="prompt_not_found")


def _taken(prompt: str) -> Conflict:
    return Conflict(f"There is a prompt {prompt!r} already.", param="key", code="prompt_exists")


def _crowded(prompt: str) -> Unavailable:
    return Unavailable(f"too many others are changing the prompt {prompt[:80]!r}", retry_after_s=1.0)
