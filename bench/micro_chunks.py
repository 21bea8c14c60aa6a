#!/usr/bin/env python3
"""CPU of one streamed chunk, by dialect, beside one of OpenAI's, which is passed through.

    python bench/micro_chunks.py [--rounds 9] [--chunks 2000]

Each stream is the provider's own `text` case (tests/providers), its first chunk with words repeated, and goes through
the whole application: read, decoded, counted, settled, written again. Sockets are not in it. `burst` has the network
bring 16 KiB at a time, `alone` one chunk at a time. Microseconds a chunk, the best of the rounds.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "layers/orrery"), str(ROOT)]

from tests.edge.asgi import request  # noqa: E402 - after the path
from tests.fakes import FakeReply, FakeTransport, Room  # noqa: E402
from tests.providers.cases import Case, stream_of  # noqa: E402

from orrery import providers  # noqa: E402
from orrery.edge.families import family  # noqa: E402
from orrery.flow.gateway import Policy  # noqa: E402

BURST_BYTES = 16_384
PASSED_THROUGH = "openai"


def pieces_of(name: str, raw: bytes) -> list[bytes]:
    """A stream's events as they were on the wire."""
    if name == "bedrock":
        pieces = []
        while raw:
            size = int.from_bytes(raw[:4])
            pieces.append(raw[:size])
            raw = raw[size:]
        return pieces
    end = b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n"
    return [piece + end for piece in raw.split(end) if piece]


def repeated(name: str, chunks: int) -> list[bytes]:
    """The `text` case's events, the first one with words `chunks` times."""
    case = Case(name, "text")
    adapter = case.adapter()
    assert adapter.reader is not None and adapter.decoder is not None
    reader, decoder = adapter.reader(), adapter.decoder(replace(case.call(), stream=True))
    pieces = pieces_of(name, stream_of(case))
    for number, piece in enumerate(pieces):
        if any(frame.output_chars for event in reader.feed(piece) for frame in decoder.feed(event)):
            return pieces[:number] + [piece] * chunks + pieces[number + 1 :]
    raise AssertionError(f"{name}: no chunk has words")


async def cost_us(name: str, reads: list[bytes], chunks: int) -> float:
    """Microseconds of one chunk on its way through."""
    kind = "application/vnd.amazon.eventstream" if name == "bedrock" else "text/event-stream"
    transport = FakeTransport(FakeReply(200, {"content-type": kind}, reads))
    gateway = Room(transport=transport, policy=Policy(allow_unpriced=True)).gateway()
    app = family("chat", lambda: gateway)
    body = {"model": Case(name, "text").call().model, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    sent = 0

    async def count(message: dict[str, Any]) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))

    began = time.process_time()
    await request(app, body, send=count)
    spent = time.process_time() - began
    assert sent > chunks * 100, f"{name}: the stream did not come through"
    return spent / chunks * 1e6


def bursts(pieces: list[bytes]) -> list[bytes]:
    """The same bytes, as a fast network brings them."""
    raw = b"".join(pieces)
    return [raw[start : start + BURST_BYTES] for start in range(0, len(raw), BURST_BYTES)]


async def measured(names: list[str], rounds: int, chunks: int) -> dict[tuple[str, str], float]:
    """The best figure of each dialect and way, measured in turns so that all share the machine's moods."""
    streams = {name: repeated(name, chunks) for name in names}
    best: dict[tuple[str, str], float] = {}
    for _ in range(rounds):
        for name, pieces in streams.items():
            for way, reads in (("burst", bursts(pieces)), ("alone", pieces)):
                cost = await cost_us(name, reads, chunks)
                best[name, way] = min(cost, best.get((name, way), cost))
    return best


def main() -> None:
    """Measures and prints a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--chunks", type=int, default=2000)
    chosen = options.parse_args()
    names = [PASSED_THROUGH, *sorted(providers.DIALECTS), "deepseek", "openrouter"]
    best = asyncio.run(measured(names, chosen.rounds, chosen.chunks))
    for name in names:
        ratios = [best[name, way] / best[PASSED_THROUGH, way] for way in ("burst", "alone")]
        print(
            f"{name:12} burst {best[name, 'burst']:6.2f} us ({ratios[0]:.2f}x)"
            f"   alone {best[name, 'alone']:6.2f} us ({ratios[1]:.2f}x)"
        )


if __name__ == "__main__":
    main()
