"""Conversations: items that several responses share, in order, page by page, each organization its own."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.errors import InvalidRequest, NotFound, Unavailable
from orrery.core.pages import Page
from orrery.core.responses import KEPT_S
from orrery.stores import conversation_items
from orrery.stores.conversation_items import paged
from orrery.stores.conversations import ConversationStore
from orrery.stores.table import Table
from tests.stores.blobs import MEGABYTE, MemoryBlobs, noise
from tests.stores.books import NOW, Clock, quick_table
from tests.stores.faults import Faulty
from tests.stores.responding import ORG, OTHER, Kept, ended, message, queued, turns, words_in

DAY = 86_400


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def kept(table: Table, blobs: MemoryBlobs, clock: Clock) -> Kept:
    return Kept(table, blobs, clock)


async def test_what_was_created_is_read(kept: Kept) -> None:
    made = await kept.conversation("one", "two", topic="tea", empty="")
    assert made.id.startswith("conv_") and made.created_at == int(NOW)
    assert made.metadata == {"topic": "tea", "empty": ""}
    assert await kept.conversations.read(ORG, made.id) == made
    assert await kept.heard(made.id) == ["one", "two"]


async def test_an_empty_one_is_one(kept: Kept) -> None:
    made = await kept.conversation()
    assert await kept.heard(made.id) == []
    await kept.said("one", conversation=made.id)
    assert await kept.heard(made.id) == turns("one")


async def test_its_responses_and_items_are_in_order(kept: Kept) -> None:
    id = (await kept.conversation("zero")).id
    await kept.said("one", conversation=id)
    await kept.conversations.add(ORG, id, [message("a"), message("b")])
    await kept.said("two", conversation=id, status="incomplete")
    await kept.said("unsaid", conversation=id, status="failed")
    await kept.responses.begin(await kept.next("going on", conversation=id))
    assert await kept.heard(id) == ["zero", *turns("one"), "a", "b", *turns("two")]


async def test_what_is_asked_at_once_both_stays_in_the_order_of_time(kept: Kept, clock: Clock) -> None:
    id = (await kept.conversation()).id
    asked = []
    for number in range(6):
        asked.append(await kept.next(f"{number}", conversation=id))
        clock.now += 0.25
    await asyncio.gather(*(kept.responses.finish(ended(response)) for response in reversed(asked)))
    assert await kept.heard(id) == turns(*"012345")
    await kept.said("6", conversation=id)
    assert await kept.heard(id) == turns(*"0123456")


async def test_metadata_is_changed_as_a_whole(kept: Kept) -> None:
    made = await kept.conversation(a="1", b="2")
    for metadata in ({"c": "3"}, {}, {"a": "1"}, {"a": "1"}):
        assert (await kept.conversations.change(ORG, made.id, metadata)).metadata == metadata
        assert (await kept.conversations.read(ORG, made.id)).metadata == metadata
    assert (await kept.conversations.read(ORG, made.id)).created_at == made.created_at


async def test_a_change_that_comes_late_changes_nothing(kept: Kept, table: Table, clock: Clock) -> None:
    id = (await kept.conversation(a="1")).id
    faulty = Faulty(table._call, ["straggle"] * 4)
    clock.now += 1
    late = ConversationStore(quick_table(faulty, table.name), None, clock=clock)
    with pytest.raises(Unavailable):
        await late.change(ORG, id, {"a": "late"})
    clock.now += 1
    await kept.conversations.change(ORG, id, {"a": "2"})
    await faulty.arrive()
    assert (await kept.conversations.read(ORG, id)).metadata == {"a": "2"}


@pytest.mark.parametrize("fault", ["lose", "duplicate", "drop"])
async def test_each_write_may_arrive_twice(kept: Kept, table: Table, clock: Clock, fault: str) -> None:
    faulty = Faulty(table._call, [fault, fault])
    store = ConversationStore(quick_table(faulty, table.name), None, clock=clock)
    id = (await store.create(ORG, [message("one")], {"a": "1"})).id
    faulty.plan = ["", fault]
    await store.add(ORG, id, [message("two")])
    faulty.plan = [fault]
    assert (await store.change(ORG, id, {"a": "2"})).metadata == {"a": "2"}
    assert await kept.heard(id) == ["one", "two"]
    faulty.plan = [fault, "", fault, fault, fault]
    await store.delete(ORG, id)
    with pytest.raises(NotFound):
        await kept.conversations.read(ORG, id)


@pytest.mark.parametrize("id", ["conv_" + "0" * 12, "conv_", "conv_../x", "resp_" + "a" * 27, ""])
async def test_what_is_not_there_is_not_found(kept: Kept, id: str) -> None:
    foreign = (await kept.conversation("one", organization=OTHER)).id
    for name in (id, foreign):
        for work in (
            kept.conversations.read(ORG, name),
            kept.conversations.change(ORG, name, {}),
            kept.conversations.context(ORG, name),
            kept.conversations.add(ORG, name, [message("x")]),
            kept.conversations.items(ORG, name, Page(), newest_first=True),
            kept.conversations.item(ORG, name, "msg_user_one"),
            kept.conversations.delete(ORG, name),
        ):
            with pytest.raises(NotFound) as caught:
                await work
            assert caught.value.message == f"Conversation with id '{name}' not found."
    assert await kept.heard(foreign, OTHER) == ["one"]
    assert [item["PK"] for item in await kept.dump() if ORG in item["PK"]] == []


async def test_two_organizations_with_one_id_share_nothing(kept: Kept, clock: Clock) -> None:
    store = ConversationStore(kept.table, None, clock=clock, bits=lambda _: 7)
    mine, theirs = await store.create(ORG, [message("mine")], {}), await store.create(OTHER, [message("theirs")], {})
    assert mine.id == theirs.id
    await store.add(OTHER, mine.id, [message("more")])
    assert await kept.heard(mine.id) == ["mine"]
    await store.delete(ORG, mine.id)
    assert await kept.heard(theirs.id, OTHER) == ["theirs", "more"]


async def test_a_megabyte_is_heard_whole(kept: Kept) -> None:
    words = [noise(10_000, number).hex() for number in range(60)]
    id = (await kept.conversation(*words[:20])).id
    for some in range(20, 60, 4):
        await kept.conversations.add(ORG, id, [message(word) for word in words[some : some + 4]])
    assert sum(map(len, words)) > MEGABYTE and await kept.heard(id) == words


async def test_as_long_as_it_goes_on_nothing_of_it_is_forgotten(kept: Kept, clock: Clock) -> None:
    id = (await kept.conversation("zero")).id
    for number in range(5):
        clock.now += 20 * DAY
        await kept.said(f"{number}", conversation=id)
    assert await kept.heard(id) == ["zero", *turns(*"01234")]
    clock.now += KEPT_S
    with pytest.raises(NotFound):
        await kept.heard(id)
    with pytest.raises(NotFound):
        await kept.conversations.change(ORG, id, {})
    with pytest.raises(NotFound):
        await kept.conversations.add(ORG, id, [message("x")])


async def test_a_response_in_it_is_continued_with_all_that_it_had_heard(kept: Kept) -> None:
    id = (await kept.conversation("zero")).id
    first = await kept.said("one", conversation=id)
    await kept.said("two", conversation=id)
    assert await kept.words(first) == ["zero", *turns("one")]
    branch = await kept.said("other", after=first)
    assert await kept.words(branch) == ["zero", *turns("one", "other")]
    assert await kept.words(await kept.said("more", after=branch)) == ["zero", *turns("one", "other", "more")]
    assert await kept.heard(id) == ["zero", *turns("one", "two")]
    await kept.conversations.delete(ORG, id)
    with pytest.raises(NotFound):
        await kept.words(branch)


async def test_its_added_items_are_no_response(kept: Kept, clock: Clock) -> None:
    id = (await kept.conversation("zero")).id
    (row,) = [item["SK"] for item in await kept.dump() if item["SK"].startswith("R#")]
    name = "resp_" + id.removeprefix("conv_") + "".join(row.split("#")[1:])
    for read in (kept.responses.read, kept.responses.context, kept.responses.cancel, kept.responses.delete):
        with pytest.raises(NotFound):
            await read(ORG, name)
    assert await kept.responses.claim(ORG, name, owner="one", lease_s=9) is None
    assert await kept.heard(id) == ["zero"]


async def test_a_conversation_that_is_gone_is_not_worked_for(kept: Kept) -> None:
    id = (await kept.conversation()).id
    context = await kept.conversations.context(ORG, id)
    response = queued(kept.responses.new_id(context), conversation=id)
    await kept.responses.begin(response)
    await kept.table.run("DeleteItem", {"Key": {"PK": {"S": f"RESP#{ORG}#{id[5:]}"}, "SK": {"S": "C"}}})
    assert await kept.responses.claim(ORG, response.id, owner="one", lease_s=9) is None
    for read in (kept.responses.read, kept.responses.context, kept.responses.cancel, kept.responses.delete):
        with pytest.raises(NotFound):
            await read(ORG, response.id)


async def listed(kept: Kept, id: str, page: Page, *, newest_first: bool = False) -> tuple[list[str], bool]:
    found = await kept.conversations.items(ORG, id, page, newest_first=newest_first)
    return words_in(found.data), found.more


async def test_items_are_listed_both_ways(kept: Kept) -> None:
    id = (await kept.conversation("a", "b", "c")).id
    await kept.said("d", conversation=id)
    assert await listed(kept, id, Page()) == (["a", "b", "c", "d", "d!"], False)
    assert await listed(kept, id, Page(limit=2), newest_first=True) == (["d!", "d"], True)
    assert await listed(kept, id, Page(limit=2, after="msg_user_b")) == (["c", "d"], True)
    assert await listed(kept, id, Page(limit=2, after="msg_user_b"), newest_first=True) == (["a"], False)
    assert await listed(kept, id, Page(limit=2, before="msg_user_d")) == (["b", "c"], True)
    assert await listed(kept, id, Page(limit=2, before="msg_user_c"), newest_first=True) == (["d!", "d"], False)
    for page in (Page(after="msg_user_z"), Page(before="msg_user_z")):
        with pytest.raises(InvalidRequest) as caught:
            await listed(kept, id, page)
        assert caught.value.param == ("starting_after" if page.after else "ending_before")
    assert (await kept.conversations.item(ORG, id, "msg_assistant_d!"))["role"] == "assistant"
    with pytest.raises(NotFound, match="Item with id 'msg_user_z' not found"):
        await kept.conversations.item(ORG, id, "msg_user_z")


async def test_a_page_unpacks_only_what_is_on_it(kept: Kept, blobs: MemoryBlobs) -> None:
    id = (await kept.conversation(noise(120_000).hex())).id
    await kept.conversations.add(ORG, id, [message("b")])
    blobs.fails = True
    assert await listed(kept, id, Page(limit=1), newest_first=True) == (["b"], True)
    with pytest.raises(Unavailable):
        await listed(kept, id, Page(limit=2))


async def test_an_item_that_came_twice_is_listed_where_it_came_first(kept: Kept) -> None:
    id = (await kept.conversation("a", "b")).id
    await kept.conversations.add(ORG, id, [message("again") | {"id": "msg_user_a"}, message("c")])
    assert await listed(kept, id, Page()) == (["a", "b", "c"], False)
    assert await kept.heard(id) == ["a", "b", "again", "c"]


async def test_any_number_of_items_may_come_at_once(kept: Kept) -> None:
    id = (await kept.conversation("a")).id
    many = [f"{number:040d}" for number in range(5000)]
    await kept.conversations.add(ORG, id, [message(words) for words in many])
    await kept.said("z", conversation=id)
    assert await kept.heard(id) == ["a", *many, *turns("z")]
    assert await listed(kept, id, Page(limit=2, before="msg_user_z")) == (many[-2:], True)
    assert await listed(kept, id, Page(limit=2, after=f"msg_user_{many[-1]}")) == (["z", "z!"], False)
    assert words_in([await kept.conversations.item(ORG, id, f"msg_user_{many[7]}")]) == [many[7]]


async def test_a_page_ends_where_an_answer_would_be_too_large(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_items, "MOST_BYTES", 2500)
    id = (await kept.conversation("a" * 1000, "b" * 1000, "c" * 3000)).id
    assert await listed(kept, id, Page()) == (["a" * 1000, "b" * 1000], True)
    assert await listed(kept, id, Page(after="msg_user_" + "b" * 40)) == (["c" * 3000], False)
    assert await listed(kept, id, Page(before="msg_user_" + "c" * 40)) == (["a" * 1000, "b" * 1000], False)


ROWS = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=4), max_size=6)


@given(ROWS, st.integers(1, 4), st.booleans(), st.booleans())
def test_pages_together_are_the_list(rows: list[list[str]], limit: int, newest_first: bool, back: bool) -> None:
    named = [(f"{number}", {"ids": ids}) for number, ids in enumerate(rows)]
    unique = list(dict.fromkeys(id for ids in rows for id in ids))
    expected = unique[::-1] if newest_first else unique
    seen: list[str] = []
    more = True
    while more:
        ends = ({"before": seen[0]} if back else {"after": seen[-1]}) if seen else {}
        if back and not seen:
            if not expected:
                return
            seen, ends = [expected[-1]], {"before": expected[-1]}
        found = paged(named, Page(limit=limit, **ends), newest_first=newest_first)
        assert found is not None and len(found.places) <= limit
        ids = [rows[row][number] for row, number in found.places]
        seen = ids[::-1] + seen if back else seen + ids
        more = found.more
    assert seen == expected
