"""Stored agents: versions that never change, environments, and what requests get of them."""

import asyncio
import random

import pytest

from orrery.core.agents import StoredDocument
from orrery.core.errors import Conflict, InvalidRequest, NotFound
from orrery.core.pages import Page
from orrery.core.registries import Increment
from orrery.stores import agent_versions, documents
from orrery.stores.agents import MOST_ENVIRONMENTS, AgentStore
from orrery.stores.table import Table
from tests.stores.agenting import A, B, at_once, body, everything, over, rows, said, to
from tests.stores.books import Clock
from tests.stores.faults import Crash, Faulty, Storm


@pytest.fixture
def store(table: Table, clock: Clock) -> AgentStore:
    return AgentStore(table, clock=clock)


async def live(store: AgentStore, version: str = "", organization: str = A) -> tuple[str, str]:
    found = await store.resolve(organization, "k", version)
    return found.version, found.instructions


async def test_what_was_made_is_read_and_used(store: AgentStore, clock: Clock) -> None:
    made = await store.create(A, "k", body(variables={"n": 1.5}))
    assert made == await store.read(A, "k")
    assert (made.id, made.key, made.version) == ("k", "k", "1.0.0")
    assert made.body == body(variables={"n": 1.5})
    assert made.created_at == made.updated_at == int(clock.now)
    assert await live(store) == ("1.0.0", "be kind")


async def test_a_key_is_taken_once_in_an_organization(store: AgentStore) -> None:
    await store.create(A, "k", body("one"))
    with pytest.raises(Conflict) as refused:
        await store.create(A, "k", body("two"))
    assert (refused.value.status, refused.value.param, refused.value.code) == (409, "key", "agent_exists")
    assert said(await store.read(A, "k")) == "one"
    await store.create(B, "k", body("theirs"))
    assert (await live(store), await live(store, "", B)) == (("1.0.0", "one"), ("1.0.0", "theirs"))


async def test_of_many_that_make_the_same_key_at_once_one_does(table: Table) -> None:
    store = over(table, at_once(table))
    made = await asyncio.gather(*(store.create(A, "k", body(str(n))) for n in range(8)), return_exceptions=True)
    assert sum(isinstance(each, StoredDocument) for each in made) == 1
    assert sum(isinstance(each, Conflict) for each in made) == 7
    assert len(await rows(table)) == 2


async def test_changes_at_once_all_become_versions(table: Table) -> None:
    store = over(table, at_once(table))
    await store.create(A, "k", body("0"))
    await asyncio.gather(*(store.change(A, "k", to(str(n + 1))) for n in range(6)))
    found = (await store.versions(A, "k", Page())).data
    assert [each.version for each in found] == [f"1.0.{n}" for n in reversed(range(7))]
    assert {each.body["instructions"] for each in found} == {str(n) for n in range(7)}


async def test_a_change_is_a_version_and_the_old_one_stays(store: AgentStore, clock: Clock) -> None:
    await store.create(A, "k", body("one"))
    clock.now += 5
    changed = await store.change(A, "k", to("two"), note="kinder")
    assert (changed.version, said(changed), changed.updated_at - changed.created_at) == ("1.0.1", "two", 5)
    old, new = [await store.version(A, "k", version) for version in ("1.0.0", "1.0.1")]
    assert (old.body["instructions"], old.note, old.created_at) == ("one", "", changed.created_at)
    assert (new.body["instructions"], new.note, new.created_at) == ("two", "kinder", changed.updated_at)
    assert await store.read(A, "k") == changed


async def test_versions_rise_as_they_are_told_to(store: AgentStore) -> None:
    await store.create(A, "k", body("0"))
    asked: list[Increment] = ["patch", "minor", "patch", "major", "minor", "minor"]
    made = [
        (await store.change(A, "k", to(str(at)), increment=increment)).version for at, increment in enumerate(asked, 1)
    ]
    assert made == ["1.0.1", "1.1.0", "1.1.1", "2.0.0", "2.1.0", "2.2.0"]


async def test_ten_comes_after_nine(store: AgentStore) -> None:
    await store.create(A, "k", body("0"))
    for n in range(1, 12):
        await store.change(A, "k", to(str(n)), increment="minor")
    found = await store.versions(A, "k", Page(3))
    assert ([each.version for each in found.data], found.more) == (["1.11.0", "1.10.0", "1.9.0"], True)


