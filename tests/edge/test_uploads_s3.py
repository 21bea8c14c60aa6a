"""Uploads in a bucket, against signatures that botocore makes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import InvalidRequest, Unavailable
from orrery.edge.http_pool import Pool
from orrery.edge.s3 import S3Bucket
from orrery.edge.uploads_s3 import S3Uploads
from tests.edge.fake_s3 import ACCESS, REGION, SECRET, TOKEN, FakeS3, fake_s3

WAV = "audio/wav"


def uploads_in(pool: Pool, held: Any, url: str = "", *, region: str = REGION, most_bytes: int = 10) -> S3Uploads:
    bucket = S3Bucket(pool, bucket="b", region=region, credentials=held, endpoint=url)
    return S3Uploads(bucket, most_bytes=most_bytes)


@pytest.fixture
async def bucket() -> AsyncIterator[FakeS3]:
    async with fake_s3() as bucket:
        yield bucket


@pytest.fixture
async def uploads(bucket: FakeS3) -> AsyncIterator[S3Uploads]:
    pool = Pool()
    held = AwsCredentials(ACCESS, SECRET, TOKEN)
    yield uploads_in(pool, held, bucket.url, most_bytes=1000)
    await pool.close()


async def put(url: str, data: bytes, media_type: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.put(url, content=data, headers={"content-type": media_type})).status_code


async def test_what_is_put_where_it_was_told_to_is_read_and_deleted(uploads: S3Uploads, bucket: FakeS3) -> None:
    place = await uploads.presign("alice", media_type=WAV, size_bytes=4)
    assert await put(place.put_url, b"RIFF", WAV) == 200
    assert uploads.has(place.url)
    found = await uploads.read("alice", place.url, timeout_s=5)
    assert (found.media_type, found.data) == (WAV, b"RIFF")
    await uploads.delete("alice", place.url)
    assert bucket.objects == {}
    with pytest.raises(InvalidRequest, match="nothing behind"):
        await uploads.read("alice", place.url, timeout_s=5)


@pytest.mark.parametrize(("data", "media_type"), [(b"RIFF+", WAV), (b"RIF", WAV), (b"RIFF", "text/html")])
async def test_another_size_or_type_than_announced_is_not_taken(
    uploads: S3Uploads, bucket: FakeS3, data: bytes, media_type: str
) -> None:
    place = await uploads.presign("alice", media_type=WAV, size_bytes=4)
    assert await put(place.put_url, data, media_type) == 403
    assert bucket.objects == {}


async def test_a_place_is_for_one_file_and_no_other(uploads: S3Uploads, bucket: FakeS3) -> None:
    place = await uploads.presign("alice", media_type=WAV, size_bytes=4)
    other = place.put_url.replace("/uploads/alice/", "/uploads/bob/")
    assert await put(other, b"RIFF", WAV) == 403


async def test_another_organizations_file_is_as_one_that_is_not_there(uploads: S3Uploads, bucket: FakeS3) -> None:
    place = await uploads.presign("alice", media_type=WAV, size_bytes=4)
    await put(place.put_url, b"RIFF", WAV)
    asked = len(bucket.asked)
    for call in (uploads.read("bob", place.url, timeout_s=5), uploads.delete("bob", place.url)):
        with pytest.raises(InvalidRequest, match="nothing behind"):
            await call
    assert len(bucket.asked) == asked and bucket.objects


@pytest.mark.parametrize(
    "path",
    [
        "uploads/alice/../bob/aaaaaaaaaaaaaaaaaaaaaa.wav",
        "uploads/alice/%2e%2e/x.wav",
        "secrets",
        "",
        "uploads/alice/?x",
    ],
)
async def test_no_other_key_is_ever_asked_for(uploads: S3Uploads, bucket: FakeS3, path: str) -> None:
    with pytest.raises(InvalidRequest):
        await uploads.read("alice", f"{bucket.url}/{path}", timeout_s=5)
    assert bucket.asked == []


@pytest.mark.parametrize("status", [500, 503, 301])
async def test_a_bucket_in_trouble_is_not_the_callers_fault(uploads: S3Uploads, bucket: FakeS3, status: int) -> None:
    place = await uploads.presign("alice", media_type=WAV, size_bytes=4)
    bucket.status = status
    for call in (uploads.read("alice", place.url, timeout_s=5), uploads.delete("alice", place.url)):
        with pytest.raises(Unavailable):
            await call


async def test_a_bucket_that_is_gone_is_unavailable(uploads: S3Uploads) -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    pool, held = Pool(), AwsCredentials(ACCESS, SECRET)
    gone = uploads_in(pool, held, url)
    with pytest.raises(Unavailable):
        await gone.read("alice", (await gone.presign("alice", media_type=WAV, size_bytes=4)).url, timeout_s=5)
    server.close()
    await pool.close()


async def test_on_aws_the_place_is_in_the_bucket_of_its_region() -> None:
    held = AwsCredentials(ACCESS, SECRET)
    there = uploads_in(Pool(), held, region="cn-north-1")
    place = await there.presign("alice", media_type="image/png", size_bytes=4)
    parts = urlsplit(place.put_url)
    assert (parts.scheme, parts.hostname) == ("https", "b.s3.cn-north-1.amazonaws.com.cn")
    assert not there.has("https://b.s3.cn-north-1.amazonaws.com.cn.evil.test/uploads/alice/x.png")
