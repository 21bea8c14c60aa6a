"""The state folder (`.orrery/`): one process at a time owns it, the others find out where the owner listens.

    lock             flock'ed by the owner for as long as it lives: the system lets go of it, even after kill -9
    secrets.json     made at first start: what a client must sign with, and the pepper of the keys
    credentials.key  what provider keys of one's own are encrypted with; made with the first of them
    dynamodb.json    where the owner listens; the owner removes its predecessor's before it writes its own
    dynamodb.jsonl   the items (see `journal`)

All are readable by their owner only.
"""

import base64
import contextlib
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson


class StateUnusable(Exception):
    """The state folder cannot be used; the message is one line that names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What this folder's clients sign with, and the pepper of the keys made here. Random, 130 bits and more."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    key_pepper: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the folder's owner answers DynamoDB's protocol, and how to sign for it."""

    url: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    pid: int


class StateFolder:
    """Paths, secrets, lock and endpoint of one folder. Raises `StateUnusable` from every method."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = path / "dynamodb.jsonl"
        self.credential_key = path / "credentials.key"
        self._endpoint = path / "dynamodb.json"
        self._secrets = path / "secrets.json"
        self._lock = path / "lock"
        self._lock_fd = -1

    def secrets(self) -> Secrets:
        """Made at first use; whoever comes first decides, also when two processes start at once."""
        self._make()
        try:
            if not self._secrets.exists():
                _write_once(self._secrets, asdict(_new_secrets()))
            return Secrets(**_read(self._secrets))
        except (OSError, TypeError, ValueError) as err:
            raise StateUnusable(
                f"{self._secrets} cannot be read: put a good copy in its place; without it the keys made here are lost"
            ) from err

    def try_own(self) -> bool:
        """Whether this process owns the folder from now on, until `release`."""
        try:
            import fcntl
        except ImportError as err:  # Windows
            raise StateUnusable("the embedded DynamoDB needs Linux or macOS: set ORRERY_DYNAMODB_ENDPOINT") from err
        self._make()
        try:
            fd = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as err:
            raise StateUnusable(f"{self._lock} cannot be opened: {err.strerror}") from err
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        except OSError as err:
            os.close(fd)
            raise StateUnusable(f"{self._lock} cannot be locked: {err.strerror}; is it on a network drive?") from err
        self._lock_fd = fd
        self._endpoint.unlink(missing_ok=True)
        return True

    def release(self) -> None:
        """Gives the folder up. Idempotent."""
        if self._lock_fd >= 0:
            self._endpoint.unlink(missing_ok=True)
            os.close(self._lock_fd)
            self._lock_fd = -1

    def announce(self, url: str) -> None:
        """Tells other processes where this one listens. For the owner only."""
        known = self.secrets()
        here = Listening(url, known.access_key_id, known.secret_access_key, os.getpid())
        try:
            _write(self._endpoint, asdict(here))
        except OSError as err:
            raise StateUnusable(f"{self._endpoint} cannot be written: {err.strerror}") from err

    def listening(self) -> Listening | None:
        """Where the owner listens; None while it does not. Means nothing when nobody owns the folder."""
        try:
            return Listening(**_read(self._endpoint))
        except FileNotFoundError:
            return None
        except (OSError, TypeError, ValueError) as err:
            raise StateUnusable(f"{self._endpoint} cannot be read: restart what runs on {self.path}") from err

    def _make(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as err:
            raise StateUnusable(f"{self.path} cannot be made: {err.strerror}") from err


def _new_secrets() -> Secrets:
    return Secrets(
        access_key_id="ORRERY" + base64.b32encode(secrets.token_bytes(20)).decode(),
        secret_access_key=secrets.token_urlsafe(32),
        key_pepper=secrets.token_urlsafe(32),
    )


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


def _write(path: Path, value: dict[str, Any]) -> None:
    """At any moment the path names a whole file, or none."""
    fresh = _fresh(path, value)
    fresh.replace(path)


def _write_once(path: Path, value: dict[str, Any]) -> None:
    """Like `_write`, but leaves a file that is already there."""
    fresh = _fresh(path, value)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()


def _fresh(path: Path, value: dict[str, Any]) -> Path:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "wb") as out:  # noqa: PTH123  # a descriptor, not a path
        out.write(orjson.dumps(value, option=orjson.OPT_INDENT_2))
        out.flush()
        os.fsync(fd)
    return fresh
