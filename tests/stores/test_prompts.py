"""Stored prompts: versions that nobody loses, one of them published, and nothing left of what is deleted."""

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from orrery.core.errors import AwsFault, GatewayError, InvalidRequest, NotFound, Unavailable
from orrery.core.pages import Page
from orrery.core.ports import AwsCall
from orrery.core.prompts import PromptChange, PromptDraft, PromptFacts, StoredPrompt
from orrery.core.types import Json
from orrery.stores import prompt_cache, prompt_lists, prompts
from orrery.stores.prompts import PromptStore
from orrery.stores.table import Table
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Crash, Faulty, Storm

A, B = "org-a", "org-b"


def document(text: str = "be kind", **more: Any) -> Json:
    return {"messages": [{"role": "system", "content": text}], **more}


def draft(text: str = "be kind", key: str = "", *, publish: bool = True, **more: Any) -> PromptDraft:
    return PromptDraft(PromptFacts("Kind", "d", {"language": "English"}, "p"), document(text, **more), key, publish)


def to(text: str, *, publish: bool = True, **facts: Any) -> PromptChange:
    return PromptChange(facts, document(text), publish)


def said(prompt: StoredPrompt) -> str:
    return str(prompt.version.document["messages"][0]["content"])


@pytest.fixture
def store(table: Table, clock: Clock) -> PromptStore:
    return PromptStore(table, clock=clock)


def over(table: Table, call: AwsCall, clock: Clock | None = None) -> PromptStore:
    return PromptStore(quick_table(call, table.name), clock=clock or Clock())


def at_once(table: Table) -> Storm:
    """Other tasks run between any two calls, and nothing fails."""
    storm = Storm(table._call, random.Random(7))
    storm.calm = True
    return storm


async def rows(table: Table) -> list[Json]:
    return list((await table.run("Scan", {})).get("Items", ()))


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
    with pytest.raises(InvalidRequest) as refused:
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


def everything(store: PromptStore, organization: str) -> list[Callable[[], Awaitable[object]]]:
    """All that can be done to the prompt `k` of an organization."""
    return [
        lambda: store.read(organization, "k"),
        lambda: store.change(organization, "k", to("mine")),
        lambda: store.change(organization, "k", PromptChange({"display_name": "mine"})),
        lambda: store.preview(organization, "k", to("mine")),
        lambda: store.publish(organization, "k", 1),
        lambda: store.version(organization, "k", 1),
        lambda: store.versions(organization, "k", Page()),
        lambda: store.remove(organization, "k"),
    ]


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


# Races and failures.


async def test_of_changes_at_once_none_is_lost(table: Table) -> None:
    store = over(table, at_once(table))
    await store.create(A, draft("0", "k"))
    made = await asyncio.gather(*(store.change(A, "k", to(f"change {n}")) for n in range(12)))
    assert sorted(each.version.number for each in made) == list(range(2, 14))
    found = [said(await store.version(A, "k", n)) for n in range(2, 14)]
    assert sorted(found) == sorted(f"change {n}" for n in range(12))
    final = await store.read(A, "k")
    assert (final.newest, final.published) == (13, 13)


@pytest.mark.parametrize("fault", ["lose", "drop", "duplicate", "throttle"])
@pytest.mark.parametrize("calls_before", range(4))
async def test_a_call_that_fails_on_its_way_does_its_work_once(table: Table, fault: str, calls_before: int) -> None:
    plan = [""] * calls_before + [fault]
    made = await over(table, Faulty(table._call, plan)).create(A, draft("one", "k"))
    assert (made.newest, made.published) == (1, 1)
    changed = await over(table, Faulty(table._call, plan)).change(A, "k", to("two"))
    assert (changed.newest, changed.published) == (2, 2)
    back = await over(table, Faulty(table._call, plan)).publish(A, "k", 1)
    assert (back.newest, back.published) == (2, 1)
    await over(table, Faulty(table._call, plan)).remove(A, "k")
    assert await rows(table) == []


