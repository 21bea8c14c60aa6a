"""The prompts that requests get: read seldom, a minute old at most, and at once what was changed here."""

import asyncio
import gc
import random

import pytest

from orrery.core.errors import AwsFault, Unavailable
from orrery.core.types import Json
from orrery.stores import prompt_cache
from orrery.stores.prompts import PromptStore
from orrery.stores.table import Table
from tests.stores.books import Clock
from tests.stores.faults import Faulty, Storm
from tests.stores.prompting import A, draft, over, to


@pytest.fixture
def store(table: Table, clock: Clock) -> PromptStore:
    return PromptStore(table, clock=clock)


class Counting(Faulty):
    def reads(self) -> int:
        return sum(action == "GetItem" for action, _ in self.calls)


async def settled() -> None:
    """Lets tasks in the background end."""
    for _ in range(20):
        await asyncio.sleep(0)


async def version_in(store: PromptStore, organization: str = A) -> int:
    found = await store.published(organization, "k")
    return found.version if found else 0


async def test_a_prompt_is_read_once_in_half_a_minute_and_then_behind_the_request(
    table: Table, store: PromptStore, clock: Clock
) -> None:
    await store.create(A, draft("one", "k"))
    call = Counting(table._call)
    elsewhere = over(table, call, clock)
    assert await version_in(elsewhere) == 1
    assert call.reads() == 2
    await store.change(A, "k", to("two"))
    clock.now += 29.9
    assert await version_in(elsewhere) == 1
    await settled()
    assert call.reads() == 2
    clock.now += 0.2
    assert await version_in(elsewhere) == 1
    await settled()
    assert call.reads() == 4
    assert await version_in(elsewhere) == 2
    assert call.reads() == 4


async def test_after_a_minute_nothing_old_is_used(table: Table, store: PromptStore, clock: Clock) -> None:
    await store.create(A, draft("one", "k"))
    elsewhere = PromptStore(table, clock=clock)
    assert await version_in(elsewhere) == 1
    await store.remove(A, "k")
    clock.now += 60
    assert await version_in(elsewhere) == 0


async def test_a_version_that_is_known_is_not_read_again(table: Table, store: PromptStore, clock: Clock) -> None:
    await store.create(A, draft("one", "k"))
    call = Counting(table._call)
    elsewhere = over(table, call, clock)
    await version_in(elsewhere)
    clock.now += 60
    assert await version_in(elsewhere) == 1
    assert call.reads() == 3


async def test_a_prompt_made_anew_is_not_taken_for_the_old_one(table: Table, store: PromptStore, clock: Clock) -> None:
    await store.create(A, draft("one", "k"))
    elsewhere = PromptStore(table, clock=clock)
    await version_in(elsewhere)
    await store.remove(A, "k")
    await store.create(A, draft("new", "k"))
    clock.now += 60
    found = await elsewhere.published(A, "k")
    assert found is not None and found.messages[0]["content"] == "new"


async def test_that_there_is_none_is_believed_for_ten_seconds(table: Table, store: PromptStore, clock: Clock) -> None:
    call = Counting(table._call)
    elsewhere = over(table, call, clock)
    assert await version_in(elsewhere) == 0
    await store.create(A, draft("one", "k"))
    clock.now += 9.9
    assert (await version_in(elsewhere), call.reads()) == (0, 1)
    clock.now += 0.2
    assert await version_in(elsewhere) == 1


async def test_own_changes_count_at_once(store: PromptStore) -> None:
    assert await version_in(store) == 0
    await store.create(A, draft("one", "k"))
    assert await version_in(store) == 1
    await store.change(A, "k", to("two"))
    assert await version_in(store) == 2
    await store.publish(A, "k", 1)
    assert await version_in(store) == 1
    await store.remove(A, "k")
    assert await version_in(store) == 0


async def test_what_was_being_read_during_a_change_is_not_kept(table: Table, clock: Clock) -> None:
    await PromptStore(table, clock=clock).create(A, draft("one", "k"))
    reached, go_on = asyncio.Event(), asyncio.Event()
    first = True

    async def slow(action: str, payload: Json) -> Json:
        nonlocal first
        answer = await table._call(action, payload)
        if action == "GetItem" and first:
            first = False
            reached.set()
            await go_on.wait()
        return answer

    store = over(table, slow, clock)
    reading = asyncio.create_task(version_in(store))
    await reached.wait()
    await store.change(A, "k", to("two"))
    go_on.set()
    await reading
    assert await version_in(store) == 2


