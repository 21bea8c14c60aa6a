"""Stored prompts: versions, one of them published, page by page, and nothing left of what is deleted."""

import asyncio
from typing import Any

import pytest

from orrery.core.errors import Conflict, InvalidRequest, NotFound
from orrery.core.pages import Page
from orrery.core.prompts import PromptChange, PromptFacts, StoredPrompt
from orrery.core.types import Json
from orrery.stores import prompt_lists
from orrery.stores.prompts import PromptStore
from orrery.stores.table import Table
from tests.stores.books import Clock
from tests.stores.faults import Faulty
from tests.stores.prompting import A, B, at_once, document, draft, everything, over, rows, said, to


@pytest.fixture
def store(table: Table, clock: Clock) -> PromptStore:
    return PromptStore(table, clock=clock)


async def test_what_was_made_is_read_and_published(store: PromptStore, clock: Clock) -> None:
    made = await store.create(A, draft(model="openai/gpt-4o", temperature=0.5))
    assert made == await store.read(A, made.id)
    assert (made.published, made.newest, made.version.number) == (1, 1, 1)
    assert made.created_at == made.updated_at == made.version.created_at == int(clock.now)
    assert made.facts == PromptFacts("Kind", "d", {"language": "English"}, "p")
    found = await store.published(A, made.id)
    assert found is not None
    assert (found.id, found.version, found.model) == (made.id, 1, "openai/gpt-4o")
    assert (found.messages, found.parameters) == ([{"role": "system", "content": "be kind"}], {"temperature": 0.5})


async def test_an_id_is_drawn_or_is_the_key(store: PromptStore) -> None:
    drawn = {(await store.create(A, draft())).id for _ in range(20)}
    assert len(drawn) == 20 and all(len(each) == 19 and each.startswith("prompt_") for each in drawn)
    assert (await store.create(A, draft(key="support.reply-2"))).id == "support.reply-2"


async def test_a_key_is_taken_once_in_an_organization(store: PromptStore) -> None:
    await store.create(A, draft("one", "support"))
    with pytest.raises(Conflict) as refused:
        await store.create(A, draft("two", "support"))
    assert (refused.value.status, refused.value.param, refused.value.code) == (409, "key", "prompt_exists")
    assert said(await store.read(A, "support")) == "one"
    await store.create(B, draft("theirs", "support"))
    assert said(await store.read(B, "support")) == "theirs"


async def test_of_many_that_make_the_same_key_at_once_one_does(table: Table) -> None:
    store = over(table, at_once(table))
    made = await asyncio.gather(*(store.create(A, draft(str(n), "k")) for n in range(8)), return_exceptions=True)
    assert sum(isinstance(each, StoredPrompt) for each in made) == 1


async def test_a_draft_is_not_published(store: PromptStore) -> None:
    made = await store.create(A, draft(key="k", publish=False))
    assert (made.published, made.newest) == (0, 1)
    assert await store.published(A, "k") is None
    assert said(await store.read(A, "k")) == "be kind"
    await store.publish(A, "k", 1)
    assert (await store.published(A, "k")) is not None


async def test_a_change_is_a_version_and_the_old_one_stays(store: PromptStore, clock: Clock) -> None:
    await store.create(A, draft("one", "k"))
    clock.now += 5
    changed = await store.change(A, "k", to("two", display_name="Kinder"))
    assert (changed.newest, changed.published, changed.facts.display_name) == (2, 2, "Kinder")
    assert (changed.facts.description, changed.updated_at - changed.created_at) == ("d", 5)
    assert [said(await store.version(A, "k", n)) for n in (1, 2)] == ["one", "two"]
    assert (await store.version(A, "k", 2)).version.created_at - changed.created_at == 5


