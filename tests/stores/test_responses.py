"""Stored responses: what was kept is given, by status, to its organization, for its time."""

import asyncio
from dataclasses import replace

import pytest

from orrery.core import keeping
from orrery.core.errors import InvalidRequest, NotFound, TooLarge, Unavailable
from orrery.core.responses import ENDED, KEPT_S, StoredResponse
from orrery.stores.responses import ResponseStore
from orrery.stores.table import Table
from tests.stores.blobs import MemoryBlobs, noise
from tests.stores.books import NOW, Clock, quick_table
from tests.stores.faults import Faulty
from tests.stores.responding import ORG, OTHER, Kept, ended, in_progress, queued, saying, turns, words_in


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def kept(table: Table, blobs: MemoryBlobs, clock: Clock) -> Kept:
    return Kept(table, blobs, clock)


def test_they_are_what_the_flow_expects(kept: Kept) -> None:
    responses: keeping.Responses = kept.responses
    logs: keeping.EventLogs = kept.events
    conversations: keeping.Conversations = kept.conversations
    assert responses and logs and conversations


async def test_what_was_finished_is_read(kept: Kept) -> None:
    response = await kept.next("hello", deadline=NOW + 60)
    await kept.responses.begin(response)
    assert await kept.responses.read(ORG, response.id) == response
    done = ended(response)
    assert await kept.responses.finish(done)
    assert await kept.responses.read(ORG, response.id) == done


async def test_one_that_was_never_begun_is_written_whole(kept: Kept) -> None:
    done = ended(await kept.next("hello"), "incomplete")
    assert await kept.responses.finish(done)
    assert await kept.responses.read(ORG, done.id) == done


async def test_a_chain_has_everything_in_order(kept: Kept) -> None:
    first = await kept.said("one")
    second = await kept.said("two", after=first)
    third = await kept.said("three", after=second)
    assert await kept.words(first) == turns("one")
    assert await kept.words(third) == turns("one", "two", "three")


async def test_what_the_hot_path_costs(kept: Kept) -> None:
    last = ""
    for word in "abcdefgh":
        last = await kept.said(word, after=last)
    kept.counting.taken()
    response = await kept.next("i", after=last)
    assert kept.counting.taken() == ["Query"]
    await kept.responses.begin(response)
    assert kept.counting.taken() == ["PutItem"]
    await kept.responses.finish(ended(response))
    assert kept.counting.taken() == ["UpdateItem"]
    await kept.responses.read(ORG, response.id)
    assert kept.counting.taken() == ["GetItem"]


async def test_what_a_conversation_costs(kept: Kept) -> None:
    conversation = (await kept.conversation("zero")).id
    kept.counting.taken()
    response = await kept.next("one", conversation=conversation)
    assert kept.counting.taken() == ["Query"]
    await kept.responses.begin(response)
    await kept.responses.finish(ended(response))
    assert kept.counting.taken() == ["TransactWriteItems"] * 2


async def begun(kept: Kept, response: StoredResponse) -> StoredResponse:
    await kept.responses.begin(response)
    return response


def new(kept: Kept, **more: float) -> StoredResponse:
    """In the background."""
    return queued(kept.responses.new_id(), **more)


@pytest.mark.parametrize(
    "id", ["", "resp_", "resp_" + "a" * 26, "resp_" + "a" * 26 + "#", "conv_" + "a" * 27, "é" * 32]
)
async def test_what_is_no_id_is_not_found(kept: Kept, id: str) -> None:
    for read in (kept.responses.read, kept.responses.cancel, kept.responses.delete, kept.responses.context):
        with pytest.raises(NotFound):
            await read(ORG, id)
    assert await kept.responses.claim(ORG, id, owner="one", lease_s=9) is None
    assert not await kept.responses.beat(ORG, id, owner="one", lease_s=9)
    assert kept.counting.taken() == []


