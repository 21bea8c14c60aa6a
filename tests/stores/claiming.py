"""Requests that come with an idempotency key."""

from orrery.core.records import Claim, Recording
from orrery.stores.claims import ClaimStore
from orrery.stores.table import Table
from tests.stores.blobs import WORDS
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Faulty

KEY = "retry-7"
DIGEST, OTHER = "a" * 64, "b" * 64


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
