"""What each step of the ledger does when nothing goes wrong but the caller."""

import pytest

from orrery.core.errors import GatewayError, InvalidRequest, NotFound, OutOfCredit
from orrery.core.exchange import Receipt
from orrery.core.types import Usage
from orrery.stores.ledger import DynamoLedger
from orrery.stores.table import Table
from tests.stores.books import LONG, NOW, Clock, Requests, assert_closed, assert_sound, receipt, receipt_of
from tests.stores.faults import Faulty


async def test_a_hold_sets_credit_aside(table: Table, requests: Requests) -> None:
    hold = await requests.hold(300, lifetime_s=60.5)
    account = await assert_sound(table, requests)
    assert (account.balance_nano, account.holds) == (700, {hold.request_id: hold.value})
    assert (hold.amount_nano, hold.expires_at, hold.value) == (300, int(NOW) + 61, f"300|{int(NOW) + 61}")
    assert (hold.organization, hold.shard, hold.key_id) == (requests.organization, 0, "key")


async def test_settling_spends_the_cost_and_returns_the_rest(table: Table, requests: Requests) -> None:
    hold = await requests.hold(300)
    await requests.ledger.record(hold, receipt(120))
    await requests.ledger.settle(hold, receipt(120))
    account = await assert_closed(table, requests)
    assert (account.balance_nano, account.spent_nano) == (880, 120)


async def test_a_request_is_one_update_one_put_and_one_update(engine, table, requests: Requests) -> None:
    faulty = Faulty(engine.call)
    ledger = requests.ledger = DynamoLedger(Table(faulty, table.name))
    hold = await requests.hold()
    await ledger.record(hold, receipt(1))
    await ledger.settle(hold, receipt(1))
    assert [action for action, _ in faulty.calls] == ["UpdateItem", "PutItem", "UpdateItem"]


async def test_settling_records_when_nobody_did(table: Table, requests: Requests) -> None:
    hold = await requests.hold()
    await requests.ledger.settle(hold, receipt(40))
    assert (await receipt_of(table, hold))["cost"] == 40
    await assert_closed(table, requests)


async def test_settling_twice_charges_once(table: Table, requests: Requests) -> None:
    hold = await requests.hold()
    for _ in range(3):
        await requests.ledger.settle(hold, receipt(40))
    assert (await assert_closed(table, requests)).spent_nano == 40


async def test_the_first_receipt_stands(table: Table, requests: Requests) -> None:
    hold = await requests.hold()
    await requests.ledger.record(hold, receipt(40))
    await requests.ledger.settle(hold, receipt(90))
    await requests.ledger.record(hold, receipt(95))
    await requests.ledger.settle(hold, receipt(99))
    assert (await assert_closed(table, requests)).spent_nano == 40


async def test_the_first_receipt_stands_in_another_process_too(table: Table, requests: Requests) -> None:
    hold = await requests.hold()
    await requests.ledger.record(hold, receipt(40))
    await DynamoLedger(table).settle(hold, receipt(90))
    assert (await assert_closed(table, requests)).spent_nano == 40


async def test_exactly_the_whole_balance_may_be_held(requests: Requests) -> None:
    await requests.hold(1000)
    assert await requests.balance() == 0


async def test_one_nano_too_much_is_refused_and_says_what_there_is(table: Table, requests: Requests) -> None:
    await requests.hold(400)
    with pytest.raises(OutOfCredit) as caught:
        await requests.hold(601)
    assert caught.value.available_nano == 600
    assert (await assert_sound(table, requests)).balance_nano == 600


@pytest.mark.parametrize("amount", [0, -5])
async def test_a_hold_is_at_least_one_nano(requests: Requests, amount: int) -> None:
    assert (await requests.hold(amount)).amount_nano == 1


async def test_at_zero_not_even_a_free_request_is_admitted(requests: Requests) -> None:
    await requests.hold(1000)
    with pytest.raises(OutOfCredit):
        await requests.hold(0)


async def test_an_organization_that_does_not_exist_has_no_credit(ledger: DynamoLedger) -> None:
    with pytest.raises(OutOfCredit) as caught:
        await Requests(ledger, "org_nowhere").hold()
    assert caught.value.available_nano == 0


async def test_holding_again_for_the_same_request_is_the_same_hold(table: Table, requests: Requests) -> None:
    first = await requests.hold(100, "same")
    assert await requests.hold(100, "same") == first
    requests.ids.append("same")
    assert (await assert_sound(table, requests)).balance_nano == 900


