"""Stored provider keys: one item for an organization, and receipts of calls that cost nothing."""

from typing import Any

import pytest

from orrery.core.credentials import OwnKey
from orrery.core.errors import InvalidRequest, NotFound
from orrery.core.types import Hold, Receipt, Usage
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
