"""Chains of responses: each has its own context and no other's, whole or not at all, in one round trip."""

import asyncio
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.errors import NotFound, TooLarge
from orrery.core.responses import KEPT_S, Context
from orrery.stores import response_bodies, response_chains, responses
from orrery.stores.response_chains import MOST_STRANGERS
from orrery.stores.response_places import AFTER_ROWS, HEAD, LAST_POSITION, Place, new_own, place_of, place_of_row
from orrery.stores.table import Table
from tests.stores.blobs import MemoryBlobs, noise
from tests.stores.books import NOW, Clock
from tests.stores.responding import ORG, OTHER, Kept, ended, in_progress, queued, saying, turns, words_in

DAY = 86_400


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def kept(table: Table, blobs: MemoryBlobs, clock: Clock) -> Kept:
    return Kept(table, blobs, clock)


async def chain(kept: Kept, *words: str, after: str = "") -> list[str]:
    ids = []
    for word in words:
        after = await kept.said(word, after=after)
        ids.append(after)
    return ids


async def refused(kept: Kept, response: str, organization: str = ORG) -> None:
    with pytest.raises(NotFound) as caught:
        await kept.responses.context(organization, response)
    assert caught.value.message == f"Previous response with id '{response}' not found."
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


async def test_chains_of_twenty_turns_at_once_have_each_their_own(kept: Kept) -> None:
    async def one(number: int) -> None:
        words = [f"{number}.{turn}" for turn in range(20)]
        last = ""
        for word in words:
            response = ended(await kept.next(word, after=last))
            await kept.responses.begin(response)  # as it ended: that is the embedded table's quickest write
            last = response.id
        assert await kept.words(last) == turns(*words)

    await asyncio.gather(*(one(number) for number in range(16)))


async def test_branches_have_what_they_branched_from_and_nothing_of_each_other(kept: Kept) -> None:
    root = (await chain(kept, "a", "b"))[-1]
    left = (await chain(kept, "l1", "l2", after=root))[-1]
    right = (await chain(kept, "r1", "r2", after=root))[-1]
    assert await kept.words(left) == turns("a", "b", "l1", "l2")
    assert await kept.words(right) == turns("a", "b", "r1", "r2")
    assert await kept.words(root) == turns("a", "b")
    assert len({place_of(id).tree for id in (root, left, right)}) == 1  # type: ignore[union-attr]


async def test_a_crowd_is_noticed_and_the_next_found_trees_of_their_own(kept: Kept) -> None:
    root = await kept.said("root")
    children = [await kept.said(f"c{number}", after=root) for number in range(40)]
    trees = [place_of(child).tree for child in children]  # type: ignore[union-attr]
    home = place_of(root).tree  # type: ignore[union-attr]
    assert trees.count(home) == MOST_STRANGERS + 1
    kept.counting.taken()
    for number, child in enumerate(children):
        assert await kept.words(child) == turns("root", f"c{number}")
        assert len(kept.counting.taken()) == (1 if trees[number] == home else 2)


async def test_however_many_trees_came_before_they_are_read_at_once(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_chains, "MOST_STRANGERS", 0)
    last, words, trees = "", [], set()
    for number in range(9):
        words.append(f"w{number}")
        last = await kept.said(words[-1], after=last)
        trees.add(place_of(last).tree)  # type: ignore[union-attr]
        await kept.said("stranger", after=last)
    assert len(trees) == 9
    kept.counting.taken()
    assert await kept.words(last) == turns(*words)
    assert kept.counting.rounds == 2
    assert kept.counting.taken() == ["Query"] * 9


async def test_what_many_begin_at_once_is_not_read_by_who_begins_after_them(kept: Kept) -> None:
    root = await kept.said("root")
    at_once = [await kept.next(f"c{number}", after=root) for number in range(60)]
    for response in at_once:
        await kept.responses.begin(ended(response))
    kept.counting.taken()
    later = await kept.next("later", after=root)
    assert kept.counting.rows <= MOST_STRANGERS + 2
    assert place_of(later.id).tree != place_of(root).tree  # type: ignore[union-attr]
    for response in at_once[::20]:
        assert await kept.words(response.id) == turns("root", *words_in(response.input))


async def test_a_process_that_forgot_the_trees_before_reads_them_one_by_one(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_chains, "MOST_STRANGERS", 0)
    last, words = "", []
    for number in range(5):
        words.append(f"w{number}")
        before, last = last, (await chain(kept, words[-1], after=last))[0]
        kept.responses._founded.clear()
        await kept.said("stranger", after=last)
        kept.responses._founded.clear()
    response = await kept.next("end", after=last)
    kept.responses._founded.clear()
    assert await kept.responses.finish(ended(response))
    assert before and await kept.words(response.id) == turns(*words, "end")


async def test_trees_about_to_be_founded_are_not_remembered_for_ever(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "MOST_FOUNDED", 3)
    ids = [kept.responses.new_id(Context([], "*" + "a" * 27)) for _ in range(9)]
    assert list(kept.responses._founded) == ids[-3:]


async def test_long_words_of_strangers_are_a_crowd_too(kept: Kept) -> None:
    root = await kept.said("root")
    for number in range(4):
        await kept.said(noise(20_000, number).hex(), after=root)
    assert place_of(await kept.said("next", after=root)).tree == place_of(root).tree  # type: ignore[union-attr]
    for number in range(4, 8):
        await kept.said(noise(20_000, number).hex(), after=root)
    last = await kept.said("next", after=root)
    assert place_of(last).tree != place_of(root).tree  # type: ignore[union-attr]
    assert await kept.words(last) == turns("root", "next")


