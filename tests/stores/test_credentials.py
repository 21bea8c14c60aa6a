"""Stored provider keys: one item for an organization, and receipts of calls that cost nothing."""

from dataclasses import replace
from typing import Any

import pytest

from orrery.core.credentials import OwnKey
from orrery.core.errors import InvalidRequest, NotFound
from orrery.core.exchange import Hold, Receipt
from orrery.core.limits import Budget
from orrery.core.types import Usage
from orrery.stores import credentials
from orrery.stores.credential_rows import own_keys
from orrery.stores.credentials import CredentialStore
from orrery.stores.ledger import DynamoLedger
from orrery.stores.table import Table

NOW = 1_800_000_000


def a_key(provider: str = "openai", version: str = "v1", organization: str = "org-a") -> OwnKey:
    return OwnKey(organization, provider, version, b"\x00sealed", True, "https://x.example", "wxyz")


@pytest.fixture
def store(table: Table) -> CredentialStore:
    return CredentialStore(table, clock=lambda: NOW)


async def test_what_was_stored_is_read(store: CredentialStore) -> None:
    stored = await store.put(a_key())
    assert (await store.read("org-a")).keys == {"openai": stored}
    assert (stored.created_at, stored.updated_at) == (NOW, NOW)


async def test_a_new_key_takes_the_place_of_the_old_one_and_keeps_its_birthday(table: Table) -> None:
    await CredentialStore(table, clock=lambda: NOW - 10).put(a_key())
    stored = await CredentialStore(table, clock=lambda: NOW).put(a_key(version="v2"))
    assert (stored.created_at, stored.updated_at, stored.version) == (NOW - 10, NOW, "v2")
    assert (await CredentialStore(table).read("org-a")).keys == {"openai": stored}


async def test_organizations_have_items_of_their_own(store: CredentialStore) -> None:
    await store.put(a_key())
    assert (await store.read("org-b")).keys == {}
    with pytest.raises(NotFound):
        await store.enable("org-b", "openai", enabled=False)
    with pytest.raises(NotFound):
        await store.remove("org-b", "openai")


async def test_a_key_is_switched_off_and_on_without_being_given_again(store: CredentialStore) -> None:
    stored = await store.put(a_key())
    assert (await store.enable("org-a", "openai", enabled=False)).enabled is False
    assert await store.enable("org-a", "openai", enabled=True) == stored


async def test_a_key_that_is_forgotten_leaves_the_others(store: CredentialStore) -> None:
    await store.put(a_key())
    await store.put(a_key("groq"))
    await store.remove("org-a", "openai")
    assert list((await store.read("org-a")).keys) == ["groq"]
    with pytest.raises(NotFound):
        await store.remove("org-a", "openai")
    with pytest.raises(NotFound):
        await store.enable("org-a", "openai", enabled=True)


async def test_the_choice_is_strict_until_it_is_made(store: CredentialStore) -> None:
    assert (await store.read("org-a")).pooled_fallback is False
    await store.allow_fallback("org-a", allowed=True)
    await store.put(a_key())
    assert (await store.read("org-a")).pooled_fallback is True
    assert own_keys("org-a", None).pooled_fallback is False


async def test_an_organization_that_could_reach_anothers_item_is_refused(store: CredentialStore) -> None:
    with pytest.raises(InvalidRequest):
        await store.read("org-a#x")


OWN = Receipt(0, Usage(10, 5), "provider", "openai", "gpt-4o", own=True)


def no_hold(organization: str, request: str = "r1") -> Hold:
    return Hold(request, organization, 0, 0, NOW, f"0|{NOW}", "key1")


async def receipt_of(table: Table, organization: str, request: str = "r1") -> dict[str, object] | None:
    return await table.get({"PK": {"S": f"TX#{organization}#{request}"}, "SK": {"S": "TX"}})


@pytest.mark.parametrize("organization", ["org-nobody-knows", "there"])
async def test_a_call_that_costs_nothing_leaves_a_receipt_and_touches_no_balance(
    ledger: DynamoLedger, table: Table, organization: str
) -> None:
    await ledger.create_organization("x", "there")
    before = await ledger.audit("there")
    hold = no_hold(organization)
    await ledger.checkpoint(hold, OWN)
    assert await receipt_of(table, organization) is None
    await ledger.record(hold, OWN)
    await ledger.settle(hold, OWN)
    row = await receipt_of(table, organization)
    assert row is not None and (row["st"], row["cost"], row["own"], row["input"]) == ("SETTLED", 0, True, 10)
    assert await ledger.audit("there") == before