async def test_a_request_cannot_hold_twice(table: Table, requests: Requests) -> None:
    await requests.hold(100, "same")
    with pytest.raises(GatewayError, match="holds credit already"):
        await requests.hold(200, "same")


async def test_nobody_settles_with_anothers_receipt(table: Table, requests: Requests) -> None:
    hold = await requests.hold(100, "same", lifetime_s=60)
    await requests.ledger.settle(hold, receipt(10))
    again = await requests.hold(100, "same", lifetime_s=90)
    requests.ids.append("same")
    for step in (requests.ledger.record, requests.ledger.settle):
        with pytest.raises(GatewayError, match="another request's receipt"):
            await step(again, receipt(20))
    assert (await assert_sound(table, requests)).spent_nano == 10


@pytest.mark.parametrize("amount", [1.5, "100", None, True])
async def test_an_amount_that_is_no_integer_is_refused(requests: Requests, amount: object) -> None:
    with pytest.raises(TypeError):
        await requests.hold(amount)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        await requests.ledger.grant(requests.organization, amount, "e", "test")  # type: ignore[arg-type]
    assert await requests.balance() == 1000


@pytest.mark.parametrize("cost", [-1, 0.5])
async def test_a_cost_that_is_negative_or_no_integer_is_refused(table: Table, requests: Requests, cost: int) -> None:
    hold = await requests.hold()
    for step in (requests.ledger.checkpoint, requests.ledger.record, requests.ledger.settle):
        with pytest.raises((TypeError, ValueError)):
            await step(hold, receipt(cost))
    assert await requests.balance() == 900


async def test_a_free_request_costs_nothing(table: Table, requests: Requests) -> None:
    await requests.ledger.settle(await requests.hold(), receipt(0))
    assert (await assert_closed(table, requests)).balance_nano == 1000


async def test_what_a_hold_lacks_is_paid_from_the_balance(table: Table, requests: Requests) -> None:
    await requests.ledger.settle(await requests.hold(100), receipt(250))
    account = await assert_closed(table, requests)
    assert (account.balance_nano, account.spent_nano, account.debt_nano) == (750, 250, 0)


async def test_what_the_balance_lacks_is_debt_and_no_negative_balance(table: Table, requests: Requests) -> None:
    await requests.ledger.settle(await requests.hold(1000), receipt(1300))
    account = await assert_closed(table, requests)
    assert (account.balance_nano, account.spent_nano, account.debt_nano) == (0, 1000, 300)


async def test_debt_blocks_new_holds(requests: Requests) -> None:
    await requests.ledger.settle(await requests.hold(1000), receipt(1001))
    with pytest.raises(OutOfCredit) as caught:
        await requests.hold(1)
    assert caught.value.available_nano == 0


async def test_what_returns_from_another_request_pays_debt_first(table: Table, requests: Requests) -> None:
    first, second = await requests.hold(500), await requests.hold(500)
    await requests.ledger.settle(first, receipt(600))
    await requests.ledger.settle(second, receipt(100))
    assert (await requests.ledger.balance(requests.organization)).available_nano == 300
    await requests.hold(300)
    account = await assert_sound(table, requests)
    assert (account.balance_nano, account.spent_nano, account.debt_nano) == (0, 700, 0)


async def test_a_grant_pays_debt_first(table: Table, requests: Requests) -> None:
    await requests.ledger.settle(await requests.hold(1000), receipt(1300))
    await requests.ledger.grant(requests.organization, 200, "second", "test")
    assert (await assert_closed(table, requests)).debt_nano == 100
    await requests.ledger.grant(requests.organization, 200, "third", "test")
    account = await assert_closed(table, requests)
    assert (account.balance_nano, account.debt_nano, account.granted_nano) == (100, 0, 1400)
    await requests.hold(100)


async def test_the_same_event_grants_once(requests: Requests) -> None:
    for _ in range(3):
        await requests.ledger.grant(requests.organization, 50, "event", "test")
    assert await requests.balance() == 1050


async def test_an_event_cannot_come_back_with_another_amount(requests: Requests) -> None:
    await requests.ledger.grant(requests.organization, 50, "event", "test")
    with pytest.raises(InvalidRequest, match="another amount"):
        await requests.ledger.grant(requests.organization, 51, "event", "test")
    assert await requests.balance() == 1050


