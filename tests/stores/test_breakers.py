"""Breakers of several processes over one table: what one learns the others know, and faults spare nobody."""

import asyncio
import random

import pytest

from orrery.core.types import Json
from orrery.stores.attributes import pack_item, unpack_item
from orrery.stores.breakers import LONGEST_NAME, PATIENCE_S, SIZE, BreakerStore, key_of
from orrery.stores.table import Table
from tests.fakes import in_virtual_time
from tests.stores.books import NOW, Clock, quick_table
from tests.stores.faults import Faulty

NAME = "openai/gpt-4o"


class Process:
    """One process: its own memory and its own connection to the table."""

    def __init__(self, table: Table, clock: Clock, *plan: str) -> None:
        self.wire = Faulty(table._call, plan)
        self.breakers = BreakerStore(quick_table(self.wire, table.name), clock=clock)

    def calls(self, action: str) -> int:
        return sum(1 for called, _ in self.wire.calls if called == action)

    async def is_open(self, name: str = NAME) -> bool:
        return name in await self.breakers.cooling([name])

    async def fails(self, times: int = 5, name: str = NAME, retry_after_s: float | None = None) -> None:
        for _ in range(times):
            await self.breakers.failed(name, retry_after_s=retry_after_s)


@pytest.fixture
def one(table: Table, clock: Clock) -> Process:
    return Process(table, clock)


@pytest.fixture
def other(table: Table, clock: Clock) -> Process:
    return Process(table, clock)


async def stored(table: Table, name: str = NAME) -> Json | None:
    return await table.get(key_of(name))


async def put(table: Table, until_s: float, opened: int = 1, ttl_s: float = 0.0) -> None:
    """An opening as another process would have written it."""
    ttl = int(ttl_s or until_s + 120)
    item = unpack_item(key_of(NAME)) | {"until": int(until_s * 1000), "opened": opened, "ttl": ttl}
    await table.run("PutItem", {"Item": pack_item(item)})


async def test_what_one_process_opens_another_spares(one: Process, other: Process, clock: Clock) -> None:
    await one.fails()
    assert await one.is_open() and await other.is_open()
    clock.now += 10
    assert not await one.is_open() and not await other.is_open()


async def test_a_refusal_that_says_how_long_is_shared_at_once(one: Process, other: Process, clock: Clock) -> None:
    await one.fails(1, retry_after_s=30.0)
    clock.now += 29.9
    assert await other.is_open()


async def test_an_opening_is_known_elsewhere_after_five_seconds_at_most(
    one: Process, other: Process, clock: Clock
) -> None:
    assert not await other.is_open()
    await one.fails()
    clock.now += 4.9
    assert not await other.is_open()
    clock.now += 0.1
    assert await other.is_open()


async def test_what_stands_in_the_table(one: Process, table: Table) -> None:
    await one.fails()
    item = await stored(table)
    assert item == unpack_item(key_of(NAME)) | {"until": int(NOW + 10) * 1000, "opened": 1, "ttl": int(NOW + 130)}


async def test_the_next_process_goes_on_doubling(one: Process, other: Process, clock: Clock, table: Table) -> None:
    await one.fails()
    assert await other.is_open()
    clock.now += 10
    assert not await other.is_open()
    await other.fails(1)
    item = await stored(table)
    assert item is not None and (item["until"], item["opened"]) == (int(NOW + 30) * 1000, 2)
    clock.now += 5
    assert await one.is_open()


async def test_what_worked_here_is_not_reopened_by_one_failure(one: Process, other: Process, clock: Clock) -> None:
    await one.fails()
    await other.is_open()
    clock.now += 10
    await other.is_open()
    other.breakers.worked(NAME)
    await other.is_open()
    await other.fails(4)
    assert not await other.is_open()


async def test_a_later_opening_is_never_shortened(one: Process, other: Process, clock: Clock, table: Table) -> None:
    await one.fails(1, retry_after_s=100.0)
    await other.fails()
    item = await stored(table)
    assert item is not None and item["until"] == int(NOW + 100) * 1000
    clock.now += 99
    assert await other.is_open(), "who was refused the write has learned"
    assert other.calls("GetItem") == 0


async def test_a_longer_refusal_lengthens_what_another_wrote(one: Process, other: Process, table: Table) -> None:
    await one.fails()
    await other.fails(1, retry_after_s=60.0)
    item = await stored(table)
    assert item is not None and item["until"] == int(NOW + 60) * 1000


async def test_only_openings_are_written_and_only_failures_are_counted(one: Process) -> None:
    one.breakers.worked(NAME)
    await one.fails(4)
    one.breakers.worked(NAME)
    assert one.wire.calls == []
    await one.fails(30)
    assert [action for action, _ in one.wire.calls] == ["UpdateItem"]


async def test_a_busy_process_reads_once_in_five_seconds(one: Process, clock: Clock) -> None:
    for _ in range(100):
        clock.now += 0.1
        await one.is_open()
    assert one.calls("GetItem") == 2


async def test_what_is_known_to_cool_is_not_read(one: Process, clock: Clock) -> None:
    await one.fails()
    for _ in range(9):
        clock.now += 1
        assert await one.is_open()
    assert one.calls("GetItem") == 0


async def test_names_are_read_at_once(table: Table, clock: Clock) -> None:
    waiting, together = 0, asyncio.Event()

    async def call(action: str, payload: Json) -> Json:
        nonlocal waiting
        waiting += 1
        if waiting == 3:
            together.set()
        await together.wait()
        return await table._call(action, payload)

    breakers = BreakerStore(quick_table(call, table.name), clock=clock)
    assert await breakers.cooling(["a/1", "b/2", "c/3"]) == frozenset()
    assert waiting == 3, "one after the other would have waited for ever, or given up"


