"""How long a recording is, as far as its own bytes tell: for holds, and for charging where no provider said it.

Nothing is decoded. What a header claims is believed only within what its number of bytes allows, so that a lying one
neither holds nor charges less than the bytes are worth. WAV and Ogg are read here, other files by tinytag, which is
given few and small steps and may fail in any way it likes.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil, isfinite
from typing import Any, cast

from orrery.core.types import Upload

LOWEST_BITS_PER_S = 16_000
"""What is taken for the bitrate of a file that tells nothing: Opus at its poorest for speech, as in voice messages."""

SLACK_BYTES = 64 * 1024
"""How much of a WAV file may be something else than sound."""

MOST_STEPS = 4_096
LARGEST_STEP_BYTES = 64 * 1024
"""tinytag's reading of one file ends with the first step beyond either: honest files take a few dozen."""

TAIL_BYTES = 64 * 1024
"""Where an Ogg file's last page begins: no page is larger (RFC 3533)."""

SUFFIXES: Mapping[str, str] = {
    **{"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/mpga": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"},
    **{"audio/wave": "wav", "audio/vnd.wave": "wav", "audio/flac": "flac", "audio/x-flac": "flac", "audio/ogg": "ogg"},
    **{"audio/opus": "ogg", "application/ogg": "ogg", "audio/webm": "webm", "video/webm": "webm", "audio/mp4": "m4a"},
    **{"audio/m4a": "m4a", "audio/x-m4a": "m4a", "audio/aac": "aac", "video/mp4": "mp4", "video/mpeg": "mpeg"},
}
"""By media type: the suffix by which providers know a format. "Include an extension-bearing filename", OpenAI's API
document 2.3.0, read 2026-11-21."""

TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg", "webm": "audio/webm"} | {
    "m4a": "audio/mp4"
}

_KNOWN = frozenset(SUFFIXES.values()) | {"mpga", "oga", "opus", "m4b", "mov", "mkv", "amr", "aiff", "wma"}
_CEILINGS = {"mp3": 450_000, "flac": 10_000_000, "m4a": 20_000_000, "": 20_000_000}
"""Bits a second that a format has at most: MPEG's layers 448,000, FLAC's stereo at 24 bits and 192 kHz 9,216,000; a
video's own share is anybody's guess."""

_PCM_LIKE = frozenset({0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE})
"""WAV's formats whose samples have a fixed size: integers, floats, A-law, µ-law, and "look further on"."""


def heard_ms(files: tuple[Upload, ...]) -> int:
    """Milliseconds of sound in all of `files`."""
    return sum(length_ms(file.data) for file in files)


def length_ms(data: bytes | memoryview) -> int:
    """Milliseconds of one recording; at least one for every file that is not empty."""
    view = memoryview(data)
    if not view:
        return 0
    kind = kind_of(view)
    seconds = _READERS.get(kind, _by_tinytag)(view)
    if seconds is None or not isfinite(seconds) or seconds <= 0:
        seconds = len(view) * 8 / LOWEST_BITS_PER_S
    return max(1, ceil(seconds * 1000))


def kind_of(data: bytes | memoryview) -> str:
    """What a file is by how it begins, as a suffix; "" for what is not recognised."""
    head = bytes(data[:12])
    if head.startswith(b"RIFF") and head.endswith(b"WAVE"):
        return "wav"
    if head[4:8] == b"ftyp":
        return "m4a"
    if head.startswith(b"ID3") or (head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE6 in (0xE2, 0xE4, 0xE6)):
        return "mp3"
    heads = {b"OggS": "ogg", b"fLaC": "flac", b"\x1aE\xdf\xa3": "webm"}
    return heads.get(head[:4], "")


def named(file: Upload) -> Upload:
    """The file under a suffix and a media type that tell its format, where its content or its type does."""
    suffix = file.name.rpartition(".")[2]
    if suffix not in _KNOWN:
        suffix = SUFFIXES.get(file.media_type) or kind_of(file.data)
    media_type = file.media_type
    if not media_type.startswith(("audio/", "video/")):
        media_type = TYPES.get(suffix) or TYPES.get(kind_of(file.data), "application/octet-stream")
    name = f"{file.name.rpartition('.')[0] or 'file'}.{suffix}" if suffix else file.name
    return replace(file, name=name, media_type=media_type)


