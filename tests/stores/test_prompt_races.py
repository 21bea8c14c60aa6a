"""Stored prompts changed by many at once, over a table that fails: no version is lost, and none is made twice."""

import asyncio
import random

import pytest

from orrery.core.errors import GatewayError, InvalidRequest, NotFound, Unavailable
from orrery.core.pages import Page
from orrery.core.prompts import PromptChange
from orrery.core.types import Json
from orrery.stores import prompts
from orrery.stores.prompts import PromptStore
from orrery.stores.table import Table
from tests.stores.books import Clock
from tests.stores.faults import Crash, Faulty, Storm
from tests.stores.prompting import A, at_once, draft, over, rows, said, to


@pytest.fixture
def store(table: Table, clock: Clock) -> PromptStore:
    return PromptStore(table, clock=clock)


async def test_of_changes_at_once_none_is_lost(table: Table) -> None:
    store = over(table, at_once(table))
    await store.create(A, draft("0", "k"))
    made = await asyncio.gather(*(store.change(A, "k", to(f"change {n}")) for n in range(12)))
    assert sorted(each.version.number for each in made) == list(range(2, 14))
    found = [said(await store.version(A, "k", n)) for n in range(2, 14)]
    assert sorted(found) == sorted(f"change {n}" for n in range(12))
    final = await store.read(A, "k")
    assert (final.newest, final.published) == (13, 13)


@pytest.mark.parametrize("fault", ["lose", "drop", "duplicate", "throttle"])
@pytest.mark.parametrize("calls_before", range(4))
async def test_a_call_that_fails_on_its_way_does_its_work_once(table: Table, fault: str, calls_before: int) -> None:
    plan = [""] * calls_before + [fault]
    made = await over(table, Faulty(table._call, plan)).create(A, draft("one", "k"))
    assert (made.newest, made.published) == (1, 1)
    changed = await over(table, Faulty(table._call, plan)).change(A, "k", to("two"))
    assert (changed.newest, changed.published) == (2, 2)
    back = await over(table, Faulty(table._call, plan)).publish(A, "k", 1)
    assert (back.newest, back.published) == (2, 1)
    await over(table, Faulty(table._call, plan)).remove(A, "k")
    assert await rows(table) == []


