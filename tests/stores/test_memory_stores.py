"""Memory stores: what is remembered of an entity is found, corrected and forgotten, and nobody else's business."""

import asyncio
import random
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.agents import Memory
from orrery.core.errors import Conflict, GatewayError, InvalidRequest, NotFound
from orrery.core.pages import Page
from orrery.stores import memory_documents, memory_entities
from orrery.stores.memory_stores import MemoryStoreStore
from orrery.stores.memory_vectors import nearest, packed, unpacked
from orrery.stores.table import Table
from tests.stores.agenting import at_once, rows
from tests.stores.books import Clock
from tests.stores.faults import Crash, Faulty, Storm
from tests.stores.remembering import LETTERS, MODEL, A, B, Embedder, body, everything, on_store, over

K = A, "k"
ANN = A, "k", "ann"


@pytest.fixture
def store(table: Table, clock: Clock) -> MemoryStoreStore:
    return MemoryStoreStore(table, clock=clock)


@pytest.fixture
def embed() -> Embedder:
    return Embedder()


async def with_ann(store: MemoryStoreStore, organization: str = A, **more: object) -> None:
    await store.create(organization, "k", body(**more))
    await store.add_entity(organization, "k", "ann", {})


async def texts(store: MemoryStoreStore) -> list[str]:
    return [each.text for each in (await store.documents(*ANN, Page(200))).data]


async def test_a_store_is_made_changed_and_listed(store: MemoryStoreStore, clock: Clock) -> None:
    made = await store.create(*K, body(ttl=60))
    assert (made.id, made.key, made.body, made.created_at) == ("k", "k", body(ttl=60), int(clock.now))
    clock.now += 5
    changed = await store.change(*K, lambda old: {**old, "description": "things"})
    assert (changed.body["description"], changed.updated_at - made.updated_at) == ("things", 5)
    assert await store.read(*K) == changed
    assert (await store.list(A, Page())).data == [changed]
    with pytest.raises(Conflict) as refused:
        await store.create(*K, body())
    assert (refused.value.param, refused.value.code) == ("key", "memory_store_exists")
    assert (await store.create(B, "k", body())).body == body()


async def test_an_unchanged_store_is_not_written(table: Table) -> None:
    call = Faulty(table._call)
    store = over(table, call)
    before = await store.create(*K, body())
    assert await store.change(*K, lambda old: dict(old)) == before
    assert [action for action, _ in call.calls] == ["TransactWriteItems", "GetItem"]


async def test_an_entity_is_remembered_once(store: MemoryStoreStore, clock: Clock) -> None:
    await store.create(*K, body())
    made = await store.add_entity(*ANN, {"city": "Rome"})
    assert (made.id, made.store, made.documents, made.metadata) == ("ann", "k", 0, {"city": "Rome"})
    assert made.created_at == made.updated_at == int(clock.now)
    assert await store.entity(*ANN) == made
    with pytest.raises(Conflict) as refused:
        await store.add_entity(*ANN, {})
    assert (refused.value.param, refused.value.code) == ("entity_id", "memory_exists")
    clock.now += 5
    changed = await store.change_entity(*ANN, {"city": "Oslo"})
    assert (changed.metadata, changed.updated_at - made.updated_at) == ({"city": "Oslo"}, 5)


async def test_documents_are_kept_counted_and_listed_newest_first(store: MemoryStoreStore, clock: Clock) -> None:
    await with_ann(store)
    made = []
    for n in range(3):
        clock.now += 1
        made.append(await store.add(*ANN, f"text {n}", {"n": str(n)}))
    assert [each.text for each in made] == ["text 0", "text 1", "text 2"]
    first = made[0]
    assert (first.store, first.entity, first.metadata, first.score) == ("k", "ann", {"n": "0"}, None)
    assert await store.document(*ANN, first.id) == first
    assert (await store.documents(*ANN, Page())).data == made[::-1]
    found = await store.entity(*ANN)
    assert (found.documents, found.updated_at) == (3, int(clock.now))
    await store.remove_document(*ANN, first.id)
    assert (await texts(store), (await store.entity(*ANN)).documents) == (["text 2", "text 1"], 2)
    with pytest.raises(NotFound):
        await store.remove_document(*ANN, first.id)
    assert (await store.entity(*ANN)).documents == 2