def _wav_s(view: memoryview) -> float | None:
    """By the size of its samples. Its size of the data is believed where nearly all of the file is data."""
    place, per_second = 12, 0.0
    for _ in range(64):
        if len(view) < place + 8:
            return None
        name, size = struct.unpack_from("<4sI", view, place)
        place += 8
        if name == b"fmt " and size >= 16 and len(view) >= place + 16:
            form, channels, rate, told, _, bits = struct.unpack_from("<HHIIHH", view, place)
            per_second = channels * rate * bits / 8 if form in _PCM_LIKE else told
        elif name == b"data":
            rest = len(view) - place
            true = size if max(0, rest - SLACK_BYTES) <= size <= rest else rest
            return true / per_second if per_second else None
        place += size + size % 2
    return None


def _ogg_s(view: memoryview) -> float | None:
    """By the position that its last page tells, which counts samples: Opus' are 48,000 a second (RFC 7845)."""
    head, tail = bytes(view[: 4 * 1024]), bytes(view[-TAIL_BYTES:])
    opus, vorbis = head.find(b"OpusHead"), head.find(b"\x01vorbis")
    last = tail.rfind(b"OggS")
    if last < 0 or len(tail) < last + 14:
        return None
    samples = int(struct.unpack_from("<q", tail, last + 6)[0])
    if opus >= 0 and len(head) >= opus + 12:
        samples, rate = samples - struct.unpack_from("<H", head, opus + 10)[0], 48_000
    elif vorbis >= 0 and len(head) >= vorbis + 16:
        rate = struct.unpack_from("<I", head, vorbis + 12)[0]
    else:
        return None
    return max(samples / rate, len(view) * 8 / 512_000) if rate and samples > 0 else None


def _by_tinytag(view: memoryview) -> float | None:
    """What tinytag finds, but no less than the format's highest bitrate makes of the bytes."""
    from tinytag import TinyTag

    try:
        found = TinyTag.get(file_obj=cast(Any, _Steps(view)), tags=False).duration
    except Exception:  # noqa: BLE001 - a file that cannot be read is a file without a length, whatever it did
        return None
    if not found:
        return None
    return max(found, (len(view) - _tag_bytes(view)) * 8 / _CEILINGS.get(kind_of(view), _CEILINGS[""]))


def _tag_bytes(view: memoryview) -> int:
    """The size of an ID3 tag before the sound: pictures, which every decoder skips as this size says."""
    if bytes(view[:3]) != b"ID3" or len(view) < 10:
        return 0
    size = 0
    for byte in view[6:10]:
        size = size << 7 | byte & 0x7F
    return min(size, len(view))


_READERS: Mapping[str, Callable[[memoryview], float | None]] = {
    "wav": _wav_s,
    "ogg": _ogg_s,
    "webm": lambda view: None,  # it has its length at its end, if anywhere
}


class _Steps:
    """A file as tinytag reads one: over the bytes where they are. Raises `OSError` for too many or too large steps."""

    def __init__(self, view: memoryview) -> None:
        self._view, self._place, self._left = view, 0, MOST_STEPS

    def read(self, size: int = -1) -> bytes:
        self._step()
        size = len(self._view) if size < 0 else size
        if min(size, len(self._view) - self._place) > LARGEST_STEP_BYTES:
            raise OSError("a step that is too large")
        found = bytes(self._view[self._place : self._place + size])
        self._place += len(found)
        return found

    def seek(self, offset: int, whence: int = 0) -> int:
        self._step()
        place = (0, self._place, len(self._view))[whence] + offset
        if place < 0:
            raise OSError("before the beginning")
        self._place = place
        return place

    def tell(self) -> int:
        return self._place

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise OSError("too many steps")
