"""Idempotency keys: whose they are, for how long, and what they are answered with."""

import asyncio
import hashlib
from collections import Counter

import pytest

from orrery.core import extras
from orrery.core.errors import InvalidRequest, Unavailable
from orrery.core.records import Claim, Recording
from orrery.stores.claims import ClaimStore, key_of
from orrery.stores.table import Table
from tests.stores.blobs import MEGABYTE, WORDS, MemoryBlobs, noise, sound
from tests.stores.books import NOW, Clock
from tests.stores.claiming import KEY, OTHER, answer, ask, through

DAY = 86_400


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def claims(table: Table, blobs: MemoryBlobs, clock: Clock) -> ClaimStore:
    return ClaimStore(table, blobs, clock=clock)


def test_it_is_what_options_expect(claims: ClaimStore) -> None:
    expected: extras.Claims = claims
    assert expected is claims


async def test_the_first_one_has_it_and_the_next_one_is_told_how_long(claims: ClaimStore, clock: Clock) -> None:
    first = await ask(claims)
    assert (first.state, bool(first.token)) == ("mine", True)
    clock.now += 20
    assert await ask(claims) == Claim("running", retry_after_s=40)


async def test_what_it_was_answered_with_is_given_again(claims: ClaimStore) -> None:
    await answer(claims, (await ask(claims)).token)
    for _ in range(2):
        assert await ask(claims) == Claim("done", answer=WORDS)


async def test_two_claims_have_different_tokens(claims: ClaimStore) -> None:
    first, second = await ask(claims), await ask(claims, key="another")
    assert first.state == second.state == "mine" and first.token != second.token


async def test_another_body_is_another_request_while_it_runs_and_when_it_is_done(claims: ClaimStore) -> None:
    mine = await ask(claims)
    assert await ask(claims, OTHER) == Claim("other")
    await answer(claims, mine.token)
    assert await ask(claims, OTHER) == Claim("other")


async def test_organizations_have_keys_of_their_own(claims: ClaimStore) -> None:
    mine = await ask(claims)
    assert (await ask(claims, OTHER, organization="org-b")).state == "mine"
    await claims.complete("org-b", KEY, mine.token, WORDS)
    await claims.release("org-b", KEY, mine.token)
    assert (await ask(claims)).state == "running"
    with pytest.raises(InvalidRequest):
        await ask(claims, organization="org-a#x")


@pytest.mark.parametrize("size", [0, 256])
async def test_a_key_has_1_to_255_characters(claims: ClaimStore, size: int) -> None:
    with pytest.raises(InvalidRequest, match="255") as refused:
        await ask(claims, key="k" * size)
    assert refused.value.param == "Idempotency-Key"
    assert {(await ask(claims, key=text)).state for text in ("k", "k" * 255, "ключ ñ #\n")} == {"mine"}


async def test_what_callers_call_a_key_stands_nowhere(table: Table, clock: Clock) -> None:
    claims, faulty = through(table, clock)
    await answer(claims, (await ask(claims)).token)
    await claims.release("org-a", KEY, "x")
    assert len(faulty.calls) == 3 and KEY not in repr(faulty.calls)
    assert hashlib.sha256(KEY.encode()).hexdigest() in repr(faulty.calls)


async def test_a_claim_that_was_released_is_free_for_any_body(claims: ClaimStore) -> None:
    await claims.release("org-a", KEY, (await ask(claims)).token)
    assert (await ask(claims, OTHER)).state == "mine"


async def test_a_claim_whose_time_is_over_is_free_for_any_body_and_not_before(claims: ClaimStore, clock: Clock) -> None:
    clock.now = NOW + 0.5
    await ask(claims, lifetime_s=60)
    clock.now = NOW + 60.5
    assert await ask(claims) == Claim("running", retry_after_s=1)
    clock.now = NOW + 61
    assert (await ask(claims, OTHER)).state == "mine"


async def test_nobody_is_told_to_come_back_at_once(claims: ClaimStore, clock: Clock) -> None:
    await ask(claims, lifetime_s=60)
    clock.now += 59.99
    assert (await ask(claims)).retry_after_s == 1


async def test_an_answer_is_given_for_a_day_and_then_the_key_is_free(claims: ClaimStore, clock: Clock) -> None:
    await answer(claims, (await ask(claims)).token)
    clock.now = NOW + DAY - 0.1
    assert (await ask(claims)).state == "done"
    assert (await ask(claims, OTHER)).state == "other"
    clock.now = NOW + DAY
    assert (await ask(claims, OTHER)).state == "mine"


