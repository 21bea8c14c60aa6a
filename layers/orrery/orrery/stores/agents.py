"""Agents: `core.keeping.Agents`, which requests read, and `core.registries.AgentRegistry`, which manages them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import orjson

from orrery.core.agents import Agent, StoredDocument
from orrery.core.errors import InvalidRequest, NotFound
from orrery.core.pages import Listed, Page
from orrery.core.registries import ENVIRONMENT, LIVE, NEWEST, AgentVersion, Change, Increment
from orrery.core.types import Json
from orrery.stores.agent_rows import (
    FIRST,
    KIND,
    environments_of,
    is_version,
    missing,
    next_version,
    no_version,
    version_item,
    version_of,
)
from orrery.stores.agent_versions import AgentVersions
from orrery.stores.document_rows import Head, inflated, put, raw_of
from orrery.stores.documents import IS_NEW, Beside, Documents, Parts, Work, alone
from orrery.stores.prompt_cache import Published, PublishedCache
from orrery.stores.table import Table
from orrery.wire.agent_reading import agent_of

MOST_ENVIRONMENTS = 50


class AgentStore:
    """`clock` gives epoch seconds."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._documents = Documents(table, KIND, sweep=self._sweep, clock=clock)
        self._versions = AgentVersions(table)
        self._heads = PublishedCache(self._read_head, clock)
        self._pinned = PublishedCache(self._read_pinned, clock)

    async def resolve(self, organization: str, key: str, version: str) -> Agent:
        """See `core.keeping.Agents.resolve`. A change counts within a minute, and at once where it was made."""
        head = await self._heads.find(organization, key) if KIND.rule.fits(key) else None
        if head is None:
            raise missing(key)
        known = orjson.loads(head.raw)
        wanted = known["environments"].get(version or LIVE)
        if wanted is None:
            wanted = known["version"] if version in ("", NEWEST) else version
        if wanted == known["version"]:
            return agent_of(key, wanted, known["body"])
        pinned = None
        if is_version(wanted):
            pinned = await self._pinned.find(organization, f"{key}@{wanted}@{head.made}")
        if pinned is None:
            raise no_version(key, version)
        return agent_of(key, wanted, orjson.loads(pinned.raw))

    async def create(self, organization: str, key: str, body: Json) -> StoredDocument:
        """See `core.registries.AgentRegistry.create`."""
        try:
            made = await self._documents.create(organization, key, body, version=FIRST, beside=self._versioned(""))
        finally:
            self._heads.forget(organization, key)
        return made.document

    async def read(self, organization: str, key: str) -> StoredDocument:
        """See `core.registries.AgentRegistry.read`."""
        return (await self._documents.head(organization, key)).document

    async def list(self, organization: str, page: Page) -> Listed[StoredDocument]:
        """See `core.registries.AgentRegistry.list`. An agent that was made this second may be missing."""
        found = await self._documents.page(organization, page)
        return Listed([head.document for head in found.data], found.more)

    async def change(
        self, organization: str, key: str, change: Change, *, increment: Increment = "patch", note: str = ""
    ) -> StoredDocument:
        """See `core.registries.AgentRegistry.change`."""

        async def work(head: Head) -> tuple[Head, Beside]:
            return _next(head, change, increment), self._versioned(note)

        return (await self._changed(organization, key, work)).document

    async def preview(self, organization: str, key: str, change: Change) -> StoredDocument:
        """What `change` would give just now. Changes nothing."""
        return _next(await self._documents.head(organization, key), change, "patch").document

    async def remove(self, organization: str, key: str) -> None:
        """See `core.registries.AgentRegistry.remove`."""
        try:
            await self._documents.remove(organization, key)
        finally:
            self._heads.forget(organization, key)

    async def version(self, organization: str, key: str, version: str) -> AgentVersion:
        """See `core.registries.AgentRegistry.version`."""
        found = await self._row(await self._documents.head(organization, key), version)
        return version_of(found)

    async def versions(self, organization: str, key: str, page: Page) -> Listed[AgentVersion]:
        """See `core.registries.AgentRegistry.versions`."""
        head = await self._documents.head(organization, key)
        return await self._versions.page(self._documents.partition(organization, key), head.made, page)

    async def environments(self, organization: str, key: str) -> Mapping[str, str]:
        """See `core.registries.AgentRegistry.environments`."""
        return environments_of(await self._documents.head(organization, key))

    async def point(self, organization: str, key: str, environment: str, version: str) -> None:
        """See `core.registries.AgentRegistry.point`."""
        if not ENVIRONMENT.fits(environment) or environment == NEWEST:
            raise InvalidRequest(
                f"Invalid value for 'name': expected {ENVIRONMENT.words}, and not '{NEWEST}'.", param="name"
            )

        async def work(head: Head) -> tuple[Head, Beside]:
            await self._row(head, version)
            pointed = {**environments_of(head), environment: version}
            if len(pointed) > MOST_ENVIRONMENTS:
                raise InvalidRequest(f"An agent has {MOST_ENVIRONMENTS} environments at most.", param="name")
            return _pointing(head, pointed), alone

        await self._changed(organization, key, work)

    async def unpoint(self, organization: str, key: str, environment: str) -> None:
        """See `core.registries.AgentRegistry.unpoint`."""

        async def work(head: Head) -> tuple[Head, Beside]:
            left = dict(environments_of(head))
            if left.pop(environment, None) is None:
                raise no_environment(key, environment)
            return _pointing(head, left), alone

        await self._changed(organization, key, work)

    async def _changed(self, organization: str, key: str, work: Work) -> Head:
        try:
            return await self._documents.change(organization, key, work)
        finally:
            self._heads.forget(organization, key)

    def _versioned(self, note: str) -> Beside:
        def beside(head: Head) -> Parts:
            return [put(version_item(self._documents.partition(head.organization, head.key), head, note), IS_NEW)]

        return beside

    async def _row(self, head: Head, version: str) -> Json:
        partition = self._documents.partition(head.organization, head.key)
        found = await self._versions.row(partition, version, head.made)
        if found is None:
            raise no_version(head.key, version)
        return found

    async def _read_head(self, organization: str, key: str, known: Published | None) -> Published | None:
        head = await self._documents.find(organization, key)
        if head is None:
            return None
        said = {"version": head.version, "environments": environments_of(head), "body": orjson.Fragment(head.raw)}
        return Published(head.made, 0, orjson.dumps(said))

    async def _read_pinned(self, organization: str, name: str, known: Published | None) -> Published | None:
        if known is not None:
            return known  # versions never change
        key, version, made = name.split("@")
        row = await self._versions.row(self._documents.partition(organization, key), version, made)
        return None if row is None else Published(made, 0, inflated(row))

    async def _sweep(self, organization: str, key: str, made: str) -> None:
        await self._versions.sweep(self._documents.partition(organization, key), made)


def no_environment(key: str, environment: str) -> NotFound:
    """An agent's environment that has no version."""
    message = f"environment '{environment[:80]}' not found for agent {key}"
    return NotFound(message, code="agent_environment_not_found")


def _next(head: Head, change: Change, increment: Increment) -> Head:
    """The head after a change; the same one where nothing is different."""
    raw = raw_of(change(orjson.loads(head.raw)))
    if raw == head.raw:
        return head
    version = next_version(head.version, increment)
    if not is_version(version):
        raise InvalidRequest(f"There is no version after {head.version}.", param="versionIncrement")
    return replace(head, raw=raw, version=version)


def _pointing(head: Head, environments: Mapping[str, str]) -> Head:
    if environments == environments_of(head):
        return head
    return replace(head, more={"environments": dict(environments)})
