"""What was tracked, page by page: its own to everybody, as long as it lasts, and no more than fits."""

import random
from collections import Counter
from typing import Any

import pytest

from orrery.core.activity import Kind
from orrery.core.errors import InvalidRequest, NotFound
from orrery.core.pages import Page
from orrery.stores import step_reading
from orrery.stores.step_reading import ActivityStore
from orrery.stores.steps import StepStore
from orrery.stores.table import Table
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Faulty
from tests.stores.tracks import ALL_LABELS, BEGAN, KINDS, A, B, a_step, ids, steps


@pytest.fixture
def store(table: Table, clock: Clock) -> StepStore:
    return StepStore(table, clock=clock)


@pytest.fixture
def activity(table: Table, clock: Clock) -> ActivityStore:
    return ActivityStore(table, clock=clock)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_anothers_is_like_what_is_not(store: StepStore, activity: ActivityStore, kind: Kind) -> None:
    await store.add(a_step(**ALL_LABELS))
    with pytest.raises(NotFound) as foreign:
        await activity.read(B, kind, kind)
    with pytest.raises(NotFound) as missing:
        await activity.read(A, kind, "nothing")
    assert foreign.value.message.replace(repr(kind), "'nothing'") == missing.value.message
    assert list((await activity.listed(B, kind, Page())).data) == []
    assert list((await activity.steps(B, kind, kind, Page())).data) == []
    with pytest.raises(InvalidRequest) as of_another:
        await activity.listed(B, kind, Page(after=kind))
    with pytest.raises(InvalidRequest) as of_nobody:
        await activity.listed(A, kind, Page(after="nothing"))
    assert of_another.value.body() == of_nobody.value.body()
    assert of_another.value.param == "starting_after"


async def test_two_tenants_with_the_same_labels_do_not_meet(store: StepStore, activity: ActivityStore) -> None:
    await store.add(a_step(**ALL_LABELS))
    await store.add(a_step(1, organization=B, thread_tags=("theirs",), identity_profile={"email": "b"}, **ALL_LABELS))
    for kind in KINDS:
        ours, theirs = await activity.read(A, kind, kind), await activity.read(B, kind, kind)
        assert (ours.requests, ours.cost_nano, ours.tags, ours.profile) == (1, 1000, (), {})
        assert (theirs.requests, theirs.cost_nano) == (1, 1001)


async def paged(activity: ActivityStore, **page: Any) -> tuple[list[str], bool]:
    found = await activity.listed(A, "run", Page(**page))
    return [each.id for each in found.data], found.more


async def test_heads_are_listed_newest_first_and_page_by_page(store: StepStore, activity: ActivityStore) -> None:
    for number in random.Random(1).sample(range(7), 7):
        await store.add(a_step(number, run=f"r{number}"))
    assert await paged(activity) == (["r6", "r5", "r4", "r3", "r2", "r1", "r0"], False)
    assert await paged(activity, limit=3) == (["r6", "r5", "r4"], True)
    assert await paged(activity, limit=3, after="r4") == (["r3", "r2", "r1"], True)
    assert await paged(activity, limit=3, after="r1") == (["r0"], False)
    assert await paged(activity, limit=3, after="r0") == ([], False)
    assert await paged(activity, limit=3, before="r1") == (["r4", "r3", "r2"], True)
    assert await paged(activity, limit=3, before="r3") == (["r6", "r5", "r4"], False)
    assert await paged(activity, limit=7) == (["r6", "r5", "r4", "r3", "r2", "r1", "r0"], False)
    assert await paged(activity, limit=6) == (["r6", "r5", "r4", "r3", "r2", "r1"], True)


async def test_of_the_same_instant_none_is_lost_between_pages(store: StepStore, activity: ActivityStore) -> None:
    made = {f"r{number}" for number in range(9)}
    for label in made:
        await store.add(a_step(request_id=label, run=label))
    seen: list[str] = []
    for _ in range(5):
        seen += (await paged(activity, limit=2, after=seen[-1] if seen else ""))[0]
    assert len(seen) == 9
    assert set(seen) == made


async def test_a_long_list_is_read_several_at_once(
    store: StepStore, activity: ActivityStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_reading, "AT_ONCE", 4)
    for number in range(13):
        await store.add(a_step(number, run=f"r{number}"))
    newest_first = [f"r{number}" for number in reversed(range(13))]
    for limit in (1, 3, 4, 5, 8, 12):
        assert await paged(activity, limit=limit) == (newest_first[:limit], True)
    assert await paged(activity, limit=13) == (newest_first, False)


@pytest.mark.parametrize("limit", [1, 2, 24])
async def test_a_page_reads_no_more_heads_than_it_needs(
    store: StepStore, table: Table, clock: Clock, limit: int
) -> None:
    for number in range(30):
        await store.add(a_step(number, run=f"r{number}"))
    call = Faulty(table._call)
    await ActivityStore(quick_table(call, table.name), clock=clock).listed(A, "run", Page(limit=limit))
    assert Counter(action for action, _ in call.calls) == {"Query": 1, "GetItem": limit + 1}


async def page_of_steps(activity: ActivityStore, **page: Any) -> tuple[list[str], bool, list[str]]:
    found = await activity.steps(A, "run", "run", Page(**page))
    return [each.step.request_id for each in found.data], found.more, [each.id for each in found.data]


