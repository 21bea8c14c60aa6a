"""Steps: each request is counted once in everything that it belongs to."""

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.activity import Kind, Tracked
from orrery.core.errors import AwsFault, InvalidRequest, Unavailable
from orrery.core.pages import Page
from orrery.core.ports import AwsCall
from orrery.core.types import Json
from orrery.stores.step_reading import ActivityStore
from orrery.stores.step_rows import key_of, labels_of, partition
from orrery.stores.steps import ROUNDS, StepStore
from orrery.stores.table import ATTEMPTS, Table
from tests.stores.books import Clock
from tests.stores.faults import Crash, Faulty, Storm
from tests.stores.tracks import ALL_LABELS, BEGAN, KINDS, A, B, a_step, ids, over, rows, steps

CONFLICT = AwsFault(
    "TransactionCanceledException",
    "in the way",
    status=400,
    body={"CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}]},
)


@pytest.fixture
def store(table: Table, clock: Clock) -> StepStore:
    return StepStore(table, clock=clock)


@pytest.fixture
def activity(table: Table, clock: Clock) -> ActivityStore:
    return ActivityStore(table, clock=clock)


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


def test_labels_name_what_a_step_belongs_to() -> None:
    assert labels_of(a_step(session="s")) == {"run": "run", "session": "s"}
    assert next(iter(labels_of(a_step(**ALL_LABELS)))) == "run"
    assert key_of(A, "run", "x")["SK"] == {"S": "HEAD"}
