"""Idempotency keys: one request each, whoever asks at once, crashes, or hears nothing."""

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orrery.core.errors import Unavailable
from orrery.core.records import Claim, Recording
from orrery.stores.claims import ClaimStore
from orrery.stores.table import Table
from tests.stores.blobs import WORDS
from tests.stores.books import NOW, Clock, quick_table
from tests.stores.claiming import KEY, OTHER, answer, ask, through
from tests.stores.faults import Crash, Faulty, Storm


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
