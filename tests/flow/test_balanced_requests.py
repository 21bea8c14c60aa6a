"""Requests with a load balancer, their whole way: who is picked, what follows, what is spared, and who pays."""

import asyncio
import dataclasses
import math
import random
from collections import Counter

import pytest

from orrery.core.credentials import Credentials
from orrery.core.errors import Unavailable
from orrery.core.types import Plan
from orrery.edge.embedded.engine import Engine
from orrery.edge.log import exchange_line
from orrery.flow.attempts import is_news
from orrery.flow.balance import MOST_MODELS
from orrery.flow.breaking import note
from orrery.flow.gateway import Gateway
from orrery.flow.plan import make_plan
from orrery.stores.breakers import BreakerStore
from orrery.stores.definition import DEFINITION
from tests.fakes import ALICE, FakeAccounts, FakeTransport, Room, completion, json_reply
from tests.flow.asking import HELLO, ask, read, refused
from tests.flow.cooling import Extras, FakeBreakers
from tests.flow.owning import CANARY, FakeOwn
from tests.stores.books import Clock, quick_table

MINI, LLAMA, HAIKU = "openai/gpt-4o-mini", "groq/llama-3.3-70b-versatile", "anthropic/claude-haiku-4-5"
ORGANIZATION = ALICE.organization


def of(*models: str, weights: tuple[float, ...] = ()) -> dict:
    weights = weights or (0.5,) * len(models)
    weighted = [{"model": model, "weight": weight} for model, weight in zip(models, weights, strict=True)]
    return {"load_balancer": {"type": "weight_based", "models": weighted}}


def after(*models: str) -> dict:
    return {"fallbacks": [{"model": model} for model in models]}


def fails(status: int = 503):
    return json_reply({"error": {"message": "no"}}, status)


def cooling(*names: str, replies=(), **more) -> Room:
    return Room(transport=FakeTransport(*replies), extras=Extras(FakeBreakers(set(names))), **more)


async def planned(room: Room, chance: float = 0.0, **body) -> Plan:
    gateway = dataclasses.replace(room.gateway(), random=lambda: chance)
    return await make_plan(read(HELLO | body), gateway, ORGANIZATION)


def named(plan: Plan) -> list[str]:
    return [f"{target.provider}/{target.model}" for target in plan.targets]


async def called(room: Room, **body) -> list[str]:
    """The models that were called, in order."""
    told = await ask(room, **body)
    return [f"{attempt.provider}/{attempt.model}" for attempt in told.answer.exchange.attempts]


@pytest.mark.parametrize(("chance", "model"), [(0.0, MINI), (0.33, MINI), (0.34, LLAMA), (0.99, LLAMA)])
async def test_one_is_picked_by_weight_and_the_requested_model_is_ignored(chance, model):
    plan = await planned(cooling(), chance, model="nobody/knows-this", **of(MINI, LLAMA, weights=(0.4, 0.8)))
    assert (named(plan), plan.balanced, plan.skipped) == ([model], True, ())


async def test_a_bare_array_means_the_same():
    assert await called(cooling(replies=[completion()]), load_balancer=[{"model": LLAMA}]) == [LLAMA]


async def test_requests_are_shared_by_weight_within_3_sigma():
    asked, chance = 600, random.Random(7)
    room = cooling(replies=[completion() for _ in range(asked)])
    gateway = dataclasses.replace(room.gateway(), random=chance.random)
    body = of(MINI, LLAMA, weights=(0.4, 0.8))
    room.gateway = lambda: gateway
    counted = Counter([(await called(room, **body))[0] for _ in range(asked)])
    assert abs(counted[MINI] - asked / 3) <= 3 * math.sqrt(asked * 2 / 9)
    assert counted[MINI] + counted[LLAMA] == asked


async def test_each_request_throws_the_die_once_and_plain_ones_do_not():
    thrown = []

    def die() -> float:
        thrown.append(1)
        return 0.5

    gateway: Gateway = dataclasses.replace(cooling().gateway(), random=die)
    for body in (of(MINI, LLAMA), of(MINI, LLAMA), after(LLAMA), {}):
        await make_plan(read(HELLO | body), gateway, ORGANIZATION)
    assert len(thrown) == 2


