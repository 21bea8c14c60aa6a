"""Tokens: asked for as the vendors' libraries ask, kept while they last, one request for all who wait."""

import asyncio
from urllib.parse import parse_qs

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google.auth import jwt
from google.oauth2 import service_account

from orrery.core.errors import BadCredential, UpstreamError
from orrery.edge.minting import EARLY_S, Mint, assertion
from tests.fakes import FakeTransport, json_reply

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ACCOUNT = {
    "type": "service_account",
    "project_id": "p",
    "private_key_id": "k1",
    "private_key": PEM,
    "client_email": "robot@p.iam.gserviceaccount.com",
    "token_uri": "https://oauth2.googleapis.com/token",
}
USER = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
APPLICATION = {"tenant_id": "t-1", "client_id": "c", "client_secret": "s"}


def secret(held: object) -> str:
    return orjson.dumps(held).decode()


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def granted(token: str = "t", expires_in: int = 3599) -> object:
    return json_reply({"access_token": token, "expires_in": expires_in, "token_type": "Bearer"})


def mint(*replies: object) -> tuple[Mint, FakeTransport, Clock]:
    transport, clock = FakeTransport(*replies), Clock()
    return Mint(transport, clock), transport, clock


def form_of(transport: FakeTransport) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(transport.requests[-1].body.decode()).items()}


def test_an_assertion_says_what_googles_own_library_says(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = service_account.Credentials.from_service_account_info(
        ACCOUNT, scopes=["https://www.googleapis.com/auth/cloud-platform"]
    )._make_authorization_grant_assertion()
    expected = jwt.decode(theirs, certs=PUBLIC)
    ours = assertion(ACCOUNT, expected["iat"])
    assert jwt.decode(ours, certs=PUBLIC, audience=ACCOUNT["token_uri"]) == expected
    assert jwt.decode_header(ours) == jwt.decode_header(theirs)


async def test_a_service_account_asks_with_its_assertion() -> None:
    asked, transport, _ = mint(granted("ya29.x"))
    assert await asked.token("google", secret(ACCOUNT)) == "ya29.x"
    request, form = transport.requests[0], form_of(transport)
    assert (request.method, request.url) == ("POST", "https://oauth2.googleapis.com/token")
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer" and form["assertion"].count(".") == 2
    assert PEM not in request.body.decode()


async def test_a_persons_login_is_refreshed() -> None:
    asked, transport, _ = mint(granted())
    await asked.token("google", secret(USER))
    assert form_of(transport) == {
        "grant_type": "refresh_token",
        "client_id": "c",
        "client_secret": "s",
        "refresh_token": "r",
    }


async def test_an_application_signs_in_at_its_tenant() -> None:
    asked, transport, _ = mint(granted())
    await asked.token("entra", secret(APPLICATION))
    assert transport.requests[0].url == "https://login.microsoftonline.com/t-1/oauth2/v2.0/token"
    assert form_of(transport)["scope"] == "https://cognitiveservices.azure.com/.default"


async def test_a_token_is_kept_until_shortly_before_it_expires() -> None:
    asked, transport, clock = mint(granted("one", 3600), granted("two"))
    assert [await asked.token("entra", secret(APPLICATION)) for _ in range(2)] == ["one", "one"]
    clock.now += 3600 - EARLY_S - 1
    assert await asked.token("entra", secret(APPLICATION)) == "one"
    clock.now += 1
    assert await asked.token("entra", secret(APPLICATION)) == "two"
    assert len(transport.requests) == 2


async def test_everyone_who_waits_waits_for_one_request() -> None:
    asked, transport, _ = mint(granted())
    tokens = await asyncio.gather(*(asked.token("entra", secret(APPLICATION)) for _ in range(20)))
    assert set(tokens) == {"t"} and len(transport.requests) == 1


async def test_secrets_do_not_share_a_token() -> None:
    asked, _, _ = mint(granted("one"), granted("two"))
    assert await asked.token("entra", secret(APPLICATION)) == "one"
    assert await asked.token("entra", secret(APPLICATION | {"client_id": "other"})) == "two"


async def test_a_refusal_blames_the_credential_and_is_not_kept() -> None:
    refused = json_reply({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
    asked, _, _ = mint(refused, granted())
    with pytest.raises(BadCredential, match="Invalid JWT Signature"):
        await asked.token("google", secret(ACCOUNT))
    assert await asked.token("google", secret(ACCOUNT)) == "t"


@pytest.mark.parametrize("reply", [json_reply({"error": "x"}, 503), json_reply({"error": "slow_down"}, 429)])
async def test_an_endpoint_that_fails_is_no_fault_of_the_credential(reply: object) -> None:
    asked, _, _ = mint(reply)
    with pytest.raises(UpstreamError) as caught:
        await asked.token("entra", secret(APPLICATION))
    assert type(caught.value) is UpstreamError and caught.value.status == 502


ELLIPTIC = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("kind", "held"),
    [
        ("google", {"type": "external_account"}),
        ("google", {"type": "service_account"}),
        ("google", ACCOUNT | {"private_key": "-----BEGIN canary"}),
        ("google", ACCOUNT | {"private_key": ELLIPTIC.decode()}),
        ("google", []),
        ("entra", {"tenant_id": "canary"}),
    ],
)
async def test_a_secret_of_another_shape_is_refused_and_not_shown(kind: str, held: object) -> None:
    asked, transport, _ = mint()
    with pytest.raises(BadCredential) as caught:
        await asked.token(kind, secret(held))
    assert "canary" not in str(caught.value) and transport.requests == []


async def test_a_callers_file_does_not_say_where_its_token_is_asked_for() -> None:
    asked, transport, _ = mint(granted(), granted())
    elsewhere = secret(ACCOUNT | {"token_uri": "https://mallory.example/token"})
    await asked.token("google", elsewhere, own=True)
    assert transport.requests[0].url == "https://oauth2.googleapis.com/token"
    await asked.token("google", elsewhere)
    assert transport.requests[1].url == "https://mallory.example/token"  # the operator's may: it is the operator's


@pytest.mark.parametrize("tenant", ["../../evil", "a/b", "", "a?b"])
async def test_a_tenant_that_would_lead_elsewhere_is_refused(tenant: str) -> None:
    asked, transport, _ = mint()
    with pytest.raises(BadCredential):
        await asked.token("entra", secret(APPLICATION | {"tenant_id": tenant}), own=True)
    assert transport.requests == []


async def test_the_tokens_of_many_callers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orrery.edge.minting.REMEMBERED", 2)
    asked, transport, _ = mint(*(granted(f"t{number}") for number in range(4)))
    secrets = [secret(APPLICATION | {"client_id": str(number)}) for number in range(3)]
    assert [await asked.token("entra", each) for each in (*secrets, secrets[0])] == ["t0", "t1", "t2", "t3"]
    assert len(transport.requests) == 4
