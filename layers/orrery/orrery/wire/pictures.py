"""What a picture file says of itself: its kind and its size, read from its head. Nothing is decoded here.

So a file of a few kilobytes that would unpack to gigabytes is refused for what it announces. Sources, read 2026-11-21:
PNG (Third Edition, W3C) 5.2 and 11.2.1; JPEG (ITU-T T.81) annex B; "WebP Container Specification" and RFC 9649.
"""

from dataclasses import replace
from typing import NamedTuple

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.types import Upload

MOST_BYTES = 50 * 1024 * 1024
"""OpenAI: "less than 50MB" for each picture (API document 2.3.0)."""

MOST_PIXELS = 8_192 * 8_192
"""Twice what a model draws at most, eight times over: whoever unpacks more does it for nothing."""

SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}

DEFLATE_AT_MOST = 1_032
"""Bytes that one byte of deflated data can unpack to: zlib's "Technical Details", for any data."""

JPEG_PIXELS_AT_MOST = 2_048
"""Pixels that one byte of JPEG can hold, generously: a block of 64 needs a bit even where nothing is in it."""

MOST_SEGMENTS = 4_096
"""Of a JPEG, before its frame: a colour profile and a description have a few hundred."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = b"\x00\x00\x00\rIHDR"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's colour type
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's markers that begin a frame and give its size
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # JPEG's markers that have no length
_SCAN, _END = 0xDA, 0xD9

type Data = bytes | memoryview


class Picture(NamedTuple):
    """A picture's kind, and what it says of its width and height."""

    media_type: str
    width: int
    height: int


def checked(upload: Upload, param: str) -> Upload:
    """The upload under the media type that its content has.

    Raises `InvalidRequest` for what is no PNG, JPEG or WebP, is broken or lies about its size; `TooLarge` for too much.
    """
    if len(upload.data) > MOST_BYTES:
        raise TooLarge(f"A picture may have {MOST_BYTES} bytes.", param=param)
    try:
        picture = picture_of(upload.data)
    except ValueError as err:
        raise InvalidRequest(f"Invalid image file: {err}.", param=param, code="invalid_image_file") from err
    if picture.width * picture.height > MOST_PIXELS:
        raise TooLarge(
            f"A picture may have {MOST_PIXELS} pixels; this one says that it has {picture.width}x{picture.height}.",
            param=param,
        )
    media_type = picture.media_type
    return replace(upload, media_type=media_type, name=f"{upload.field_name}.{SUFFIXES[media_type]}")


def picture_of(data: Data) -> Picture:
    """What `data` says that it is. Raises `ValueError` when that cannot be."""
    head = bytes(data[:32])
    if head.startswith(_PNG):
        picture = _png(head, len(data))
    elif head.startswith(b"\xff\xd8\xff"):
        picture = _jpeg(memoryview(data))
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        picture = _webp(head, len(data))
    else:
        raise ValueError("it is neither PNG nor JPEG nor WebP")
    if not picture.width or not picture.height:
        raise ValueError("it has no width or no height")
    return picture


def _png(head: bytes, size: int) -> Picture:
    if len(head) < 29 or head[8:16] != _PNG_HEAD:
        raise ValueError("the PNG does not begin with its header")
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    depth, colours = head[24], head[25]
    if depth not in (1, 2, 4, 8, 16) or colours not in _CHANNELS:
        raise ValueError("the PNG has a colour type that does not exist")
    if height * (width * depth * _CHANNELS[colours] // 8) > DEFLATE_AT_MOST * size:
        raise ValueError(f"{size} bytes of PNG cannot hold {width}x{height} pixels")
    return Picture("image/png", width, height)


def _jpeg(data: memoryview) -> Picture:
    place = 2
    for _ in range(MOST_SEGMENTS):
        if place + 9 > len(data):
            break
        if data[place] != 0xFF:
            raise ValueError("the JPEG is broken")
        marker = data[place + 1]
        if marker == 0xFF:  # any number of these may stand before a marker
            place += 1
        elif marker in _ALONE:
            place += 2
        elif marker in _FRAMES:
            height, width = int.from_bytes(data[place + 5 : place + 7]), int.from_bytes(data[place + 7 : place + 9])
            if width * height > JPEG_PIXELS_AT_MOST * len(data):
                raise ValueError(f"{len(data)} bytes of JPEG cannot hold {width}x{height} pixels")
            return Picture("image/jpeg", width, height)
        elif marker in (_SCAN, _END):
            break
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4])
    raise ValueError("the JPEG does not say how large it is")


def _webp(head: bytes, size: int) -> Picture:
    if int.from_bytes(head[4:8], "little") + 8 > size or len(head) < 30:
        raise ValueError("the WebP is not whole")
    kind = head[12:16]
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    elif kind == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8X":
        width, height = int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    else:
        raise ValueError("the WebP is of a kind that does not exist")
    return Picture("image/webp", width, height)
