"""Events of background responses: from any number on, in order, without gaps, as they were sent."""

import pytest

from orrery.core.errors import Unavailable
from orrery.core.responses import KEPT_S
from orrery.stores import response_events
from orrery.stores.response_events import EventLogStore
from orrery.stores.table import Table
from tests.stores.blobs import MemoryBlobs, noise
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Faulty
from tests.stores.responding import ORG, OTHER, Kept, queued


@pytest.fixture
def kept(table: Table, clock: Clock) -> Kept:
    return Kept(table, MemoryBlobs(), clock)


@pytest.fixture
async def id(kept: Kept) -> str:
    response = queued(kept.responses.new_id(), events=True)
    await kept.responses.begin(response)
    return response.id


def events(first: int, many: int) -> list[bytes]:
    return [b'{"sequence_number":%d}' % number for number in range(first, first + many)]


async def test_they_are_read_from_any_number_on(kept: Kept, id: str) -> None:
    first = 0
    for many in (1, 3, 64, 65, 2, 200, 1):
        await kept.events.append(ORG, id, first, events(first, many))
        first += many
    for number in range(-1, first + 3):
        log = await kept.events.after(ORG, id, number)
        assert list(log.events) == events(number + 1, max(0, first - number - 1)) and not log.ended


async def test_the_last_ends_it(kept: Kept, id: str) -> None:
    await kept.events.append(ORG, id, 0, events(0, 70))
    assert not (await kept.events.after(ORG, id, -1)).ended
    await kept.events.append(ORG, id, 70, events(70, 130), last=True)
    for number in (-1, 68, 69, 100, 198, 199):
        log = await kept.events.after(ORG, id, number)
        assert list(log.events) == events(number + 1, 199 - number) and log.ended


async def test_an_end_may_come_alone(kept: Kept, id: str) -> None:
    await kept.events.append(ORG, id, 0, events(0, 3))
    await kept.events.append(ORG, id, 3, [], last=True)
    assert (await kept.events.after(ORG, id, 2)).ended and (await kept.events.after(ORG, id, -1)).ended


async def test_what_is_read_and_written_costs_one_call(kept: Kept, id: str) -> None:
    kept.counting.taken()
    await kept.events.append(ORG, id, 0, events(0, 64))
    await kept.events.after(ORG, id, -1)
    assert kept.counting.taken() == ["TransactWriteItems", "Query"]


@pytest.mark.parametrize("fault", ["lose", "duplicate", "drop", "throttle"])
async def test_they_may_arrive_twice(kept: Kept, id: str, table: Table, clock: Clock, fault: str) -> None:
    store = EventLogStore(quick_table(Faulty(table._call, [fault, "", fault]), table.name), clock=clock)
    await store.append(ORG, id, 0, events(0, 100))
    await store.append(ORG, id, 0, events(0, 100))
    assert list((await kept.events.after(ORG, id, -1)).events) == events(0, 100)


async def test_readers_stop_before_a_gap_until_it_is_filled(kept: Kept, id: str) -> None:
    await kept.events.append(ORG, id, 0, events(0, 3))
    await kept.events.append(ORG, id, 5, events(5, 3), last=True)
    log = await kept.events.after(ORG, id, -1)
    assert list(log.events) == events(0, 3) and not log.ended
    await kept.events.append(ORG, id, 3, events(3, 2))
    log = await kept.events.after(ORG, id, 1)
    assert list(log.events) == events(2, 6) and log.ended


async def test_an_event_of_any_size_is_whole_or_not_there(kept: Kept, id: str, table: Table, clock: Clock) -> None:
    large = [b"a", noise(700_000), b"b"]
    faulty = Faulty(table._call, ["", "", *["drop"] * 4])
    with pytest.raises(Unavailable):
        await EventLogStore(quick_table(faulty, table.name), clock=clock).append(ORG, id, 0, large)
    await kept.events.append(ORG, id, 3, events(3, 1), last=True)
    assert (await kept.events.after(ORG, id, -1)).events == []
    await kept.events.append(ORG, id, 0, large)
    log = await kept.events.after(ORG, id, -1)
    assert list(log.events) == large + events(3, 1) and log.ended
    assert list((await kept.events.after(ORG, id, 1)).events) == [b"b", *events(3, 1)]


async def test_one_reading_is_bounded_and_goes_on(kept: Kept, id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_events, "MOST_BYTES", 1000)
    await kept.events.append(ORG, id, 0, events(0, 300), last=True)
    found: list[bytes] = []
    ended, rounds = False, 0
    while not ended:
        log = await kept.events.after(ORG, id, len(found) - 1)
        assert 0 < len(log.events) <= 64
        found, ended, rounds = found + list(log.events), log.ended, rounds + 1
    assert found == events(0, 300) and rounds == 5


async def test_they_are_their_organizations(kept: Kept, id: str) -> None:
    await kept.events.append(ORG, id, 0, events(0, 3))
    assert (await kept.events.after(OTHER, id, -1)).events == []
    await kept.events.append(OTHER, id, 3, events(3, 3))
    assert list((await kept.events.after(ORG, id, -1)).events) == events(0, 3)
    assert (await kept.events.after(OTHER, id, -1)).events == []


async def test_nothing_is_logged_for_what_is_not_there(kept: Kept) -> None:
    silent = queued(kept.responses.new_id())
    await kept.responses.begin(silent)
    for name in (silent.id, kept.responses.new_id(), "resp_x", ""):
        await kept.events.append(ORG, name, 0, events(0, 3))
    assert [item for item in await kept.dump() if item["PK"].startswith("RESPEV")] == []


async def test_after_thirty_days_they_are_gone(kept: Kept, id: str, clock: Clock) -> None:
    await kept.events.append(ORG, id, 0, events(0, 3))
    clock.now += KEPT_S
    assert (await kept.events.after(ORG, id, -1)).events == []
