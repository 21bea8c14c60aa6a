import asyncio
import hashlib
from dataclasses import replace

import pytest

from orrery.core.errors import InvalidRequest, NotFound, Unauthenticated, Unavailable
from orrery.core.limits import Pace
from orrery.core.types import Json
from orrery.stores import key_cache, tokens
from orrery.stores import keys as key_store
from orrery.stores.keys import KeyStore
from orrery.stores.table import Table
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Faulty

OLD, NEW = b"an old pepper: 16", b"a new pepper: 16!"


class Keys:
    """A key store, its clock, and what it asked of its table."""

    def __init__(self, table: Table, clock: Clock, peppers: dict[int, bytes] | None = None) -> None:
        self.clock = clock
        self.wire = Faulty(table._call)
        self.store = KeyStore(quick_table(self.wire, table.name), peppers or {1: OLD}, clock=clock)

    async def create(self, organization: str = "org_a", **more: object) -> tuple[str, str]:
        """The token and the key's id."""
        given = {"workflow": "main", "user": "ada", "name": "laptop"} | more
        token, row = await self.store.create(organization=organization, **given)  # type: ignore[arg-type]
        self.wire.calls.clear()
        return token, row.key_id

    @property
    def reads(self) -> int:
        return sum(1 for action, _ in self.wire.calls if action == "GetItem")

    async def refuses(self, token: str) -> bool:
        try:
            await self.store.find(token)
        except Unauthenticated:
            return True
        return False


@pytest.fixture
def keys(table: Table, clock: Clock) -> Keys:
    return Keys(table, clock)


async def test_a_key_says_who_pays(keys: Keys) -> None:
    token, key_id = await keys.create(scopes=["chat", "models"])
    principal, fresh = await keys.store.find(token)
    assert (principal.key_id, principal.organization, principal.workflow, principal.user) == (
        key_id,
        "org_a",
        "main",
        "ada",
    )
    assert principal.scopes == {"chat", "models"}
    assert fresh


async def test_a_key_has_the_limits_that_it_was_given(keys: Keys) -> None:
    token, key_id = await keys.create(requests_per_minute=60, tokens_per_minute=9_000)
    unlimited, other = await keys.create()
    assert (await keys.store.find(token))[0].pace == Pace(60, 9_000)
    assert (await keys.store.find(unlimited))[0].pace is None
    rows = {row.key_id: row for row in await keys.store.list("org_a")}
    assert (rows[key_id].requests_per_minute, rows[key_id].tokens_per_minute) == (60, 9_000)
    assert (rows[other].requests_per_minute, rows[other].tokens_per_minute) == (None, None)


async def test_limits_are_changed_and_taken_away_one_by_one(keys: Keys) -> None:
    token, key_id = await keys.create(requests_per_minute=60)
    await keys.store.find(token)
    for requests, words in ((None, 500), (7, 500), (None, None)):
        row = await keys.store.limit(
            key_id, organization="org_a", requests_per_minute=requests, tokens_per_minute=words
        )
        assert (row.requests_per_minute, row.tokens_per_minute) == (requests, words)
        assert await keys.store.read(key_id, organization="org_a") == row
        principal, fresh = await keys.store.find(token)
        expected = None if words is None else Pace(requests, words)
        assert (fresh, principal.pace, principal.version) == (True, expected, row.version)


@pytest.mark.parametrize("limit", [0, -1, key_store.MOST + 1])
async def test_a_limit_that_lets_nothing_through_is_refused(keys: Keys, limit: int) -> None:
    _, key_id = await keys.create()
    for name in ("requests_per_minute", "tokens_per_minute"):
        with pytest.raises(InvalidRequest, match=name) as caught:
            await keys.create(**{name: limit})
        assert caught.value.param == name
        given = {"requests_per_minute": None, "tokens_per_minute": None} | {name: limit}
        with pytest.raises(InvalidRequest, match=name):
            await keys.store.limit(key_id, organization="org_a", **given)


async def test_a_revoked_key_gets_no_limits(keys: Keys) -> None:
    _, key_id = await keys.create()
    await keys.store.revoke(key_id)
    with pytest.raises(NotFound):
        await keys.store.limit(key_id, organization="org_a", requests_per_minute=1, tokens_per_minute=None)
    assert (await keys.store.read(key_id, organization="org_a")).status == "revoked"
    for stranger, organization in ((key_id, "org_b"), ("nobodynobo", "org_a")):
        with pytest.raises(NotFound):
            await keys.store.read(stranger, organization=organization)