async def test_a_document_is_changed(store: MemoryStoreStore, clock: Clock) -> None:
    await with_ann(store)
    made = await store.add(*ANN, "one", {"n": "1"})
    clock.now += 5
    assert await store.change_document(*ANN, made.id) == made
    changed = await store.change_document(*ANN, made.id, text="two")
    assert (changed.text, changed.metadata, changed.updated_at - made.updated_at) == ("two", {"n": "1"}, 5)
    changed = await store.change_document(*ANN, made.id, metadata={})
    assert (changed.text, changed.metadata, changed.created_at) == ("two", {}, made.created_at)
    assert (await store.documents(*ANN, Page())).data == [changed]


async def test_the_nearest_documents_are_found(store: MemoryStoreStore, embed: Embedder) -> None:
    await with_ann(store)
    for text in ("zzz", "aab", "abz", "aaa"):
        await store.write(*ANN, text, embed)
    found = await store.search(*ANN, "aaaa", top_k=3, embed=embed)
    assert [each.text for each in found] == ["aaa", "aab", "abz"]
    scores = [each.score for each in found]
    assert scores == pytest.approx([1.0, 2 / 5**0.5, 1 / 3**0.5])
    assert (await store.search(*ANN, "aaaa", top_k=1, embed=embed))[0].text == "aaa"
    assert set(embed.models) == {MODEL}


async def test_what_has_no_vector_gets_one_when_it_is_first_searched(
    store: MemoryStoreStore, embed: Embedder, clock: Clock
) -> None:
    await with_ann(store)
    for text in ("aaa", "bbb"):
        clock.now += 1
        await store.add(*ANN, text, {})
    assert [each.text for each in await store.search(*ANN, "b", top_k=1, embed=embed)] == ["bbb"]
    assert [each.text for each in await store.search(*ANN, "a", top_k=1, embed=embed)] == ["aaa"]
    assert embed.asked == [["b", "bbb", "aaa"], ["a"]]


async def test_a_changed_text_gets_another_vector_and_metadata_does_not(
    store: MemoryStoreStore, embed: Embedder
) -> None:
    await with_ann(store)
    made = await store.write(*ANN, "aaa", embed)
    await store.change_document(*ANN, made.id, metadata={"n": "1"})
    await store.search(*ANN, "a", top_k=1, embed=embed)
    await store.change_document(*ANN, made.id, text="bbb")
    (found,) = await store.search(*ANN, "b", top_k=1, embed=embed)
    assert (found.text, found.metadata) == ("bbb", {"n": "1"})
    assert found.score == pytest.approx(1.0)
    assert embed.asked == [["aaa"], ["a"], ["b", "bbb"]]


async def test_a_vector_is_not_kept_for_a_text_that_changed_while_it_was_made(store: MemoryStoreStore) -> None:
    await with_ann(store)
    made = await store.add(*ANN, "aaa", {})
    plain = Embedder()

    async def slow(model: str, given: object) -> object:
        await store.change_document(*ANN, made.id, text="zzz")
        return await plain(model, given)  # type: ignore[arg-type]

    await store.search(*ANN, "a", top_k=1, embed=slow)  # type: ignore[arg-type]
    (found,) = await store.search(*ANN, "z", top_k=1, embed=plain)
    assert found.text == "zzz"
    assert found.score == pytest.approx(1.0)