async def test_what_belongs_to_others_is_like_what_is_not_there(kept: Kept) -> None:
    response = await begun(kept, new(kept))
    missing = kept.responses.new_id()
    for read in (kept.responses.read, kept.responses.cancel, kept.responses.delete, kept.responses.context):
        bodies = []
        for organization, id in ((OTHER, response.id), (ORG, missing)):
            with pytest.raises(NotFound) as caught:
                await read(organization, id)
            bodies.append(str(caught.value.body()).replace(id, ""))
        assert bodies[0] == bodies[1]
    assert await kept.responses.claim(OTHER, response.id, owner="one", lease_s=9) is None
    assert (await kept.responses.read(ORG, response.id)) == response


async def test_a_response_of_another_place_is_a_fault_of_ours(kept: Kept) -> None:
    for response in (in_progress("resp_x", "?"), replace(new(kept), conversation="conv_" + "a" * 12)):
        with pytest.raises(ValueError, match="this id"):
            await kept.responses.begin(response)


async def test_thirty_days_after_it_was_written_it_is_gone(kept: Kept, clock: Clock) -> None:
    id = await kept.said("hello")
    clock.now += KEPT_S - 1
    assert (await kept.responses.read(ORG, id)).id == id
    clock.now += 1
    for read in (kept.responses.read, kept.responses.cancel, kept.responses.delete, kept.responses.context):
        with pytest.raises(NotFound):
            await read(ORG, id)


@pytest.mark.parametrize("background", [True, False])
async def test_past_its_deadline_it_has_failed_with_what_was_saved(kept: Kept, clock: Clock, background: bool) -> None:
    start = new(kept, deadline=NOW + 60) if background else await kept.next("?", deadline=NOW + 60)
    response = await begun(kept, start)
    assert await kept.responses.save(saying(response, "so far"))
    clock.now += 59.9
    assert (await kept.responses.read(ORG, response.id)).status == "in_progress"
    clock.now += 0.1
    found = await kept.responses.read(ORG, response.id)
    assert found.status == found.shown["status"] == "failed" and words_in(found.output) == ["so far"]
    assert found.shown["error"]["code"] == "server_error" and "interrupted" in found.shown["error"]["message"]
    assert found.request is None
    assert not await kept.responses.finish(ended(response))
    assert not await kept.responses.save(saying(response, "more"))
    assert await kept.responses.read(ORG, response.id) == found


async def test_one_that_is_done_before_anybody_looks_is_done(kept: Kept, clock: Clock) -> None:
    response = await begun(kept, await kept.next("?", deadline=NOW + 60))
    clock.now += 3600
    assert await kept.responses.finish(ended(response))
    assert (await kept.responses.read(ORG, response.id)).status == "completed"


async def test_whoever_claims_it_works_on_it_alone(kept: Kept) -> None:
    response = await begun(kept, new(kept))
    found = await kept.responses.claim(ORG, response.id, owner="one", lease_s=30)
    assert found is not None and found.status == found.shown["status"] == "in_progress"
    assert found.request == response.request and found.input == response.input
    for owner in ("one", "two"):
        assert await kept.responses.claim(ORG, response.id, owner=owner, lease_s=30) is None
    assert not await kept.responses.beat(ORG, response.id, owner="two", lease_s=30)


async def test_beats_keep_a_lease_and_without_them_it_has_failed(kept: Kept, clock: Clock) -> None:
    response = await begun(kept, new(kept))
    await kept.responses.claim(ORG, response.id, owner="one", lease_s=30)
    for _ in range(3):
        clock.now += 29
        assert await kept.responses.beat(ORG, response.id, owner="one", lease_s=30)
        assert await kept.responses.beat(ORG, response.id, owner="one", lease_s=1)
    clock.now += 29
    assert (await kept.responses.read(ORG, response.id)).status == "in_progress"
    clock.now += 1
    assert await kept.responses.claim(ORG, response.id, owner="two", lease_s=30) is None
    assert not await kept.responses.beat(ORG, response.id, owner="one", lease_s=30)
    clock.now -= 1
    assert (await kept.responses.read(ORG, response.id)).status == "failed"


async def test_one_that_waited_too_long_is_not_begun(kept: Kept, clock: Clock) -> None:
    response = await begun(kept, new(kept, deadline=NOW + 60))
    clock.now += 60
    assert await kept.responses.claim(ORG, response.id, owner="one", lease_s=30) is None
    assert (await kept.responses.read(ORG, response.id)).status == "failed"


