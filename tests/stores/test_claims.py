"""Idempotency keys: one request each, whoever asks at once, crashes, or hears nothing."""

import asyncio
import hashlib
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orrery.core import extras
from orrery.core.errors import InvalidRequest, Unavailable
from orrery.core.records import Claim, Recording
from orrery.stores.claims import ClaimStore, key_of
from orrery.stores.table import Table
from tests.stores.blobs import MEGABYTE, WORDS, MemoryBlobs, noise, sound
from tests.stores.books import NOW, Clock, quick_table
from tests.stores.faults import Crash, Faulty, Storm

KEY = "retry-7"
DIGEST, OTHER = "a" * 64, "b" * 64
DAY = 86_400


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def claims(table: Table, blobs: MemoryBlobs, clock: Clock) -> ClaimStore:
    return ClaimStore(table, blobs, clock=clock)


async def ask(
    claims: ClaimStore, digest: str = DIGEST, *, lifetime_s: float = 60, key: str = KEY, organization: str = "org-a"
) -> Claim:
    return await claims.claim(organization, key, digest, lifetime_s=lifetime_s)


async def answer(claims: ClaimStore, token: str, recording: Recording = WORDS) -> None:
    await claims.complete("org-a", KEY, token, recording)


def through(table: Table, clock: Clock, *plan: str) -> tuple[ClaimStore, Faulty]:
    """Claims whose table fails as planned."""
    faulty = Faulty(table._call, plan)
    return ClaimStore(quick_table(faulty, table.name), None, clock=clock), faulty


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


@pytest.mark.parametrize("many", [16, 32])
@pytest.mark.parametrize("fault", ["", "lose", "duplicate", "throttle"])
async def test_of_many_at_once_exactly_one_has_it(table: Table, clock: Clock, many: int, fault: str) -> None:
    async def one(number: int) -> Claim:
        claims, _ = through(table, clock, fault)
        await asyncio.sleep(0)
        return await ask(claims)

    found = await asyncio.gather(*map(one, range(many)))
    assert Counter(each.state for each in found) == {"mine": 1, "running": many - 1}


async def test_a_claim_whose_answer_was_lost_is_still_mine(table: Table, clock: Clock) -> None:
    claims, faulty = through(table, clock, "lose", "lose")
    mine = await ask(claims)
    assert mine.state == "mine" and len(faulty.calls) == 3
    await answer(claims, mine.token)
    assert (await ask(claims)).state == "done"


@pytest.mark.parametrize("fault", ["lose", "duplicate", "drop"])
async def test_completing_and_releasing_twice_is_once(table: Table, clock: Clock, fault: str) -> None:
    claims, faulty = through(table, clock)
    mine = await ask(claims)
    faulty.plan = [fault]
    await answer(claims, mine.token)
    assert (await ask(claims)).answer == WORDS
    again = await ask(claims, key="second")
    faulty.plan = [fault]
    await claims.release("org-a", "second", again.token)
    assert (await ask(claims, key="second")).state == "mine"


async def test_a_claim_that_arrives_after_its_release_is_nobodys(table: Table, clock: Clock) -> None:
    claims, faulty = through(table, clock, "straggle")
    mine = await ask(claims)
    await claims.release("org-a", KEY, mine.token)
    await faulty.arrive()
    assert (await ask(claims)).state == "mine"


async def test_a_claim_that_arrives_after_its_answer_takes_nothing_away(table: Table, clock: Clock) -> None:
    claims, faulty = through(table, clock, "straggle")
    await answer(claims, (await ask(claims)).token)
    await faulty.arrive()
    assert await ask(claims) == Claim("done", answer=WORDS)


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_who_dies_leaves_the_key_when_its_time_is_over(table: Table, clock: Clock, fault: str) -> None:
    claims, _ = through(table, clock, fault)
    with pytest.raises(Crash):
        await ask(claims, lifetime_s=60)
    found = await ask(claims)
    assert found.state == ("mine" if fault == "before" else "running")
    clock.now += 61
    assert (await ask(claims)).state == "mine"


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_who_dies_while_answering_has_answered_or_has_not(table: Table, clock: Clock, fault: str) -> None:
    claims, faulty = through(table, clock)
    mine = await ask(claims)
    faulty.plan = [fault]
    with pytest.raises(Crash):
        await answer(claims, mine.token)
    assert (await ask(claims)).state == ("running" if fault == "before" else "done")


async def test_a_table_that_fails_is_unavailable(table: Table, clock: Clock) -> None:
    claims, faulty = through(table, clock)
    mine = await ask(claims)
    for work in (ask(claims), answer(claims, mine.token), claims.release("org-a", KEY, mine.token)):
        faulty.plan = ["drop"] * 4
        with pytest.raises(Unavailable):
            await work
    assert (await ask(claims)).state == "running"


async def test_a_refusal_that_does_not_say_why_is_no_other_request(table: Table, clock: Clock) -> None:
    class Silent(Faulty):
        async def __call__(self, action: str, payload: dict[str, object]) -> dict[str, object]:
            payload.pop("ReturnValuesOnConditionCheckFailure", None)
            return await super().__call__(action, payload)

    await ask(ClaimStore(table, None, clock=clock))
    silent = ClaimStore(quick_table(Silent(table._call), table.name), None, clock=clock)
    assert await ask(silent, OTHER) == Claim("running", retry_after_s=1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_in_any_weather_no_two_have_a_key_at_once(table: Table, seed: int) -> None:
    die = random.Random(seed)
    storm, key = Storm(table._call, die), f"key-{seed}"
    holding, answers = set[str](), list[bytes]()

    async def request(number: int) -> None:
        claims = ClaimStore(quick_table(storm, table.name), None, clock=Clock())
        try:
            claim = await ask(claims, key=key)
            if claim.state == "done" and claim.answer is not None:
                answers.append(claim.answer.payloads[0])
            if claim.state != "mine":
                return
            assert not holding, "two have it"
            holding.add(claim.token)
            await storm.let_others()
            holding.discard(claim.token)  # the last thing it does, whether or not it hears of it
            if die.random() < 0.5:
                await claims.release("org-a", key, claim.token)
            else:
                await claims.complete("org-a", key, claim.token, Recording(False, "", {}, [b"%d" % number]))
        except (Crash, Unavailable):
            return

    async def weather() -> None:
        await asyncio.gather(*map(request, range(12)))
        await storm.arrive()
        calm = ClaimStore(table, None, clock=Clock(NOW + 61))
        found = await ask(calm, key=key)
        assert found.state in ("mine", "done")
        if found.answer is not None:
            answers.append(found.answer.payloads[0])
        assert len(set(answers)) <= 1

    asyncio.run(weather())
