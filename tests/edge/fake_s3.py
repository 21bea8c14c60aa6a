"""A bucket on this machine that believes no signature but those that botocore would have made."""

import asyncio
import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "eu-central-1"
ACCESS, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "session/token=="


@dataclass
class FakeS3:
    """What lies in the bucket, by key: media type and content. `asked` lists every request's method and path."""

    url: str = ""
    objects: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    status: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode() if not reader.at_eof() else "":
            line, *rest = head.strip().split("\r\n")
            method, target, _ = line.split(" ")
            headers = {n.lower(): v.strip() for n, _, v in (each.partition(":") for each in rest)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.asked.append((method, urlsplit(target).path))
            status, media_type, content = self._answer(method, target, headers, body)
            writer.write(
                f"HTTP/1.1 {status} X\r\ncontent-type: {media_type}\r\ncontent-length: {len(content)}\r\n\r\n".encode()
            )
            writer.write(content)
            await writer.drain()
            if headers.get("connection") == "close":
                break
        writer.close()

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        key = urlsplit(target).path.removeprefix("/")
        if self.status:
            return self.status, "application/xml", b"<Error/>"
        if not self._is_signed(method, target, headers):
            return 403, "application/xml", b"<Error><Code>SignatureDoesNotMatch</Code></Error>"
        if method == "PUT":
            self.objects[key] = (headers["content-type"], body)
            return 200, "text/plain", b""
        if method == "DELETE":
            self.objects.pop(key, None)
            return 204, "text/plain", b""
        found = self.objects.get(key)
        return (200, *found) if found else (404, "application/xml", b"<Error><Code>NoSuchKey</Code></Error>")

    def _is_signed(self, method: str, target: str, headers: dict[str, str]) -> bool:
        query = dict(parse_qsl(urlsplit(target).query))
        bare = f"{self.url}{urlsplit(target).path}"
        credentials = Credentials(ACCESS, SECRET, TOKEN)
        if "X-Amz-Signature" in query:
            names = query["X-Amz-SignedHeaders"].split(";")
            request = AWSRequest(method, bare, headers={n: headers[n] for n in names if n != "host"})
            with _at(query["X-Amz-Date"]):
                S3SigV4QueryAuth(credentials, "s3", REGION, expires=int(query["X-Amz-Expires"])).add_auth(request)
            return dict(parse_qsl(urlsplit(request.url).query)) == query
        request = AWSRequest(method, bare, headers={})
        with _at(headers["x-amz-date"]):
            S3SigV4Auth(credentials, "s3", REGION).add_auth(request)
        return request.headers["Authorization"].rpartition("=")[2] == headers["authorization"].rpartition("=")[2]


def _at(moment: str) -> mock._patch:
    now = datetime.datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    return mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: now)


@asynccontextmanager
async def fake_s3() -> AsyncIterator[FakeS3]:
    bucket = FakeS3()
    server = await asyncio.start_server(bucket.serve, "127.0.0.1", 0)
    bucket.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield bucket
    finally:
        server.close()