async def test_what_arrives_late_undoes_nothing(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    await store.change(A, "k", to("two"))
    late = Faulty(table._call, ["", "", "straggle"])  # head, version, then the change, which is repeated
    await over(table, late).publish(A, "k", 1)
    await store.publish(A, "k", 2)
    await late.arrive()
    assert (await store.read(A, "k")).published == 2
    gone = Faulty(table._call, ["", "straggle"])
    await over(table, gone).remove(A, "k")
    await store.create(A, draft("new", "k"))
    await gone.arrive()
    assert said(await store.read(A, "k")) == "new"


async def test_a_late_creation_does_not_bring_back_what_was_deleted(table: Table, store: PromptStore) -> None:
    late = Faulty(table._call, ["straggle"])
    await over(table, late).create(A, draft("one", "k"))
    await store.remove(A, "k")
    await late.arrive()
    assert await rows(table) == []


@pytest.mark.parametrize("calls_before", range(1, 8))
async def test_a_deletion_that_died_is_finished_by_the_next_one_or_by_a_new_prompt(
    table: Table, store: PromptStore, calls_before: int
) -> None:
    await store.create(A, draft("one", "k"))
    for n in range(3):
        await store.change(A, "k", to(str(n)))
    dying = over(table, Faulty(table._call, [*[""] * calls_before, "before"]))
    died = False
    try:
        await dying.remove(A, "k")
    except Crash:
        died = True
    if died and calls_before > 1:  # from the first write on, it is gone for everybody
        with pytest.raises(NotFound):
            await store.read(A, "k")
        assert await PromptStore(table).published(A, "k") is None
        assert (await store.list(A, Page())).data == []
    if calls_before % 2 and died:
        await store.remove(A, "k")
        assert await rows(table) == []
        return
    if calls_before > 1:
        made = await store.create(A, draft("new", "k"))
        assert (made.newest, said(await store.read(A, "k"))) == (1, "new")
        assert len(await rows(table)) == 2


async def test_a_slow_deletion_spares_a_new_prompt_of_the_same_key(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(action: str, payload: Json) -> Json:
        if action == "DeleteItem":
            reached.set()
            await go_on.wait()
        return await table._call(action, payload)

    deleting = asyncio.create_task(over(table, slow).remove(A, "k"))
    await reached.wait()
    await store.create(A, draft("new", "k"))
    go_on.set()
    await deleting
    assert said(await store.read(A, "k")) == "new"


async def test_a_deletion_that_meets_a_prompt_made_anew_deletes_that_one_whole(
    table: Table, store: PromptStore
) -> None:
    await store.create(A, draft("one", "k"))
    seen = 0

    async def late(action: str, payload: Json) -> Json:
        nonlocal seen
        if action == "TransactWriteItems":
            seen += 1
            if seen == 1:
                await store.remove(A, "k")
                await store.create(A, draft("new", "k"))
        return await table._call(action, payload)

    await over(table, late).remove(A, "k")
    assert await rows(table) == []


async def test_what_is_read_is_of_one_prompt_and_not_of_two(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))

    async def slow(action: str, payload: Json) -> Json:
        if payload.get("Key", {}).get("SK") == {"S": "V#00000001"}:
            await store.remove(A, "k")
            await store.create(A, draft("new", "k"))
        return await table._call(action, payload)

    with pytest.raises(NotFound):
        await over(table, slow).read(A, "k")
    assert (await over(table, slow).list(A, Page())).data == []
    assert await over(table, slow).published(A, "k") is None
    assert said(await store.read(A, "k")) == "new"


async def test_a_change_that_meets_a_deletion_leaves_nothing(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    seen = 0

    async def late(action: str, payload: Json) -> Json:
        nonlocal seen
        if action == "TransactWriteItems":
            seen += 1
            if seen == 1:
                await store.remove(A, "k")
        return await table._call(action, payload)

    with pytest.raises(NotFound):
        await over(table, late).change(A, "k", to("two"))
    assert await rows(table) == []


async def test_a_change_of_a_prompt_that_was_made_anew_is_one_of_the_new_one(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    seen = 0

    async def late(action: str, payload: Json) -> Json:
        nonlocal seen
        if action == "TransactWriteItems":
            seen += 1
            if seen == 1:
                await store.remove(A, "k")
                await store.create(A, draft("new", "k"))
        return await table._call(action, payload)

    changed = await over(table, late).change(A, "k", to("two"))
    assert (changed.newest, seen) == (2, 2)
    assert said(await store.version(A, "k", 1)) == "new"


@pytest.mark.parametrize("seed", range(40))
async def test_in_any_storm_versions_are_whole_and_every_answer_was_true(table: Table, seed: int) -> None:
    storm = Storm(table._call, random.Random(seed))
    storm.calm = True
    store = over(table, storm)
    await store.create(A, draft("0", "k"))
    storm.calm = False

    async def one(n: int) -> tuple[int, str] | None:
        try:
            made = await store.change(A, "k", to(f"change {n}"))
        except (Crash, GatewayError):
            return None
        return made.version.number, f"change {n}"

    answers = await asyncio.gather(*(one(n) for n in range(8)))
    storm.calm = True
    await storm.arrive()
    head = await store.read(A, "k")
    found = [said(await store.version(A, "k", n)) for n in range(1, head.newest + 1)]
    assert len(set(found)) == len(found)
    for answer in filter(None, answers):
        assert found[answer[0] - 1] == answer[1]
    assert head.published == head.newest


async def test_who_is_always_late_is_told_to_come_back(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("0", "k"))
    numbers = iter(range(1000))

    async def busy(action: str, payload: Json) -> Json:
        if action == "TransactWriteItems":
            await store.change(A, "k", to(f"faster {next(numbers)}"))
        return await table._call(action, payload)

    with pytest.raises(Unavailable) as refused:
        await over(table, busy).change(A, "k", to("slow"))
    assert refused.value.retry_after_s == 1.0


async def test_there_is_an_end_of_versions(store: PromptStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "MOST_VERSIONS", 2)
    await store.create(A, draft("one", "k"))
    await store.change(A, "k", to("two"))
    with pytest.raises(InvalidRequest):
        await store.change(A, "k", to("three"))
    assert (await store.change(A, "k", PromptChange({"path": "q"}))).facts.path == "q"


async def test_a_preview_is_what_the_change_gives_and_changes_nothing(store: PromptStore, table: Table) -> None:
    await store.create(A, draft("one", "k"))
    before = await rows(table)
    seen = await store.preview(A, "k", to("two"))
    assert await rows(table) == before
    assert (seen.newest, seen.published, said(seen)) == (2, 2, "two")
    assert await store.change(A, "k", to("two")) == seen


# Lists.


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


# What requests read.


class Counting(Faulty):
    def reads(self) -> int:
        return sum(action == "GetItem" for action, _ in self.calls)


async def settled() -> None:
    """Lets tasks in the background end."""
    for _ in range(20):
        await asyncio.sleep(0)


async def version_in(store: PromptStore, organization: str = A) -> int:
    found = await store.published(organization, "k")
    return found.version if found else 0


async def test_a_prompt_is_read_once_in_half_a_minute_and_then_behind_the_request(
    table: Table, store: PromptStore, clock: Clock
) -> None:
    await store.create(A, draft("one", "k"))
    call = Counting(table._call)
    elsewhere = over(table, call, clock)
    assert await version_in(elsewhere) == 1
    assert call.reads() == 2
    await store.change(A, "k", to("two"))
    clock.now += 29.9
    assert await version_in(elsewhere) == 1
    await settled()
    assert call.reads() == 2
    clock.now += 0.2
    assert await version_in(elsewhere) == 1
    await settled()
    assert call.reads() == 4
    assert await version_in(elsewhere) == 2
    assert call.reads() == 4


async def test_after_a_minute_nothing_old_is_used(table: Table, store: PromptStore, clock: Clock) -> None:
    await store.create(A, draft("one", "k"))
    elsewhere = PromptStore(table, clock=clock)
    assert await version_in(elsewhere) == 1
    await store.remove(A, "k")
    clock.now += 60
    assert await version_in(elsewhere) == 0


async def test_a_version_that_is_known_is_not_read_again(table: Table, store: PromptStore, clock: Clock) -> None:
    await store.create(A, draft("one", "k"))
    call = Counting(table._call)
    elsewhere = over(table, call, clock)
    await version_in(elsewhere)
    clock.now += 60
    assert await version_in(elsewhere) == 1
    assert call.reads() == 3


async def test_a_prompt_made_anew_is_not_taken_for_the_old_one(table: Table, store: PromptStore, clock: Clock) -> None:
    await store.create(A, draft("one", "k"))
    elsewhere = PromptStore(table, clock=clock)
    await version_in(elsewhere)
    await store.remove(A, "k")
    await store.create(A, draft("new", "k"))
    clock.now += 60
    found = await elsewhere.published(A, "k")
    assert found is not None and found.messages[0]["content"] == "new"


async def test_that_there_is_none_is_believed_for_ten_seconds(table: Table, store: PromptStore, clock: Clock) -> None:
    call = Counting(table._call)
    elsewhere = over(table, call, clock)
    assert await version_in(elsewhere) == 0
    await store.create(A, draft("one", "k"))
    clock.now += 9.9
    assert (await version_in(elsewhere), call.reads()) == (0, 1)
    clock.now += 0.2
    assert await version_in(elsewhere) == 1


async def test_own_changes_count_at_once(store: PromptStore) -> None:
    assert await version_in(store) == 0
    await store.create(A, draft("one", "k"))
    assert await version_in(store) == 1
    await store.change(A, "k", to("two"))
    assert await version_in(store) == 2
    await store.publish(A, "k", 1)
    assert await version_in(store) == 1
    await store.remove(A, "k")
    assert await version_in(store) == 0


async def test_what_was_being_read_during_a_change_is_not_kept(table: Table, clock: Clock) -> None:
    await PromptStore(table, clock=clock).create(A, draft("one", "k"))
    reached, go_on = asyncio.Event(), asyncio.Event()
    first = True

    async def slow(action: str, payload: Json) -> Json:
        nonlocal first
        answer = await table._call(action, payload)
        if action == "GetItem" and first:
            first = False
            reached.set()
            await go_on.wait()
        return answer

    store = over(table, slow, clock)
    reading = asyncio.create_task(version_in(store))
    await reached.wait()
    await store.change(A, "k", to("two"))
    go_on.set()
    await reading
    assert await version_in(store) == 2


async def test_a_change_whose_end_is_unknown_is_looked_at_again(table: Table, clock: Clock) -> None:
    await PromptStore(table, clock=clock).create(A, draft("one", "k"))
    call = Faulty(table._call)
    store = over(table, call, clock)
    assert await version_in(store) == 1
    call.plan = ["", "", "lose", "drop", "drop", "drop"]
    with pytest.raises(Unavailable):
        await store.change(A, "k", to("two"))
    assert await version_in(store) == 2


async def test_many_that_want_a_prompt_at_once_read_it_once(table: Table, store: PromptStore, clock: Clock) -> None:
    await store.create(A, draft("one", "k"))
    storm = Storm(table._call, random.Random(1))
    storm.calm = True
    found = await asyncio.gather(*(version_in(elsewhere) for elsewhere in [over(table, storm, clock)] * 20))
    assert found == [1] * 20
    assert len(storm.calls) == 2


async def test_a_request_that_leaves_takes_the_answer_from_nobody(table: Table, store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    storm = Storm(table._call, random.Random(2))
    storm.calm = True
    elsewhere = over(table, storm)
    first = asyncio.create_task(version_in(elsewhere))
    second = asyncio.create_task(version_in(elsewhere))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1


async def test_a_table_that_fails_is_told_until_something_is_known(
    table: Table, store: PromptStore, clock: Clock
) -> None:
    await store.create(A, draft("one", "k"))
    down = False

    async def call(action: str, payload: Json) -> Json:
        if down:
            raise AwsFault("InternalServerError", status=500)
        return await table._call(action, payload)

    elsewhere = over(table, call, clock)
    assert await version_in(elsewhere) == 1
    down = True
    clock.now += 45
    noted: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: noted.append(context))
    assert await version_in(elsewhere) == 1
    await settled()
    gc.collect()
    assert noted == []  # no request waited for it, so none is to blame
    clock.now += 15
    with pytest.raises(Unavailable):
        await version_in(elsewhere)
    down = False
    assert await version_in(elsewhere) == 1


async def test_a_clock_that_was_set_back_makes_nothing_young(table: Table, store: PromptStore, clock: Clock) -> None:
    elsewhere = PromptStore(table, clock=clock)
    await version_in(elsewhere)
    await store.create(A, draft("one", "k"))
    clock.now -= 1000
    assert await version_in(elsewhere) == 1
    await store.change(A, "k", to("two"))
    clock.now -= 1000
    assert await version_in(elsewhere) == 2


async def test_what_is_kept_is_bounded(
    table: Table, store: PromptStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_cache, "MOST", 3)
    for n in range(5):
        await store.create(A, draft("one", f"k{n}"))
    call = Counting(table._call)
    elsewhere = over(table, call, clock)

    async def reads(*names: str) -> int:
        before = call.reads()
        for name in names:
            await elsewhere.published(A, name)
        return call.reads() - before

    assert await reads("k0", "k1", "k2", "k0", "k3") == 8
    assert await reads("k0", "k2", "k3") == 0
    assert await reads("k1") == 2  # the one that was unused the longest went
    assert await reads("none0", "none1", "none2", "none3", "none3", "none1") == 4
    assert await reads("none0") == 1
    assert await reads("k1", "k3") == 0  # ids of nothing push out nothing
    monkeypatch.setattr(prompt_cache, "MOST", 100)
    monkeypatch.setattr(prompt_cache, "MOST_BYTES", 120)  # two documents of 52 bytes
    await reads("k4", "k0")
    assert await reads("k4", "k0") == 0
    await reads("k2")
    assert await reads("k0", "k2") == 0
    assert await reads("k4") == 2


async def test_what_is_given_may_be_changed_by_whoever_got_it(store: PromptStore) -> None:
    await store.create(A, draft("one", "k"))
    first = await store.published(A, "k")
    assert first is not None
    first.messages[0]["content"] = "changed"  # type: ignore[index]
    second = await store.published(A, "k")
    assert second is not None and second.messages[0]["content"] == "one"
