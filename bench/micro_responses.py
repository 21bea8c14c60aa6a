#!/usr/bin/env python3
"""CPU of one streamed chunk that becomes a response's event, beside the same chunk answered as a chat.

    python bench/micro_responses.py [--rounds 7] [--chunks 5000]

The streams are those of `micro_chunks.py`, of providers whose responses go over their chat: read, decoded, told as
events, composed into one response, written. `store` is false. Sockets are not in it. `burst` has the network bring
16 KiB at a time, `alone` one chunk at a time. Microseconds a chunk, the best of the rounds; and the steps that Python
takes for a chunk of a burst, counted, which are the same on every machine.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from micro_chunks import bursts, repeated  # it brings the path of what follows
from tests.edge.asgi import request
from tests.fakes import FakeReply, FakeTransport, Room
from tests.providers.cases import Case
from tests.work import steps

from orrery.edge.extras import TableExtras
from orrery.edge.families import family
from orrery.flow.gateway import Policy
from orrery.stores.table import Table

NAMES = ("openai", "anthropic", "bedrock", "cohere", "google", "mistral", "vertex")
"""Whose streams. OpenAI has responses of its own: its chunks come from a server that an operator named, and chats."""

FEW, MANY = 200, 1200
"""Chunks of the two streams whose steps are counted: what they differ by is due to chunks alone."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to ask: the function, its route, and its body but for the model."""

    family: str
    path: str
    body: dict[str, Any]


CHAT = Way("chat", "/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}], "stream": True})
RESPONSE = Way("responses", "/v1/responses", {"input": "hi", "stream": True, "store": False})


async def nothing(action: str, body: dict[str, Any]) -> dict[str, Any]:
    """A table that nothing may ask for anything."""
    raise AssertionError(f"{action}: a response that is not stored needs no table")


async def no_peppers() -> dict[int, bytes]:
    """No name of a memory's owner is hashed here."""
    raise AssertionError("nothing is hashed")


async def cost_us(name: str, way: Way, reads: Sequence[bytes], chunks: int) -> float:
    """Microseconds of one chunk on its way through."""
    kind = "application/vnd.amazon.eventstream" if name == "bedrock" else "text/event-stream"
    transport = FakeTransport(FakeReply(200, {"content-type": kind}, reads))
    extras = TableExtras(Table(nothing, "none"), peppers=no_peppers)
    gateway = Room(transport=transport, policy=Policy(allow_unpriced=True), extras=extras).gateway()
    app = family(way.family, lambda: gateway)
    sent = 0

    async def count(message: dict[str, Any]) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))

    began = time.process_time()
    await request(app, way.body | {"model": model_of(name)}, path=way.path, send=count)
    spent = time.process_time() - began
    assert sent > chunks * 100, f"{name}: the stream did not come through"
    return spent / chunks * 1e6


def model_of(name: str) -> str:
    """The model that is asked, of a provider that only chats."""
    model = Case(name, "text").call().model
    return "own/" + model.partition("/")[2] if name == "openai" else model


def counted(name: str, way: Way) -> float:
    """Steps of Python for one chunk of a burst."""

    def taken(chunks: int) -> int:
        reads = bursts(repeated(name, chunks))
        return steps(lambda: asyncio.run(cost_us(name, way, reads, chunks)))

    taken(FEW)  # what is imported, or remembered, the first time
    return (taken(MANY) - taken(FEW)) / (MANY - FEW)


async def measured(names: Sequence[str], rounds: int, chunks: int) -> dict[tuple[str, str, str], float]:
    """The best figure of each stream and way, measured in turns so that all share the machine's moods."""
    streams = {name: repeated(name, chunks) for name in names}
    best: dict[tuple[str, str, str], float] = {}
    for _ in range(rounds):
        for name, pieces in streams.items():
            for reads_in, reads in (("burst", bursts(pieces)), ("alone", pieces)):
                for way in (CHAT, RESPONSE):
                    cost, place = await cost_us(name, way, reads, chunks), (name, reads_in, way.family)
                    best[place] = min(cost, best.get(place, cost))
    return best


def main() -> None:
    """Measures and prints a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--chunks", type=int, default=5000)
    options.add_argument("--names", nargs="+", default=NAMES, metavar="NAME")
    chosen = options.parse_args()
    best = asyncio.run(measured(chosen.names, chosen.rounds, chosen.chunks))
    print(f"{'chat, response':12}" + "".join(f"{head:>26}" for head in ("burst, us", "alone, us", "steps in a burst")))
    for name in chosen.names:
        pairs = [[best[name, reads, way.family] for way in (CHAT, RESPONSE)] for reads in ("burst", "alone")]
        pairs.append([counted(name, way) for way in (CHAT, RESPONSE)])
        print(f"{name:14}" + "".join(f"{a:10.1f}{b:8.1f} ({b / a:.2f}x)" for a, b in pairs))


if __name__ == "__main__":
    main()
