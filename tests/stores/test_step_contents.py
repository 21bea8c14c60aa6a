"""What stands in steps and heads: all that was said of a request, and transcripts where there are any."""

import random
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.activity import StoredStep
from orrery.core.pages import Page
from orrery.stores import step_rows
from orrery.stores.step_reading import ActivityStore
from orrery.stores.step_rows import partition
from orrery.stores.steps import StepStore
from orrery.stores.table import Table
from tests.stores.books import Clock
from tests.stores.faults import Crash, Faulty
from tests.stores.tracks import ALL_LABELS, BEGAN, A, a_step, over, rows, steps


@pytest.fixture
def store(table: Table, clock: Clock) -> StepStore:
    return StepStore(table, clock=clock)


@pytest.fixture
def activity(table: Table, clock: Clock) -> ActivityStore:
    return ActivityStore(table, clock=clock)


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


@given(st.text(max_size=300), st.dictionaries(st.text(max_size=20), st.text(max_size=50)))
def test_the_weight_of_a_step_is_never_less_than_what_is_shown(name: str, metadata: dict[str, str]) -> None:
    import orjson

    from orrery.edge.activity_shown import step_shown

    step = a_step(name=name, metadata=metadata, thread="t", transcript=orjson.dumps(name))
    item = step_rows.step_item(step, "thread", "t", 0)
    shown = step_shown(step_rows.step_of(item))
    assert len(orjson.dumps(shown)) <= step_rows.weight_of(item)
