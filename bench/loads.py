"""The workloads of the servers, and one measurement of one of them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import machine
from subjects import CHATS, Asked, Subject, asked
from upstream import build


@dataclass(frozen=True, slots=True)
class Workload:
    """`events` > 0: streams of so many. `seconds`: requests are begun for so long, at full length of a run.

    `asks`: what is asked. `first`: the text by which the first token is known; "": the first event is it.
    """

    name: str
    connections: int
    events: int
    tag: str
    seconds: float
    asks: Asked = CHATS
    first: str = ""


CHAT = tuple(Workload(f"chat, {n} at once", n, 0, "", 2.0) for n in (1, 16, 64))
FIRST_TOKEN = Workload("first token", 1, 20, "@mock n=20 gap=500 delay=0 ", 2.0)
BURST = Workload("2,000 chunks at once", 1, 2000, "@mock n=2000 gap=0 delay=0 ", 2.0)
PACED = Workload("4 × 500 chunks, 5 ms apart", 4, 500, "@mock n=500 gap=5000 delay=0 ", 2.0)
WORKLOADS = (*CHAT, FIRST_TOKEN, BURST, PACED)


@dataclass(frozen=True, slots=True)
class Measured:
    """One subject under one workload, once. Times are seconds; `cpu_s` is the subject's own."""

    ok: int
    errors: int
    error: str
    rps: float
    p50_s: float
    p99_s: float
    first_p50_s: float
    events: int
    cpu_s: float


def measure(subject: Subject, workload: Workload, pid: int | None, folder: Path, scale: float) -> Measured:
    """Runs the workload, `scale` times as long as it says. Raises `CalledProcessError` when nothing listens."""
    body = folder / "body.json"
    body.write_bytes(asked(workload.asks, workload.tag, stream=workload.events > 0))
    words = (build("load"), subject.port, workload.asks.path, subject.key, body)
    numbers = (workload.connections, workload.seconds * scale, workload.events)
    command = [str(word) for word in (*words, *numbers, *filter(None, [workload.first]))]
    pids = machine.family(pid) if pid else []
    before = machine.cpu_s(pids)
    with machine.on_core(machine.OURS):
        heard = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)
    return Measured(
        ok=heard["ok"],
        errors=heard["errors"],
        error=heard["error"],
        rps=heard["rps"],
        p50_s=heard["p50"] / 1e6,
        p99_s=heard["p99"] / 1e6,
        first_p50_s=heard["first_p50"] / 1e6,
        events=heard["events"],
        cpu_s=machine.cpu_s(pids) - before,
    )