async def test_a_claim_whose_answer_was_lost_is_a_claim(kept: Kept, table: Table) -> None:
    response = await begun(kept, new(kept))
    store = ResponseStore(quick_table(Faulty(table._call, ["lose"]), table.name), None, clock=kept.clock)
    found = await store.claim(ORG, response.id, owner="one", lease_s=30)
    assert found is not None and found.status == "in_progress"


@pytest.mark.parametrize("is_claimed", [True, False])
async def test_a_cancelled_one_keeps_what_it_had_said(kept: Kept, is_claimed: bool) -> None:
    response = await begun(kept, new(kept))
    if is_claimed:
        await kept.responses.claim(ORG, response.id, owner="one", lease_s=30)
    found = await kept.responses.cancel(ORG, response.id)
    assert found.status == found.shown["status"] == "cancelled" and found.request is None
    assert await kept.responses.cancel(ORG, response.id) == found
    assert not await kept.responses.beat(ORG, response.id, owner="one", lease_s=30)
    assert not await kept.responses.save(saying(response, "unheard"))
    assert not await kept.responses.finish(saying(response, "so far", "failed"))
    assert not await kept.responses.finish(saying(response, "later", "completed"))
    found = await kept.responses.read(ORG, response.id)
    assert found.status == found.shown["status"] == "cancelled" and words_in(found.output) == ["so far"]
    assert found.shown["error"] is None


async def test_what_is_not_in_the_background_cannot_be_cancelled(kept: Kept) -> None:
    going_on, done = (await begun(kept, await kept.next("?"))).id, await kept.said("!")
    for id in (going_on, done):
        with pytest.raises(InvalidRequest, match=r"Cannot cancel a synchronous response\."):
            await kept.responses.cancel(ORG, id)
    assert (await kept.responses.read(ORG, going_on)).status == "in_progress"


@pytest.mark.parametrize("status", sorted(ENDED))
async def test_what_has_ended_stays_as_it_is(kept: Kept, status: str) -> None:
    response = await begun(kept, new(kept))
    done = saying(response, "words", status)
    assert await kept.responses.finish(done)
    assert await kept.responses.finish(done)  # the second arrival
    await kept.responses.begin(response)
    assert not await kept.responses.save(saying(response, "other words"))
    for other in sorted(ENDED):
        assert not await kept.responses.finish(saying(response, "other words", other))
    assert await kept.responses.claim(ORG, response.id, owner="one", lease_s=30) is None
    found = await kept.responses.cancel(ORG, response.id)
    assert found == replace(done, request=None) == await kept.responses.read(ORG, response.id)


async def test_later_words_replace_earlier_ones_and_never_the_other_way(kept: Kept, table: Table, clock: Clock) -> None:
    response = await begun(kept, await kept.next("?"))
    faulty = Faulty(table._call, ["straggle"] * 4)
    late = ResponseStore(quick_table(faulty, table.name), None, clock=clock)
    clock.now += 1
    with pytest.raises(Unavailable):
        await late.save(saying(response, "first"))
    for words in ("second", "third"):  # in the same millisecond
        assert await kept.responses.save(saying(response, words))
        assert await kept.responses.save(saying(response, words))
    await faulty.arrive()
    assert words_in((await kept.responses.read(ORG, response.id)).output) == ["third"]
    clock.now -= 500  # this machine's clock was wrong
    assert await kept.responses.save(saying(response, "fourth"))
    assert words_in((await kept.responses.read(ORG, response.id)).output) == ["fourth"]


