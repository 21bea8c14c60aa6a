"""Pictures of the sandbox: a sky whose colours follow from the prompt, with the word "sandbox" on it. PNG only."""

import base64
import hashlib
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

type Json = dict[str, Any]

LETTERS = {
    "s": ("01110", "10000", "01110", "00001", "11110"),
    "a": ("01110", "10001", "11111", "10001", "10001"),
    "n": ("10001", "11001", "10101", "10011", "10001"),
    "d": ("11110", "10001", "10001", "10001", "11110"),
    "b": ("11110", "10001", "11110", "10001", "11110"),
    "o": ("01110", "10001", "10001", "10001", "01110"),
    "x": ("10001", "01010", "00100", "01010", "10001"),
}
LABEL = "sandbox"
WIDEST = 4096
DEFAULT_SIZE = "1024x1024"
WHITE = b"\xff\xff\xff"
NO_TOKENS = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}


def size_of(asked: Json) -> tuple[int, int]:
    """Width and height, at most `WIDEST` each."""
    width, _, height = str(asked.get("size") or DEFAULT_SIZE).partition("x")
    if not width.isdigit() or not height.isdigit():
        width, _, height = DEFAULT_SIZE.partition("x")
    return max(1, min(int(width), WIDEST)), max(1, min(int(height), WIDEST))


def png(prompt: str, width: int, height: int, light: float = 1.0) -> bytes:
    """The picture of a prompt: the same words draw the same sky. `light` below 1 is one that is not finished."""
    digest = hashlib.sha256(prompt.encode()).digest()
    top, bottom = digest[:3], digest[3:6]
    label = _label(width)
    first = (height - len(label)) // 2
    rows = []
    for y in range(height):
        share = y / height
        colour = bytes(int((a * (1 - share) + b * share) * light) for a, b in zip(top, bottom, strict=True))
        row = bytearray(colour * width)
        if label and 0 <= y - first < len(label):
            _write(row, label[y - first], width)
        rows.append(b"\x00" + bytes(row))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _label(width: int) -> list[str]:
    """The label's rows, as wide as half of the picture; none where it does not fit."""
    scale = width // (2 * 6 * len(LABEL))
    rows = ["0".join(LETTERS[letter][line] for letter in LABEL) for line in range(5)]
    return ["".join(dot * scale for dot in row) for row in rows for _ in range(scale)]


def _write(row: bytearray, dots: str, width: int) -> None:
    start = (width - len(dots)) // 2
    for x, dot in enumerate(dots):
        if dot == "1":
            row[(start + x) * 3 : (start + x + 1) * 3] = WHITE


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def answer(asked: Json, files: Sequence[bytes] = ()) -> Json:
    """OpenAI's images answer; a URL is a data URL. Of pictures to change it says how many there were, and how large."""
    width, height = size_of(asked)
    more = {"revised_prompt": _seen(asked, files)} if files else {}
    drawn = []
    for number in range(_count(asked)):
        encoded = _encoded(asked, number, width, height)
        url = asked.get("response_format") == "url"
        drawn.append({"url": f"data:image/png;base64,{encoded}", **more} if url else {"b64_json": encoded, **more})
    return {"created": int(time.time()), "data": drawn, "output_format": "png", "size": f"{width}x{height}"}


def _seen(asked: Json, files: Sequence[bytes]) -> str:
    sizes = ", ".join(str(len(file)) for file in files)
    return f"sandbox: {len(files)} file(s) of {sizes} bytes; {asked.get('prompt') or 'no prompt'}"


def _count(asked: Json) -> int:
    return int(asked.get("n") or 1)


def _encoded(asked: Json, number: int, width: int, height: int, light: float = 1.0) -> str:
    data = png(f"{asked.get('prompt') or ''}{number or ''}", width, height, light)
    return base64.b64encode(data).decode()


def events(asked: Json, files: Sequence[bytes], kind: str) -> Iterator[Json]:
    """OpenAI's events: unfinished pictures, as many as asked for, then the finished one; types begin with `kind`."""
    width, height = size_of(asked)
    shared = {"created_at": int(time.time()), "size": f"{width}x{height}", "quality": "auto", "background": "opaque"}
    count = int(asked.get("partial_images") or 0)
    for number in range(_count(asked)):
        for step in range(count):
            encoded = _encoded(asked, number, width, height, (step + 1) / (count + 1))
            event = {"type": f"{kind}.partial_image", **shared, "output_format": "png", "b64_json": encoded}
            yield event | {"partial_image_index": step}
        encoded = _encoded(asked, number, width, height)
        yield {
            "type": f"{kind}.completed",
            **shared,
            "output_format": "png",
            "b64_json": encoded,
            "usage": dict(NO_TOKENS),
        }