async def test_a_change_whose_end_is_unknown_is_looked_at_again(table: Table, clock: Clock) -> None:
    await PromptStore(table, clock=clock).create(A, draft("one", "k"))
    call = Faulty(table._call)
    store = over(table, call, clock)
    assert await version_in(store) == 1
    call.plan = ["", "", "lose", "drop", "drop", "drop"]
    with pytest.raises(Unavailable):
        await store.change(A, "k", to("two"))
    assert await version_in(store) == 2


async def test_many_that_want_a_prompt_at_once_read_it_once(table: Table, store: PromptStore, clock: Clock) -> None:
    await store.create(A, draft("one", "k"))
    storm = Storm(table._call, random.Random(1))
    storm.calm = True
    found = await asyncio.gather(*(version_in(elsewhere) for elsewhere in [over(table, storm, clock)] * 20))
    assert found == [1] * 20
    assert len(storm.calls) == 2


async def test_a_request_that_leaves_takes_the_answer_from_nobody(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    storm = Storm(table._call, random.Random(2))
    storm.calm = True
    elsewhere = over(table, storm)
    first = asyncio.create_task(version_in(elsewhere))
    second = asyncio.create_task(version_in(elsewhere))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1


async def test_a_table_that_fails_is_told_until_something_is_known(
    table: Table, store: PromptStore, clock: Clock
) -> None:
    await store.create(A, draft("one", "k"))
    down = False

    async def call(action: str, payload: Json) -> Json:
        if down:
            raise AwsFault("InternalServerError", status=500)
        return await table._call(action, payload)

    elsewhere = over(table, call, clock)
    assert await version_in(elsewhere) == 1
    down = True
    clock.now += 45
    noted: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: noted.append(context))
    assert await version_in(elsewhere) == 1
    await settled()
    gc.collect()
    assert noted == []  # no request waited for it, so none is to blame
    clock.now += 15
    with pytest.raises(Unavailable):
        await version_in(elsewhere)
    down = False
    assert await version_in(elsewhere) == 1


async def test_a_clock_that_was_set_back_makes_nothing_young(table: Table, store: PromptStore, clock: Clock) -> None:
    elsewhere = PromptStore(table, clock=clock)
    await version_in(elsewhere)
    await store.create(A, draft("one", "k"))
    clock.now -= 1000
    assert await version_in(elsewhere) == 1
    await store.change(A, "k", to("two"))
    clock.now -= 1000
    assert await version_in(elsewhere) == 2


async def test_what_is_kept_is_bounded(
    table: Table, store: PromptStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_cache, "MOST", 3)
    for n in range(5):
        await store.create(A, draft("one", f"k{n}"))
    call = Counting(table._call)
    elsewhere = over(table, call, clock)

    async def reads(*names: str) -> int:
        before = call.reads()
        for name in names:
            await elsewhere.published(A, name)
        return call.reads() - before

    assert await reads("k0", "k1", "k2", "k0", "k3") == 8
    assert await reads("k0", "k2", "k3") == 0
    assert await reads("k1") == 2  # the one that was unused the longest went
    assert await reads("none0", "none1", "none2", "none3", "none3", "none1") == 4
    assert await reads("none0") == 1
    assert await reads("k1", "k3") == 0  # ids of nothing push out nothing
    monkeypatch.setattr(prompt_cache, "MOST", 100)
    monkeypatch.setattr(prompt_cache, "MOST_BYTES", 120)  # two documents of 52 bytes
    await reads("k4", "k0")
    assert await reads("k4", "k0") == 0
    await reads("k2")
    assert await reads("k0", "k2") == 0
    assert await reads("k4") == 2


async def test_what_is_given_may_be_changed_by_whoever_got_it(store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    first = await store.published(A, "k")
    assert first is not None
    first.messages[0]["content"] = "changed"  # type: ignore[index]
    second = await store.published(A, "k")
    assert second is not None and second.messages[0]["content"] == "one"
