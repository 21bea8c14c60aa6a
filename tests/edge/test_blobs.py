"""Blobs in a bucket, against signatures that botocore makes, and in a folder."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault, Unavailable
from orrery.core.ports import Blobs
from orrery.edge import blobs_s3
from orrery.edge.blobs_local import LocalBlobs
from orrery.edge.blobs_s3 import S3Blobs
from orrery.edge.http_pool import Pool
from orrery.edge.s3 import S3Bucket
from tests.edge.blobs import DATA, NAME, asked, files_in
from tests.edge.fake_s3 import ACCESS, REGION, SECRET, TOKEN, FakeS3, _at

HELD = AwsCredentials(ACCESS, SECRET, TOKEN)


class Bucket(FakeS3):
    """Takes signed contents, too: a body is what its signature says, or nothing."""

    body = b""

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        self.body = body
        return super()._answer(method, target, headers, body)

    def _is_signed(self, method: str, target: str, headers: dict[str, str]) -> bool:
        names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        told = {name: headers[name] for name in names if not name.startswith("x-amz-") and name != "host"}
        request = AWSRequest(method, f"{self.url}{urlsplit(target).path}", headers=told, data=self.body)
        with _at(headers["x-amz-date"]):
            S3SigV4Auth(Credentials(ACCESS, SECRET, TOKEN), "s3", REGION).add_auth(request)
        same = request.headers["Authorization"].rpartition("=")[2] == headers["authorization"].rpartition("=")[2]
        return same and headers["x-amz-content-sha256"] == hashlib.sha256(self.body).hexdigest()


@asynccontextmanager
async def served(bucket: FakeS3) -> AsyncIterator[None]:
    server = await asyncio.start_server(bucket.serve, "127.0.0.1", 0)
    bucket.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield
    finally:
        server.close()


def in_s3(pool: Pool, url: str, credentials: Any = HELD) -> S3Blobs:
    return S3Blobs(S3Bucket(pool, bucket="b", region=REGION, credentials=credentials, endpoint=url))


@pytest.fixture
async def bucket() -> AsyncIterator[Bucket]:
    bucket = Bucket()
    async with served(bucket):
        yield bucket


@pytest.fixture
async def in_bucket(bucket: Bucket) -> AsyncIterator[S3Blobs]:
    pool = Pool()
    yield in_s3(pool, bucket.url)
    await pool.close()


@pytest.fixture(params=["bucket", "folder"])
def blobs(request: pytest.FixtureRequest, in_bucket: S3Blobs, tmp_path: Path) -> Blobs:
    return in_bucket if request.param == "bucket" else LocalBlobs(tmp_path / "blobs")


async def test_what_was_put_is_got_until_it_is_deleted(blobs: Blobs) -> None:
    assert await blobs.get("org-a", NAME) is None
    await blobs.put("org-a", NAME, DATA)
    assert await blobs.get("org-a", NAME) == DATA
    await blobs.delete("org-a", NAME)
    assert await blobs.get("org-a", NAME) is None
    await blobs.delete("org-a", NAME)


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"x"])
async def test_any_bytes_come_back(blobs: Blobs, data: bytes) -> None:
    await blobs.put("org-a", NAME, DATA)
    await blobs.put("org-a", NAME, data)
    assert await blobs.get("org-a", NAME) == data


async def test_organizations_have_blobs_of_their_own(blobs: Blobs) -> None:
    await blobs.put("org-a", NAME, b"a")
    assert await blobs.get("org-b", NAME) is None
    await blobs.delete("org-b", NAME)
    assert await blobs.get("org-a", NAME) == b"a"


@pytest.mark.parametrize(
    ("organization", "name"),
    [
        ("org-a", "../org-b/x"),
        ("org-a", ".."),
        ("org-a", ""),
        ("org-a", "x/y"),
        ("org-a", "x\\y"),
        ("org-a", "x.json"),
        ("org-a", "x\n"),
        ("org-a", "x?y"),
        ("org-a", "x%2f"),
        ("org-a", "n" * 129),
        ("..", "x"),
        ("", "x"),
        ("/etc", "passwd"),
        ("org\x00", "x"),
        ("o" * 65, "x"),
    ],
)
async def test_no_name_leads_elsewhere(
    blobs: Blobs, bucket: Bucket, tmp_path: Path, organization: str, name: str
) -> None:
    for work in (blobs.get(organization, name), blobs.put(organization, name, b"x"), blobs.delete(organization, name)):
        with pytest.raises(ValueError, match="this name"):
            await work
    assert bucket.asked == []
    assert not files_in(tmp_path)


async def test_in_a_bucket_it_is_an_object_of_its_organization(in_bucket: S3Blobs, bucket: Bucket) -> None:
    await in_bucket.put("org-a", NAME, DATA)
    assert bucket.objects == {f"answers/org-a/{NAME}": ("application/octet-stream", DATA)}
    await in_bucket.delete("org-a", NAME)
    assert bucket.objects == {}


async def test_places_in_a_bucket_are_apart(in_bucket: S3Blobs, bucket: Bucket) -> None:
    pool = Pool()
    other = S3Blobs(
        S3Bucket(pool, bucket="b", region=REGION, credentials=HELD, endpoint=bucket.url), blobs_s3.RESPONSES
    )
    await other.put("org-a", NAME, DATA)
    assert bucket.objects == {f"responses/org-a/{NAME}": ("application/octet-stream", DATA)}
    assert await in_bucket.get("org-a", NAME) is None and await other.get("org-a", NAME) == DATA
    await in_bucket.delete("org-a", NAME)
    assert await other.get("org-a", NAME) == DATA
    await pool.close()


async def test_the_judge_of_signatures_can_say_no(bucket: Bucket) -> None:
    pool, wrong = Pool(), AwsCredentials(ACCESS, SECRET[::-1], TOKEN)
    with pytest.raises(Unavailable, match="403"):
        await in_s3(pool, bucket.url, wrong).put("a", NAME, DATA)
    assert bucket.objects == {}
    await pool.close()


@pytest.mark.parametrize("status", [301, 400, 500, 503])
async def test_a_bucket_in_trouble_is_unavailable(in_bucket: S3Blobs, bucket: Bucket, status: int) -> None:
    bucket.status = status
    for work in asked(in_bucket):
        with pytest.raises(Unavailable, match=str(status)):
            await work()


async def test_what_may_not_be_seen_is_not_there_and_what_may_not_be_written_is_a_fault(
    in_bucket: S3Blobs, bucket: Bucket
) -> None:
    bucket.status = 403
    put, get, delete = asked(in_bucket)
    assert await get() is None
    for work in (put, delete):
        with pytest.raises(Unavailable):
            await work()
    bucket.status = 404
    await delete()
    with pytest.raises(Unavailable):
        await put()


async def answering(said: bytes, blobs: Callable[[str], S3Blobs]) -> list[type[BaseException] | None]:
    """How each of the three ends at a server that says this and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    found: list[type[BaseException] | None] = []
    for work in asked(blobs(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")):
        try:
            await work()
            found.append(None)
        except Unavailable as err:
            found.append(type(err))
    server.close()
    return found


HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"


@pytest.mark.parametrize("said", [b"", b"what?\r\n\r\n", HALF])
async def test_a_bucket_that_hangs_up_is_unavailable(said: bytes) -> None:
    pool = Pool()
    ends = await answering(said, lambda url: in_s3(pool, url))
    assert ends == [Unavailable] * 3
    await pool.close()


async def test_half_a_blob_is_none_and_more_than_any_has_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_s3, "LARGEST_BYTES", 9)
    whole = HALF.replace(b"half", b"0123456789")
    pool = Pool()
    ends = await answering(whole, lambda url: in_s3(pool, url))
    assert ends[1] is Unavailable
    monkeypatch.setattr(blobs_s3, "LARGEST_BYTES", 10)
    ends = await answering(whole, lambda url: in_s3(pool, url))
    assert ends[1] is None
    await pool.close()


async def test_a_silent_bucket_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_s3, "TIMEOUT_S", 0.01)
    over = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    pool = Pool()
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for work in asked(in_s3(pool, url)):
        with pytest.raises(Unavailable, match="does not answer"):
            await work()
    over.set()
    server.close()
    await pool.close()


async def test_credentials_are_asked_for_each_time_and_may_be_missing(bucket: Bucket) -> None:
    times = list[int]()

    async def source() -> AwsCredentials:
        times.append(1)
        if len(times) > 2:
            raise AwsFault("NoCredentials")
        return HELD

    pool = Pool()
    blobs = in_s3(pool, bucket.url, source)
    await blobs.put("org-a", NAME, DATA)
    assert await blobs.get("org-a", NAME) == DATA
    with pytest.raises(Unavailable, match="NoCredentials"):
        await blobs.get("org-a", NAME)
    await pool.close()


async def test_connections_are_kept(bucket: Bucket) -> None:
    pool = Pool()
    for _ in range(3):
        for work in asked(in_s3(pool, bucket.url)):
            await work()
    assert pool.open_count == 1
    await pool.close()


@pytest.mark.parametrize(("region", "host"), [("eu-central-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")])
def test_on_aws_it_is_the_bucket_of_its_region(region: str, host: str) -> None:
    bucket = S3Bucket(Pool(), bucket="b", region=region, credentials=HELD)
    assert bucket.root == f"https://b.s3.{region}.{host}"
