"""The server side: rounds of a direct call, ours and LiteLLM in turn, and what follows from them."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import bridged
import machine
import subjects
from figures import Bar, Figure, middle
from loads import BURST, CHAT, FIRST_TOKEN, PACED, WORKLOADS, Measured, Workload, measure
from subjects import Subject
from upstream import Upstream

DYNAMODB_CALLS = {"get": 1, "write": 3}
"""Of a warm request: the key confirmed; credit held, the receipt written, the hold settled."""

SETTLED_S = 0.5
"""A table that was asked nothing for so long is asked nothing more: the last request is settled."""

type Say = Callable[[str], None]


@dataclass(slots=True)
class Servers:
    """Everything measured, by subject; `rounds[workload][subject]` in the order of the rounds."""

    starts_s: dict[str, list[float]] = field(default_factory=dict)
    rounds: dict[str, dict[str, list[Measured]]] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    table_calls: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def middle(self, workload: Workload, subject: str, of: Callable[[Measured, Measured], float]) -> float:
        """The median over the rounds of a number made from a measurement and the direct one beside it."""
        by_subject = self.rounds[workload.name]
        pairs = zip(by_subject[subject], by_subject["direct"], strict=True)
        return middle(of(one, direct) for one, direct in pairs if one.ok and direct.ok)

    def errors(self, *workloads: Workload) -> int:
        """Of every subject: a row with a failure anywhere compares nothing."""
        return sum(m.errors for w in workloads for measured in self.rounds[w.name].values() for m in measured)


def measure_servers(upstream: Upstream, folder: Path, *, rounds: int, starts: int, scale: float, say: Say) -> Servers:
    """Raises `RuntimeError` when a subject does not answer as it must."""
    found = Servers()
    direct = subjects.direct(upstream)
    gateways = [subjects.orrery(upstream, folder), subjects.litellm(upstream, folder)]
    for number in range(starts):
        say(f"start {number + 1} of {starts}")
        for subject in gateways:
            with subjects.running(subject, folder) as (_, seconds):
                found.starts_s.setdefault(subject.name, []).append(seconds)
    with contextlib.ExitStack() as started:
        pids: dict[str, int] = {}
        for subject in gateways:
            process, _ = started.enter_context(subjects.running(subject, folder))
            pids[subject.name] = process.pid
        check_orrery(gateways[0], upstream)
        order = [direct, *gateways]
        for subject in order:
            for workload in (CHAT[0], CHAT[1], BURST):
                measure(subject, workload, None, folder, scale / 4)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            _round(found, order[number % 3 :] + order[: number % 3], pids, folder, scale)
        for subject in gateways:
            found.peak_mb[subject.name] = machine.peak_mb(machine.family(pids[subject.name]))
    with subjects.running(gateways[0], folder) as (process, _):  # a process of its own: the peak above is of chats
        found.table_calls = bridged.calls_of(gateways[0], upstream, _settled)
        bridged.warm_up(gateways[0], folder, scale / 8)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}, responses")
            bridged.one_round(found, direct, gateways[0], process.pid, number, folder, scale)
        found.peak_mb["responses"] = machine.peak_mb(machine.family(process.pid))
    return found


def _round(found: Servers, order: list[Subject], pids: dict[str, int], folder: Path, scale: float) -> None:
    for workload in WORKLOADS:
        kept = found.rounds.setdefault(workload.name, {})
        for subject in order:
            kept.setdefault(subject.name, []).append(measure(subject, workload, pids.get(subject.name), folder, scale))


def check_orrery(subject: Subject, upstream: Upstream) -> None:
    """That what is measured is a request's whole way: our ids, four calls of the table, one line of log.

    Raises `RuntimeError`.
    """
    before, lines = _settled(upstream), _exchanges(subject)
    with subjects.asking(subject, subjects.chat_body()) as (status, headers, body):
        after = _settled(upstream)
    if status != 200 or not headers.get("x-request-id", "").startswith("req_") or "x-orrery-cost-usd" not in headers:
        raise RuntimeError(f"orrery answered {status} with headers {sorted(headers)}: {body[:300]!r}")
    calls = {name: after[name] - before[name] for name in DYNAMODB_CALLS}
    if calls != DYNAMODB_CALLS or after["chat"] - before["chat"] != 1:
        raise RuntimeError(f"a request called the table {calls}, not {DYNAMODB_CALLS}")
    if _exchanges(subject) - lines != 1:
        raise RuntimeError(f"a request wrote {_exchanges(subject) - lines} lines of log")


def _settled(upstream: Upstream) -> dict[str, int]:
    """What the upstream has seen, once it sees no more."""
    seen = upstream.seen()
    while True:
        time.sleep(SETTLED_S)
        again = upstream.seen()
        if all(again[name] == seen[name] for name in DYNAMODB_CALLS):
            return again
        seen = again


def _exchanges(subject: Subject) -> int:
    return sum(b'"outcome":"completed"' in line for line in subject.log.read_bytes().splitlines())


def figures_of(found: Servers) -> Iterator[Figure]:
    """The tables' lines, with their bars."""
    yield from _latency(found)
    yield from _throughput(found)
    yield from _streams(found)
    yield from bridged.figures_of(found)
    peer_start = middle(found.starts_s["litellm"])
    topic = "process | litellm"
    ours = middle(found.starts_s["orrery"])
    yield Figure(topic, "start to first answer", "s", ours, peer_start, paced=True)
    yield Figure(topic, "start, of LiteLLM's", "×", ours / peer_start, bar=Bar(0.1))
    yield Figure(topic, "peak memory", "MiB", found.peak_mb["orrery"], found.peak_mb["litellm"], Bar(70))
    yield Figure(topic, "peak memory, with responses", "MiB", found.peak_mb["responses"])