async def test_the_fallbacks_follow_the_pick_and_the_others_do_not():
    plan = await planned(cooling(), 0.9, **of(MINI, LLAMA), **after(HAIKU, "openai/gpt-4o"))
    assert named(plan) == [LLAMA, HAIKU, "openai/gpt-4o"]


async def test_the_pick_fails_and_the_fallback_serves():
    room = cooling(replies=[fails(), completion()])
    told = await ask(room, **of(MINI, "openai/gpt-4o", weights=(1, 0.001)), **after(LLAMA))
    assert [attempt.model for attempt in told.answer.exchange.attempts] == ["gpt-4o-mini", "llama-3.3-70b-versatile"]
    assert told.answer.headers["x-orrery-provider"] == "groq"


async def test_the_pick_has_its_retries():
    room = cooling(replies=[fails(), completion()])
    assert await called(room, **of(MINI), retry={"count": 1, "on_codes": [503]}) == [MINI, MINI]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (of(MINI, "openai/no-such-model"), "load_balancer.models[1].model"),
        (of("no-such-model", MINI), "load_balancer.models[0].model"),
        (of(MINI) | after("openai/no-such-model"), "fallbacks[0].model"),
    ],
)
async def test_a_mistake_in_any_of_them_shows_at_once(body, param):
    room = cooling(replies=[completion()])
    assert (await refused(room, **body)).param == param
    assert (room.transport.requests, room.ledger.said, room.extras.breakers.asked) == ([], [], [])


async def test_a_model_without_a_credential_shows_at_once():
    err = await refused(Room(accounts=FakeAccounts("groq")), **of(MINI, LLAMA))
    assert (err.code, err.param) == ("provider_credential_invalid", "load_balancer.models[1].model")


async def test_a_balance_has_an_end():
    assert (await planned(cooling(), **of(*[MINI] * MOST_MODELS))).balanced
    err = await refused(cooling(), **of(*[MINI] * (MOST_MODELS + 1)))
    assert (err.status, err.param) == (400, "load_balancer.models")


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.99])
async def test_what_cools_down_is_not_picked_and_the_plan_says_so(chance):
    plan = await planned(cooling(MINI), chance, **of(MINI, LLAMA))
    assert (named(plan), plan.skipped, plan.balanced) == ([LLAMA], (MINI,), True)


async def test_those_that_are_left_keep_their_proportion():
    room, body = cooling(HAIKU), of(MINI, HAIKU, LLAMA, weights=(0.2, 0.6, 0.2))
    assert [named(await planned(room, chance, **body)) for chance in (0.49, 0.51)] == [[MINI], [LLAMA]]


async def test_a_fallback_that_cools_is_left_out():
    plan = await planned(cooling(HAIKU), **of(MINI), **after(HAIKU, LLAMA))
    assert (named(plan), plan.skipped) == ([MINI, LLAMA], (HAIKU,))


async def test_when_only_fallbacks_are_well_they_serve_and_nothing_is_picked():
    plan = await planned(cooling(MINI, HAIKU), **of(MINI, HAIKU), **after(HAIKU, LLAMA))
    assert (named(plan), plan.skipped, plan.balanced) == ([LLAMA], (MINI, HAIKU), False)


async def test_when_all_cool_all_are_tried_all_the_same():
    room = cooling(MINI, LLAMA, HAIKU, replies=[fails(), completion()])
    assert await called(room, **of(MINI, HAIKU, weights=(1, 0.001)), **after(LLAMA)) == [MINI, LLAMA]
    plan = await planned(cooling(MINI, HAIKU), 0.9, **of(MINI, HAIKU))
    assert (named(plan), plan.skipped, plan.balanced) == ([HAIKU], (), True)


async def test_what_cools_is_never_called():
    room = cooling(MINI, replies=[fails(), fails()])
    await refused(room, **of(MINI, HAIKU), **after(LLAMA, MINI))
    assert [request.url.split("/")[2] for request in room.transport.requests] == ["api.anthropic.com", "api.groq.com"]


async def test_plain_requests_never_ask_after_breakers():
    room = cooling(MINI, LLAMA, replies=[fails(), completion()])
    assert await called(room, **after(LLAMA)) == [MINI, LLAMA]
    assert room.extras.breakers.asked == []


