"""Thirty-two threads at one response: each ends one way, and everybody is told the same."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from orrery.core.errors import NotFound
from orrery.core.responses import StoredResponse
from orrery.stores.responses import ResponseStore
from orrery.stores.table import Table
from tests.stores.blobs import MemoryBlobs
from tests.stores.books import Clock, quick_table
from tests.stores.responding import ORG, Kept, queued, saying, words_in

THREADS = 32

type Step = Callable[[ResponseStore, int], Coroutine[Any, Any, Any]]


@pytest.fixture
def kept(table: Table, clock: Clock) -> Kept:
    return Kept(table, MemoryBlobs(), clock)


@pytest.fixture
def response(kept: Kept) -> StoredResponse:
    response = queued(kept.responses.new_id())
    asyncio.run(kept.responses.begin(response))
    return response


def race(kept: Kept, step: Step) -> list[Any]:
    """What each thread, with a store of its own, came to."""
    barrier = Barrier(THREADS)

    def run(number: int) -> Any:
        store = ResponseStore(quick_table(kept.table._call, kept.table.name), kept.blobs, clock=kept.clock)
        barrier.wait(timeout=30)
        try:
            return asyncio.run(step(store, number))
        except NotFound:
            return "gone"

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(run, range(THREADS)))


def test_one_claims_it(kept: Kept, response: StoredResponse) -> None:
    def claim(store: ResponseStore, number: int) -> Coroutine[Any, Any, Any]:
        return store.claim(ORG, response.id, owner=f"worker {number % 2}", lease_s=30)

    ends = race(kept, claim)
    assert len([end for end in ends if end is not None]) == 1


def test_one_finishes_it_or_it_is_cancelled(kept: Kept, response: StoredResponse) -> None:
    async def end(store: ResponseStore, number: int) -> Any:
        if number % 4 == 0:
            return (await store.cancel(ORG, response.id)).status
        return await store.finish(saying(response, f"{number}", "completed"))

    ends = race(kept, end)
    found = asyncio.run(kept.responses.read(ORG, response.id))
    assert {status for status in ends if isinstance(status, str)} == {found.status}
    winners = [number for number, came in enumerate(ends) if came is True]
    assert len(winners) == (found.status == "completed")
    assert not winners or words_in(found.output) == [f"{winners[0]}"]
    assert found.status == "completed" or len(words_in(found.output)) <= 1


def test_what_is_deleted_while_all_write_is_gone(kept: Kept, response: StoredResponse) -> None:
    async def work(store: ResponseStore, number: int) -> Any:
        if number == 16:
            return await store.delete(ORG, response.id)
        if number % 3 == 0:
            return await store.begin(response)
        return await (store.save if number % 3 == 1 else store.finish)(saying(response, f"{number}"))

    race(kept, work)
    with pytest.raises(NotFound):
        asyncio.run(kept.responses.read(ORG, response.id))
    (left,) = asyncio.run(kept.dump())
    assert set(left) <= {"PK", "SK", "st", "conv", "ev", "tk", "ttl", "blobs"}
