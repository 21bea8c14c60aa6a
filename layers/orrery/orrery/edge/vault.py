"""Where credentials are encrypted: in KMS itself on AWS, with a key file on a laptop.

What is encrypted is bound to its context (organization, provider, version): under any other it does not open. KMS takes
at most 4,096 bytes at once, so no data keys are needed. Source: KMS API reference, Encrypt, read 2026-11-21.
"""

import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import orjson

from orrery.core.errors import AwsFault, BadCredential, GatewayError, Unavailable
from orrery.core.ports import AwsCall
from orrery.core.types import Json

LARGEST_BYTES = 4_096
NONCE_BYTES = 12
KEY_BYTES = 32
ATTEMPTS = 2

PASSING = frozenset({"Unreachable", "Unreadable", "ThrottlingException", "LimitExceededException"})
PASSING |= {"KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException"}
"""Faults that may be over the next time, beside every 5xx. Source: botocore 1.44.5, kms/service-2.json, 2026-11-21."""

type Context = Mapping[str, str]


class Vault(Protocol):
    """Encrypts what is at most `LARGEST_BYTES` long."""

    async def seal(self, secret: bytes, context: Context) -> bytes:
        """Raises `Unavailable`."""
        ...

    async def open(self, sealed: bytes, context: Context) -> bytes:
        """Raises `BadCredential` where it does not open, `Unavailable` where it cannot be tried just now."""
        ...


class KmsVault:
    """A symmetric key in AWS KMS, by its ARN."""

    def __init__(self, call: AwsCall, key: str) -> None:
        self._call = call
        self._key = key

    async def seal(self, secret: bytes, context: Context) -> bytes:
        asked = {"Plaintext": b64encode(secret).decode(), "EncryptionContext": dict(context)}
        return b64decode((await self._run("Encrypt", asked, "encrypted"))["CiphertextBlob"])

    async def open(self, sealed: bytes, context: Context) -> bytes:
        asked = {"CiphertextBlob": b64encode(sealed).decode(), "EncryptionContext": dict(context)}
        return b64decode((await self._run("Decrypt", asked, "decrypted"))["Plaintext"])

    async def _run(self, action: str, asked: Json, what: str) -> Json:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._call(action, {**asked, "KeyId": self._key})
            except AwsFault as fault:
                passes = fault.kind in PASSING or fault.status >= 500
                if passes and attempt < ATTEMPTS:
                    continue
                raise _failure(fault.kind, what, passes=passes or action == "Encrypt") from None
        raise AssertionError("unreachable: the last attempt returns or raises")


def _failure(kind: str, what: str, *, passes: bool) -> GatewayError:
    if passes:
        return Unavailable(f"a credential of yours cannot be {what} just now: {kind}", retry_after_s=1.0)
    return BadCredential(f"a stored credential of yours cannot be {what} ({kind}): store it anew")


class NoVault:
    """For a deployment that has nothing to encrypt with: whatever else organizations decide is stored all the same."""

    async def seal(self, secret: bytes, context: Context) -> bytes:
        raise _not_here()

    async def open(self, sealed: bytes, context: Context) -> bytes:
        raise _not_here()


def _not_here() -> GatewayError:
    err = GatewayError(
        "This gateway stores no provider credentials (ORRERY_CREDENTIAL_KEY_ARN)", code="not_implemented"
    )
    err.status = 501
    return err


class LocalVault:
    """AES-256-GCM under the key in a file that its owner alone can read; made with the first credential."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def seal(self, secret: bytes, context: Context) -> bytes:
        # Imported here: only who has such credentials needs it, and its import costs 40 ms.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self._key(make=True)).encrypt(nonce, secret, _bound(context))

    async def open(self, sealed: bytes, context: Context) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            key = self._key(make=False)
            return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(context))
        except (InvalidTag, ValueError, FileNotFoundError) as err:
            raise _failure(type(err).__name__, "decrypted", passes=False) from None

    def _key(self, *, make: bool) -> bytes:
        """Raises `Unavailable` for a file that is no key, `FileNotFoundError` where there is none to decrypt with."""
        if make and not self._path.exists():
            _write_once(self._path, secrets.token_bytes(KEY_BYTES))
        key = self._path.read_bytes()
        if len(key) != KEY_BYTES:
            raise Unavailable(f"{self._path} is no key of {KEY_BYTES} bytes: put a good copy in its place")
        return key


def _bound(context: Context) -> bytes:
    return orjson.dumps(dict(context), option=orjson.OPT_SORT_KEYS)


def _write_once(path: Path, data: bytes) -> None:
    """Whole from the first moment, readable by its owner only; whoever comes first decides."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123  # a descriptor
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return
    finally:
        fresh.unlink()
