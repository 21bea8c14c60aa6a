"""Responses over a provider that only chats, beside chats with it: the same words, process and upstream."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from figures import Figure
from loads import BURST, FIRST_TOKEN, PACED, Measured, Workload, measure
from subjects import BRIDGED, Subject, asked, asking
from upstream import Upstream

if TYPE_CHECKING:
    from servers import Servers

FIRST_WORD = "tok00001"
"""Of the upstream's streams. A response's first events have no words yet."""

SHORT, LONG, SLOW = (replace(workload, name=f"response: {workload.name}") for workload in (FIRST_TOKEN, BURST, PACED))
WAYS = ("direct", *BRIDGED)


def one_round(
    found: "Servers", direct: Subject, ours: Subject, pid: int, number: int, folder: Path, scale: float
) -> None:
    """One round of each workload, asked in each way, beginning with another one each time."""
    for workload in (SHORT, LONG, SLOW):
        kept = found.rounds.setdefault(workload.name, {})
        turn = number % len(WAYS)
        for way in WAYS[turn:] + WAYS[:turn]:
            subject, its_pid = (direct, None) if way == "direct" else (ours, pid)
            kept.setdefault(way, []).append(measure(subject, _in(workload, way), its_pid, folder, scale))


def _in(workload: Workload, way: str) -> Workload:
    return replace(workload, asks=BRIDGED.get(way, workload.asks), first=FIRST_WORD)


def warm_up(ours: Subject, folder: Path, scale: float) -> None:
    """What the first requests of each way import is imported."""
    for way in BRIDGED:
        for workload in (SHORT, LONG):
            measure(ours, _in(workload, way), None, folder, scale)


def calls_of(ours: Subject, upstream: Upstream, settled: Callable[[Upstream], dict[str, int]]) -> dict[str, float]:
    """How often one streamed request of each way calls the table. Raises `RuntimeError` for any but a whole answer."""
    found: dict[str, float] = {}
    for way, what in BRIDGED.items():
        before = settled(upstream)
        with asking(ours, asked(what, SHORT.tag, stream=True), what.path) as (status, _, body):
            after = settled(upstream)
        is_whole = body.rstrip().endswith(b"data: [DONE]") and body.count(b"event: response.completed") == (
            way != "chat"
        )
        if status != 200 or not is_whole or after["stream"] - before["stream"] != 1:
            raise RuntimeError(f"orrery answered {status} to a {way}: {body[-300:]!r}")
        found[way] = sum(after[name] - before[name] for name in ("get", "write"))
    return found


def figures_of(found: "Servers") -> Iterator[Figure]:
    """The lines of the table: responses that are not stored and that are, beside chats."""
    for way, name in (("response", "not stored"), ("stored", "stored")):
        yield from _figures(found, way, f"a response over a chat, {name} | the chat")


def _figures(found: "Servers", way: str, topic: str) -> Iterator[Figure]:
    def added_ms(one: Measured, direct: Measured) -> float:
        return (one.p50_s - direct.p50_s) * 1e3

    def first_ms(one: Measured, direct: Measured) -> float:
        return (one.first_p50_s - direct.first_p50_s) * 1e3

    def cpu_ms(one: Measured, direct: Measured) -> float:
        return one.cpu_s / one.ok * 1e3

    def chunk_us(one: Measured, direct: Measured) -> float:
        return one.cpu_s / one.ok / workload.events * 1e6

    errors = found.errors(SHORT)
    for name, of in (
        ("added latency of 20 chunks, p50", added_ms),
        ("added time to the first word, p50", first_ms),
        ("CPU of 20 chunks", cpu_ms),
    ):
        values = [found.middle(SHORT, each, of) for each in (way, "chat")]
        yield Figure(topic, name, "ms", *values, errors=errors, paced=True)
    for workload in (LONG, SLOW):
        ours, chat = (found.middle(workload, each, chunk_us) for each in (way, "chat"))
        name, errors = workload.name.removeprefix("response: "), found.errors(workload)
        yield Figure(topic, f"{name}: CPU of a chunk", "µs", ours, chat, errors=errors, paced=True)
        yield Figure(topic, "  … of the chat's", "×", ours / chat, errors=errors)
    yield Figure(topic, "calls of the table", "a request", found.table_calls[way], found.table_calls["chat"])
