"""Uploads on a laptop: files in the state folder, taken by this same server; `core.ports.Uploads`.

It keeps to what S3 does with a presigned URL: one PUT of exactly the announced type and size, until it expires.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson

from orrery.core.errors import GatewayError, InvalidRequest, NotFound
from orrery.core.types import Fetched, Presigned
from orrery.edge.arrive import header
from orrery.edge.upload_places import KEY, LIFETIME_S, SUFFIXES

PLACE = "/uploads"
KEPT_S = 24 * 3600
NOTHING = "There is nothing behind this URL."


class LocalUploads:
    """Files of at most `most_bytes` under `folder`; `url` is this server's own. An ASGI app for `PUT /uploads/…`."""

    def __init__(self, folder: Path, url: str, *, most_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self.most_bytes = most_bytes
        self._folder = folder
        self._root = f"{url}/"
        self._clock = clock
        self._secret = secrets.token_bytes(32)

    async def presign(self, organization: str, *, media_type: str, size_bytes: int) -> Presigned:
        await asyncio.to_thread(self.sweep)
        key = f"uploads/{organization}/{secrets.token_urlsafe(16)}.{SUFFIXES[media_type]}"
        expires_at = int(self._clock()) + LIFETIME_S
        signature = self._signature(key, media_type, str(size_bytes), str(expires_at))
        headers = {"content-type": media_type, "content-length": str(size_bytes)}
        put_url = f"{self._root}{key}?expires={expires_at}&signature={signature}"
        return Presigned(put_url, headers, f"{self._root}{key}", expires_at)

    def has(self, url: str) -> bool:
        return url.startswith(f"{self._root}uploads/")

    async def read(self, organization: str, url: str, *, timeout_s: float) -> Fetched:
        return await asyncio.to_thread(self._read, self._path(organization, url))

    async def delete(self, organization: str, url: str) -> None:
        await asyncio.to_thread(self._path(organization, url).unlink, missing_ok=True)

    def sweep(self) -> None:
        """Deletes what nobody used within a day."""
        for path in self._folder.glob("*/*"):
            if path.stat().st_mtime < self._clock() - KEPT_S:
                path.unlink(missing_ok=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._take(scope, receive)
        except GatewayError as err:
            await _answer(send, err.status, orjson.dumps(err.body()))
        else:
            await _answer(send, 200, b"")

    async def _take(self, scope: Any, receive: Any) -> None:
        key, query = scope["path"].removeprefix("/"), dict(parse_qsl(scope["query_string"].decode("latin-1")))
        media_type = header(scope["headers"], b"content-type").decode("latin-1")
        size = header(scope["headers"], b"content-length").decode("latin-1")
        expires = query.get("expires", "")
        signature = self._signature(key, media_type, size, expires)
        if scope["method"] != "PUT" or not KEY.fullmatch(key):
            raise NotFound("There is nothing here: a file goes where POST /v1/uploads/presign says.")
        if not hmac.compare_digest(signature, query.get("signature", "")) or int(expires) < self._clock():
            raise InvalidRequest("This is not the file that was announced, or it comes too late.")
        path = self._folder / key.removeprefix("uploads/")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await _store(path, int(size), receive)

    def _path(self, organization: str, url: str) -> Path:
        key = KEY.fullmatch(url.removeprefix(self._root))
        if not key or key[1] != organization:
            raise InvalidRequest(NOTHING)
        return self._folder / organization / f"{key[2]}.{key[3]}"

    def _read(self, path: Path) -> Fetched:
        media_type = next((known for known, suffix in SUFFIXES.items() if path.suffix == f".{suffix}"), "")
        try:
            return Fetched(media_type, path.read_bytes())
        except OSError as err:
            raise InvalidRequest(NOTHING) from err

    def _signature(self, *parts: str) -> str:
        return hmac.digest(self._secret, "\n".join(parts).encode(), "sha256").hex()


async def _store(path: Path, size: int, receive: Any) -> None:
    """The body into the file, whole or not at all."""
    partial = path.with_suffix(".partial")
    more, written = True, 0
    try:
        with partial.open("xb") as file:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise InvalidRequest("The file broke off.")
                file.write(message.get("body", b""))
                written += len(message.get("body", b""))
                more = message.get("more_body", False)
        if written != size:
            raise InvalidRequest("The file is not as long as it was announced.")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