def _latency(found: Servers) -> Iterator[Figure]:
    def added_ms(one: Measured, direct: Measured) -> float:
        return (one.p50_s - direct.p50_s) * 1e3

    for workload in CHAT:
        values = [found.middle(workload, name, added_ms) for name in ("orrery", "litellm")]
        bar = Bar(1.2) if workload.connections == 1 else None
        errors = found.errors(workload)
        yield Figure("added latency, p50 | litellm", workload.name, "ms", *values, bar, errors, paced=True)


def _throughput(found: Servers) -> Iterator[Figure]:
    def rps(one: Measured, direct: Measured) -> float:
        return one.rps

    def cpu_s(one: Measured, direct: Measured) -> float:
        """Milliseconds a request are seconds a thousand."""
        return one.cpu_s / one.ok * 1e3

    topic = "throughput of one core | litellm"
    for workload in CHAT:
        ours, peer = (found.middle(workload, name, rps) for name in ("orrery", "litellm"))
        bar = Bar(7, least=True) if workload.connections > 1 else None
        errors = found.errors(workload)
        yield Figure(topic, workload.name, "requests/s", ours, peer, errors=errors)
        yield Figure(topic, "  … of LiteLLM's", "×", ours / peer, bar=bar, errors=errors)
    for workload in CHAT:
        ours, peer = (found.middle(workload, name, cpu_s) for name in ("orrery", "litellm"))
        errors = found.errors(workload)
        yield Figure(topic, f"{workload.name}: CPU of 1,000 requests", "s", ours, peer, errors=errors, paced=True)


def _streams(found: Servers) -> Iterator[Figure]:
    def first_ms(one: Measured, direct: Measured) -> float:
        return (one.first_p50_s - direct.first_p50_s) * 1e3

    def chunk_us(one: Measured, direct: Measured) -> float:
        return one.cpu_s / one.events * 1e6

    topic = "streams | litellm"
    ours, peer = (found.middle(FIRST_TOKEN, name, first_ms) for name in ("orrery", "litellm"))
    errors = found.errors(FIRST_TOKEN)
    yield Figure(topic, "added time to first token, p50", "ms", ours, peer, Bar(1.5), errors, paced=True)
    for workload, limit in ((BURST, 8), (PACED, 80)):
        ours, peer = (found.middle(workload, name, chunk_us) for name in ("orrery", "litellm"))
        errors = found.errors(workload)
        yield Figure(topic, f"{workload.name}: CPU of a chunk", "µs", ours, peer, Bar(limit), errors, paced=True)
        if workload is BURST:
            yield Figure(topic, "  … LiteLLM's of ours", "×", peer / ours, bar=Bar(50, least=True), errors=errors)
