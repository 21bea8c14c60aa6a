"""What is deleted is gone: for readers at once, for auditors when the deletion returns."""

import asyncio
from dataclasses import replace

import pytest

from orrery.core.errors import NotFound, Unavailable
from orrery.core.types import Json
from orrery.stores.conversations import ConversationStore
from orrery.stores.responses import ResponseStore
from orrery.stores.table import Table
from tests.stores.blobs import MemoryBlobs, noise
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Crash, Faulty
from tests.stores.responding import ORG, OTHER, Kept, queued, saying, texts_of

SECRET = "the-words-of-a-caller"


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def kept(table: Table, blobs: MemoryBlobs, clock: Clock) -> Kept:
    return Kept(table, blobs, clock)


async def remains(kept: Kept) -> str:
    assert kept.blobs is not None
    return texts_of(await kept.dump(), kept.blobs.all)


async def is_gone(kept: Kept, response: str) -> bool:
    for read in (kept.responses.read, kept.responses.context, kept.responses.cancel, kept.responses.delete):
        with pytest.raises(NotFound):
            await read(ORG, response)
    return True


def large(words: str, seed: int = 1) -> str:
    return words + noise(101_000, seed).hex()


async def worked_on(kept: Kept, conversation: str = "", question: str = "") -> str:
    """A large background response with events, several bodies, and a question; all of it says SECRET."""
    question = question or large(SECRET)
    context = await kept.conversations.context(ORG, conversation) if conversation else None
    response = queued(kept.responses.new_id(context), question, events=True, conversation=conversation)
    await kept.responses.begin(response)
    await kept.events.append(ORG, response.id, 0, [SECRET.encode()] * 70)
    assert await kept.responses.save(saying(response, question + SECRET))
    assert await kept.responses.finish(saying(response, large(SECRET, 3), "completed"))
    await kept.events.append(ORG, response.id, 70, [SECRET.encode()], last=True)
    return response.id


async def test_nothing_of_a_deleted_response_remains(kept: Kept, blobs: MemoryBlobs) -> None:
    id = await worked_on(kept)
    assert len(blobs.all) == 3 and SECRET in await remains(kept)
    await kept.responses.delete(ORG, id)
    assert SECRET not in await remains(kept) and not blobs.all
    assert await is_gone(kept, id)
    assert (await kept.events.after(ORG, id, -1)).events == []


async def test_nothing_of_a_deleted_conversation_remains(kept: Kept, blobs: MemoryBlobs) -> None:
    conversation = (await kept.conversation(SECRET, large(SECRET), note=SECRET)).id
    ids = [await worked_on(kept, conversation) for _ in range(3)]
    await kept.said(SECRET, conversation=conversation)
    await kept.conversations.delete(ORG, conversation)
    assert SECRET not in await remains(kept) and not blobs.all
    for id in ids:
        assert await is_gone(kept, id)
    for read in (kept.conversations.read, kept.conversations.context, kept.conversations.delete):
        with pytest.raises(NotFound):
            await read(ORG, conversation)


@pytest.mark.parametrize("kind", ["response", "conversation"])
async def test_a_deletion_that_dies_anywhere_hides_everything_and_can_be_repeated(
    kept: Kept, blobs: MemoryBlobs, kind: str
) -> None:
    for death in range(1, 60):
        conversation = (await kept.conversation(SECRET)).id if kind == "conversation" else ""
        id = await worked_on(kept, conversation, SECRET)
        faulty = Faulty(kept.table._call, [""] * death + ["before"])
        table = quick_table(faulty, kept.table.name)
        store = ConversationStore(table, blobs, clock=kept.clock) if conversation else ResponseStore(table, blobs)
        store._clock = kept.clock
        delete, what = store.delete, conversation or id
        try:
            await delete(ORG, what)
        except Crash:
            if any(action in ("UpdateItem", "DeleteItem") for action, _ in faulty.calls[:-1]):
                with pytest.raises(NotFound):
                    await kept.responses.read(ORG, id)
            await (kept.conversations.delete(ORG, what) if conversation else kept.responses.delete(ORG, what))
            assert SECRET not in await remains(kept) and not blobs.all
        else:
            assert death > 5
            return
    raise AssertionError("it never came to its end")