async def test_steps_are_listed_oldest_first_and_page_by_page(store: StepStore, activity: ActivityStore) -> None:
    for number in random.Random(1).sample(range(5), 5):
        await store.add(a_step(number))
    listed, more, names = await page_of_steps(activity)
    assert (listed, more) == (["req0", "req1", "req2", "req3", "req4"], False)
    assert names[0] == f"step_{BEGAN}_req0"
    assert (await page_of_steps(activity, limit=2))[:2] == (["req0", "req1"], True)
    assert (await page_of_steps(activity, limit=2, after=names[1]))[:2] == (["req2", "req3"], True)
    assert (await page_of_steps(activity, limit=2, after=names[2]))[:2] == (["req3", "req4"], False)
    assert (await page_of_steps(activity, limit=2, after=names[4]))[:2] == ([], False)
    assert (await page_of_steps(activity, limit=2, before=names[3]))[:2] == (["req1", "req2"], True)
    assert (await page_of_steps(activity, limit=2, before=names[2]))[:2] == (["req0", "req1"], False)
    assert (await page_of_steps(activity, limit=2, before=names[0]))[:2] == ([], False)
    assert (await page_of_steps(activity, limit=5))[:2] == (listed, False)


WRONG_CURSORS = ["req1", "HEAD", "S#", "step_1_x", f"step_{BEGAN}_", f"step_{BEGAN}_a#b", f"step_{BEGAN}_x\n", "step_"]


@pytest.mark.parametrize("cursor", WRONG_CURSORS)
async def test_what_is_no_cursor_of_a_step_is_refused(activity: ActivityStore, cursor: str) -> None:
    for name, page in (("starting_after", Page(after=cursor)), ("ending_before", Page(before=cursor))):
        with pytest.raises(InvalidRequest) as refused:
            await activity.steps(A, "run", "run", page)
        assert refused.value.param == name


async def test_identities_have_no_steps_and_no_end(store: StepStore, activity: ActivityStore, clock: Clock) -> None:
    await store.add(a_step(**ALL_LABELS))
    assert await steps(activity, "identity") == []
    clock.now += 10 * 366 * 86_400
    assert (await activity.read(A, "identity", "identity")).requests == 1
    assert await ids(activity, "identity") == ["identity"]


@pytest.mark.parametrize("kind", ["run", "session", "thread"])
async def test_what_is_over_is_not_shown_and_what_goes_on_stays(
    store: StepStore, activity: ActivityStore, clock: Clock, kind: Kind
) -> None:
    labels = ("old", "live")
    for number, label in enumerate(labels):
        await store.add(a_step(number, **{name: label for name in ["run", *ALL_LABELS]}))
    clock.now += 29 * 86_400
    await store.add(a_step(2, **{name: "live" for name in ["run", *ALL_LABELS]}))
    assert await ids(activity, kind) == ["live", "old"]
    clock.now += 86_400
    assert await ids(activity, kind) == ["live"]
    assert await ids(activity, kind, limit=1) == ["live"]
    with pytest.raises(NotFound):
        await activity.read(A, kind, "old")
    with pytest.raises(InvalidRequest):
        await activity.listed(A, kind, Page(after="old"))
    assert (await activity.read(A, kind, "live")).requests == 2
    assert [step.request_id for step in await steps(activity, kind, "live")] == ["req2"]
    clock.now += 1
    assert [step.request_id for step in await steps(activity, kind, "live")] == ["req2"]


async def test_the_expired_do_not_shorten_a_page(store: StepStore, activity: ActivityStore, clock: Clock) -> None:
    for number in range(4):
        await store.add(a_step(number, run=f"live{number}"))
    for number in range(4, 9):
        await store.add(a_step(number, run=f"old{number}"))
    clock.now += 86_400 * 29
    for number in range(4):
        await store.add(a_step(10 + number, run=f"live{number}"))
    clock.now += 86_400
    assert await paged(activity, limit=3) == (["live3", "live2", "live1"], True)
    assert await paged(activity, limit=4) == (["live3", "live2", "live1", "live0"], False)


async def test_a_page_ends_before_it_is_too_large_for_an_answer(store: StepStore, activity: ActivityStore) -> None:
    for number in range(4):
        await store.add(a_step(number, thread="t", transcript=b"x" * 1_900_000))
    found = await activity.steps(A, "thread", "t", Page())
    assert ([each.step.request_id for each in found.data], found.more) == (["req0", "req1"], True)
    found = await activity.steps(A, "thread", "t", Page(after=found.data[-1].id))
    assert ([each.step.request_id for each in found.data], found.more) == (["req2", "req3"], False)


async def test_a_step_larger_than_a_page_is_a_page(
    store: StepStore, activity: ActivityStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_reading, "MOST_BYTES", 10)
    for number in range(2):
        await store.add(a_step(number))
    assert (await page_of_steps(activity))[:2] == (["req0"], True)


async def test_a_list_of_large_heads_ends_early_too(store: StepStore, activity: ActivityStore) -> None:
    profile = {name: "x" * 8_000 for name in ("display_name", "email", "logo_url")}
    for number in range(50):
        await store.add(a_step(number, identity=f"i{number}", identity_profile=profile))
    found = await activity.listed(A, "identity", Page(limit=200))
    assert 0 < len(found.data) < 50
    assert found.more
