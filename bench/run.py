"""`make bench`: how fast, beside a direct call, LiteLLM and a naive function. docs/bench.md says how to read it.

make bench                                  all of it, about four minutes
make bench ARGS="--quick"                   a look, about one minute: trust only that it works
make bench ARGS="--only lambda --json out.json"
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import machine
import servers
from figures import Bar, Figure, middle, tables
from subjects import BRIDGED, ROOT, version
from upstream import Upstream, upstream

import functions

VERSIONS = {".venv": ("fastapi", "httpx", "uvicorn", "pydantic"), ".venv-bench": ("litellm", "boto3")}


def main() -> None:
    """Measures and prints. Exits with 0 whatever the figures are: a benchmark is not a test."""
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    about = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", **machine.description(), "versions": versions()}
    kept: dict[str, Any] = {"about": about}
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="orrery-bench-") as place, upstream() as there:
        folder = Path(place)
        if asked.only != "lambda":
            found = servers.measure_servers(
                there, folder, rounds=asked.rounds, starts=asked.starts, scale=asked.scale, say=say
            )
            kept["servers"] = found.as_json()
            figures += servers.figures_of(found)
        if asked.only != "servers":
            found_lambda = measure_functions(there, folder, asked)
            kept["functions"] = found_lambda
            figures += lambda_figures(found_lambda)
    about["chunk_us_after"] = machine.chunk_us()
    print(heading(about))
    print(tables(figures, (about["chunk_us"] + about["chunk_us_after"]) / 2 / machine.REFERENCE_CHUNK_US))
    if asked.json:
        kept["figures"] = [{**asdict(figure), "verdict": figure.verdict} for figure in figures]
        asked.json.write_text(json.dumps(kept, indent=1))


def arguments() -> argparse.Namespace:
    """The command line; `--quick` stands for small numbers of everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few and short measurements")
    parser.add_argument("--only", choices=("servers", "lambda"), help="one half")
    parser.add_argument("--rounds", type=int, help="of each workload and server (5)")
    parser.add_argument("--starts", type=int, help="of each server (3)")
    parser.add_argument("--colds", type=int, help="cold starts of each function (11)")
    parser.add_argument("--warm", type=int, help="warm invocations of each function (2000)")
    parser.add_argument("--json", type=Path, help="a file for everything that was measured")
    asked = parser.parse_args()
    quick = {"rounds": 1, "starts": 1, "colds": 3, "warm": 300, "scale": 0.4}
    whole = {"rounds": 5, "starts": 3, "colds": 11, "warm": 2000, "scale": 1.0}
    for name, value in (quick if asked.quick else whole).items():
        if getattr(asked, name, None) is None:
            setattr(asked, name, value)
    return asked


def measure_functions(there: Upstream, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Cold starts in turn, so that what disturbs one disturbs the other; then warm invocations of each."""
    say("staging the functions")
    ours, responses = functions.orrery(there, folder)
    all_three = [ours, functions.naive(there, folder), responses]
    colds: dict[str, list[functions.Cold]] = {function.name: [] for function in all_three}
    for number in range(asked.colds + 1):
        say(f"cold start {number} of {asked.colds}")
        first = number % len(all_three)
        for function in all_three[first:] + all_three[:first]:
            taken = functions.cold(function, there)
            if number:  # the first only brings the files into the machine's memory
                colds[function.name].append(taken)
    say("warm invocations")
    stored = replace(responses, name="stored", asks=BRIDGED["stored"])
    warm = {each.name: asdict(functions.warm(each, there, asked.warm)) for each in (*all_three, stored)}
    tls_s = [functions.tls_context_s(ours) for _ in range(asked.colds)]
    return {
        "tls_context_s": tls_s,
        "cold": {name: [asdict(one) for one in taken] for name, taken in colds.items()},
        "warm": warm,
    }


def lambda_figures(found: dict[str, Any]) -> Iterator[Figure]:
    """The lines of the Lambda table."""
    topic = "Lambda | naive"
    names = ("orrery", "naive")
    first_ms = [middle(one["first_byte_s"] for one in found["cold"][name]) * 1e3 for name in names]
    cpu_ms = [middle(one["cpu_s"] for one in found["cold"][name]) * 1e3 for name in names]
    tls_ms = middle(found["tls_context_s"]) * 1e3
    warm = [found["warm"][name] for name in names]
    errors = sum(one["errors"] for one in warm)
    yield Figure(topic, "cold start, to the first byte", "ms", *first_ms, paced=True)
    yield Figure(topic, "  … of the naive stack's", "×", first_ms[0] / first_ms[1], bar=Bar(0.6))
    yield Figure(topic, "a TLS context, not above for ours", "ms", tls_ms, paced=True)
    yield Figure(
        topic, "  … cold start with it, of the naive stack's", "×", (first_ms[0] + tls_ms) / first_ms[1], bar=Bar(0.6)
    )
    yield Figure(topic, "cold start, CPU", "ms", *cpu_ms, paced=True)
    yield Figure(topic, "  … of the naive stack's", "×", cpu_ms[0] / cpu_ms[1])
    yield Figure(
        topic, "warm invocation, CPU", "ms", *[one["cpu_s"] * 1e3 for one in warm], Bar(1.2), errors, paced=True
    )
    yield Figure(topic, "peak memory", "MiB", *[one["peak_mb"] for one in warm], Bar(70), errors)
    yield from responses_figures(found, naive_ms=first_ms[1])


def responses_figures(found: dict[str, Any], naive_ms: float) -> Iterator[Figure]:
    """The lines of the responses function, beside those of the chat function."""
    topic = "Lambda, responses over a chat | chat"
    names = ("responses", "orrery")
    first_ms = [middle(one["first_byte_s"] for one in found["cold"][name]) * 1e3 for name in names]
    cpu_ms = [middle(one["cpu_s"] for one in found["cold"][name]) * 1e3 for name in names]
    yield Figure(topic, "cold start, to the first byte", "ms", *first_ms, paced=True)
    yield Figure(topic, "  … of the naive stack's", "×", first_ms[0] / naive_ms, first_ms[1] / naive_ms)
    yield Figure(topic, "cold start, CPU", "ms", *cpu_ms, paced=True)
    chat = found["warm"]["orrery"]
    for name, shown in (("responses", "warm invocation, CPU"), ("stored", "  … of one that is stored")):
        one = found["warm"][name]
        errors = one["errors"] + chat["errors"]
        yield Figure(topic, shown, "ms", one["cpu_s"] * 1e3, chat["cpu_s"] * 1e3, errors=errors, paced=True)
    yield Figure(topic, "peak memory", "MiB", found["warm"]["stored"]["peak_mb"], chat["peak_mb"])


def versions() -> dict[str, str]:
    """Of Python and of what is compared."""
    found = {name: version(name, ROOT / home) for home, names in VERSIONS.items() for name in names}
    return {"python": sys.version.split()[0], **found}


def heading(about: dict[str, Any]) -> str:
    """What the tables were measured on."""
    listed = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    pace = (about["chunk_us"] + about["chunk_us_after"]) / 2 / machine.REFERENCE_CHUNK_US
    chunk = f"{about['chunk_us']:.1f} µs before, {about['chunk_us_after']:.1f} after, {machine.REFERENCE_CHUNK_US}"
    return (
        f"\n{about['date']}\n{about['machine']}; {about['cores']}\n{about['system']}, load {about['load']} before\n"
        f"pace {pace:.2f} (a chunk through json: {chunk} where the bars were set)\n{listed}\n"
    )


def say(what: str) -> None:
    """Progress, beside the tables."""
    sys.stderr.write(f"bench: {what}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