@pytest.mark.parametrize("amount", [0, -1])
async def test_a_grant_is_positive(requests: Requests, amount: int) -> None:
    with pytest.raises(InvalidRequest):
        await requests.ledger.grant(requests.organization, amount, "event", "test")


async def test_nothing_is_granted_to_nobody(ledger: DynamoLedger) -> None:
    for _ in range(2):  # the event must not count as used
        with pytest.raises(NotFound):
            await ledger.grant("org_nowhere", 5, "event", "test")


async def test_creating_an_organization_again_leaves_its_credit(ledger: DynamoLedger, requests: Requests) -> None:
    assert await ledger.create_organization("other", requests.organization) == requests.organization
    assert await requests.balance() == 1000


@pytest.mark.parametrize("name", ["", "a#b", "a/b", "x" * 65, "ä", "a\n"])
async def test_an_organization_id_cannot_leave_its_partition(ledger: DynamoLedger, name: str) -> None:
    with pytest.raises(InvalidRequest):
        await ledger.create_organization("x", name)


async def test_a_balance_shows_all_there_is(requests: Requests) -> None:
    await requests.ledger.settle(await requests.hold(100), receipt(30))
    await requests.hold(200)
    balance = await requests.ledger.balance(requests.organization)
    assert (balance.granted_nano, balance.balance_nano, balance.held_nano) == (1000, 770, 200)
    assert (balance.spent_nano, balance.debt_nano, balance.available_nano) == (30, 0, 770)
    with pytest.raises(NotFound):
        await requests.ledger.balance("org_nowhere")


async def test_the_receipt_holds_numbers_and_names_for_ninety_days(table: Table, requests: Requests) -> None:
    hold = await requests.hold()
    usage = Usage(prompt=11, completion=22, cache_read=3)
    made = Receipt(44, usage, "counted", provider="anthropic", model="claude", status=499)
    await requests.ledger.settle(hold, made)
    assert await receipt_of(table, hold) == {
        "PK": f"TX#{requests.organization}#{hold.request_id}",
        "SK": "TX",
        "st": "SETTLED",
        "cost": 44,
        "held": hold.value,
        "expires": hold.expires_at,
        "organization": requests.organization,
        "shard": 0,
        "key_id": "key",
        "provider": "anthropic",
        "model": "claude",
        "input": 11,
        "output": 22,
        "cached": 3,
        "evidence": "counted",
        "http": 499,
        "ts": int(NOW),
        "ttl": int(NOW) + 90 * 86_400,
    }


async def test_the_audit_shows_every_shard_and_sees_drift(table: Table, requests: Requests) -> None:
    await requests.hold(100)
    (account,) = await requests.ledger.audit()
    assert account.sound
    assert (account.organization, account.shard, account.held_nano) == (requests.organization, 0, 100)
    await table.run(
        "UpdateItem",
        {
            "Key": {"PK": {"S": f"ORG#{requests.organization}"}, "SK": {"S": "BAL#0"}},
            "UpdateExpression": "SET bal = bal - :x",
            "ExpressionAttributeValues": {":x": {"N": "7"}},
        },
    )
    account = await requests.account()
    assert (account.drift_nano, account.sound) == (7, False)


async def test_two_organizations_cannot_reach_each_others_requests(table: Table, ledger: DynamoLedger) -> None:
    ours, theirs = [Requests(ledger, await ledger.create_organization(name)) for name in ("a", "b")]
    for requests in (ours, theirs):
        await ledger.grant(requests.organization, 1000, "the same event", "test")
    our_hold, their_hold = await ours.hold(100, "same"), await theirs.hold(100, "same")
    await ledger.settle(our_hold, receipt(10))
    await ledger.settle(their_hold, receipt(20))
    ours.ids.append("same")
    theirs.ids.append("same")
    assert (await assert_closed(table, ours)).spent_nano == 10
    assert (await assert_closed(table, theirs)).spent_nano == 20


async def test_a_hold_naming_another_organization_finds_nothing_there(
    table: Table, ledger: DynamoLedger, requests: Requests, clock: Clock
) -> None:
    from dataclasses import replace

    hold = await requests.hold(100)
    other = Requests(ledger, await ledger.create_organization("b"))
    await ledger.grant(other.organization, 500, "e", "test")
    await ledger.settle(replace(hold, organization=other.organization), receipt(10))
    assert (await other.account()).balance_nano == 500
    assert (await requests.account()).holds
    clock.now += LONG
    await ledger.sweep()
    assert (await assert_closed(table, requests)).balance_nano == 1000