async def test_a_key_is_read_consistently_once_in_five_minutes(keys: Keys, clock: Clock) -> None:
    token, _ = await keys.create()
    assert [(await keys.store.find(token))[1] for _ in range(3)] == [True, False, False]
    assert [payload["ConsistentRead"] for _, payload in keys.wire.calls] == [True]
    clock.now += key_cache.GOOD_S
    assert (await keys.store.find(token))[1]


async def test_a_clock_that_was_set_back_makes_no_key_young(keys: Keys, clock: Clock) -> None:
    token, _ = await keys.create()
    await keys.store.find(token)
    clock.now -= 1000
    assert (await keys.store.find(token))[1]


async def test_neither_the_table_nor_the_cache_holds_a_token(keys: Keys, table: Table) -> None:
    token, key_id = await keys.create()
    await keys.store.find(token)
    row = await table.get({"PK": {"S": f"AK#{key_id}"}, "SK": {"S": "K"}})
    assert row is not None
    secret = token[15:]
    assert secret not in repr(row)
    assert row["h"] != hashlib.sha256(token.encode()).digest()
    assert secret not in repr(vars(keys.store._cache))


@pytest.mark.parametrize(
    "token", ["", "orb_", "sk-123", "orb_0123456789_" + "a" * 38, "Bearer x", "orb_" + "ä" * 49, "x" * 100_000]
)
async def test_garbage_is_refused_without_a_read(keys: Keys, token: str) -> None:
    assert await keys.refuses(token)
    assert keys.reads == 0


async def test_an_unknown_key_is_read_once_in_ten_seconds(keys: Keys, clock: Clock) -> None:
    token = tokens.mint()
    for _ in range(5):
        assert await keys.refuses(token)
    assert keys.reads == 1
    clock.now += key_cache.BAD_S
    assert await keys.refuses(token)
    assert keys.reads == 2


async def test_a_storm_of_unknown_keys_pushes_out_no_good_one(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_cache, "SIZE", 8)
    token, _ = await keys.create()
    await keys.store.find(token)
    for _ in range(50):
        assert await keys.refuses(tokens.mint())
    assert not (await keys.store.find(token))[1]
    assert len(keys.store._cache._bad) == 8


async def test_the_longest_unused_key_is_forgotten_first(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_cache, "SIZE", 2)
    first, second, third = [(await keys.create())[0] for _ in range(3)]
    for token in (first, second, first, third):
        await keys.store.find(token)
    assert [(await keys.store.find(token))[1] for token in (first, third, second)] == [False, False, True]
    assert len(keys.store._cache._digests) == 2


async def test_a_known_id_with_another_secret_is_refused(keys: Keys) -> None:
    token, key_id = await keys.create()
    body = f"orb_{key_id}_{tokens.random_text(32)}"
    forged = body + tokens._checksum(body)
    assert tokens.checksum_holds(forged)
    assert await keys.refuses(forged)
    assert not await keys.refuses(token)


async def test_every_refusal_says_the_same(keys: Keys) -> None:
    token, key_id = await keys.create()
    await keys.store.revoke(key_id)
    said = set()
    for wrong in (token, tokens.mint(), "garbage"):
        with pytest.raises(Unauthenticated) as caught:
            await keys.store.find(wrong)
        said.add((caught.value.status, str(caught.value.body()), str(caught.value.headers())))
    assert len(said) == 1