async def test_the_table_forgets_nothing_too_early(claims: ClaimStore, table: Table) -> None:
    async def ttl() -> int:
        item = await table.get(key_of("org-a", KEY))
        assert item is not None
        found: int = item["ttl"]
        return found

    mine = await ask(claims, lifetime_s=900)
    assert await ttl() >= NOW + 900
    await answer(claims, mine.token)
    assert await ttl() == NOW + DAY
    claims._clock = Clock(NOW + DAY)
    await claims.release("org-a", KEY, (await ask(claims)).token)
    assert NOW + DAY < await ttl() < NOW + DAY + DAY


async def test_who_lost_the_claim_changes_nothing(claims: ClaimStore, clock: Clock) -> None:
    zombie = await ask(claims, lifetime_s=60)
    clock.now += 61
    mine = await ask(claims)
    await answer(claims, zombie.token, Recording(False, "", {}, [b"the zombie's"]))
    await claims.release("org-a", KEY, zombie.token)
    assert (await ask(claims)).state == "running"
    await answer(claims, mine.token)
    await answer(claims, zombie.token, Recording(False, "", {}, [b"the zombie's"]))
    await claims.release("org-a", KEY, zombie.token)
    assert await ask(claims) == Claim("done", answer=WORDS)


async def test_who_is_late_and_still_alone_answers_all_the_same(claims: ClaimStore, clock: Clock) -> None:
    mine = await ask(claims, lifetime_s=60)
    clock.now += 61
    await answer(claims, mine.token)
    assert await ask(claims) == Claim("done", answer=WORDS)


async def test_an_answer_is_for_good(claims: ClaimStore) -> None:
    mine = await ask(claims)
    await answer(claims, mine.token)
    await answer(claims, mine.token, Recording(False, "", {}, [b"another"]))
    await claims.release("org-a", KEY, mine.token)
    assert await ask(claims) == Claim("done", answer=WORDS)


async def test_what_nobody_claimed_cannot_be_answered_or_released(claims: ClaimStore, table: Table) -> None:
    await answer(claims, "x")
    await claims.release("org-a", KEY, "x")
    assert await table.get(key_of("org-a", KEY)) is None


@pytest.mark.parametrize("size", [280_000, MEGABYTE])
async def test_large_answers_are_given_again(claims: ClaimStore, blobs: MemoryBlobs, size: int) -> None:
    await answer(claims, (await ask(claims)).token, sound(size))
    assert (await ask(claims)).answer == sound(size)
    assert blobs.puts == (size == MEGABYTE)


async def test_a_key_whose_answer_is_too_large_is_free_again(claims: ClaimStore, table: Table, clock: Clock) -> None:
    await answer(claims, (await ask(claims)).token, Recording(False, "", {}, [b"x" * (8 * MEGABYTE + 1)]))
    mine = await ask(claims, OTHER)
    assert mine.state == "mine"
    without = ClaimStore(table, None, clock=clock)
    await answer(without, mine.token, sound(MEGABYTE))
    assert (await ask(claims)).state == "mine"


async def test_a_key_whose_answer_cannot_be_kept_just_now_is_free_again(claims: ClaimStore, blobs: MemoryBlobs) -> None:
    mine = await ask(claims)
    blobs.fails = True
    with pytest.raises(Unavailable):
        await answer(claims, mine.token, sound(MEGABYTE))
    assert (await ask(claims)).state == "mine"


async def test_an_answer_that_is_lost_leaves_the_key_to_the_next_one(claims: ClaimStore, blobs: MemoryBlobs) -> None:
    await answer(claims, (await ask(claims)).token, sound(MEGABYTE))
    blobs.change(noise(MEGABYTE, 9))
    assert (await ask(claims, OTHER)).state == "other"
    mine = await ask(claims)
    assert mine.state == "mine"
    await answer(claims, mine.token)
    assert await ask(claims) == Claim("done", answer=WORDS)


async def test_only_one_has_a_key_whose_answer_is_lost(claims: ClaimStore, blobs: MemoryBlobs) -> None:
    await answer(claims, (await ask(claims)).token, sound(MEGABYTE))
    blobs.all.clear()
    found = await asyncio.gather(*(ask(claims) for _ in range(16)))
    assert Counter(each.state for each in found) == {"mine": 1, "running": 15}


async def test_a_bucket_that_does_not_answer_is_not_an_answer_that_is_lost(
    claims: ClaimStore, blobs: MemoryBlobs
) -> None:
    await answer(claims, (await ask(claims)).token, sound(MEGABYTE))
    blobs.fails = True
    with pytest.raises(Unavailable):
        await ask(claims)
    blobs.fails = False
    assert (await ask(claims)).state == "done"
