"""What the tests of stored prompts share: prompts to store, and stores that see the same table in another way."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from orrery.core.pages import Page
from orrery.core.ports import AwsCall
from orrery.core.prompts import PromptChange, PromptDraft, PromptFacts, StoredPrompt
from orrery.core.types import Json
from orrery.stores.prompts import PromptStore
from orrery.stores.table import Table
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Storm

A, B = "org-a", "org-b"


def document(text: str = "be kind", **more: Any) -> Json:
    return {"messages": [{"role": "system", "content": text}], **more}


def draft(text: str = "be kind", key: str = "", *, publish: bool = True, **more: Any) -> PromptDraft:
    return PromptDraft(PromptFacts("Kind", "d", {"language": "English"}, "p"), document(text, **more), key, publish)


def to(text: str, *, publish: bool = True, **facts: Any) -> PromptChange:
    return PromptChange(facts, document(text), publish)


def said(prompt: StoredPrompt) -> str:
    return str(prompt.version.document["messages"][0]["content"])


def over(table: Table, call: AwsCall, clock: Clock | None = None) -> PromptStore:
    return PromptStore(quick_table(call, table.name), clock=clock or Clock())


def at_once(table: Table) -> Storm:
    """Other tasks run between any two calls, and nothing fails."""
    storm = Storm(table._call, random.Random(7))
    storm.calm = True
    return storm


async def rows(table: Table) -> list[Json]:
    return list((await table.run("Scan", {})).get("Items", ()))


def everything(store: PromptStore, organization: str) -> list[Callable[[], Awaitable[object]]]:
    """All that can be done to the prompt `k` of an organization."""
    return [
        lambda: store.read(organization, "k"),
        lambda: store.change(organization, "k", to("mine")),
        lambda: store.change(organization, "k", PromptChange({"display_name": "mine"})),
        lambda: store.preview(organization, "k", to("mine")),
        lambda: store.publish(organization, "k", 1),
        lambda: store.version(organization, "k", 1),
        lambda: store.versions(organization, "k", Page()),
        lambda: store.remove(organization, "k"),
    ]
