"""Without anything to encrypt with, an organization's decisions are stored all the same, and its keys are not."""

from dataclasses import replace

import pytest

from orrery.core.credentials import Credentials, OrganizationSettings, OwnKey
from orrery.core.errors import GatewayError
from orrery.core.limits import Budget
from orrery.edge.credentials import STALE_S, StoredCredentials
from orrery.edge.vault import NoVault

BUDGET = Budget("key", "k1", "daily", cost_nano=5)


class FakeStore:
    """Settings of one organization."""

    def __init__(self) -> None:
        self.stored = OrganizationSettings()

    async def read(self, organization: str) -> OrganizationSettings:
        return self.stored

    async def put_budget(self, organization: str, budget: Budget) -> None:
        self.stored = replace(self.stored, budgets=(budget,))

    async def remove_budget(self, organization: str, budget_id: str) -> None:
        self.stored = replace(self.stored, budgets=tuple(b for b in self.stored.budgets if b.id != budget_id))

    async def keep_transcripts(self, organization: str, *, kept: bool) -> None:
        self.stored = replace(self.stored, keeps_transcripts=kept)


@pytest.fixture
def now() -> list[float]:
    return [1_800_000_000.0]


@pytest.fixture
def own(now: list[float]) -> StoredCredentials:
    return StoredCredentials(FakeStore(), NoVault(), clock=lambda: now[0])  # type: ignore[arg-type]


async def test_what_is_decided_counts_at_once_where_it_was_decided(own: StoredCredentials) -> None:
    assert await own.find("org-a") == OrganizationSettings()
    await own.put_budget("org-a", BUDGET)
    assert (await own.find("org-a")).budgets == (BUDGET,)
    await own.keep_transcripts("org-a", kept=True)
    assert (await own.find("org-a")).keeps_transcripts is True
    await own.remove_budget("org-a", BUDGET.id)
    assert (await own.find("org-a")).budgets == ()


async def test_a_budget_of_another_process_counts_within_two_minutes(own: StoredCredentials, now: list[float]) -> None:
    await own.find("org-a")
    await own._store.put_budget("org-a", BUDGET)
    now[0] += STALE_S
    assert (await own.find("org-a")).budgets == (BUDGET,)


async def test_a_credential_is_neither_stored_nor_opened(own: StoredCredentials) -> None:
    with pytest.raises(GatewayError, match="ORRERY_CREDENTIAL_KEY_ARN") as caught:
        await own.put("org-a", "openai", Credentials("sk-123"))
    assert (caught.value.status, caught.value.code) == (501, "not_implemented")
    with pytest.raises(GatewayError) as caught:
        await own.open(OwnKey("org-a", "openai", "v1", b"sealed"))
    assert caught.value.status == 501