@pytest.mark.parametrize("size", [50_000, 5_000_000])
async def test_a_body_of_any_size_comes_back(kept: Kept, blobs: MemoryBlobs, size: int) -> None:
    words = noise(size // 2).hex()
    id = await kept.said(words)
    assert len(blobs.all) == (0 if size < 100_000 else 2)
    found = await kept.responses.read(ORG, id)
    assert words_in(found.input) == [words] and words_in(found.output) == [f"{words}!"]
    assert await kept.words(id) == turns(words)


async def test_a_blob_that_is_lost_is_a_fault_and_not_an_empty_response(kept: Kept, blobs: MemoryBlobs) -> None:
    id = await kept.said(noise(120_000).hex())
    for data in (b"", b"x"):
        blobs.change(data)
        for read in (kept.responses.read, kept.responses.context):
            with pytest.raises(Unavailable):
                await read(ORG, id)
    blobs.all.clear()
    with pytest.raises(Unavailable):
        await kept.responses.read(ORG, id)
    await kept.responses.delete(ORG, id)


async def test_without_blobs_what_is_too_large_is_refused(kept: Kept, table: Table, clock: Clock) -> None:
    store = ResponseStore(table, None, clock=clock)
    response = in_progress(store.new_id(), noise(120_000).hex())
    for write in (store.begin, store.save, store.finish):
        with pytest.raises(TooLarge, match="store: false"):
            await write(response)
    assert await kept.dump() == []


async def test_no_row_names_a_blob_that_is_not_there(kept: Kept, blobs: MemoryBlobs) -> None:
    response = in_progress(kept.responses.new_id(), noise(120_000).hex())
    blobs.fails = True
    with pytest.raises(Unavailable):
        await kept.responses.begin(response)
    assert await kept.dump() == []


@pytest.mark.parametrize("fault", ["lose", "duplicate", "throttle", "drop"])
async def test_each_write_may_arrive_twice(kept: Kept, table: Table, blobs: MemoryBlobs, fault: str) -> None:
    conversation = (await kept.conversation("zero")).id
    for place in ("", conversation):
        faulty = Faulty(table._call)
        store = ResponseStore(quick_table(faulty, table.name), blobs, clock=kept.clock)
        context = await kept.conversations.context(ORG, place) if place else None
        response = queued(store.new_id(context), noise(60_000).hex() * 2, conversation=place)
        for write in (store.begin(response), store.save(saying(response, "a")), store.finish(ended(response))):
            faulty.plan = [fault]
            assert await write in (None, True)
            assert (await kept.responses.read(ORG, response.id)).input == response.input
        assert (await kept.responses.read(ORG, response.id)).status == "completed"
        faulty.plan = [""] * (2 if place else 1) + [fault]
        await store.delete(ORG, response.id)
    assert not blobs.all


async def test_many_at_once_end_it_once(kept: Kept) -> None:
    response = await begun(kept, new(kept))
    claims = await asyncio.gather(*(kept.responses.claim(ORG, response.id, owner=f"{n}", lease_s=30) for n in range(8)))
    assert len([claim for claim in claims if claim]) == 1
    ends = await asyncio.gather(
        *(kept.responses.finish(saying(response, f"{n}", "completed")) for n in range(8)),
        *(kept.responses.cancel(ORG, response.id) for _ in range(4)),
    )
    assert [end for end in ends[:8]].count(True) <= 1
    found = await kept.responses.read(ORG, response.id)
    assert (found.status == "completed") == (True in ends[:8])


async def test_everything_is_read_strongly(kept: Kept) -> None:
    conversation = (await kept.conversation("zero", "one")).id
    response = queued(kept.responses.new_id(), events=True)
    await kept.responses.begin(response)
    await kept.events.append(ORG, response.id, 0, [b"{}"])
    await kept.events.after(ORG, response.id, -1)
    await kept.responses.finish(ended(response))
    last = await kept.said("next", after=response.id)
    await kept.said("in it", conversation=conversation)
    await kept.conversations.add(ORG, conversation, [])
    await kept.conversations.read(ORG, conversation)
    await kept.responses.read(ORG, last)
    await kept.responses.delete(ORG, response.id)
    await kept.conversations.delete(ORG, conversation)
    reads = [payload for action, payload in kept.counting.asked if action in ("Query", "GetItem")]
    assert len(reads) > 8 and all(payload["ConsistentRead"] for payload in reads)


async def test_a_small_one_is_deleted_although_the_answer_is_lost(kept: Kept, table: Table) -> None:
    id = await kept.said("hello")
    store = ResponseStore(quick_table(Faulty(table._call, ["", "lose"]), table.name), None, clock=kept.clock)
    await store.delete(ORG, id)
    with pytest.raises(NotFound):
        await store.delete(ORG, id)
