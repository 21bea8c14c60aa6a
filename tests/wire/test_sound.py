"""How long recordings are: real ones, cut ones and lying ones."""

import io
import math
import struct
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.types import Upload
from orrery.wire.sound import LOWEST_BITS_PER_S, heard_ms, kind_of, length_ms, named
from tests.work import steps


def wav(seconds: float = 2.0, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(int(seconds * rate) * channels * width))
    return held.getvalue()


def mp3(frames: int, *, start: bytes = b"") -> bytes:
    """MPEG 1 layer III, 128 kbit/s, 44.1 kHz: frames of 417 bytes and 1152 samples."""
    return start + (b"\xff\xfb\x90\xc0" + bytes(413)) * frames


def flac(samples: int, rate: int = 44_100, size: int = 50_000) -> bytes:
    info = (rate << 44) | (0 << 41) | (15 << 36) | samples
    head = struct.pack(">HH3s3sQ16s", 4096, 4096, b"", b"", info, b"")
    return b"fLaC\x80" + len(head).to_bytes(3, "big") + head + bytes(size)


def ogg(granule: int, codec: bytes, size: int = 20_000) -> bytes:
    def page(flags: int, position: int, packet: bytes) -> bytes:
        sizes = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
        return struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, 7, 0, 0, len(sizes)) + sizes + packet

    return page(2, 0, codec) + page(0, 1, bytes(size)) + page(4, granule, bytes(100))


def mp4(seconds: int, scale: int = 1000, size: int = 40_000) -> bytes:
    def atom(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", len(body) + 8, name) + body

    header = atom(b"mvhd", bytes(12) + struct.pack(">II", scale, seconds * scale) + bytes(80))
    return atom(b"ftyp", b"M4A \0\0\0\0") + atom(b"mdat", bytes(size)) + atom(b"moov", header)


OPUS = b"OpusHead\x01\x01" + struct.pack("<HIhB", 312, 16_000, 0, 0)
VORBIS = b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, 1, 44_100, 0, 64_000, 0, 0xB8, 1)


@pytest.mark.parametrize(
    ("data", "ms"),
    [
        (wav(2.0), 2000),
        (wav(0.5, 44_100, 2), 500),
        (wav(3.0, 8_000, 1, 1), 3000),
        (mp3(1000), 26_123),
        (mp3(1000, start=b"ID3\x04\0\0" + bytes([0, 0, 7, 104]) + bytes(1000)), 26_123),
        (flac(441_000), 10_000),
        (ogg(480_312, OPUS), 10_000),
        (ogg(441_000, VORBIS), 10_000),
        (mp4(12), 12_000),
    ],
    ids=["wav", "wav stereo", "wav 8 bit", "mp3", "mp3 with a tag", "flac", "opus", "vorbis", "mp4"],
)
def test_a_recording_is_as_long_as_it_sounds(data, ms):
    assert length_ms(data) == pytest.approx(ms, rel=0.02)
    assert length_ms(memoryview(data)) == length_ms(data)


@pytest.mark.parametrize("declared", [0, 1, 400, 2**31, 2**32 - 1])
def test_a_wav_that_lies_about_its_size_is_as_long_as_its_bytes(declared):
    data = bytearray(wav(60.0))
    struct.pack_into("<I", data, 40, declared)
    assert length_ms(bytes(data)) == pytest.approx(60_000, rel=0.01)


def test_a_wav_cut_short_is_as_long_as_what_is_left():
    assert length_ms(wav(60.0)[: 44 + 320_000]) == 10_000


@pytest.mark.parametrize(
    "lie", [mp4(0, size=10**7), flac(1, size=10**7), mp4(1, size=10**7)], ids=["mp4 of 0 s", "flac", "mp4 of 1 s"]
)
def test_a_header_that_claims_too_little_is_not_believed(lie):
    assert length_ms(lie) >= 10**7 * 8 * 1000 // 20_000_000


@pytest.mark.parametrize("data", [b"x" * 20_000, b"\x1aE\xdf\xa3" + bytes(19_996), b"RIFF" + bytes(19_996)])
def test_what_tells_nothing_is_as_long_as_speech_at_its_poorest(data):
    assert length_ms(data) == len(data) * 8 * 1000 // LOWEST_BITS_PER_S


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([wav(0.1), mp3(20), flac(44_100, size=100), ogg(48_000, OPUS, 300), mp4(3, size=100)]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=12),
    st.integers(0, 9_000),
)
def test_no_file_whatever_raises_or_is_free(data, changes, cut):
    broken = bytearray(data)
    for place, byte in changes:
        broken[place % len(broken)] = byte
    told = length_ms(bytes(broken[: max(1, len(broken) - cut)]))
    assert told >= 1 and math.isfinite(told)


HOSTILE = {
    "mp3 of garbage": b"\xff\xfb\x00\x00" * 2_000_000,
    "ogg of tiny pages": ogg(1, OPUS, 10) + (b"OggS" + bytes(23)) * 300_000,
    "mp4 of empty atoms": b"\0\0\0\x08ftyp" + b"\0\0\0\x08free" * 1_000_000,
    "flac of blocks": b"fLaC" + b"\x01\0\0\0" * 2_000_000,
    "wav of chunks": b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 1_000_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_takes_few_steps(data):
    assert length_ms(data) > 1000
    assert steps(lambda: length_ms(data)) < 300_000


def test_several_files_add_up_and_none_is_nothing():
    file = Upload("file", "file.wav", "audio/wav", wav(1.0))
    assert heard_ms((file, file)) == 2000
    assert heard_ms(()) == length_ms(b"") == 0


@pytest.mark.parametrize(
    ("name", "media_type", "data", "expected"),
    [
        ("file.bin", "audio/mpeg", b"?", ("file.mp3", "audio/mpeg")),
        ("file.bin", "application/octet-stream", wav(), ("file.wav", "audio/wav")),
        ("file.mp3", "application/octet-stream", mp3(2), ("file.mp3", "audio/mpeg")),
        ("file.bin", "application/octet-stream", b"?", ("file.bin", "application/octet-stream")),
        ("file.oga", "audio/ogg", b"?", ("file.oga", "audio/ogg")),
    ],
)
def test_a_file_goes_out_under_a_name_that_tells_its_format(name, media_type, data, expected):
    file = named(Upload("file", name, media_type, data))
    assert (file.name, file.media_type) == expected
    assert file.data is data


def test_a_stream_of_aac_is_not_taken_for_mpeg():
    assert kind_of(b"\xff\xf1\x50\x80" + bytes(20)) == ""
    assert kind_of(mp3(1)) == "mp3"


def test_a_wav_without_samples_is_not_free():
    assert length_ms(wav(0.0)) == 44 * 8 * 1000 // LOWEST_BITS_PER_S