async def test_after_the_last_position_comes_a_new_tree(kept: Kept) -> None:
    place = Place("a" * 12, LAST_POSITION, "b" * 12)
    assert await kept.responses.finish(ended(in_progress(f"resp_{place.name}", "last")))
    after = await kept.said("after", after=f"resp_{place.name}")
    assert place_of(after).position == 0  # type: ignore[union-attr]
    assert await kept.words(after) == turns("last", "after")


@given(st.integers(0, LAST_POSITION), st.integers(0, LAST_POSITION), st.integers(0, 2**41), st.integers(0, 2**41))
def test_ids_sort_as_their_positions_then_as_their_times(first: int, second: int, one_ms: int, other_ms: int) -> None:
    places = [Place("t" * 12, first, new_own(secrets.randbits, one_ms))]
    places.append(Place("t" * 12, second, new_own(secrets.randbits, other_ms)))
    if (first, one_ms) != (second, other_ms):
        assert (places[0].sort < places[1].sort) == ((first, one_ms) < (second, other_ms))
    for place in places:
        assert place_of(f"resp_{place.name}") == place == place_of_row(place.tree, place.sort)
        assert HEAD < place.sort < AFTER_ROWS


@pytest.mark.parametrize("status", ["failed", "cancelled", "in_progress", "queued"])
async def test_only_what_ended_well_is_continued(kept: Kept, status: str) -> None:
    response = queued(kept.responses.new_id())
    await kept.responses.begin(response)
    if status != "queued":
        await (kept.responses.save if status == "in_progress" else kept.responses.finish)(
            saying(response, "words", status)
        )
    await refused(kept, response.id)


async def test_what_was_cut_short_is_continued(kept: Kept) -> None:
    assert await kept.words(await kept.said("one", status="incomplete")) == turns("one")


async def test_nothing_of_others_or_of_nobody_is_continued(kept: Kept) -> None:
    id = await kept.said("one")
    await refused(kept, id, OTHER)
    await refused(kept, kept.responses.new_id())
    await refused(kept, "resp_123")


async def test_a_chain_over_many_pages_is_whole(kept: Kept) -> None:
    words = [noise(22_000, number).hex() for number in range(24)]
    ids = await chain(kept, *words)
    kept.counting.taken()
    assert await kept.words(ids[-1]) == turns(*words)
    asked = kept.counting.taken()
    assert len(asked) > 1 and set(asked) == {"Query"}
    assert place_of(await kept.said("next", after=ids[-1])).position == 24  # type: ignore[union-attr]


async def test_more_than_can_be_carried_is_refused_and_not_cut(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await chain(kept, "a" * 1000, "b" * 1000)
    monkeypatch.setattr(response_bodies, "MOST_BYTES", 4000)
    assert await kept.words(ids[0]) == turns("a" * 1000)
    with pytest.raises(TooLarge, match="4000"):
        await kept.words(ids[1])


async def test_what_is_continued_lives_on(kept: Kept, clock: Clock, blobs: MemoryBlobs) -> None:
    first = await kept.said(noise(120_000).hex())
    last, long = first, 0
    while long < 3 * KEPT_S:
        clock.now += 20 * DAY
        long += 20 * DAY
        last = await kept.said("next", after=last)
    assert len(await kept.words(last)) == 2 + 2 * long // (20 * DAY)
    assert (await kept.responses.read(ORG, first)).id == first
    clock.now += KEPT_S
    await refused(kept, last)


async def test_living_on_is_written_once_a_week(kept: Kept, clock: Clock, blobs: MemoryBlobs) -> None:
    ids = await chain(kept, "one", noise(120_000).hex())
    puts = blobs.puts
    clock.now += 7 * DAY
    kept.counting.taken()
    await kept.words(ids[-1])
    assert kept.counting.taken() == ["Query"] and blobs.puts == puts
    clock.now += 1
    await kept.words(ids[-1])
    assert kept.counting.taken() == ["Query", "UpdateItem", "UpdateItem"] and blobs.puts == puts + 1
    await kept.words(ids[-1])
    assert kept.counting.taken() == ["Query"]


async def test_what_is_deleted_while_it_is_renewed_is_gone(kept: Kept, clock: Clock, blobs: MemoryBlobs) -> None:
    id = await kept.said(noise(120_000).hex())
    clock.now += 8 * DAY
    other = Kept(kept.table, blobs, clock)
    put = blobs.put

    async def deleted_meanwhile(organization: str, name: str, data: bytes) -> None:
        await other.responses.delete(ORG, id)
        await put(organization, name, data)

    blobs.put = deleted_meanwhile  # type: ignore[method-assign]
    await kept.words(id)
    assert not blobs.all
    await refused(kept, id)


async def test_an_ancestor_whose_time_is_over_takes_the_chain_with_it(kept: Kept, clock: Clock) -> None:
    first = await kept.said("one")
    second = await kept.next("two", after=first)
    clock.now += KEPT_S - 1
    assert await kept.responses.finish(ended(second))
    assert await kept.words(second.id)
    clock.now = NOW + 2 * KEPT_S
    await refused(kept, second.id)