async def test_what_arrives_late_undoes_nothing(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    await store.change(A, "k", to("two"))
    late = Faulty(table._call, ["", "", "straggle"])  # head, version, then the change, which is repeated
    await over(table, late).publish(A, "k", 1)
    await store.publish(A, "k", 2)
    await late.arrive()
    assert (await store.read(A, "k")).published == 2
    gone = Faulty(table._call, ["", "straggle"])
    await over(table, gone).remove(A, "k")
    await store.create(A, draft("new", "k"))
    await gone.arrive()
    assert said(await store.read(A, "k")) == "new"


async def test_a_late_creation_does_not_bring_back_what_was_deleted(table: Table, store: PromptStore) -> None:
    late = Faulty(table._call, ["straggle"])
    await over(table, late).create(A, draft("one", "k"))
    await store.remove(A, "k")
    await late.arrive()
    assert await rows(table) == []


@pytest.mark.parametrize("calls_before", range(1, 8))
async def test_a_deletion_that_died_is_finished_by_the_next_one_or_by_a_new_prompt(
    table: Table, store: PromptStore, calls_before: int
) -> None:
    await store.create(A, draft("one", "k"))
    for n in range(3):
        await store.change(A, "k", to(str(n)))
    dying = over(table, Faulty(table._call, [*[""] * calls_before, "before"]))
    died = False
    try:
        await dying.remove(A, "k")
    except Crash:
        died = True
    if died and calls_before > 1:  # from the first write on, it is gone for everybody
        with pytest.raises(NotFound):
            await store.read(A, "k")
        assert await PromptStore(table).published(A, "k") is None
        assert (await store.list(A, Page())).data == []
    if calls_before % 2 and died:
        await store.remove(A, "k")
        assert await rows(table) == []
        return
    if calls_before > 1:
        made = await store.create(A, draft("new", "k"))
        assert (made.newest, said(await store.read(A, "k"))) == (1, "new")
        assert len(await rows(table)) == 2


async def test_a_slow_deletion_spares_a_new_prompt_of_the_same_key(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(action: str, payload: Json) -> Json:
        if action == "DeleteItem":
            reached.set()
            await go_on.wait()
        return await table._call(action, payload)

    deleting = asyncio.create_task(over(table, slow).remove(A, "k"))
    await reached.wait()
    await store.create(A, draft("new", "k"))
    go_on.set()
    await deleting
    assert said(await store.read(A, "k")) == "new"


async def test_a_deletion_that_meets_a_prompt_made_anew_deletes_that_one_whole(
    table: Table, store: PromptStore
) -> None:
    await store.create(A, draft("one", "k"))
    seen = 0

    async def late(action: str, payload: Json) -> Json:
        nonlocal seen
        if action == "TransactWriteItems":
            seen += 1
            if seen == 1:
                await store.remove(A, "k")
                await store.create(A, draft("new", "k"))
        return await table._call(action, payload)

    await over(table, late).remove(A, "k")
    assert await rows(table) == []


async def test_what_is_read_is_of_one_prompt_and_not_of_two(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))

    async def slow(action: str, payload: Json) -> Json:
        if payload.get("Key", {}).get("SK") == {"S": "V#00000001"}:
            await store.remove(A, "k")
            await store.create(A, draft("new", "k"))
        return await table._call(action, payload)

    with pytest.raises(NotFound):
        await over(table, slow).read(A, "k")
    assert (await over(table, slow).list(A, Page())).data == []
    assert await over(table, slow).published(A, "k") is None
    assert said(await store.read(A, "k")) == "new"


async def test_a_change_that_meets_a_deletion_leaves_nothing(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    seen = 0

    async def late(action: str, payload: Json) -> Json:
        nonlocal seen
        if action == "TransactWriteItems":
            seen += 1
            if seen == 1:
                await store.remove(A, "k")
        return await table._call(action, payload)

    with pytest.raises(NotFound):
        await over(table, late).change(A, "k", to("two"))
    assert await rows(table) == []


async def test_a_change_of_a_prompt_that_was_made_anew_is_one_of_the_new_one(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    seen = 0

    async def late(action: str, payload: Json) -> Json:
        nonlocal seen
        if action == "TransactWriteItems":
            seen += 1
            if seen == 1:
                await store.remove(A, "k")
                await store.create(A, draft("new", "k"))
        return await table._call(action, payload)

    changed = await over(table, late).change(A, "k", to("two"))
    assert (changed.newest, seen) == (2, 2)
    assert said(await store.version(A, "k", 1)) == "new"


@pytest.mark.parametrize("seed", range(40))
async def test_in_any_storm_versions_are_whole_and_every_answer_was_true(table: Table, seed: int) -> None:
    storm = Storm(table._call, random.Random(seed))
    storm.calm = True
    store = over(table, storm)
    await store.create(A, draft("0", "k"))
    storm.calm = False

    async def one(n: int) -> tuple[int, str] | None:
        try:
            made = await store.change(A, "k", to(f"change {n}"))
        except (Crash, GatewayError):
            return None
        return made.version.number, f"change {n}"

    answers = await asyncio.gather(*(one(n) for n in range(8)))
    storm.calm = True
    await storm.arrive()
    head = await store.read(A, "k")
    found = [said(await store.version(A, "k", n)) for n in range(1, head.newest + 1)]
    assert len(set(found)) == len(found)
    for answer in filter(None, answers):
        assert found[answer[0] - 1] == answer[1]
    assert head.published == head.newest


async def test_who_is_always_late_is_told_to_come_back(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("0", "k"))
    numbers = iter(range(1000))

    async def busy(action: str, payload: Json) -> Json:
        if action == "TransactWriteItems":
            await store.change(A, "k", to(f"faster {next(numbers)}"))
        return await table._call(action, payload)

    with pytest.raises(Unavailable) as refused:
        await over(table, busy).change(A, "k", to("slow"))
    assert refused.value.retry_after_s == 1.0


async def test_there_is_an_end_of_versions(store: PromptStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "MOST_VERSIONS", 2)
    await store.create(A, draft("one", "k"))
    await store.change(A, "k", to("two"))
    with pytest.raises(InvalidRequest):
        await store.change(A, "k", to("three"))
    assert (await store.change(A, "k", PromptChange({"path": "q"}))).facts.path == "q"


async def test_a_preview_is_what_the_change_gives_and_changes_nothing(store: PromptStore, table: Table) -> None:
    await store.create(A, draft("one", "k"))
    before = await rows(table)
    seen = await store.preview(A, "k", to("two"))
    assert await rows(table) == before
    assert (seen.newest, seen.published, said(seen)) == (2, 2, "two")
    assert await store.change(A, "k", to("two")) == seen