async def test_only_those_that_cool_are_named(one: Process, other: Process) -> None:
    await one.fails(name="a/1")
    assert await other.breakers.cooling(["a/1", "a/2", "o|a/1"]) == {"a/1"}


async def test_names_that_look_alike_are_not_the_same(one: Process, other: Process) -> None:
    alike = ["a/b", "a%2Fb", "a/b ", "a|a/b", "a/B", "a/b#", "a/ü"]
    for name in alike:
        await one.fails(name=name)
        assert await other.breakers.cooling(alike) == set(alike[: alike.index(name) + 1])
        other.breakers._known.clear()


async def test_an_expired_item_that_is_still_there_is_none(table: Table, one: Process) -> None:
    await put(table, NOW + 60, opened=4, ttl_s=NOW)
    assert not await one.is_open()
    await one.fails(1)
    assert not await one.is_open()


async def test_an_instant_that_no_clock_of_ours_can_mean_is_not_believed(table: Table, one: Process) -> None:
    await put(table, NOW + 3_600)
    assert not await one.is_open()
    await one.fails()
    assert await one.is_open(), "what this process saw itself counts"


@pytest.mark.parametrize("fault", ["drop", "throttle"])
async def test_not_to_know_is_not_to_spare(table: Table, clock: Clock, one: Process, fault: str) -> None:
    await one.fails()
    cut_off = Process(table, clock, *[fault] * 4)
    assert not await cut_off.is_open()
    assert cut_off.calls("GetItem") == 4
    await cut_off.is_open()
    assert cut_off.calls("GetItem") == 4, "it is not asked again for each request"
    clock.now += 5
    assert await cut_off.is_open()


async def test_an_opening_that_cannot_be_written_is_known_here(table: Table, clock: Clock, other: Process) -> None:
    cut_off = Process(table, clock, *["drop"] * 4)
    await cut_off.fails()
    assert await cut_off.is_open() and not await other.is_open()


@pytest.mark.parametrize("fault", ["lose", "duplicate"])
async def test_a_write_that_arrives_twice_is_one(table: Table, clock: Clock, other: Process, fault: str) -> None:
    twice = Process(table, clock, fault)
    await twice.fails()
    item = await stored(table)
    assert item is not None and (item["opened"], item["until"]) == (1, int(NOW + 10) * 1000)
    assert await twice.is_open() and await other.is_open()


async def test_a_write_that_straggles_in_shortens_nothing(table: Table, clock: Clock, one: Process) -> None:
    slow = Process(table, clock, *["straggle"] * 4)
    await slow.fails()
    await one.fails(1, retry_after_s=60.0)
    await slow.wire.arrive()
    item = await stored(table)
    assert item is not None and item["until"] == int(NOW + 60) * 1000


def test_a_table_that_hangs_is_not_waited_for() -> None:
    async def hang(action: str, payload: Json) -> Json:
        await asyncio.Event().wait()
        return {}

    async def main() -> None:
        loop = asyncio.get_running_loop()
        breakers = BreakerStore(Table(hang, "t"), clock=lambda: NOW)
        began = loop.time()
        assert await breakers.cooling([NAME]) == frozenset()
        assert loop.time() - began == pytest.approx(PATIENCE_S)
        for _ in range(5):
            await breakers.failed(NAME, retry_after_s=None)
        assert loop.time() - began == pytest.approx(2 * PATIENCE_S)
        assert await breakers.cooling([NAME]) == {NAME}

    in_virtual_time(main)


async def test_a_request_that_is_given_up_is_given_up_here_too() -> None:
    async def hang(action: str, payload: Json) -> Json:
        await asyncio.Event().wait()
        return {}

    asking = asyncio.create_task(BreakerStore(Table(hang, "t")).cooling([NAME]))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_name_that_no_model_has_is_not_stored(one: Process) -> None:
    for name in ("own/" + "x" * LONGEST_NAME, "own/" + "ü" * (LONGEST_NAME // 4)):
        await one.fails(name=name)
        assert not await one.is_open(name)
    assert one.wire.calls == []


async def test_the_longest_name_is_stored(one: Process, other: Process) -> None:
    name = "own/" + "x" * (LONGEST_NAME - 4)
    await one.fails(name=name)
    assert await other.is_open(name)


async def test_memory_is_bounded_and_the_longest_unused_goes_first(one: Process) -> None:
    await one.fails(4)
    for number in range(SIZE - 1):
        await one.fails(1, name=f"own/{number}")
    await one.fails(1)
    await one.fails(1, name="own/another")
    assert await one.is_open(), "it was used just now"
    assert one.calls("GetItem") == 0, "so it was never forgotten"
    for number in range(SIZE):
        await one.fails(1, name=f"own/{number}")
    assert len(one.breakers._known) == SIZE
    assert NAME not in one.breakers._known


@pytest.mark.parametrize("seed", range(5))
async def test_processes_in_any_order_agree_on_the_latest_opening(table: Table, clock: Clock, seed: int) -> None:
    die = random.Random(seed)
    processes = [Process(table, clock) for _ in range(3)]
    latest = 0
    for _ in range(60):
        clock.now += die.random() * 3
        await asyncio.gather(
            *(
                process.fails(1, retry_after_s=die.choice([None, None, 2.0, 8.0]))
                for process in processes
                if die.random() < 0.5
            )
        )
        until_ms = (await stored(table) or {"until": 0})["until"]
        assert until_ms >= latest
        latest = until_ms
    assert latest == max(process.breakers._known[NAME].until_ms for process in processes if process.breakers._known)
    newcomer = Process(table, clock)
    assert await newcomer.is_open() == (latest > clock.now * 1000)
