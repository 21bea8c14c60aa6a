"""Steps for tests, and what reads them."""

from typing import Any

from orrery.core.activity import Kind
from orrery.core.pages import Page
from orrery.core.ports import AwsCall
from orrery.core.records import Step
from orrery.core.types import Json
from orrery.stores.step_reading import ActivityStore
from orrery.stores.steps import StepStore
from orrery.stores.table import Table
from tests.stores.books import Clock, quick_table

A, B = "org-a", "org-b"
BEGAN = 1_800_000_000_000
KINDS: tuple[Kind, ...] = ("run", "session", "thread", "identity")


def a_step(number: int = 0, **more: Any) -> Step:
    facts: dict[str, Any] = {
        "request_id": f"req{number}",
        "organization": A,
        "started_ms": BEGAN + number * 1000,
        "duration_ms": 400,
        "run": "run",
        "operation": "chat",
        "provider": "openai",
        "model": "gpt-5",
        "status": 200,
        "cost_nano": 1000 + number,
        "input_tokens": 7,
        "output_tokens": 5,
        "key_id": "key",
        "workflow": "main",
    }
    return Step(**facts | more)


ALL_LABELS = {"session": "session", "thread": "thread", "identity": "identity"}


def over(table: Table, call: AwsCall) -> StepStore:
    return StepStore(quick_table(call, table.name), clock=Clock())


async def rows(table: Table) -> list[Json]:
    return list((await table.run("Scan", {})).get("Items", ()))


async def ids(activity: ActivityStore, kind: Kind = "run", organization: str = A, **page: Any) -> list[str]:
    return [each.id for each in (await activity.listed(organization, kind, Page(**page))).data]


async def steps(activity: ActivityStore, kind: Kind = "run", label: str = "", **page: Any) -> list[Step]:
    return [each.step for each in (await activity.steps(A, kind, label or kind, Page(**page))).data]