async def test_a_search_embeds_a_bounded_number_at_a_time(
    store: MemoryStoreStore, embed: Embedder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_ann(store)
    for n in range(5):
        clock.now += 1
        await store.add(*ANN, LETTERS[n] * 4, {})
    monkeypatch.setattr(memory_documents, "MOST_EMBEDDED", 2)
    assert len(await store.search(*ANN, "a", top_k=9, embed=embed)) == 2
    assert embed.asked == [["a", "eeee", "dddd"]]
    monkeypatch.setattr(memory_documents, "MOST_EMBEDDED_CHARS", 7)
    assert len(await store.search(*ANN, "a", top_k=9, embed=embed)) == 3
    monkeypatch.setattr(memory_documents, "MOST_EMBEDDED_CHARS", 8)
    assert len(await store.search(*ANN, "a", top_k=9, embed=embed)) == 5
    assert embed.asked[1:] == [["a", "cccc"], ["a", "bbbb", "aaaa"]]


async def test_a_search_looks_at_the_newest_documents(
    store: MemoryStoreStore, embed: Embedder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_ann(store)
    for text in ("a", "ab", "abc"):
        clock.now += 1
        await store.write(*ANN, text, embed)
    monkeypatch.setattr(memory_documents, "MOST_DOCUMENTS", 2)
    assert {each.text for each in await store.search(*ANN, "a", top_k=9, embed=embed)} == {"ab", "abc"}


async def test_writing_makes_the_entity_and_searching_does_not(store: MemoryStoreStore, embed: Embedder) -> None:
    await store.create(*K, body())
    assert await store.search(*ANN, "a", top_k=1, embed=embed) == []
    assert embed.asked == []
    with pytest.raises(NotFound):
        await store.entity(*ANN)
    await asyncio.gather(*(store.write(*ANN, text, embed) for text in ("a", "b", "c")))
    assert (await store.entity(*ANN)).documents == 3


async def test_what_cannot_be_embedded_is_not_written(store: MemoryStoreStore) -> None:
    await store.create(*K, body())

    async def fails(model: str, given: object) -> object:
        raise GatewayError("no model")

    with pytest.raises(GatewayError):
        await store.write(*ANN, "a", fails)  # type: ignore[arg-type]
    assert (await store.entities(*K, Page())).data == []


async def test_a_memory_has_bounded_room(store: MemoryStoreStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_documents, "MOST_DOCUMENTS", 3)
    await with_ann(store)
    made = [await store.add(*ANN, str(n), {}) for n in range(3)]
    with pytest.raises(InvalidRequest) as refused:
        await store.add(*ANN, "more", {})
    assert refused.value.code == "memory_full"
    await store.remove_document(*ANN, made[0].id)
    await store.add(*ANN, "more", {})
    assert (await store.entity(*ANN)).documents == 3


async def test_what_expired_is_not_there_and_makes_room(
    store: MemoryStoreStore, clock: Clock, embed: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_documents, "MOST_DOCUMENTS", 2)
    await with_ann(store, ttl=60)
    old = await store.write(*ANN, "old", embed)
    clock.now += 59
    assert (await store.document(*ANN, old.id)).text == "old"
    await store.add(*ANN, "new", {})
    with pytest.raises(InvalidRequest):
        await store.add(*ANN, "more", {})
    clock.now += 1
    assert await texts(store) == ["new"]
    assert (await store.entity(*ANN)).documents == 1
    assert (await store.entities(*K, Page())).data[0].documents == 1
    assert [each.text for each in await store.search(*ANN, "old", top_k=5, embed=embed)] == ["new"]
    for work in (store.document(*ANN, old.id), store.remove_document(*ANN, old.id)):
        with pytest.raises(NotFound):
            await work
    await store.add(*ANN, "newest", {})
    assert (await store.entity(*ANN)).documents == 2


async def test_a_new_ttl_counts_for_what_is_written_then(store: MemoryStoreStore, clock: Clock, table: Table) -> None:
    await with_ann(store, ttl=60)
    await store.add(*ANN, "short", {})
    await store.change(*K, lambda old: {name: value for name, value in old.items() if name != "ttl"})
    await store.add(*ANN, "long", {})
    kept = {row["said"]["S"]: row.get("ttl", {}).get("N") for row in await rows(table) if "said" in row}
    assert kept == {"short": str(int(clock.now) + 60), "long": None}
    clock.now += 100
    assert await texts(store) == ["long"]


async def test_entities_are_listed_by_their_ids_in_pages(store: MemoryStoreStore) -> None:
    await store.create(*K, body())
    names = ["1", "a", "a-b", "a_b", "ab", "b"]
    for name in reversed(names):
        await store.add_entity(*K, name, {})

    async def page(limit: int, **more: str) -> tuple[list[str], bool]:
        found = await store.entities(*K, Page(limit, **more))
        return [each.id for each in found.data], found.more

    expected, _ = await page(50)
    assert expected == sorted(names)
    assert await page(2) == (expected[:2], True)
    assert await page(2, after=expected[1]) == (expected[2:4], True)
    assert await page(4, after=expected[1]) == (expected[2:], False)
    assert await page(2, before=expected[4]) == (expected[2:4], True)
    assert await page(9, before=expected[4]) == (expected[:4], False)
    assert await page(9, after="a0") == (["a_b", "ab", "b"], False)
    for wrong in ("a#b", "-", "x" * 65):
        with pytest.raises(InvalidRequest):
            await page(9, after=wrong)


async def test_documents_are_listed_in_pages(store: MemoryStoreStore, clock: Clock) -> None:
    await with_ann(store)
    made = []
    for n in range(5):
        clock.now += 0.01
        made.append((await store.add(*ANN, str(n), {})).id)
    made.reverse()

    async def page(limit: int, **more: str) -> tuple[list[str], bool]:
        found = await store.documents(*ANN, Page(limit, **more))
        return [each.id for each in found.data], found.more

    assert await page(2) == (made[:2], True)
    assert await page(2, after=made[1]) == (made[2:4], True)
    assert await page(2, after=made[3]) == (made[4:], False)
    assert await page(2, before=made[3]) == (made[1:3], True)
    assert await page(3, before=made[3]) == (made[:3], False)
    for wrong in ("x", "memdoc_é", "memdoc_" + "0" * 50):
        with pytest.raises(InvalidRequest):
            await page(2, after=wrong)


async def test_what_is_forgotten_is_gone(store: MemoryStoreStore, table: Table, embed: Embedder) -> None:
    await with_ann(store)
    made = [await store.add(*ANN, str(n), {}) for n in range(30)]
    await store.remove_entity(*ANN)
    assert [row["SK"]["S"] for row in await rows(table)] == ["HEAD"]
    for work in everything(store, A, made[0].id):
        with pytest.raises(NotFound):
            await work()
    await store.add_entity(*ANN, {})
    assert (await texts(store), (await store.entity(*ANN)).documents) == ([], 0)


async def test_a_store_goes_with_all_that_it_remembers(store: MemoryStoreStore, table: Table) -> None:
    await with_ann(store)
    await store.add(*ANN, "text", {})
    await store.add_entity(*K, "bob", {})
    await store.remove(*K)
    assert await rows(table) == []
    for work in on_store(store, A):
        with pytest.raises(NotFound) as refused:
            await work()
        assert refused.value.message == "Memory store 'k' not found"
    await store.create(*K, body())
    assert (await store.entities(*K, Page())).data == []


async def test_nothing_reaches_what_another_organization_remembers(
    store: MemoryStoreStore, table: Table, embed: Embedder
) -> None:
    await with_ann(store)
    made = await store.write(*ANN, "secret", embed)
    before = await rows(table)
    for work in (*everything(store, B, made.id), *on_store(store, B)):
        with pytest.raises(NotFound) as foreign:
            await work()
        assert foreign.value.message == "Memory store 'k' not found"
    assert (await store.list(B, Page())).data == []
    assert await rows(table) == before
    await with_ann(store, B)
    for work in everything(store, B, made.id)[4:7]:
        with pytest.raises(NotFound):
            await work()
    assert await store.search(B, "k", "ann", "secret", top_k=5, embed=embed) == []
    assert (await store.document(*ANN, made.id)).text == "secret"


async def test_nothing_of_one_entity_is_anothers(store: MemoryStoreStore, embed: Embedder) -> None:
    await with_ann(store)
    await store.add_entity(*K, "bob", {})
    made = await store.write(*ANN, "secret", embed)
    assert await store.search(A, "k", "bob", "secret", top_k=5, embed=embed) == []
    with pytest.raises(NotFound):
        await store.remove_document(A, "k", "bob", made.id)
    with pytest.raises(NotFound):
        await store.change_document(A, "k", "bob", made.id, text="mine")
    assert await texts(store) == ["secret"]


@pytest.mark.parametrize("name", ["", "a#b", "x" * 65, "a ", "é", "-a", "a\n", "a.b"])
async def test_what_is_no_entity_is_not_looked_for(table: Table, name: str) -> None:
    call = Faulty(table._call)
    store = over(table, call)
    await store.create(*K, body())
    with pytest.raises(NotFound):
        await store.entity(*K, name)
    with pytest.raises(NotFound):
        await store.add(*K, name, "text", {})
    assert [action for action, _ in call.calls[1:]] == ["GetItem"] * 2  # the store's, and nothing else


@pytest.mark.parametrize("death", range(2, 9))
async def test_what_a_dead_deletion_left_is_finished(table: Table, death: int) -> None:
    call = Faulty(table._call)
    store = over(table, call)
    await with_ann(store)
    await store.add(*ANN, "one", {})
    await store.add(*ANN, "two", {})
    call.plan = [*[""] * death, "before"]
    with pytest.raises(Crash):
        await store.remove(*K)
    call.plan = []
    with pytest.raises(NotFound):
        await store.read(*K)
    if death % 2:
        await store.remove(*K)
        assert await rows(table) == []
    else:
        await store.create(*K, body())
        assert [row["SK"]["S"] for row in await rows(table)] == ["HEAD"]


@pytest.mark.parametrize("death", range(3, 6))
async def test_an_entity_is_made_anew_over_what_was_left_of_it(table: Table, death: int) -> None:
    call = Faulty(table._call)
    store = over(table, call)
    await with_ann(store)
    await store.add(*ANN, "one", {})
    call.plan = [*[""] * death, "before"]
    with pytest.raises(Crash):
        await store.remove_entity(*ANN)
    call.plan = []
    with pytest.raises(NotFound):
        await store.entity(*ANN)
    await store.add_entity(*ANN, {})
    assert sorted(row["SK"]["S"] for row in await rows(table)) == ["E#ann", "HEAD"]


async def test_no_entity_is_made_in_a_store_that_is_gone(store: MemoryStoreStore, table: Table) -> None:
    await store.create(*K, body())
    head = await store._stores.head(*K)
    await store.remove(*K)
    for made_anew in (False, True):
        with pytest.raises(NotFound):
            await store._entities.add(head, "ann", {})
        assert len(await rows(table)) == made_anew
        if not made_anew:
            await store.create(*K, body())


async def test_no_write_outlives_its_entity_or_its_store(table: Table, embed: Embedder) -> None:
    store = over(table, at_once(table))
    for again in range(6):
        await with_ann(store)
        work = [store.add(*ANN, str(n), {}) for n in range(4)] + [store.write(*ANN, "w", embed)]
        end = store.remove(*K) if again % 2 else store.remove_entity(*ANN)
        await asyncio.gather(*work, end, return_exceptions=True)
        if not again % 2:
            await store.remove(*K)
        assert await rows(table) == []


@pytest.mark.parametrize("fault", ["lose", "duplicate", "straggle", "drop", "throttle"])
async def test_one_fault_of_the_table_is_nobodys_business(table: Table, embed: Embedder, fault: str) -> None:
    call = Faulty(table._call, [fault])
    store = over(table, call)
    await store.create(*K, body())
    call.plan = ["", fault]
    await store.add_entity(*ANN, {})
    call.plan = ["", "", fault]
    made = await store.add(*ANN, "one", {})
    call.plan = ["", "", "", fault]
    assert (await store.change_document(*ANN, made.id, text="two")).text == "two"
    call.plan = ["", "", "", fault]
    assert [each.text for each in await store.search(*ANN, "two", top_k=1, embed=embed)] == ["two"]
    assert len(await store.search(*ANN, "two", top_k=1, embed=embed)) == 1
    assert embed.asked == [["two", "two"], ["two"]]
    await call.arrive()
    call.plan = ["", "", "", fault]
    await store.remove_document(*ANN, made.id)
    await call.arrive()
    assert (await store.entity(*ANN)).documents == 0
    for at in range(7):
        await store.add(*ANN, "more", {})
        call.plan = [*[""] * at, fault]
        await store.remove_entity(*ANN)
        await call.arrive()
        assert [row["SK"]["S"] for row in await rows(table)] == ["HEAD"]
        await store.add_entity(*ANN, {})


@pytest.mark.parametrize("seed", range(3))
async def test_in_any_weather_the_count_is_that_of_the_documents(table: Table, seed: int) -> None:
    storm = Storm(table._call, random.Random(seed))
    store, calm = over(table, storm), over(table, table._call)
    await with_ann(calm)

    async def work(n: int) -> None:
        for at in range(4):
            try:
                made = await store.add(*ANN, f"{n}.{at}", {})
                if at % 2:
                    await store.remove_document(*ANN, made.id)
            except Crash:
                continue

    await asyncio.gather(*(work(n) for n in range(4)))
    await storm.arrive()
    assert (await calm.entity(*ANN)).documents == len(await texts(calm)) > 0


VECTORS = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=3, max_size=3)


@settings(max_examples=60)
@given(VECTORS)
def test_a_vector_has_length_one_or_none(vector: list[float]) -> None:
    kept = unpacked(packed(vector))
    length = sum(part * part for part in kept) ** 0.5
    assert length == pytest.approx(1, abs=1e-5) or (length == 0 and sum(part * part for part in vector) < 1e-200)


@settings(max_examples=60)
@given(VECTORS, st.lists(VECTORS, max_size=6), st.integers(1, 4))
def test_the_nearest_come_first_and_none_that_is_nearer_is_left_out(
    query: list[float], vectors: list[list[float]], most: int
) -> None:
    kept = [packed(vector) for vector in vectors]
    found = nearest(packed(query), list(enumerate(kept)), most)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert len(found) == min(most, len(vectors)) and all(-1 <= score <= 1 for score in scores)
    everyone = dict(nearest(packed(query), list(enumerate(kept)), 9))
    left_out = [everyone[at] for at in everyone if at not in dict(found)]
    assert not left_out or max(left_out) <= scores[-1]


@pytest.mark.parametrize("vector", [[0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0], [1e308, 1e308]])
def test_a_vector_without_a_direction_is_near_to_nothing(vector: list[float]) -> None:
    assert nearest(packed([1.0, 0.0]), [("it", packed(vector))], 5) == [("it", 0.0)]


def test_vectors_of_another_length_are_passed_over() -> None:
    found = nearest(packed([1.0, 0.0]), [("long", packed([1.0, 0.0, 0.0])), ("same", packed([1.0, 0.0]))], 5)
    assert [name for name, _ in found] == ["same"]


def test_no_expression_names_an_attribute_by_a_reserved_word() -> None:
    from orrery.stores import agent_versions, documents

    words = set((files("moto.dynamodb.parsing") / "reserved_keywords.txt").read_text().split())
    known = {"SET", "REMOVE", "AND", "OR", "BETWEEN", "attribute_exists", "attribute_not_exists", "begins_with"}
    texts = [
        value
        for module in (memory_documents, memory_entities, documents, agent_versions)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and (" " in value or "(" in value or "," in value)
    ]
    import re

    named = {word for text in texts for word in re.findall(r"(?<![:#\w.])[A-Za-z_]+", text)} - known
    assert {"docs", "ends", "said", "meta", "vec", "made", "gone", "rev"} <= named
    assert not {word for word in named if word.upper() in words}


def test_a_memory_says_nothing_of_itself_by_accident() -> None:
    assert "secret" not in repr(Memory("id", "k", "ann", "secret", 0, 0))