async def test_a_change_without_publishing_waits(store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    changed = await store.change(A, "k", to("two", publish=False))
    assert (changed.newest, changed.published, said(changed)) == (2, 1, "two")
    assert await store.change(A, "k", to("two", publish=False)) == changed
    assert said(await store.read(A, "k")) == "one"


async def test_facts_change_without_a_version(store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    await store.change(A, "k", to("two", publish=False))
    changed = await store.change(A, "k", PromptChange({"description": "", "metadata": {"n": 1.5}}))
    assert (changed.newest, changed.facts.description, changed.facts.metadata) == (2, "", {"n": 1.5})
    assert (said(changed), changed.facts.display_name) == ("one", "Kind")
    assert await store.read(A, "k") == changed


async def test_what_is_unchanged_makes_no_version_and_no_write(store: PromptStore, clock: Clock) -> None:
    before = await store.create(A, draft("one", "k"))
    clock.now += 5
    assert await store.change(A, "k", to("one", display_name="Kind")) == before
    assert await store.change(A, "k", PromptChange({"path": "p"})) == before


async def test_what_the_newest_or_the_published_one_says_is_published_not_made_again(store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    await store.change(A, "k", to("two", publish=False))
    assert (await store.change(A, "k", to("one"))).published == 1
    changed = await store.change(A, "k", to("two"))
    assert (changed.newest, changed.published, changed.version.number) == (2, 2, 2)
    again = await store.change(A, "k", to("one"))
    assert (again.newest, again.published) == (3, 3)


async def test_the_order_of_fields_is_kept_and_counts(store: PromptStore) -> None:
    schema = {"z": {"type": "string"}, "a": {"type": "string"}}
    await store.create(A, draft(key="k", response_format={"schema": schema}))
    assert list((await store.read(A, "k")).version.document["response_format"]["schema"]) == ["z", "a"]
    other = PromptChange({}, document("be kind", response_format={"schema": dict(reversed(schema.items()))}))
    assert (await store.change(A, "k", other)).newest == 2


async def test_an_older_version_is_published_again(store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    await store.change(A, "k", to("two"))
    back = await store.publish(A, "k", 1)
    assert (back.published, back.newest, said(back)) == (1, 2, "one")
    found = await store.published(A, "k")
    assert found is not None and found.version == 1
    assert await store.publish(A, "k", 1) == back


@pytest.mark.parametrize("number", [0, 2, -1, 10**9, 10**2000])
async def test_a_version_that_is_not_there_is_neither_read_nor_published(table: Table, number: int) -> None:
    call = Faulty(table._call)
    store = over(table, call)
    await store.create(A, draft("one", "k"))
    for work in (store.version(A, "k", number), store.publish(A, "k", number)):
        with pytest.raises(NotFound) as refused:
            await work
        assert refused.value.code == "prompt_not_found"
    assert [action for action, _ in call.calls[1:]] == ["GetItem"] * 2  # no key is made of whatever number comes
    assert (await store.read(A, "k")).published == 1


async def test_a_large_document_is_kept_whole(store: PromptStore, table: Table) -> None:
    text = "ünd so weiter " * 20_000
    await store.create(A, draft(text, "k"))
    assert said(await store.read(A, "k")) == text
    (found,) = [row for row in await rows(table) if row["SK"]["S"] == "V#00000001"]
    assert len(found["doc"]["B"]) < 10_000
    assert len(str(await rows(table))) < 20_000


async def test_deleted_is_deleted(store: PromptStore, table: Table) -> None:
    await store.create(A, draft("one", "k"))
    for n in range(30):
        await store.change(A, "k", to(str(n)))
    assert await store.published(A, "k") is not None
    await store.remove(A, "k")
    assert await rows(table) == []
    assert await store.published(A, "k") is None
    for work in everything(store, A):
        with pytest.raises(NotFound):
            await work()


async def test_nothing_reaches_another_organizations_prompt(store: PromptStore, table: Table) -> None:
    await store.create(A, draft("one", "k"))
    before = await rows(table)
    for work in everything(store, B):
        with pytest.raises(NotFound) as foreign:
            await work()
        assert foreign.value.message == "There is no prompt 'k'."
    assert await store.published(B, "k") is None
    assert (await store.list(B, Page())).data == []
    with pytest.raises(InvalidRequest):
        await store.list(B, Page(after="k"))
    assert await rows(table) == before


@pytest.mark.parametrize("name", ["", "a#b", "x" * 65, "k/..", "k ", "é", "_k", "k\n", "HEAD#k"])
async def test_what_is_no_id_is_not_looked_for(table: Table, name: str) -> None:
    call = Faulty(table._call)
    store = over(table, call)
    assert await store.published(A, name) is None
    with pytest.raises(NotFound):
        await store.read(A, name)
    with pytest.raises(NotFound):
        await store.remove(A, name)
    if name:
        with pytest.raises(InvalidRequest):
            await store.list(A, Page(after=name))
    assert call.calls == []


async def walk(store: PromptStore, limit: int) -> list[str]:
    found: list[str] = []
    more = True
    while more:
        page = await store.list(A, Page(limit, after=found[-1] if found else ""))
        assert len(page.data) <= limit
        found += [each.id for each in page.data]
        more = page.more
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 50])
async def test_pages_together_are_the_list_newest_first(store: PromptStore, clock: Clock, limit: int) -> None:
    made = []
    for n in range(8):
        clock.now += n % 2  # two at a time have the same age
        made.append((int(clock.now), (await store.create(A, draft(key=f"k{n}"))).id))
    expected = [name for _, name in sorted(made, reverse=True)]
    assert await walk(store, limit) == expected
    before = await store.list(A, Page(3, before=expected[-2]))
    assert ([each.id for each in before.data], before.more) == (expected[3:6], True)
    first = await store.list(A, Page(3, before=expected[3]))
    assert ([each.id for each in first.data], first.more) == (expected[:3], False)


async def test_a_listed_prompt_is_as_it_is_read(store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    await store.change(A, "k", to("two", publish=False))
    await store.create(A, draft("draft", "d", publish=False))
    listed = {each.id: each for each in (await store.list(A, Page())).data}
    assert listed == {key: await store.read(A, key) for key in ("k", "d")}
    assert (said(listed["k"]), said(listed["d"])) == ("one", "draft")


async def test_a_page_that_would_be_too_large_ends_early(
    store: PromptStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_lists, "MOST_BYTES", 250)
    for n in range(7):
        clock.now += 1
        await store.create(A, draft("x" * 60, f"k{n}"))
    page = await store.list(A, Page(5))
    assert ([each.id for each in page.data], page.more) == (["k6", "k5"], True)
    assert len(await walk(store, 5)) == 7
    for n in range(6):
        await store.change(A, "k0", to(f"{n}" * 60))
    _, versions = await store.versions(A, "k0", Page(5))
    assert ([each.number for each in versions.data], versions.more) == ([7, 6], True)
    monkeypatch.setattr(prompt_lists, "MOST_BYTES", 1)
    assert len(await walk(store, 5)) == 7
    _, versions = await store.versions(A, "k0", Page(5))
    assert ([each.number for each in versions.data], versions.more) == ([7], True)


async def test_versions_are_listed_newest_first_by_pages(store: PromptStore) -> None:
    await store.create(A, draft("1", "k"))
    for n in range(2, 8):
        await store.change(A, "k", to(str(n)))

    async def page(*args: Any, **more: Any) -> tuple[list[int], bool]:
        prompt, found = await store.versions(A, "k", Page(*args, **more))
        assert prompt.newest == 7
        assert all(each.document == document(str(each.number)) for each in found.data)
        return [each.number for each in found.data], found.more

    assert await page(3) == ([7, 6, 5], True)
    assert await page(3, after="5") == ([4, 3, 2], True)
    assert await page(3, after="2") == ([1], False)
    assert await page(3, after="1") == ([], False)
    assert await page(7) == ([7, 6, 5, 4, 3, 2, 1], False)
    assert await page(2, before="3") == ([5, 4], True)
    assert await page(9, before="3") == ([7, 6, 5, 4], False)
    assert await page(9, after="0") == ([], False)
    for wrong in ("x", "²", "1" * 9, "-1"):
        with pytest.raises(InvalidRequest) as refused:
            await page(3, before=wrong)
        assert refused.value.param == "ending_before"


async def test_a_prompt_that_is_deleted_while_it_is_listed_is_left_out(table: Table, store: PromptStore) -> None:
    await store.create(A, draft(key="k"))
    await store.create(A, draft(key="other"))

    async def slow(action: str, payload: Json) -> Json:
        answer = await table._call(action, payload)
        if action == "Query" and "IndexName" in payload:
            await store.remove(A, "other")  # the first in the list
        return answer

    page = await over(table, slow).list(A, Page())
    assert [each.id for each in page.data] == ["k"]
