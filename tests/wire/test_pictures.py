"""Pictures are judged by their heads: real ones pass, bombs and liars do not, and nothing is decoded."""

import io
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.types import Upload
from orrery.wire.pictures import MOST_BYTES, Picture, checked, picture_of
from tests.work import steps

KINDS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def drawn(kind: str, size: tuple[int, int] = (37, 21), mode: str = "RGB", **more: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 0).save(out, kind, **more)
    return out.getvalue()


def upload(data: bytes) -> Upload:
    return Upload("image", "image.bin", "application/octet-stream", data)


def png(width: int, height: int, *, depth: int = 8, colours: int = 2, data: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    made = (struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_pillow_wrote_is_read(kind, mode):
    mode = "RGB" if kind == "JPEG" and mode == "RGBA" else mode
    assert picture_of(drawn(kind, mode=mode)) == Picture(KINDS[kind], 37, 21)


@pytest.mark.parametrize("more", [{"progressive": True}, {"exif": b"Exif\0\0" + b"x" * 60_000}, {"optimize": True}])
def test_every_kind_of_jpeg_is_read(more):
    assert picture_of(drawn("JPEG", **more)) == Picture("image/jpeg", 37, 21)


@pytest.mark.parametrize("more", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0II*\0" + b"\0" * 60}])
def test_every_kind_of_webp_is_read(more):
    assert picture_of(drawn("WEBP", **more)) == Picture("image/webp", 37, 21)


@pytest.mark.parametrize("kind", KINDS)
def test_one_plain_colour_is_no_lie(kind):
    assert picture_of(drawn(kind, (1_500, 1_500)))[1:] == (1_500, 1_500)


def test_the_content_says_what_a_file_is():
    seen = checked(upload(drawn("WEBP")), "image")
    assert (seen.media_type, seen.name) == ("image/webp", "image.webp")


def test_views_are_not_copied():
    view = memoryview(drawn("PNG"))
    assert checked(Upload("image", "x", "", view), "image").data is view


def test_a_bomb_is_refused_without_decoding_it():
    bomb = png(30_000, 30_000, data=zlib.compress(b"\0" * 20_000_000, 9))
    tracemalloc.start()
    with pytest.raises(InvalidRequest, match="cannot hold 30000x30000"):
        checked(upload(bomb), "image")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_more_pixels_than_any_model_sees_are_refused():
    with pytest.raises(TooLarge, match="8192x8193") as caught:
        checked(upload(png(8_192, 8_193, data=b"\0" * 300_000)), "image[1]")
    assert caught.value.param == "image[1]"
    assert checked(upload(png(8_192, 8_192, data=b"\0" * 300_000)), "image")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither"),
        (b"%PDF-1.7 and so on, and so on, and so on", "neither"),
        (b"GIF89a" + b"\0" * 40, "neither"),
        (b"\x89PNG\r\n\x1a\n", "header"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 60, "header"),
        (png(10, 0), "no width"),
        (png(10, 10, colours=5), "colour"),
        (png(5_000, 5_000), "cannot hold"),
        (drawn("JPEG")[:20], "how large"),
        (b"\xff\xd8\xff\xda" + b"\0" * 40, "how large"),
        (b"\xff\xd8\xff\xe0\x00\x04\x00\x00" + b"\x11" * 40, "broken"),
        (drawn("WEBP")[:40], "not whole"),
        (b"RIFF\x04\0\0\0WEBPVP9 " + b"\0" * 40, "kind"),
        (drawn("JPEG").replace(b"\x00\x15\x00\x25", b"\xff\xff\xff\xff", 1), "cannot hold"),
    ],
)
def test_what_is_broken_or_lies_is_refused(data, why):
    with pytest.raises(InvalidRequest, match=why) as caught:
        checked(upload(data), "mask")
    assert (caught.value.param, caught.value.code) == ("mask", "invalid_image_file")


@pytest.mark.parametrize("filler", [b"\xff\xe0\x00\x02", b"\xff\xe0\x00\x00", b"\xff", b"\xff\x01"])
def test_a_jpeg_of_nothing_but_segments_is_not_read_to_its_end(filler):
    def read() -> None:
        with pytest.raises(ValueError, match=r"how large|broken"):
            picture_of(b"\xff\xd8\xff" + filler * 1_000_000)

    assert steps(read) < 150_000


def test_fifty_megabytes_are_the_most():
    with pytest.raises(TooLarge):
        checked(upload(bytes(MOST_BYTES + 1)), "image")
