"""Provider keys, encrypted: by KMS (moto judges the calls), by a file on a laptop, and never without their context."""

import stat
from base64 import b64decode
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from orrery.core.credentials import AwsCredentials, Credentials, OrganizationSettings, OwnKey
from orrery.core.errors import AwsFault, BadCredential, InvalidRequest, Unavailable
from orrery.edge.credentials import FRESH_S, OPEN_S, STALE_S, StoredCredentials, context_of, hint_of
from orrery.edge.vault import KmsVault, LocalVault, Vault

CONTEXT = context_of("org-a", "openai", "v1")
OTHERS = [
    context_of("org-b", "openai", "v1"),
    context_of("org-a", "groq", "v1"),
    context_of("org-a", "openai", "v2"),
    {},
]
SECRET = b"canary-0123456789"


class MotoKms:
    """`AwsCall` to moto's KMS, by way of boto3; `faults` are raised first, in turn."""

    def __init__(self) -> None:
        self.client = boto3.client("kms", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        self.key = self.client.create_key()["KeyMetadata"]["Arn"]
        self.called: list[str] = []
        self.faults: list[AwsFault] = []

    async def __call__(self, action: str, payload: Any) -> Any:
        from base64 import b64encode

        self.called.append(action)
        if self.faults:
            raise self.faults.pop(0)
        blob = "Plaintext" if action == "Encrypt" else "CiphertextBlob"
        try:
            answer = getattr(self.client, action.lower())(**{**payload, blob: b64decode(payload[blob])})
        except self.client.exceptions.ClientError as err:
            raise AwsFault(err.response["Error"]["Code"], status=400) from err
        blob = "CiphertextBlob" if action == "Encrypt" else "Plaintext"
        return {blob: b64encode(answer[blob]).decode()}


@pytest.fixture
def kms() -> Any:
    with mock_aws():
        yield MotoKms()


@pytest.fixture(params=["kms", "local"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    if request.param == "local":
        return LocalVault(tmp_path / "state" / "credentials.key")
    kms = request.getfixturevalue("kms")
    return KmsVault(kms, kms.key)


async def test_what_was_closed_opens_under_its_own_context_alone(vault: Vault) -> None:
    sealed = await vault.seal(SECRET, CONTEXT)
    assert SECRET not in sealed
    assert await vault.open(sealed, CONTEXT) == SECRET
    for other in OTHERS:
        with pytest.raises(BadCredential):
            await vault.open(sealed, other)


async def test_what_was_tampered_with_does_not_open(vault: Vault) -> None:
    sealed = await vault.seal(SECRET, CONTEXT)
    for spoiled in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"", b"x" * 8):
        with pytest.raises((BadCredential, Unavailable)) as caught:
            await vault.open(spoiled, CONTEXT)
        assert "canary" not in repr(caught.value)


async def test_the_same_secret_is_never_closed_the_same_way_twice(tmp_path: Path) -> None:
    vault = LocalVault(tmp_path / "k")
    assert await vault.seal(SECRET, CONTEXT) != await vault.seal(SECRET, CONTEXT)


async def test_the_key_file_is_its_owners_alone_and_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state" / "credentials.key"
    sealed = await LocalVault(path).seal(SECRET, CONTEXT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await LocalVault(path).open(sealed, CONTEXT) == SECRET
    assert [each.name for each in path.parent.iterdir()] == ["credentials.key"]


async def test_a_lost_key_file_is_said_to_be_a_bad_credential_and_a_short_one_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "k"
    with pytest.raises(BadCredential):
        await LocalVault(path).open(b"x" * 40, CONTEXT)
    assert not path.exists()
    path.write_bytes(b"short")
    with pytest.raises(Unavailable):
        await LocalVault(path).seal(SECRET, CONTEXT)


async def test_a_fault_that_passes_is_tried_once_more(kms: MotoKms) -> None:
    kms.faults = [AwsFault("Unreachable")]
    sealed = await KmsVault(kms, kms.key).seal(SECRET, CONTEXT)
    assert kms.called == ["Encrypt", "Encrypt"]
    kms.faults = [AwsFault("ThrottlingException"), AwsFault("KMSInternalException", status=500)]
    with pytest.raises(Unavailable):
        await KmsVault(kms, kms.key).open(sealed, CONTEXT)


async def test_a_refusal_to_open_is_the_credentials_fault_one_to_close_is_ours(kms: MotoKms) -> None:
    vault = KmsVault(kms, kms.key)
    sealed = await vault.seal(SECRET, CONTEXT)
    for action, kind in ((vault.open, BadCredential), (vault.seal, Unavailable)):
        kms.faults = [AwsFault("AccessDeniedException", status=400)]
        with pytest.raises(kind):
            await action(sealed, CONTEXT)


class FakeStore:
    """What is stored, and how often it was read."""

    def __init__(self) -> None:
        self.stored = OrganizationSettings()
        self.reads = 0
        self.fails = False

    async def read(self, organization: str) -> OrganizationSettings:
        self.reads += 1
        if self.fails:
            raise Unavailable("the table is away")
        return self.stored

    async def put(self, key: OwnKey) -> OwnKey:
        self.stored = OrganizationSettings({key.provider: key})
        return key


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def kept(tmp_path: Path) -> tuple[StoredCredentials, FakeStore, Clock]:
    store, clock = FakeStore(), Clock()
    return StoredCredentials(store, LocalVault(tmp_path / "k"), clock=clock), store, clock  # type: ignore[arg-type]


GIVEN = Credentials("sk-" + "x" * 40 + "wxyz", AwsCredentials("a", "b", "c"), "eu-west-1", "https://x.example/v1")


async def test_a_credential_comes_back_whole_with_its_address(kept: Any) -> None:
    own, _, _ = kept
    assert await own.open(await own.put("org-a", "openai", GIVEN)) == GIVEN


async def test_an_address_that_somebody_writes_into_the_table_changes_nothing(kept: Any) -> None:
    from dataclasses import replace

    own, _, _ = kept
    key = replace(await own.put("org-a", "openai", GIVEN), base_url="https://mallory.example")
    assert (await own.open(key)).base_url == "https://x.example/v1"


async def test_a_credential_that_is_moved_to_another_organization_does_not_open(kept: Any) -> None:
    from dataclasses import replace

    own, _, _ = kept
    key = await own.put("org-a", "openai", GIVEN)
    for moved in (replace(key, organization="org-b"), replace(key, provider="groq"), replace(key, version="v0")):
        with pytest.raises(BadCredential):
            await own.open(moved)


async def test_one_that_is_too_long_is_refused(kept: Any) -> None:
    own, _, _ = kept
    with pytest.raises(InvalidRequest):
        await own.put("org-a", "openai", Credentials("k" * 4_090))


async def test_rows_are_read_once_while_they_are_fresh_then_behind_the_request_then_before_it(kept: Any) -> None:
    import asyncio

    own, store, clock = kept
    for age, reads_at_once, reads_after in [(0, 1, 1), (FRESH_S - 1, 1, 1), (FRESH_S, 1, 2)]:
        clock.now = 1_800_000_000.0 + age
        await own.find("org-a")
        assert store.reads == reads_at_once
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert store.reads == reads_after
    clock.now += STALE_S
    await own.find("org-a")
    assert store.reads == 3


async def test_a_key_that_is_gone_is_gone_within_two_minutes_even_in_a_process_that_slept(kept: Any) -> None:
    own, store, clock = kept
    await own.put("org-a", "openai", GIVEN)
    assert (await own.find("org-a")).keys
    store.stored = OrganizationSettings()  # another process removed it
    clock.now += STALE_S
    assert (await own.find("org-a")).keys == {}


async def test_a_change_counts_at_once_where_it_was_made(kept: Any) -> None:
    own, _, _ = kept
    assert (await own.find("org-a")).keys == {}
    await own.put("org-a", "openai", GIVEN)
    assert (await own.find("org-a")).keys


async def test_a_reading_that_a_change_overtook_is_not_kept(kept: Any) -> None:
    import asyncio

    own, store, _ = kept
    seen, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(organization: str) -> OrganizationSettings:
        found = store.stored
        seen.set()
        await go_on.wait()
        return found

    store.read = slowly
    waiting = asyncio.ensure_future(own.find("org-a"))
    await seen.wait()
    await own.put("org-a", "openai", GIVEN)
    go_on.set()
    assert (await waiting).keys == {}  # it asked before
    assert (await own.find("org-a")).keys


async def test_a_table_that_is_away_is_forgiven_while_the_rows_are_young(kept: Any) -> None:
    own, store, clock = kept
    await own.find("org-a")
    store.fails = True
    clock.now += STALE_S - 1
    await own.find("org-a")
    clock.now += 1
    with pytest.raises(Unavailable):
        await own.find("org-a")


async def test_everyone_who_waits_waits_for_one_reading(kept: Any) -> None:
    import asyncio

    own, store, _ = kept
    await asyncio.gather(*(own.find("org-a") for _ in range(20)))
    assert store.reads == 1


async def test_an_opened_credential_is_kept_for_five_minutes(kms: MotoKms) -> None:
    clock = Clock()
    own = StoredCredentials(FakeStore(), KmsVault(kms, kms.key), clock=clock)  # type: ignore[arg-type]
    key = await own.put("org-a", "openai", GIVEN)
    for age, decrypted in [(0, 1), (OPEN_S - 1, 1), (OPEN_S, 2)]:
        clock.now = 1_800_000_000.0 + age
        await own.open(key)
        assert kms.called.count("Decrypt") == decrypted


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (Credentials("sk-0123456789abcdefwxyz"), "wxyz"),
        (Credentials("short-key"), ""),
        (Credentials('{"type": "service_account", "private_key": "x"}'), ""),
        (Credentials(aws=AwsCredentials("AKIA0123456789ABWXYZ", "secret")), "WXYZ"),
    ],
)
def test_four_characters_are_shown_of_what_is_long_enough(given: Credentials, hint: str) -> None:
    assert hint_of(given) == hint