async def test_an_unknown_id_is_compared_like_a_wrong_secret(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    import hmac

    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    assert await keys.refuses(tokens.mint())
    assert [len(side) for side in compared[0]] == [32, 32]


async def test_revocation_is_seen_by_the_next_request_of_every_process(keys: Keys, table: Table, clock: Clock) -> None:
    token, key_id = await keys.create()
    other = Keys(table, clock)
    principal, _ = await other.store.find(token)
    await other.store.confirm(principal)
    await keys.store.revoke(key_id)
    with pytest.raises(Unauthenticated):
        await other.store.confirm(principal)
    assert await other.refuses(token)


async def test_confirming_is_one_consistent_read(keys: Keys) -> None:
    token, _ = await keys.create()
    principal, _ = await keys.store.find(token)
    keys.wire.calls.clear()
    await keys.store.confirm(principal)
    ((action, payload),) = keys.wire.calls
    assert (action, payload["ConsistentRead"]) == ("GetItem", True)
    assert payload["ProjectionExpression"] == "st, kv, expires_at"


async def test_a_key_that_changed_is_read_again(keys: Keys) -> None:
    token, _ = await keys.create()
    principal, _ = await keys.store.find(token)
    with pytest.raises(Unauthenticated):
        await keys.store.confirm(replace(principal, version=principal.version + 1))
    assert (await keys.store.find(token))[1]


async def test_an_expired_key_is_refused_even_from_the_cache(keys: Keys, clock: Clock) -> None:
    token, _ = await keys.create(expires_at=int(clock.now) + 10)
    principal, _ = await keys.store.find(token)
    clock.now += 9
    await keys.store.confirm(principal)
    assert not (await keys.store.find(token))[1]
    clock.now += 1
    assert await keys.refuses(token)
    with pytest.raises(Unauthenticated):
        await keys.store.confirm(principal)


async def test_a_table_that_fails_says_nothing_of_a_key(keys: Keys) -> None:
    token, _ = await keys.create()
    keys.wire.plan = ["drop"] * 4
    with pytest.raises(Unavailable):
        await keys.store.find(token)
    assert not await keys.refuses(token)


async def test_keys_of_the_older_pepper_work_until_it_is_taken_away(table: Table, clock: Clock) -> None:
    token, _ = await Keys(table, clock, {1: OLD}).create()
    both = Keys(table, clock, {1: OLD, 2: NEW})
    newer, _ = await both.create()
    assert not await both.refuses(token)
    assert not await both.refuses(newer)
    after = Keys(table, clock, {2: NEW})
    assert await after.refuses(token)
    assert not await after.refuses(newer)


@pytest.mark.parametrize("peppers", [{}, {1: b""}, {1: b"short"}])
def test_without_a_good_pepper_there_is_no_key_store(table: Table, peppers: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="pepper"):
        KeyStore(table, peppers)


async def test_a_lost_answer_makes_no_second_key(keys: Keys) -> None:
    keys.wire.plan = ["lose"]
    token, _ = await keys.create()
    assert not await keys.refuses(token)
    assert len(await keys.store.list("org_a")) == 1


async def test_an_id_that_is_taken_is_never_overwritten(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    token, key_id = await keys.create()
    real = tokens.mint
    other = real()
    body = f"orb_{key_id}_{tokens.random_text(32)}"
    given = iter([body + tokens._checksum(body), other])
    monkeypatch.setattr(tokens, "mint", lambda: next(given))
    assert (await keys.create("org_b"))[0] == other
    assert (await keys.store.find(token))[0].organization == "org_a"


async def test_the_list_is_of_one_organization_oldest_first(keys: Keys, clock: Clock) -> None:
    made = []
    for name in ("one", "two", "three"):
        made.append((await keys.create(name=name))[1])
        clock.now += 1
    await keys.create("org_b")
    await keys.create("org_ab")
    await keys.store.revoke(made[1])
    rows = await keys.store.list("org_a")
    assert [(row.name, row.status) for row in rows] == [("one", "active"), ("two", "revoked"), ("three", "active")]
    assert [row.key_id for row in rows] == made
    assert rows[1].revoked_at == int(clock.now)


async def test_revoking_again_changes_nothing_and_a_stranger_is_not_found(keys: Keys, clock: Clock) -> None:
    _, key_id = await keys.create()
    await keys.store.revoke(key_id)
    first = await keys.store.list("org_a")
    clock.now += 100
    await keys.store.revoke(key_id)
    assert await keys.store.list("org_a") == first
    with pytest.raises(NotFound):
        await keys.store.revoke("nobodynobo")


async def test_nobody_revokes_another_organizations_key(keys: Keys) -> None:
    token, key_id = await keys.create("org_a")
    said = set()
    for stranger in (key_id, "nobodynobo"):
        with pytest.raises(NotFound) as caught:
            await keys.store.revoke(stranger, organization="org_b")
        said.add(str(caught.value.body()).replace(stranger, ""))
    assert len(said) == 1
    assert not await keys.refuses(token)
    await keys.store.revoke(key_id, organization="org_a")
    with pytest.raises(NotFound):  # revoked or not, it is not theirs
        await keys.store.revoke(key_id, organization="org_b")


async def test_a_key_cannot_be_made_for_an_id_that_leaves_its_partition(keys: Keys) -> None:
    with pytest.raises(InvalidRequest):
        await keys.create("org#a")


async def test_two_hundred_requests_at_once_agree(keys: Keys) -> None:
    token, _ = await keys.create()
    found = await asyncio.gather(*(keys.store.find(token) for _ in range(200)))
    assert len({principal for principal, _ in found}) == 1


async def test_the_index_is_written_only_when_a_key_is_made(keys: Keys) -> None:
    _, key_id = await keys.create()
    await keys.store.revoke(key_id)
    payload: Json = keys.wire.calls[-1][1]
    assert "GPK" not in payload["UpdateExpression"]
    assert "GSK" not in payload["UpdateExpression"]