async def test_no_number_of_a_version_outgrows_its_place(store: AgentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orrery.stores.agents.FIRST", "1.0.99998")
    await store.create(A, "k", body("0"))
    assert (await store.change(A, "k", to("1"))).version == "1.0.99999"
    with pytest.raises(InvalidRequest):
        await store.change(A, "k", to("2"))
    assert (await store.change(A, "k", to("2"), increment="minor")).version == "1.1.0"


async def test_what_is_unchanged_makes_no_version_and_no_write(table: Table, clock: Clock) -> None:
    call = Faulty(table._call)
    store = over(table, call, clock)
    before = await store.create(A, "k", body("one"))
    clock.now += 5
    assert await store.change(A, "k", to("one"), increment="major") == before
    assert await store.preview(A, "k", to("two")) != before
    assert await store.read(A, "k") == before
    assert [action for action, _ in call.calls[1:]] == ["GetItem"] * 3


async def test_a_preview_is_what_the_change_gives(store: AgentStore) -> None:
    await store.create(A, "k", body("one"))
    seen = await store.preview(A, "k", to("two"))
    assert (seen.version, said(seen)) == ("1.0.1", "two")
    assert await store.change(A, "k", to("two")) == seen


async def test_a_change_that_is_refused_changes_nothing(store: AgentStore) -> None:
    before = await store.create(A, "k", body("one"))

    def no(document: object) -> dict[str, object]:
        raise InvalidRequest("no")

    with pytest.raises(InvalidRequest):
        await store.change(A, "k", no)
    assert await store.read(A, "k") == before


async def test_the_order_of_fields_is_kept_and_counts(store: AgentStore) -> None:
    await store.create(A, "k", body(variables={"z": 1, "a": 2}))
    assert list((await store.read(A, "k")).body["variables"]) == ["z", "a"]
    changed = await store.change(A, "k", lambda old: {**old, "variables": {"a": 2, "z": 1}})
    assert (changed.version, list(changed.body["variables"])) == ("1.0.1", ["a", "z"])


async def test_requests_get_the_newest_until_production_says_otherwise(store: AgentStore) -> None:
    await store.create(A, "k", body("one"))
    await store.change(A, "k", to("two"))
    assert await live(store) == ("1.0.1", "two")
    await store.point(A, "k", "production", "1.0.0")
    assert await live(store) == ("1.0.0", "one")
    assert await live(store, "latest") == ("1.0.1", "two")
    await store.change(A, "k", to("three"))
    assert (await live(store), await live(store, "latest")) == (("1.0.0", "one"), ("1.0.2", "three"))
    await store.unpoint(A, "k", "production")
    assert await live(store) == ("1.0.2", "three")


async def test_a_request_may_name_a_version_or_an_environment(store: AgentStore) -> None:
    await store.create(A, "k", body("one"))
    await store.change(A, "k", to("two"))
    await store.change(A, "k", to("three"))
    await store.point(A, "k", "staging", "1.0.1")
    assert [await live(store, name) for name in ("1.0.0", "1.0.1", "1.0.2", "staging")] == [
        ("1.0.0", "one"),
        ("1.0.1", "two"),
        ("1.0.2", "three"),
        ("1.0.1", "two"),
    ]
    await store.point(A, "k", "staging", "1.0.2")
    assert await live(store, "staging") == ("1.0.2", "three")
    assert await store.environments(A, "k") == {"staging": "1.0.2"}


@pytest.mark.parametrize(
    "name", ["1.0.9", "1", "1.0", "v1.0.0", "01.0.0", "production", "nowhere", "1.0.0@x", "１.0.0", "1.0.100000", "#"]
)
async def test_a_version_that_is_not_there_is_said_to_be_missing(store: AgentStore, name: str) -> None:
    await store.create(A, "k", body())
    with pytest.raises(NotFound) as refused:
        await store.resolve(A, "k", name)
    assert refused.value.message == f"version @{name} not found for agent k"
    assert refused.value.code == "agent_version_not_found"
    with pytest.raises(NotFound):
        await store.version(A, "k", name)
    with pytest.raises(NotFound):
        await store.point(A, "k", "staging", name)
    assert await store.environments(A, "k") == {}


async def test_an_agent_that_is_not_there_is_said_to_be_missing(store: AgentStore) -> None:
    for version in ("", "latest", "1.0.0"):
        with pytest.raises(NotFound) as refused:
            await store.resolve(A, "k", version)
        assert (refused.value.message, refused.value.code) == ("Agent 'k' not found", "agent_not_found")


@pytest.mark.parametrize("name", ["latest", "", "1.0.0", "a#b", "x" * 65, "a b", "é"])
async def test_what_cannot_be_an_environment_is_refused(store: AgentStore, name: str) -> None:
    await store.create(A, "k", body())
    with pytest.raises(InvalidRequest) as refused:
        await store.point(A, "k", name, "1.0.0")
    assert refused.value.param == "name"
    assert await store.environments(A, "k") == {}


async def test_pointing_twice_writes_once_and_makes_no_version(table: Table, clock: Clock) -> None:
    call = Faulty(table._call)
    store = over(table, call, clock)
    await store.create(A, "k", body())
    for _ in range(2):
        await store.point(A, "k", "staging", "1.0.0")
    assert [action for action, _ in call.calls].count("TransactWriteItems") == 2
    assert [each.version for each in (await store.versions(A, "k", Page())).data] == ["1.0.0"]
    with pytest.raises(NotFound):
        await store.unpoint(A, "k", "other")


async def test_environments_that_are_pointed_at_once_all_count(table: Table) -> None:
    store = over(table, at_once(table))
    await store.create(A, "k", body())
    await asyncio.gather(*(store.point(A, "k", f"e{n}", "1.0.0") for n in range(6)))
    assert set(await store.environments(A, "k")) == {f"e{n}" for n in range(6)}


async def test_a_row_of_another_agent_of_that_key_is_no_version(store: AgentStore, table: Table) -> None:
    await store.create(A, "k", body("old"))
    await store.change(A, "k", to("older"))
    (late,) = [row for row in await rows(table) if row["SK"]["S"].endswith("1")]
    await store.remove(A, "k")
    await store.create(A, "k", body("new"))
    await table.run("PutItem", {"Item": late})
    with pytest.raises(NotFound):
        await store.version(A, "k", "1.0.1")
    with pytest.raises(NotFound):
        await live(store, "1.0.1")
    assert [each.version for each in (await store.versions(A, "k", Page())).data] == ["1.0.0"]


async def test_environments_are_bounded(store: AgentStore) -> None:
    await store.create(A, "k", body())
    for n in range(MOST_ENVIRONMENTS):
        await store.point(A, "k", f"e{n}", "1.0.0")
    with pytest.raises(InvalidRequest):
        await store.point(A, "k", "more", "1.0.0")
    await store.point(A, "k", "e0", "1.0.0")
    assert len(await store.environments(A, "k")) == MOST_ENVIRONMENTS


async def test_a_large_document_is_kept_whole_and_small(store: AgentStore, table: Table) -> None:
    text = "ünd so weiter " * 15_000
    await store.create(A, "k", body(text))
    await store.change(A, "k", lambda old: {**old, "role": "other"})
    assert said(await store.read(A, "k")) == text
    assert await live(store, "1.0.0") == ("1.0.0", text)
    assert (await store.versions(A, "k", Page())).data[1].body["instructions"] == text
    assert len(str(await rows(table))) < 30_000


async def test_deleted_is_deleted(store: AgentStore, table: Table) -> None:
    await store.create(A, "k", body("0"))
    for n in range(30):
        await store.change(A, "k", to(str(n + 1)))
    await store.point(A, "k", "staging", "1.0.3")
    await live(store, "1.0.1")
    await store.remove(A, "k")
    assert await rows(table) == []
    for work in everything(store, A):
        with pytest.raises(NotFound) as refused:
            await work()
        assert refused.value.message == "Agent 'k' not found"


async def test_a_new_agent_of_an_old_key_has_nothing_of_the_old_one(store: AgentStore) -> None:
    await store.create(A, "k", body("old"))
    await store.change(A, "k", to("older"))
    await store.point(A, "k", "production", "1.0.1")
    await live(store, "1.0.1")
    await store.remove(A, "k")
    await store.create(A, "k", body("new"))
    assert (await live(store), await store.environments(A, "k")) == (("1.0.0", "new"), {})
    with pytest.raises(NotFound):
        await live(store, "1.0.1")


@pytest.mark.parametrize("again", ["remove", "create"])
@pytest.mark.parametrize("death", range(2, 6))
async def test_what_a_dead_deletion_left_is_finished(table: Table, death: int, again: str) -> None:
    call = Faulty(table._call)
    store = over(table, call)
    await store.create(A, "k", body("old"))
    await store.change(A, "k", to("older"))
    call.plan = [*[""] * death, "before"]  # a read, the mark, a query, two versions, the head
    with pytest.raises(Crash):
        await store.remove(A, "k")
    call.plan = []
    with pytest.raises(NotFound):
        await store.read(A, "k")
    if again == "remove":
        await store.remove(A, "k")
        assert await rows(table) == []
    else:
        await store.create(A, "k", body("new"))
        assert {row["SK"]["S"] for row in await rows(table)} == {"HEAD", "V#00001.00000.00000"}
        assert await live(store) == ("1.0.0", "new")


async def test_a_late_sweep_spares_a_new_agent(store: AgentStore, table: Table) -> None:
    await store.create(A, "k", body("old"))
    made = (await store._documents.head(A, "k")).made
    await store.remove(A, "k")
    await store.create(A, "k", body("new"))
    await store._sweep(A, "k", made)
    assert await live(store) == ("1.0.0", "new")
    assert (await store.version(A, "k", "1.0.0")).body["instructions"] == "new"


async def test_nothing_reaches_another_organizations_agent(store: AgentStore, table: Table) -> None:
    await store.create(A, "k", body("one"))
    await store.point(A, "k", "staging", "1.0.0")
    await live(store)
    before = await rows(table)
    for work in everything(store, B):
        with pytest.raises(NotFound) as foreign:
            await work()
        assert foreign.value.message == "Agent 'k' not found"
    assert (await store.list(B, Page())).data == []
    with pytest.raises(InvalidRequest):
        await store.list(B, Page(after="k"))
    assert await rows(table) == before


@pytest.mark.parametrize("name", ["", "a#b", "x" * 256, "k/..", "k ", "é", "_k", "k\n", "1k"])
async def test_what_is_no_key_is_not_looked_for(table: Table, name: str) -> None:
    call = Faulty(table._call)
    store = over(table, call)
    for work in (store.read(A, name), store.remove(A, name), store.resolve(A, name, "")):
        with pytest.raises(NotFound):
            await work
    assert call.calls == []


async def test_a_key_of_the_longest_kind_works(store: AgentStore) -> None:
    key = "k" * 255
    await store.create(A, key, body("long"))
    assert (await store.resolve(A, key, "")).instructions == "long"


async def walk(store: AgentStore, limit: int) -> list[str]:
    found: list[str] = []
    more = True
    while more:
        page = await store.list(A, Page(limit, after=found[-1] if found else ""))
        assert len(page.data) <= limit
        found += [each.key for each in page.data]
        more = page.more
    return found


@pytest.mark.parametrize("limit", [1, 3, 8, 50])
async def test_pages_together_are_the_list_newest_first(store: AgentStore, clock: Clock, limit: int) -> None:
    made = []
    for n in range(8):
        clock.now += n % 2  # two at a time have the same age
        made.append((int(clock.now), (await store.create(A, f"k{n}", body())).key))
    expected = [name for _, name in sorted(made, reverse=True)]
    assert await walk(store, limit) == expected
    before = await store.list(A, Page(3, before=expected[-2]))
    assert ([each.key for each in before.data], before.more) == (expected[3:6], True)
    first = await store.list(A, Page(3, before=expected[3]))
    assert ([each.key for each in first.data], first.more) == (expected[:3], False)


async def test_a_page_that_would_be_too_large_ends_early(
    store: AgentStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        clock.now += 1
        await store.create(A, f"k{n}", body("x" * 60))
        await store.change(A, "k0", to(str(n) * 60))
    size = len((await store._documents.head(A, "k0")).raw)
    monkeypatch.setattr(documents, "MOST_BYTES", 2 * size)
    page = await store.list(A, Page(5))
    assert ([each.key for each in page.data], page.more) == (["k4", "k3"], True)
    assert len(await walk(store, 5)) == 5
    monkeypatch.setattr(agent_versions, "MOST_BYTES", 2 * size)
    found = await store.versions(A, "k0", Page(5))
    assert ([each.version for each in found.data], found.more) == (["1.0.5", "1.0.4"], True)
    monkeypatch.setattr(agent_versions, "MOST_BYTES", 1)
    found = await store.versions(A, "k0", Page(5))
    assert ([each.version for each in found.data], found.more) == (["1.0.5"], True)


async def test_versions_are_listed_newest_first_by_pages(store: AgentStore) -> None:
    await store.create(A, "k", body("0"))
    for n in range(1, 7):
        await store.change(A, "k", to(str(n)))

    async def page(limit: int, **more: str) -> tuple[list[int], bool]:
        found = await store.versions(A, "k", Page(limit, **more))
        assert all(each.body["instructions"] == each.version[-1] for each in found.data)
        return [int(each.version[-1]) for each in found.data], found.more

    assert await page(3) == ([6, 5, 4], True)
    assert await page(3, after="1.0.4") == ([3, 2, 1], True)
    assert await page(3, after="1.0.1") == ([0], False)
    assert await page(3, after="1.0.0") == ([], False)
    assert await page(7) == ([6, 5, 4, 3, 2, 1, 0], False)
    assert await page(2, before="1.0.2") == ([4, 3], True)
    assert await page(9, before="1.0.2") == ([6, 5, 4, 3], False)
    for wrong in ("x", "1", "1.0", "-1.0.0"):
        with pytest.raises(InvalidRequest) as refused:
            await page(3, before=wrong)
        assert refused.value.param == "ending_before"


async def test_what_was_read_is_not_read_again_for_a_while(table: Table, clock: Clock) -> None:
    call = Faulty(table._call)
    store, elsewhere = over(table, call, clock), over(table, table._call, clock)
    await store.create(A, "k", body("one"))
    await store.change(A, "k", to("two"))
    before = len(call.calls)
    for _ in range(3):
        assert (await live(store), await live(store, "1.0.0")) == (("1.0.1", "two"), ("1.0.0", "one"))
    assert len(call.calls) - before == 2
    await elsewhere.change(A, "k", to("three"))
    assert await live(store) == ("1.0.1", "two")
    clock.now += 61
    assert await live(store) == ("1.0.2", "three")


async def test_a_change_counts_at_once_where_it_was_made(store: AgentStore) -> None:
    with pytest.raises(NotFound):
        await live(store)
    await store.create(A, "k", body("one"))
    assert await live(store) == ("1.0.0", "one")
    await store.change(A, "k", to("two"))
    assert await live(store) == ("1.0.1", "two")
    await store.point(A, "k", "production", "1.0.0")
    assert await live(store) == ("1.0.0", "one")


@pytest.mark.parametrize("fault", ["lose", "duplicate", "straggle", "drop", "throttle"])
async def test_one_fault_of_the_table_is_nobodys_business(table: Table, fault: str) -> None:
    call = Faulty(table._call)
    store = over(table, call)
    call.plan = [fault]
    await store.create(A, "k", body("one"))
    for at in range(2):
        call.plan = [*[""] * at, fault]
        assert (await store.change(A, "k", to(f"change {at}"))).version == f"1.0.{at + 1}"
    call.plan = ["", "", fault]
    await store.point(A, "k", "staging", "1.0.1")
    await call.arrive()
    assert len((await store.versions(A, "k", Page())).data) == 3
    for at in range(4):
        await over(table, table._call).create(A, f"k{at}", body())
        call.plan = [*[""] * at, fault]
        await store.remove(A, f"k{at}")
    await call.arrive()
    assert {row["PK"]["S"] for row in await rows(table)} == {"AGENT#org-a#k"}


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_weather_versions_have_no_gaps_and_heads_have_rows(table: Table, seed: int) -> None:
    storm = Storm(table._call, random.Random(seed))
    store = over(table, storm)
    calm = over(table, table._call)
    await calm.create(A, "k", body("0"))

    async def work(n: int) -> None:
        for at in range(4):
            try:
                await store.change(A, "k", to(f"{n}.{at}"))
            except Crash:
                continue

    await asyncio.gather(*(work(n) for n in range(5)))
    await storm.arrive()
    found = (await calm.versions(A, "k", Page(200))).data
    assert [each.version for each in found] == [f"1.0.{n}" for n in reversed(range(len(found)))]
    newest = await calm.read(A, "k")
    assert (newest.version, newest.body) == (found[0].version, found[0].body)
    texts = [each.body["instructions"] for each in found]
    assert len(set(texts)) == len(texts)