async def test_breakers_are_asked_once_after_each_name():
    room = cooling()
    await planned(room, **of(MINI, MINI, LLAMA), **after(MINI))
    names = [MINI, f"{ORGANIZATION}|{MINI}", LLAMA, f"{ORGANIZATION}|{LLAMA}"]
    assert room.extras.breakers.asked == names


async def test_what_is_too_slow_for_an_organization_is_spared_for_it_alone():
    assert named(await planned(cooling(f"{ORGANIZATION}|{MINI}"), **of(MINI, LLAMA))) == [LLAMA]
    assert named(await planned(cooling(f"org-mallory|{MINI}"), **of(MINI, LLAMA))) == [MINI]


async def test_without_breakers_everything_is_tried():
    assert named(await planned(Room(), **of(MINI, LLAMA))) == [MINI]


async def test_the_log_says_what_was_picked_and_what_was_spared():
    room = cooling(MINI, replies=[completion(), completion()])
    line = exchange_line((await ask(room, **of(MINI, LLAMA))).answer.exchange, 0.0)
    assert (line["balanced"], line["skipped"]) == (True, [MINI])
    assert line["gen_ai.provider.name"] == "groq"
    plain = exchange_line((await ask(room)).answer.exchange, 0.0)
    assert "balanced" not in plain and "skipped" not in plain


async def test_the_log_has_resolved_names_and_no_words_of_the_caller():
    room = cooling(MINI, replies=[completion()])
    line = exchange_line((await ask(room, model=CANARY, **of("gpt-4o-mini", LLAMA))).answer.exchange, 0.0)
    assert line["skipped"] == [MINI]
    assert CANARY not in str(line)


async def test_the_hold_covers_the_dearest_of_what_may_be_called_and_not_of_what_may_not():
    async def held(chance: float) -> int:
        room = cooling(replies=[completion()])
        gateway = dataclasses.replace(room.gateway(), random=lambda: chance)
        room.gateway = lambda: gateway
        return (await ask(room, **of(MINI, "openai/gpt-4o"), max_tokens=100)).answer.exchange.held_nano

    assert 0 < await held(0.0) < await held(0.9)


async def test_after_a_pick_breakers_hear_how_it_went():
    exchange = (await ask(cooling(replies=[completion()]), **of(MINI))).answer.exchange
    told = cooling()
    assert is_news(exchange)
    await note(exchange, told.gateway())
    assert told.extras.breakers.heard == [("worked", MINI, None), ("worked", f"{ORGANIZATION}|{MINI}", None)]


@pytest.fixture
def process(tmp_path):
    """Makes processes that share one table: each a room with breakers of its own, all with the same clock."""
    engine, clock = Engine(tmp_path / "journal"), Clock()
    engine.run("CreateTable", DEFINITION | {"TableName": "t"})

    def make(*replies) -> Room:
        breakers = BreakerStore(quick_table(engine.call, "t"), clock=clock)
        return Room(transport=FakeTransport(*replies), extras=Extras(breakers))

    make.clock = clock
    yield make
    engine.close()


BOTH = of(MINI, "openai/gpt-4o", weights=(1, 0.001)) | after(LLAMA)


async def test_five_failures_in_one_process_spare_a_model_in_another_until_it_works_again(process):
    one = process(*[reply for _ in range(5) for reply in (fails(), completion())])
    assert [await called(one, **BOTH) for _ in range(5)] == [[MINI, LLAMA]] * 5
    other = process(completion(), fails(), completion(), completion(), completion(), completion())
    assert await called(other, **BOTH) == ["openai/gpt-4o"]
    process.clock.now += 10
    assert await called(other, **BOTH) == [MINI, LLAMA], "its time is over, and it fails at once again"
    process.clock.now += 19
    assert await called(other, **BOTH) == ["openai/gpt-4o"]
    process.clock.now += 1
    assert [await called(other, **BOTH) for _ in range(2)] == [[MINI], [MINI]]


async def test_a_429_with_retry_after_spares_a_model_at_once_and_everywhere(process):
    refusal = json_reply({"error": {"message": "slow down"}}, 429, **{"retry-after": "30"})
    assert await called(process(refusal, completion()), **BOTH) == [MINI, LLAMA]
    process.clock.now += 29
    assert await called(process(completion()), **BOTH) == ["openai/gpt-4o"]
    process.clock.now += 1
    assert await called(process(completion()), **BOTH) == [MINI]


