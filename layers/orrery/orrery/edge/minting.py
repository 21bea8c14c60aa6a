"""Bearer tokens in exchange for long-lived secrets: Google's and Microsoft's OAuth 2.0 token endpoints, no vendor SDK.

Tokens are kept until shortly before they expire, one for each secret. Sources: google-auth 2.62 (`service_account`,
`_client`), Google's "Using OAuth 2.0 for Server to Server Applications"; Microsoft's "OAuth 2.0 client credentials
flow" and its Azure OpenAI pages for the scope. Read 2026-11-21.
"""

import asyncio
import hashlib
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import BadCredential, UpstreamError
from orrery.core.ports import Transport
from orrery.core.types import Json
from orrery.providers.errors import scrub

GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ENTRA_TOKEN_URL = "https://login.microsoftonline.com/{tenant_id}/oauth2/v2.0/token"  # noqa: S105 - an address
ENTRA_SCOPE = "https://cognitiveservices.azure.com/.default"

_TENANT = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,252}")

LIFETIME_S = 3600
EARLY_S = 120.0
"""Seconds before its end from which on a token is made anew: an answer may take that long to begin."""
TIMEOUT_S = 10.0
LARGEST_ANSWER_BYTES = 64 * 1024
REMEMBERED = 4_096
"""Tokens that are kept; the longest unused go first."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    good_until: float


class Mint:
    """Tokens for secrets, the operator's and callers'. Everyone who waits for the same token waits for one request."""

    def __init__(self, transport: Transport, clock: Callable[[], float] = time.time) -> None:
        self._transport = transport
        self._clock = clock
        self._tokens: dict[str, _Token] = {}
        self._making: dict[str, asyncio.Task[_Token]] = {}

    async def token(self, kind: str, secret: str, *, own: bool = False) -> str:
        """A bearer token for `secret`: the JSON of a Google credentials file ("google"), or of an Entra application
        with `tenant_id`, `client_id` and `client_secret` ("entra"). `own`: the secret is a caller's, who may not say
        where the token is asked for.

        Raises `BadCredential` when the secret is refused or is no such JSON, `UpstreamError` when nobody answers.
        """
        name = hashlib.sha256(f"{kind}\0{int(own)}\0{secret}".encode()).hexdigest()
        known = self._tokens.pop(name, None)
        if known is None or self._clock() >= known.good_until:
            known = await asyncio.shield(self._made(name, kind, secret, own=own))
        self._tokens[name] = known
        if len(self._tokens) > REMEMBERED:
            del self._tokens[next(iter(self._tokens))]
        return known.text

    def _made(self, name: str, kind: str, secret: str, *, own: bool) -> "asyncio.Task[_Token]":
        """The one request for this token that is under way."""
        making = self._making.get(name)
        if making is None:
            asked = _asked(kind, secret, int(self._clock()), own=own)
            making = self._making[name] = asyncio.ensure_future(self._exchange(*asked))
            making.add_done_callback(lambda done: self._ended(name, done))
        return making

    def _ended(self, name: str, making: "asyncio.Task[_Token]") -> None:
        del self._making[name]
        if not making.cancelled():
            making.exception()  # whoever waited has it

    async def _exchange(self, url: str, form: dict[str, str]) -> _Token:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        request = UpstreamRequest("POST", url, headers, urlencode(form).encode())
        body = bytearray()
        async with asyncio.timeout(TIMEOUT_S), self._transport.send(request, TIMEOUT_S) as reply:
            async for chunk in reply.chunks():
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise UpstreamError("the token endpoint's answer is too long", upstream_status=reply.status)
        return _read(reply.status, bytes(body), self._clock())


def _asked(kind: str, secret: str, now: int, *, own: bool) -> tuple[str, dict[str, str]]:
    """The token endpoint and the form to post."""
    try:
        held: Json = orjson.loads(secret)
        if own:
            held.pop("token_uri", None)
        return FORMS[kind, held.get("type", "")](held, now)
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise BadCredential(f"the {kind} credential is not the JSON that it should be ({type(err).__name__})") from None


def _of_service_account(held: Json, now: int) -> tuple[str, dict[str, str]]:
    url = held.get("token_uri") or GOOGLE_TOKEN_URL
    return url, {"grant_type": JWT_BEARER, "assertion": assertion(held, now)}


def _of_user(held: Json, now: int) -> tuple[str, dict[str, str]]:
    """What `gcloud auth application-default login` leaves behind."""
    form = {name: held[name] for name in ("client_id", "client_secret", "refresh_token")}
    return GOOGLE_TOKEN_URL, {"grant_type": "refresh_token", **form}


def _of_application(held: Json, now: int) -> tuple[str, dict[str, str]]:
    if not _TENANT.fullmatch(held["tenant_id"]):  # it becomes a part of the path
        raise ValueError("no tenant's id")
    form = {"client_id": held["client_id"], "client_secret": held["client_secret"], "scope": ENTRA_SCOPE}
    return ENTRA_TOKEN_URL.format(tenant_id=held["tenant_id"]), {"grant_type": "client_credentials", **form}


FORMS = {
    ("google", "service_account"): _of_service_account,
    ("google", "authorized_user"): _of_user,
    ("entra", ""): _of_application,
}
"""By the kind of credential, and the `type` in Google's files. Workload identity (`external_account`) is not read."""


def assertion(held: Json, now: int) -> str:
    """The signed JSON web token that a service account asks with; good for an hour."""
    # Imported here: only Vertex needs it, and its import costs 35 ms.
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    head = {"alg": "RS256", "typ": "JWT", "kid": held.get("private_key_id")}
    claims = {
        "iss": held["client_email"],
        "scope": GOOGLE_SCOPE,
        "aud": GOOGLE_TOKEN_URL,
        "iat": now,
        "exp": now + LIFETIME_S,
    }
    signed = f"{_base64(orjson.dumps(head))}.{_base64(orjson.dumps(claims))}"
    key = load_pem_private_key(held["private_key"].encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("a service account's key is an RSA key")
    return f"{signed}.{_base64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _read(status: int, body: bytes, now: float) -> _Token:
    try:
        answer: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise UpstreamError(f"the token endpoint answered {status} without JSON", upstream_status=status)
    if status == 200 and isinstance(answer.get("access_token"), str):
        return _Token(answer["access_token"], now + float(answer.get("expires_in") or LIFETIME_S) - EARLY_S)
    said = scrub(str(answer.get("error_description") or answer.get("error") or "no reason"))
    if 400 <= status < 500 and status != 429:
        raise BadCredential(f"the provider gave no token for its credential: {said}", upstream_status=status)
    raise UpstreamError(f"the token endpoint answered {status}: {said}", upstream_status=status)
