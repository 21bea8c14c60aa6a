"""Stored responses: what was kept is given, by status, to its organization, for its time."""

import asyncio
from dataclasses import replace

import pytest

from orrery.core import keeping
from orrery.core.errors import NotFound, TooLarge, Unavailable
from orrery.core.responses import KEPT_S, Context
from orrery.stores.responses import ResponseStore
from orrery.stores.table import Table
from tests.stores.blobs import MemoryBlobs
from tests.stores.books import NOW, Clock
from tests.stores.responding import ORG, OTHER, Kept, ended, in_progress, message, queued, saying, turns


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
    assert kept.counting.taken() == ["UpdateItem"]
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
