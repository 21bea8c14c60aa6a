"""Budgets in the way of a request: which count, what is held, who is left out, and what is settled."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from orrery.core.errors import LimitExceeded, Unavailable, UpstreamError
from orrery.core.exchange import Exchange, Receipt
from orrery.core.limits import Budget
from orrery.core.options import Attribution, Identity, Options
from orrery.core.types import NO_OPTIONS, Operation, Plan, Price, Rates, Target, Usage
from orrery.flow.admit import GRACE_S
from orrery.flow.budget_plans import targets_of, wanted
from orrery.flow.budgeting import hold_budgets
from orrery.flow.plan import make_plan
from tests.fakes import ALICE, FakeLedger, completion, json_reply
from tests.flow.asking import HELLO, arrive, ask, read, refused
from tests.flow.limiting import FakeBudgets, budgeted

ORGANIZATION = Budget("organization", ALICE.organization, "monthly", cost_nano=10**12)
KEY = Budget("key", ALICE.key_id, "daily", tokens=10**9)
OPENAI = Budget("provider", "openai", "monthly", cost_nano=10**12)
GROQ = Budget("provider", "groq", "monthly", cost_nano=10**12)
MODEL = Budget("model", "openai/gpt-4o-mini", "weekly", tokens=10**9)
FALLBACK = [{"model": "groq/llama-3.3-70b-versatile"}]


def fails(status: int = 500):
    return json_reply({"error": {"message": "no"}}, status)


async def an_exchange(options: Options = NO_OPTIONS, **body: Any) -> Exchange:
    room = budgeted()
    call = read(HELLO | body)
    call = replace(call, options=replace(call.options, attribution=options.attribution, identity=options.identity))
    return Exchange(await arrive(), ALICE, await make_plan(call, room.gateway()))


def named(wants) -> list[str]:
    return [f"{want.budget.scope}:{want.target}" for want in wants]


async def test_every_budget_that_matches_is_held_at_once_and_settled_at_what_was_used():
    room = budgeted(completion(prompt=10, output=5), budgets=(ORGANIZATION, KEY, OPENAI, MODEL, GROQ))
    await ask(room, max_tokens=100)
    budgets = room.extras.budgets
    cost = room.ledger.settled["r1"].cost_nano
    assert cost > 0
    assert sorted(budgets.settled) == [
        ("key:alicealice", cost, 15),
        ("model:openai/gpt-4o-mini", cost, 15),
        ("organization:org-alice", cost, 15),
        ("provider:openai", cost, 15),
    ]
    assert (budgets.most, budgets.held) == (4, [])
    assert all(hold.cost_nano > cost and hold.tokens > 100 for hold in budgets.asked)
    assert all(600.0 < hold.lifetime_s <= 600.0 + GRACE_S for hold in budgets.asked)


async def test_what_is_held_is_what_credit_holds():
    room = budgeted(completion(), budgets=(ORGANIZATION,))
    told = await ask(room, max_tokens=100)
    (hold,) = room.extras.budgets.asked
    assert hold.cost_nano == told.answer.exchange.held_nano


async def test_an_organization_whose_budgets_do_not_match_holds_nothing():
    others = (Budget("key", "another", "daily", 1), Budget("identity", "*", "daily", 1), GROQ)
    room = budgeted(completion(), budgets=others)
    await ask(room)
    assert room.extras.budgets.asked == []
    exchange = await an_exchange()
    await hold_budgets(exchange, replace(room.gateway(), extras=None), others)
    assert exchange.after == []


async def test_who_is_over_its_budget_reaches_no_provider_and_nothing_stays_held():
    room = budgeted(completion(), budgets=(ORGANIZATION, KEY, OPENAI))
    room.extras.budgets.left = {"key:alicealice": (0, 0)}
    err = await refused(room)
    assert (err.status, err.scope_kind, err.scope_target_id) == (429, "KEY", "alicealice")
    assert room.extras.budgets.names() == ["organization:org-alice", "provider:openai"]
    assert all((cost, tokens) == (0, 0) for _, cost, tokens in room.extras.budgets.settled)
    assert (room.extras.budgets.held, room.transport.requests, room.ledger.holds) == ([], [], {})


async def test_a_table_that_is_away_lets_nobody_pass():
    room = budgeted(completion(), budgets=(ORGANIZATION, KEY))
    room.extras.budgets.broken = {"key:alicealice"}
    assert (await refused(room)).status == 503
    assert room.extras.budgets.names() == ["organization:org-alice"]
    assert room.transport.requests == []


async def test_what_was_held_is_given_back_without_credit_and_after_a_failure():
    room = budgeted(completion(), budgets=(ORGANIZATION,))
    room.ledger = FakeLedger(balance_nano=1)
    assert (await refused(room)).status == 402
    assert room.extras.budgets.settled == [("organization:org-alice", 0, 0)]
    room = budgeted(fails(), budgets=(ORGANIZATION,))
    with pytest.raises(UpstreamError):
        await ask(room)
    assert room.extras.budgets.settled == [("organization:org-alice", 0, 0)]


async def test_a_revoked_key_leaves_nothing_held():
    room = budgeted(completion(), budgets=(ORGANIZATION,))
    room.keys.fresh = False
    room.keys.revoked.add(ALICE.key_id)
    assert (await refused(room)).status == 401
    assert room.extras.budgets.held == []


async def test_a_settlement_that_fails_spoils_no_answer():
    room = budgeted(completion(), budgets=(ORGANIZATION, KEY))
    room.extras.budgets.broken_settling = True
    assert (await ask(room)).error is None
    assert room.ledger.said == ["hold", "record", "settle"]


async def test_a_fallback_whose_budget_is_used_up_is_left_out():
    room = budgeted(fails(), budgets=(ORGANIZATION, OPENAI, GROQ))
    room.extras.budgets.left = {"provider:groq": (0, 0)}
    with pytest.raises(UpstreamError):
        await ask(room, fallbacks=FALLBACK)
    assert len(room.transport.requests) == 1
    assert room.extras.budgets.names() == ["organization:org-alice", "provider:openai"]


async def test_a_fallback_whose_model_is_used_up_is_left_out_and_another_serves():
    model = Budget("model", "groq/llama-3.3-70b-versatile", "daily", tokens=5)
    room = budgeted(fails(), completion(), budgets=(model,))
    told = await ask(room, fallbacks=[*FALLBACK, {"model": "openai/gpt-4o"}])
    assert told.answer.headers["x-orrery-model"] == "gpt-4o"
    assert room.extras.budgets.settled == []


async def test_the_first_targets_budget_is_not_gone_around():
    for scope, target in (("provider", "openai"), ("model", "openai/gpt-4o-mini")):
        room = budgeted(completion(), budgets=(Budget(scope, target, "daily", tokens=1),))
        assert (await refused(room, fallbacks=FALLBACK)).status == 429
        assert room.transport.requests == []


async def test_what_a_fallback_used_counts_for_the_provider_that_served():
    room = budgeted(fails(), completion(prompt=10, output=5), budgets=(OPENAI, GROQ, MODEL, KEY))
    await ask(room, fallbacks=FALLBACK)
    cost = room.ledger.settled["r1"].cost_nano
    assert sorted(room.extras.budgets.settled) == [
        ("key:alicealice", cost, 15),
        ("model:openai/gpt-4o-mini", 0, 0),
        ("provider:groq", cost, 15),
        ("provider:openai", 0, 0),
    ]


async def test_the_answer_is_cut_to_what_is_left():
    for left in ((10**12, 2_000), (2_000 * 600, 10**12)):
        room = budgeted(completion(), budgets=(KEY, ORGANIZATION))
        room.extras.budgets.left = {"key:alicealice": left}
        told = await ask(room)
        limit = room.transport.body()["max_completion_tokens"]
        assert 256 <= limit < 2_000
        assert int(told.answer.headers["x-orrery-clamped-max-tokens"]) == limit
        assert room.extras.budgets.names() == ["key:alicealice", "organization:org-alice"]


async def test_the_cut_is_as_long_as_fits():
    exchange = await an_exchange()
    room = budgeted()
    room.extras.budgets.left = {"key:alicealice": (10**18, 1_000)}
    await hold_budgets(exchange, room.gateway(), (KEY,))
    (hold,) = room.extras.budgets.held
    assert hold.tokens == 1_000
    assert exchange.clamped_to == exchange.plan.call.body["max_completion_tokens"]


@pytest.mark.parametrize(("left", "asked"), [(200, {}), (60, {"max_tokens": 100})])
async def test_no_answer_is_cut_shorter_than_is_useful(left: int, asked: dict[str, int]):
    room = budgeted(completion(), budgets=(KEY,))
    room.extras.budgets.left = {"key:alicealice": (10**18, left)}
    assert (await refused(room, **asked)).status == 429


async def test_who_is_always_too_late_is_refused_in_the_end():
    class Greedy(FakeBudgets):
        async def hold(self, **asked: Any) -> Any:
            self.left = {"key:alicealice": (10**18, asked["tokens"] - 1)}
            return await super().hold(**asked)

    room = budgeted(completion(), budgets=(KEY,))
    room.extras.budgets = Greedy()
    assert (await refused(room)).status == 429
    assert (len(room.extras.budgets.asked), room.extras.budgets.held) == (4, [])


async def test_only_what_is_written_is_cut_shorter():
    class Late(FakeBudgets):
        """There is room again by the time that it is told."""

        async def hold(self, **asked: Any) -> Any:
            self.left = {"key:alicealice": (10**18, asked["tokens"] - 1)}
            try:
                return await super().hold(**asked)
            except LimitExceeded as err:
                err.available = 10**18
                raise

    for operation, asks in ((Operation.CHAT, 4), (Operation.EMBEDDINGS, 1)):
        exchange = await an_exchange()
        exchange.plan = replace(exchange.plan, call=replace(exchange.plan.call, operation=operation))
        room = budgeted()
        room.extras.budgets = Late()
        with pytest.raises(LimitExceeded):
            await hold_budgets(exchange, room.gateway(), (KEY,))
        assert len(room.extras.budgets.asked) == asks


OWN = Target("openai", "gpt-4o-mini", "http://x", own=True, price=Price(Rates(10**9, 10**9)))


async def test_a_callers_own_key_costs_nothing_and_uses_tokens():
    exchange = await an_exchange(max_tokens=50)
    exchange.plan = Plan(exchange.plan.call, (OWN,))
    room = budgeted()
    await hold_budgets(exchange, room.gateway(), (ORGANIZATION, OPENAI))
    assert [(hold.cost_nano, hold.tokens > 50) for hold in room.extras.budgets.held] == [(0, True)] * 2
    exchange.receipt = Receipt(0, Usage(7, 2), "provider", "openai", "gpt-4o-mini", own=True)
    await exchange.after[0](exchange)
    assert {(cost, tokens) for _, cost, tokens in room.extras.budgets.settled} == {(0, 9)}


async def test_pooled_credit_behind_an_own_key_is_left_out_where_no_budget_has_room_for_it():
    exchange = await an_exchange(max_tokens=50)
    pooled = exchange.plan.targets[0]
    exchange.plan = Plan(exchange.plan.call, (OWN, pooled))
    room = budgeted()
    room.extras.budgets.left = {"organization:org-alice": (0, 10**9), "provider:openai": (0, 10**9)}
    await hold_budgets(exchange, room.gateway(), (ORGANIZATION, OPENAI, KEY))
    assert exchange.plan.targets == (OWN,)
    assert exchange.clamped_to is None
    assert len(room.extras.budgets.held) == 3


async def test_pooled_credit_stays_behind_an_own_key_where_there_is_room():
    exchange = await an_exchange(max_tokens=50)
    exchange.plan = plan = Plan(exchange.plan.call, (OWN, exchange.plan.targets[0]))
    room = budgeted()
    await hold_budgets(exchange, room.gateway(), (ORGANIZATION,))
    assert exchange.plan == plan
    assert room.extras.budgets.held[0].cost_nano > 0


async def test_a_caller_who_leaves_while_budgets_are_held_leaves_nothing():
    exchange = await an_exchange()
    room = budgeted()
    going = asyncio.ensure_future(hold_budgets(exchange, room.gateway(), (ORGANIZATION, KEY)))
    for _ in range(3):
        await asyncio.sleep(0)
    assert room.extras.budgets.waiting == 2
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert (len(room.extras.budgets.asked), room.extras.budgets.held, exchange.after) == (2, [], [])


async def test_settling_before_there_is_a_receipt_gives_everything_back():
    exchange = await an_exchange()
    room = budgeted()
    await hold_budgets(exchange, room.gateway(), (KEY,))
    await exchange.after[0](exchange)
    assert room.extras.budgets.settled == [("key:alicealice", 0, 0)]


async def test_each_scope_has_its_target():
    options = Options(attribution=Attribution(end_user="u1", workflow="label"))
    exchange = await an_exchange(options, fallbacks=FALLBACK)
    assert targets_of(exchange) == {
        "organization": ("org-alice",),
        "workflow": ("main", "label"),
        "key": ("alicealice",),
        "identity": ("u1",),
        "provider": ("openai", "groq"),
        "model": ("openai/gpt-4o-mini", "groq/llama-3.3-70b-versatile"),
    }


async def test_an_identity_counts_before_an_end_user_and_neither_is_nobody():
    labels = Attribution(end_user="u1")
    for options, expected in (
        (Options(identity=Identity("i1"), attribution=labels), ("i1",)),
        (Options(identity=Identity("i1")), ("i1",)),
        (Options(attribution=labels), ("u1",)),
        (Options(attribution=Attribution()), ()),
        (Options(), ()),
    ):
        assert targets_of(await an_exchange(options))["identity"] == expected


async def test_a_label_does_not_take_the_place_of_the_keys_own_workflow():
    budgets = [Budget("workflow", name, "daily", 1) for name in ("main", "label", "other")]
    exchange = await an_exchange(Options(attribution=Attribution(workflow="label")))
    assert named(wanted(exchange, budgets)) == ["workflow:main", "workflow:label"]


async def test_a_budget_for_each_counts_for_each_by_itself():
    exchange = await an_exchange(fallbacks=FALLBACK)
    budgets = [Budget("provider", "*", "daily", 1), Budget("identity", "*", "daily", 1), Budget("key", "*", "daily", 1)]
    assert named(wanted(exchange, budgets)) == ["provider:openai", "provider:groq", "key:alicealice"]


async def test_of_two_budgets_for_the_same_the_smaller_limits_count():
    each = Budget("key", "*", "daily", cost_nano=100, tokens=None)
    own = Budget("key", ALICE.key_id, "daily", cost_nano=70, tokens=9)
    monthly = Budget("key", ALICE.key_id, "monthly", cost_nano=500, tokens=3)
    for budgets in ([each, own, monthly], [monthly, own, each]):
        wants = {want.budget.period: want.budget for want in wanted(await an_exchange(), budgets)}
        assert (wants["daily"].cost_nano, wants["daily"].tokens) == (70, 9)
        assert (wants["monthly"].cost_nano, wants["monthly"].tokens) == (500, 3)


async def test_an_unavailable_table_is_told_before_a_budget_that_is_used_up():
    exchange = await an_exchange()
    room = budgeted()
    room.extras.budgets.left = {"key:alicealice": (0, 0)}
    room.extras.budgets.broken = {"organization:org-alice"}
    with pytest.raises(Unavailable):
        await hold_budgets(exchange, room.gateway(), (KEY, ORGANIZATION))
