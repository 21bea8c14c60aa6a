"""WAV: samples behind a header that says how many there are."""

import struct
from collections.abc import Sequence

SAMPLE_BYTES = 2


def with_header(samples: Sequence[bytes], rate_hz: int) -> bytes:
    """A WAV file of samples in 16 bits, little-endian, of one channel."""
    size = sum(map(len, samples))
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + size,
        b"WAVE",
        b"fmt ",
        16,  # bytes of what describes the format
        1,  # PCM
        1,  # channel
        rate_hz,
        rate_hz * SAMPLE_BYTES,
        SAMPLE_BYTES,
        SAMPLE_BYTES * 8,
        b"data",
        size,
    )
    return b"".join((head, *samples))
