"""WAV, judged by the standard library."""

import io
import wave

from orrery.wire.wav import with_header


def test_samples_become_a_file_that_tells_their_number_and_rate() -> None:
    with wave.open(io.BytesIO(with_header([b"\x01\x02", b"", b"\x03\x04"], 24_000))) as file:
        assert file.getparams()[:4] == (1, 2, 24_000, 2)
        assert file.readframes(9) == b"\x01\x02\x03\x04"
        assert file.readframes(1) == b""