async def test_late_writers_leave_nothing_behind(kept: Kept, blobs: MemoryBlobs) -> None:
    conversation = (await kept.conversation("hello")).id
    for place in ("", conversation):
        context = await kept.conversations.context(ORG, place) if place else None
        response = queued(kept.responses.new_id(context), "?", events=True, conversation=place)
        await kept.responses.begin(response)
        assert await kept.responses.claim(ORG, response.id, owner="one", lease_s=60)
        await (kept.conversations.delete(ORG, place) if place else kept.responses.delete(ORG, response.id))
        assert not await kept.responses.save(saying(response, large(SECRET)))
        assert not await kept.responses.finish(saying(response, large(SECRET), "completed"))
        assert not await kept.responses.beat(ORG, response.id, owner="one", lease_s=60)
        await kept.events.append(ORG, response.id, 0, [SECRET.encode()])
        if place:
            with pytest.raises(NotFound):
                await kept.responses.begin(response)
        else:
            await kept.responses.begin(response)
        assert await kept.responses.claim(ORG, response.id, owner="two", lease_s=60) is None
        assert SECRET not in await remains(kept) and not blobs.all


async def test_one_organization_deletes_nothing_of_another(kept: Kept) -> None:
    id, conversation = await kept.said("hello"), (await kept.conversation("hello")).id
    with pytest.raises(NotFound) as foreign:
        await kept.responses.delete(OTHER, id)
    with pytest.raises(NotFound):
        await kept.conversations.delete(OTHER, conversation)
    await kept.responses.delete(ORG, id)
    with pytest.raises(NotFound) as missing:
        await kept.responses.delete(ORG, id)
    assert foreign.value.body() == missing.value.body()
    assert await kept.heard(conversation) == ["hello"]


async def test_a_bucket_that_fails_leaves_a_deletion_to_be_repeated(kept: Kept, blobs: MemoryBlobs) -> None:
    id = await worked_on(kept)
    blobs.fails = True
    with pytest.raises(Unavailable):
        await kept.responses.delete(ORG, id)
    with pytest.raises(NotFound):
        await kept.responses.read(ORG, id)
    blobs.fails = False
    await kept.responses.delete(ORG, id)
    assert not blobs.all and SECRET not in await remains(kept)


async def test_what_is_deleted_takes_what_came_after_it_out_of_reach(kept: Kept) -> None:
    first = await kept.said("one")
    second = await kept.said("two", after=first)
    third = await kept.said("three", after=second)
    await kept.responses.delete(ORG, second)
    with pytest.raises(NotFound, match=f"Previous response with id '{third}' not found"):
        await kept.responses.context(ORG, third)
    assert await kept.words(first) == ["one", "one!"]
    assert (await kept.responses.read(ORG, third)).parent == second


async def test_a_response_that_is_deleted_is_no_more_in_its_conversation(kept: Kept) -> None:
    conversation = (await kept.conversation("zero")).id
    first = await kept.said("one", conversation=conversation)
    await kept.said("two", conversation=conversation)
    await kept.responses.delete(ORG, first)
    assert await kept.heard(conversation) == ["zero", "two", "two!"]


async def test_deletions_at_once_delete_once(kept: Kept) -> None:
    id = await kept.said("hello", events=True)
    ends = await asyncio.gather(*(kept.responses.delete(ORG, id) for _ in range(8)), return_exceptions=True)
    assert all(end is None or isinstance(end, NotFound) for end in ends)
    assert ends.count(None) >= 1


async def test_what_only_its_worker_needed_goes_when_it_has_ended(kept: Kept) -> None:
    response = replace(queued(kept.responses.new_id()), request={"prompt": SECRET})
    await kept.responses.begin(response)
    assert await kept.responses.save(saying(response, "so far"))
    assert SECRET in await remains(kept)
    assert await kept.responses.finish(saying(response, "words", "completed"))
    assert SECRET not in await remains(kept)


async def test_no_event_comes_while_a_conversation_is_deleted(kept: Kept) -> None:
    conversation = (await kept.conversation("zero")).id
    context = await kept.conversations.context(ORG, conversation)
    response = queued(kept.responses.new_id(context), events=True, conversation=conversation)
    await kept.responses.begin(response)
    await kept.events.append(ORG, response.id, 0, [b"{}"])

    async def meanwhile(action: str, payload: Json) -> Json:
        if action == "DeleteItem":
            await kept.events.append(ORG, response.id, 1, [SECRET.encode()])
        return await kept.table._call(action, payload)

    store = ConversationStore(quick_table(meanwhile, kept.table.name), None, clock=kept.clock)
    await store.delete(ORG, conversation)
    assert SECRET not in await remains(kept)