async def test_a_call_that_costs_nothing_is_settled_without_being_recorded_first(
    ledger: DynamoLedger, table: Table
) -> None:
    await ledger.settle(no_hold("org-x"), OWN)
    assert await receipt_of(table, "org-x") is not None
    assert (await ledger.sweep()).failed == 0


async def test_no_balance_is_written_for_it(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    actions: list[str] = []
    run = table.run

    async def noting(action: str, body: Any, **more: Any) -> Any:
        actions.append(action)
        return await run(action, body, **more)

    monkeypatch.setattr(table, "run", noting)
    await DynamoLedger(table).settle(no_hold("org-x"), OWN)
    assert actions == ["PutItem"]


async def test_what_held_nothing_can_cost_nothing(ledger: DynamoLedger) -> None:
    with pytest.raises(ValueError, match="held nothing"):
        await ledger.settle(no_hold("org-x"), Receipt(1, Usage(), "provider"))
    with pytest.raises(ValueError, match="held nothing"):
        await ledger.record(no_hold("org-x"), Receipt(1, Usage(), "provider"))


MONTHLY = Budget("identity", "*", "monthly", cost_nano=5_000, tokens=None)


async def test_budgets_are_read_with_everything_else(store: CredentialStore) -> None:
    daily = Budget("model", "openai/gpt-4o:x", "daily", tokens=9)
    await store.put(a_key())
    for budget in (MONTHLY, daily):
        await store.put_budget("org-a", budget)
    found = await store.read("org-a")
    assert (found.budgets, list(found.keys)) == ((MONTHLY, daily), ["openai"])
    assert (await store.read("org-b")).budgets == ()


async def test_a_budget_takes_the_place_of_the_one_with_its_id(store: CredentialStore) -> None:
    await store.put_budget("org-a", MONTHLY)
    await store.put_budget("org-a", replace(MONTHLY, cost_nano=1, tokens=2))
    assert (await store.read("org-a")).budgets == (replace(MONTHLY, cost_nano=1, tokens=2),)


async def test_a_budget_is_removed_by_its_id_in_its_own_organization(store: CredentialStore) -> None:
    await store.put_budget("org-a", MONTHLY)
    await store.put_budget("org-a", replace(MONTHLY, target="alice"))
    for organization, budget_id in (("org-b", MONTHLY.id), ("org-a", "identity:bob:monthly")):
        with pytest.raises(NotFound):
            await store.remove_budget(organization, budget_id)
    await store.remove_budget("org-a", MONTHLY.id)
    assert [budget.target for budget in (await store.read("org-a")).budgets] == ["alice"]
    assert await store.read("org-b") == own_keys("org-b", None)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"cost_nano": None}, "cost"),
        ({"cost_nano": 0}, "cost"),
        ({"cost_nano": -1}, "cost"),
        ({"tokens": 0}, "tokens"),
        ({"tokens": 10**18 + 1}, "tokens"),
        ({"scope": "planet"}, "scope"),
        ({"period": "yearly"}, "period"),
        ({"target": ""}, "target"),
        ({"target": "x" * 257}, "target"),
    ],
)
async def test_a_budget_that_is_none_is_refused(store: CredentialStore, change: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await store.put_budget("org-a", replace(MONTHLY, **change))
    assert caught.value.param == param
    assert (await store.read("org-a")).budgets == ()


async def test_an_organization_has_so_many_budgets_and_no_more(
    store: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "MOST_BUDGETS", 2)
    for target in ("a", "b", "b"):
        await store.put_budget("org-a", replace(MONTHLY, target=target))
    with pytest.raises(InvalidRequest, match="2 budgets"):
        await store.put_budget("org-a", replace(MONTHLY, target="c"))


async def test_transcripts_are_kept_where_that_was_chosen(store: CredentialStore) -> None:
    assert (await store.read("org-a")).keeps_transcripts is False
    await store.keep_transcripts("org-a", kept=True)
    assert (await store.read("org-a")).keeps_transcripts is True
    assert (await store.read("org-a")).pooled_fallback is False
    await store.keep_transcripts("org-a", kept=False)
    assert (await store.read("org-a")).keeps_transcripts is False