async def test_plain_requests_open_breakers_and_do_not_heed_them(process):
    plain = process(*[fails() for _ in range(6)])
    for _ in range(6):
        await refused(plain)
    assert len(plain.transport.requests) == 6
    assert await called(process(completion()), **BOTH) == ["openai/gpt-4o"]


def owning(*names: str, fallback: bool = False, replies=()) -> Room:
    own = FakeOwn({"openai": Credentials(CANARY)}, fallback=fallback)
    return cooling(*names, own=own, replies=replies)


def keys(plan: Plan) -> list[tuple[str, bool]]:
    return [(target.provider, target.own) for target in plan.targets]


async def test_an_own_key_is_spared_by_its_own_breaker_and_no_other():
    assert keys(await planned(owning(MINI), **of(MINI, LLAMA))) == [("openai", True)]
    plan = await planned(owning(f"{ORGANIZATION}|{MINI}"), **of(MINI, LLAMA))
    assert (keys(plan), plan.skipped) == ([("groq", False)], (MINI,))


async def test_that_an_own_key_is_spared_spends_no_credit_on_the_same_model():
    ours = f"{ORGANIZATION}|{MINI}"
    assert keys(await planned(owning(fallback=True), **of(MINI, LLAMA))) == [("openai", True), ("openai", False)]
    assert keys(await planned(owning(ours, fallback=True), **of(MINI, LLAMA))) == [("groq", False)]
    alone = await planned(owning(ours, fallback=True), **of(MINI))
    assert keys(alone) == [("openai", True), ("openai", False)], "nothing else is left"


async def test_the_operators_key_behind_an_own_one_is_spared_by_itself():
    plan = await planned(owning(MINI, fallback=True), **of(MINI))
    assert (keys(plan), plan.skipped) == ([("openai", True)], (MINI,))


async def test_a_key_of_the_request_serves_a_balance_of_one_provider():
    room = cooling(replies=[completion()])
    told = await ask(room, api_key="sk-of-this-request", **of(MINI, "openai/gpt-4o"))
    assert room.transport.requests[0].headers["authorization"] == "Bearer sk-of-this-request"
    assert told.answer.headers["x-orbitrage-byok"] == "openai"


async def test_a_key_of_the_request_goes_to_no_second_provider():
    room = cooling(replies=[completion()])
    err = await refused(room, api_key="sk-of-this-request", **of(MINI, LLAMA))
    assert (err.status, err.code, err.param) == (400, "invalid_request_body", "load_balancer.models")
    assert "groq, openai" in err.message and "sk-of" not in err.message
    assert room.transport.requests == []


async def test_a_key_of_the_request_does_not_go_to_a_fallback_elsewhere():
    plan = await planned(cooling(), api_key="sk-of-this-request", **of(MINI), **after(LLAMA))
    assert [(target.provider, target.secret) for target in plan.targets] == [
        ("openai", "sk-of-this-request"),
        ("groq", "key-of-groq"),
    ]


async def test_a_balance_of_several_providers_takes_stored_keys_where_there_are_some():
    plans = [await planned(owning(), chance, **of(MINI, LLAMA)) for chance in (0.0, 0.9)]
    assert [keys(plan) for plan in plans] == [[("openai", True)], [("groq", False)]]


async def test_the_credential_does_not_travel_with_the_call():
    plan = await planned(cooling(), api_key="sk-of-this-request", **of(MINI))
    assert plan.call.options.credentials is None


async def test_a_stored_list_of_models_that_is_away_refuses_only_what_it_could_know():
    room = cooling(replies=[completion()])
    room.models.fault = Unavailable("down")
    assert await called(room, **of(MINI)) == [MINI]
    assert (await refused(room, **of(MINI, "openai/acme-writer"))).status == 503


async def test_a_caller_who_leaves_while_breakers_are_asked_leaves_nothing_behind():
    class Slow(FakeBreakers):
        async def cooling(self, names):
            await asyncio.Event().wait()
            return frozenset()

    room = Room(extras=Extras(Slow()))
    asking = asyncio.create_task(ask(room, **of(MINI)))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (room.ledger.said, room.transport.requests) == ([], [])
