"""Steps: each request is counted once in everything that it belongs to, and nobody reads another's."""

import asyncio
import random
import zlib
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.activity import Kind, StoredStep, Tracked
from orrery.core.errors import AwsFault, InvalidRequest, NotFound, Unavailable
from orrery.core.pages import Page
from orrery.core.ports import AwsCall
from orrery.core.records import Step
from orrery.core.types import Json
from orrery.stores import step_reading, step_rows
from orrery.stores.step_reading import ActivityStore
from orrery.stores.step_rows import key_of, labels_of, partition
from orrery.stores.steps import ROUNDS, StepStore
from orrery.stores.table import ATTEMPTS, Table
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Crash, Faulty, Storm

A, B = "org-a", "org-b"
BEGAN = 1_800_000_000_000
KINDS: tuple[Kind, ...] = ("run", "session", "thread", "identity")
CONFLICT = AwsFault(
    "TransactionCanceledException",
    "in the way",
    status=400,
    body={"CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}]},
)


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


@pytest.fixture
def store(table: Table, clock: Clock) -> StepStore:
    return StepStore(table, clock=clock)


@pytest.fixture
def activity(table: Table, clock: Clock) -> ActivityStore:
    return ActivityStore(table, clock=clock)


def over(table: Table, call: AwsCall) -> StepStore:
    return StepStore(quick_table(call, table.name), clock=Clock())


async def rows(table: Table) -> list[Json]:
    return list((await table.run("Scan", {})).get("Items", ()))


async def ids(activity: ActivityStore, kind: Kind = "run", organization: str = A, **page: Any) -> list[str]:
    return [each.id for each in (await activity.listed(organization, kind, Page(**page))).data]


async def steps(activity: ActivityStore, kind: Kind = "run", label: str = "", **page: Any) -> list[Step]:
    return [each.step for each in (await activity.steps(A, kind, label or kind, Page(**page))).data]


async def test_a_step_comes_back_as_it_was(store: StepStore, activity: ActivityStore) -> None:
    full = a_step(
        user="u", name="n", end_user="e", customer="c", tenant="t", parent="p", step=0, cached=True, thread_tags=("x",),
        metadata={"k": "v"}, identity_profile={"email": "e"}, transcript=b'{"said": 1}', status=502, **ALL_LABELS,
    )  # fmt: skip
    await store.add(full)
    (found,) = await steps(activity, "thread")
    assert found == replace(full, thread_tags=(), identity_profile=None)
    for kind in ("run", "session"):
        assert await steps(activity, kind) == [replace(found, transcript=None)]
    await store.add(a_step(1, run="bare"))
    assert await steps(activity, label="bare") == [a_step(1, run="bare")]


@pytest.mark.parametrize("kind", KINDS)
async def test_heads_sum_up_their_requests(store: StepStore, activity: ActivityStore, kind: Kind) -> None:
    await store.add(a_step(1, **ALL_LABELS))
    await store.add(a_step(2, status=400, duration_ms=10, **ALL_LABELS))
    await store.add(a_step(3, status=399, **{name: "other" for name in ["run", *ALL_LABELS]}))
    assert await activity.read(A, kind, kind) == Tracked(
        kind=kind,
        id=kind,
        created_ms=BEGAN + 1000,
        last_ms=BEGAN + 2010,
        requests=2,
        failures=1,
        cost_nano=2003,
        input_tokens=14,
        output_tokens=10,
        duration_ms=410,
    )
    assert (await activity.read(A, kind, "other")).failures == 0


async def test_the_name_of_a_model_is_a_callers_text_and_has_an_end(store: StepStore, activity: ActivityStore) -> None:
    await store.add(a_step(model="x" * 100_000))
    assert [step.model for step in await steps(activity)] == ["x" * 256]


async def test_only_what_was_named_is_written(store: StepStore, table: Table) -> None:
    await store.add(a_step())
    assert Counter(row["PK"]["S"].partition("#")[0] for row in await rows(table)) == {"RUN": 2}
    await store.add(a_step(1, **ALL_LABELS))
    kinds = Counter(row["PK"]["S"].partition("#")[0] for row in await rows(table))
    assert kinds == {"RUN": 3, "SESSION": 2, "THREAD": 2, "IDENTITY": 1}


async def test_a_request_without_a_run_is_one_by_itself(store: StepStore, activity: ActivityStore) -> None:
    await store.add(a_step(run="", identity="i"))
    await store.add(a_step(run="", identity="i"))
    assert (await activity.read(A, "run", "req0")).requests == 1
    assert (await activity.read(A, "identity", "i")).requests == 1


@pytest.mark.parametrize("fault", ["lose", "duplicate", "straggle", "drop", "throttle"])
async def test_a_second_arrival_changes_nothing(table: Table, activity: ActivityStore, fault: str) -> None:
    call = Faulty(table._call, [fault])
    await over(table, call).add(a_step(**ALL_LABELS))
    await call.arrive()
    for kind in KINDS:
        assert (await activity.read(A, kind, kind)).requests == 1


async def test_adding_again_much_later_changes_nothing(
    store: StepStore, activity: ActivityStore, table: Table, clock: Clock
) -> None:
    await store.add(a_step(**ALL_LABELS))
    before = await rows(table)
    clock.now += 1000
    await store.add(a_step(**ALL_LABELS))
    assert await rows(table) == before


async def test_of_32_writers_each_counts_once(table: Table, activity: ActivityStore) -> None:
    die = random.Random(32)
    call = Storm(table._call, die)
    store = over(table, call)

    async def write(number: int) -> None:
        step = a_step(number, run=f"run{number % 3}", **ALL_LABELS)
        for _ in range(20):
            try:
                await asyncio.gather(store.add(step), store.add(step))
                return
            except (Crash, Unavailable):
                continue
        raise AssertionError("the storm was too strong for a test")

    await asyncio.gather(*map(write, range(32)))
    call.calm = True
    await call.arrive()
    for kind in ("session", "thread", "identity"):
        head = await activity.read(A, kind, kind)
        assert (head.requests, head.cost_nano) == (32, sum(1000 + n for n in range(32)))
        assert (head.input_tokens, head.output_tokens, head.duration_ms) == (32 * 7, 32 * 5, 32 * 400)
    assert [(await activity.read(A, "run", f"run{n}")).requests for n in range(3)] == [11, 11, 10]
    assert [step.request_id for step in await steps(activity, "session")] == [f"req{n}" for n in range(32)]


class InTheWay:
    """Refuses the first `times` transactions as DynamoDB does while another one is at the same item."""

    def __init__(self, call: AwsCall, times: int, fault: AwsFault = CONFLICT) -> None:
        self.call, self.times, self.fault, self.asked = call, times, fault, 0

    async def __call__(self, action: str, payload: Json) -> Json:
        self.asked += 1
        if self.asked <= self.times:
            raise self.fault
        return await self.call(action, payload)


@pytest.mark.parametrize("times", [1, 3 * ATTEMPTS, ROUNDS * ATTEMPTS - 1])
async def test_others_on_the_same_head_are_waited_for(table: Table, activity: ActivityStore, times: int) -> None:
    call = InTheWay(table._call, times)
    await over(table, call).add(a_step())
    assert (await activity.read(A, "run", "run")).requests == 1


async def test_but_not_for_ever(table: Table) -> None:
    call = InTheWay(table._call, 1000)
    with pytest.raises(Unavailable):
        await over(table, call).add(a_step())
    assert call.asked == ROUNDS * ATTEMPTS


async def test_a_table_that_is_away_is_not_besieged(table: Table) -> None:
    call = InTheWay(table._call, 1000, AwsFault("ThrottlingException", "slow down", status=400))
    with pytest.raises(Unavailable):
        await over(table, call).add(a_step())
    assert call.asked == ATTEMPTS


async def test_a_head_is_placed_once(store: StepStore, table: Table) -> None:
    """The index has keys alone: what does not change costs it nothing."""

    async def places() -> dict[str, tuple[Json, Json]]:
        return {row["PK"]["S"]: (row["GPK"], row["GSK"]) for row in await rows(table) if row["SK"]["S"] == "HEAD"}

    await store.add(a_step(5, **ALL_LABELS))
    before = await places()
    assert sorted(place["S"] for place, _ in before.values()) == [
        "IDENTITIES#org-a",
        "RUNS#org-a",
        "SESSIONS#org-a",
        "THREADS#org-a",
    ]
    await store.add(a_step(1, **ALL_LABELS))
    await store.add(a_step(9, **ALL_LABELS))
    assert await places() == before
    assert {place["S"][:14] for _, place in before.values()} == {f"{BEGAN + 5000}#"}


STRANGE = ["#", "a#b", "org-b#x", "../x", "a/b", "%2F", "HEAD", "é", "e\u0301", " ", "x" * 256, "𝄞" * 256, "S#1#2"]


async def test_strange_labels_come_back_as_they_were(store: StepStore, activity: ActivityStore) -> None:
    for number, label in enumerate(STRANGE):
        await store.add(a_step(number, run=label, session=label, thread=label, identity=label))
    for kind in KINDS:
        assert await ids(activity, kind) == STRANGE[::-1]
        for number, label in enumerate(STRANGE):
            assert (await activity.read(A, kind, label)).cost_nano == 1000 + number


async def test_a_label_longer_than_any_is_refused_and_leaves_nothing(store: StepStore, table: Table) -> None:
    for kind in KINDS:
        with pytest.raises(InvalidRequest):
            await store.add(a_step(**{kind: "x" * 257}))
    assert await rows(table) == []


@given(st.text(), st.text(), st.sampled_from(KINDS), st.sampled_from(KINDS))
def test_no_label_reaches_another_partition(label: str, other: str, kind: Kind, other_kind: Kind) -> None:
    places = {partition(who, what, text) for who in (A, B) for what, text in {(kind, label), (other_kind, other)}}
    assert len(places) == 2 * len({(kind, label), (other_kind, other)})
    for place in places:
        assert place.count("#") == 2
        assert len(place.encode()) < 200


@pytest.mark.parametrize("wrong", ["org-a#RUN", "", "a b", "x" * 65])
async def test_an_organization_that_could_not_be_one_is_refused(
    store: StepStore, activity: ActivityStore, wrong: str
) -> None:
    with pytest.raises(InvalidRequest):
        await store.add(a_step(organization=wrong))
    with pytest.raises(InvalidRequest):
        await activity.listed(wrong, "run", Page())
    with pytest.raises(InvalidRequest):
        await activity.read(wrong, "run", "run")


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


async def test_a_threads_tags_are_those_it_was_last_given(store: StepStore, activity: ActivityStore) -> None:
    await store.add(a_step(1, thread="t", thread_tags=("a", "b")))
    await store.add(a_step(2, thread="t", thread_tags=("c",)))
    await store.add(a_step(3, thread="t"))
    assert (await activity.read(A, "thread", "t")).tags == ("c",)
    assert (await activity.read(A, "run", "run")).tags == ()


async def test_a_profile_changes_the_fields_that_it_names(store: StepStore, activity: ActivityStore) -> None:
    first = {"display_name": "Jane", "email": "j@x.example", "metadata": [{"plan": 1.5}], "tags": ["a"]}
    await store.add(a_step(1, identity="i", identity_profile=first))
    await store.add(a_step(2, identity="i"))
    assert (await activity.read(A, "identity", "i")).profile == first
    await store.add(a_step(3, identity="i", identity_profile={"email": "jane@x.example", "logo_url": "u", "tags": []}))
    changed = {**first, "email": "jane@x.example", "logo_url": "u", "tags": []}
    assert (await activity.read(A, "identity", "i")).profile == changed


async def test_a_request_that_began_before_changes_no_newer_profile(store: StepStore, activity: ActivityStore) -> None:
    await store.add(a_step(2, identity="i", identity_profile={"email": "new"}))
    await store.add(a_step(1, identity="i", identity_profile={"email": "old"}))
    found = await activity.read(A, "identity", "i")
    assert (found.requests, found.profile) == (2, {"email": "new"})
    await store.add(a_step(3, started_ms=BEGAN + 2000, identity="i", identity_profile={"email": "as new"}))
    assert (await activity.read(A, "identity", "i")).profile == {"email": "as new"}


async def test_a_profile_survives_a_crash_between_its_two_writes(table: Table, activity: ActivityStore) -> None:
    step = a_step(identity="i", identity_profile={"email": "e"})
    with pytest.raises(Crash):
        await over(table, Faulty(table._call, ["", "before"])).add(step)
    await over(table, table._call).add(step)
    found = await activity.read(A, "identity", "i")
    assert (found.requests, found.profile) == (1, {"email": "e"})


async def test_of_a_profile_only_what_is_known_and_small_is_kept(store: StepStore, activity: ActivityStore) -> None:
    large = "x" * step_rows.LARGEST_FACT_BYTES
    profile = {"email": large[2:], "display_name": large, "PK": "AK#x", "requests": 5, "logo_url": None}
    await store.add(a_step(identity="i", identity_profile=profile))
    found = await activity.read(A, "identity", "i")
    assert (found.profile, found.requests) == ({"email": large[2:]}, 1)
    await store.add(a_step(1, identity="j", identity_profile={"PK": "AK#x"}))
    assert (await activity.read(A, "identity", "j")).profile == {}


async def stored(activity: ActivityStore, label: str) -> StoredStep:
    (found,) = (await activity.steps(A, "thread", label, Page())).data
    return found


async def test_a_transcript_stands_with_the_threads_step_alone(
    store: StepStore, activity: ActivityStore, table: Table
) -> None:
    said = b'"' + b"canary " * 10 + b'"'
    await store.add(a_step(transcript=said, **ALL_LABELS))
    holding = [row["PK"]["S"].partition("#")[0] for row in await rows(table) if "said" in row]
    assert holding == ["THREAD"]
    assert (await stored(activity, "thread")).step.transcript == said
    await store.add(a_step(1, run="threadless", transcript=said))
    assert await steps(activity, label="threadless") == [a_step(1, run="threadless")]


async def test_a_long_transcript_is_compressed(store: StepStore, activity: ActivityStore, table: Table) -> None:
    said = b"x" * 1_000_000
    await store.add(a_step(thread="t", transcript=said))
    assert (await stored(activity, "t")).step.transcript == said
    assert max(len(str(row)) for row in await rows(table)) < 10_000


@pytest.mark.parametrize(("size", "kept"), [(1_024, b"x" * 1_024), (1_025, zlib.compress(b"x" * 1_025))])
async def test_only_what_is_long_is_compressed(store: StepStore, table: Table, size: int, kept: bytes) -> None:
    await store.add(a_step(thread="t", transcript=b"x" * size))
    row = await table.get({"PK": {"S": partition(A, "thread", "t")}, "SK": {"S": step_rows.sort_of(BEGAN, "req0")}})
    assert row is not None
    assert row["said"] == kept


@pytest.mark.parametrize("said", [random.Random(1).randbytes(290_000), b"x" * (2 * 1024 * 1024 + 1)])
async def test_a_transcript_that_is_too_large_is_left_out_and_said_so(
    store: StepStore, activity: ActivityStore, said: bytes
) -> None:
    await store.add(a_step(thread="t", transcript=said))
    found = await stored(activity, "t")
    assert (found.transcript_omitted, found.step.transcript, found.step.cost_nano) == (True, None, 1000)


@pytest.mark.parametrize("said", [random.Random(1).randbytes(285_000), b"x" * (2 * 1024 * 1024)])
async def test_one_that_just_fits_is_kept(store: StepStore, activity: ActivityStore, said: bytes) -> None:
    await store.add(a_step(thread="t", transcript=said))
    found = await stored(activity, "t")
    assert (found.transcript_omitted, found.step.transcript) == (False, said)


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


@given(st.text(max_size=300), st.dictionaries(st.text(max_size=20), st.text(max_size=50)))
def test_the_weight_of_a_step_is_never_less_than_what_is_shown(name: str, metadata: dict[str, str]) -> None:
    import orjson

    from orrery.edge.activity_shown import step_shown

    step = a_step(name=name, metadata=metadata, thread="t", transcript=orjson.dumps(name))
    item = step_rows.step_item(step, "thread", "t", 0)
    shown = step_shown(step_rows.step_of(item))
    assert len(orjson.dumps(shown)) <= step_rows.weight_of(item)


def test_labels_name_what_a_step_belongs_to() -> None:
    assert labels_of(a_step(session="s")) == {"run": "run", "session": "s"}
    assert next(iter(labels_of(a_step(**ALL_LABELS)))) == "run"
    assert key_of(A, "run", "x")["SK"] == {"S": "HEAD"}
