"""Sound of the sandbox: a tone for every word, and of what it hears, how long it is. WAV and raw PCM only."""

import io
import math
import struct
import wave
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import orjson

type Json = dict[str, Any]

RATE = 24_000
WORD_S = 0.12
LOUDNESS = 8_000
SCALE = (262, 294, 330, 349, 392, 440, 494, 523)


def tones(text: str) -> Iterator[bytes]:
    """16-bit samples, a word at a time: the longer the word, the higher its tone."""
    return (_tone(SCALE[len(word) % len(SCALE)]) for word in text.split() or [""])


@cache
def _tone(pitch: int) -> bytes:
    count = int(RATE * WORD_S)
    step = 2 * math.pi * pitch / RATE
    samples = (int(LOUDNESS * math.sin(step * n) * min(1, (count - n) / 400)) for n in range(count))
    return struct.pack(f"<{count}h", *samples)


def wav(text: str) -> Iterator[bytes]:
    """The same as a WAV, its head first."""
    size = len(text.split() or [""]) * int(RATE * WORD_S) * 2
    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
    yield b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + struct.pack("<I", len(form)) + form
    yield b"data" + struct.pack("<I", size)
    yield from tones(text)


def spoken(text: str, pieces: Iterable[bytes]) -> Iterator[Json]:
    """OpenAI's events of speech."""
    for piece in pieces:
        yield {"type": "speech.audio.delta", "audio": b64encode(piece).decode()}
    tokens = len(text.split())
    usage = {"input_tokens": tokens, "output_tokens": 0, "total_tokens": tokens}
    yield {"type": "speech.audio.done", "usage": usage}


def heard(data: bytes) -> float:
    """Seconds of a WAV; of anything else, as if it had 16,000 bytes a second."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            frame = file.getnchannels() * file.getsampwidth()
            return float(min(file.getnframes(), len(data) // frame) / file.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError):
        return len(data) / 16_000


def transcript(data: bytes, seconds: float) -> str:
    return f"This is the sandbox. It heard {seconds:.2f} seconds of sound in {len(data)} bytes."


def answer(asked: Json, files: Sequence[bytes], task: str) -> tuple[str, bytes]:
    """OpenAI's answer in the form that was asked for: its media type, and its bytes."""
    data = files[0] if files else b""
    seconds = heard(data)
    text = transcript(data, seconds)
    match asked.get("response_format"):
        case "text":
            return "text/plain; charset=utf-8", f"{text}\n".encode()
        case "srt":
            return "text/plain; charset=utf-8", f"1\n00:00:00,000 --> {_clock(seconds, ',')}\n{text}\n".encode()
        case "vtt":
            return "text/vtt; charset=utf-8", f"WEBVTT\n\n00:00:00.000 --> {_clock(seconds, '.')}\n{text}\n".encode()
        case "verbose_json":
            segment = {"id": 0, "start": 0.0, "end": seconds, "text": text, "seek": 0, "tokens": [], "temperature": 0.0}
            segment |= {"avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0}
            told = {"task": task, "language": "english", "duration": seconds, "text": text, "segments": [segment]}
        case _:
            told = {"text": text}
    return "application/json", orjson.dumps(told | {"usage": {"type": "duration", "seconds": math.ceil(seconds)}})


def events(files: Sequence[bytes]) -> Iterator[Json]:
    """OpenAI's events of a transcription."""
    data = files[0] if files else b""
    seconds = heard(data)
    text = transcript(data, seconds)
    for number, word in enumerate(text.split()):
        yield {"type": "transcript.text.delta", "delta": word if not number else f" {word}"}
    usage = {"type": "duration", "seconds": math.ceil(seconds)}
    yield {"type": "transcript.text.done", "text": text, "usage": usage}


def _clock(seconds: float, point: str) -> str:
    whole = int(seconds * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d}{point}{whole % 1000:03d}"
