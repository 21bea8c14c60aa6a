"""What the tests of agents share: documents to store, and stores that see the same table in another way."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from orrery.core.agents import StoredDocument
from orrery.core.pages import Page
from orrery.core.ports import AwsCall
from orrery.core.registries import Change
from orrery.core.types import Json
from orrery.stores.agents import AgentStore
from orrery.stores.table import Table
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Storm

A, B = "org-a", "org-b"


def body(text: str = "be kind", **more: Any) -> Json:
    """An agent's document, as `wire.agent_documents` takes it."""
    return {
        "role": "helper",
        "description": "helps",
        "instructions": text,
        "path": "Default",
        "model": "openai/gpt-4o",
        "settings": {},
        **more,
    }


def to(text: str) -> Change:
    return lambda document: {**document, "instructions": text}


def said(agent: StoredDocument) -> str:
    return str(agent.body["instructions"])


def over(table: Table, call: AwsCall, clock: Clock | None = None) -> AgentStore:
    return AgentStore(quick_table(call, table.name), clock=clock or Clock())


def at_once(table: Table) -> Storm:
    """Other tasks run between any two calls, and nothing fails."""
    storm = Storm(table._call, random.Random(7))
    storm.calm = True
    return storm


async def rows(table: Table) -> list[Json]:
    return list((await table.run("Scan", {})).get("Items", ()))


def everything(store: AgentStore, organization: str) -> list[Callable[[], Awaitable[object]]]:
    """All that can be done to the agent `k` of an organization."""
    return [
        lambda: store.read(organization, "k"),
        lambda: store.change(organization, "k", to("mine")),
        lambda: store.preview(organization, "k", to("mine")),
        lambda: store.version(organization, "k", "1.0.0"),
        lambda: store.versions(organization, "k", Page()),
        lambda: store.environments(organization, "k"),
        lambda: store.point(organization, "k", "staging", "1.0.0"),
        lambda: store.unpoint(organization, "k", "staging"),
        lambda: store.resolve(organization, "k", ""),
        lambda: store.resolve(organization, "k", "1.0.0"),
        lambda: store.remove(organization, "k"),
    ]
