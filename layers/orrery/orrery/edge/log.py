"""One line per request: ids and numbers. No prompts, no answers, no secrets, no client text.

The line carries its own metrics (CloudWatch's embedded metric format), so nothing is counted twice or elsewhere.
"""

import sys
import time
import traceback
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from orrery.core.errors import GatewayError
from orrery.core.exchange import Arrival, Exchange
from orrery.core.types import Principal

NAMESPACE = "Orrery"
DIMENSIONS = [["operation"], ["operation", "provider"]]
UNITS = {
    "requests": "Count",
    "errors": "Count",
    "retries": "Count",
    "fallbacks": "Count",
    "input_tokens": "Count",
    "output_tokens": "Count",
    "cost_micro_usd": "Count",
    "duration_ms": "Milliseconds",
    "overhead_ms": "Milliseconds",
    "time_to_first_chunk_ms": "Milliseconds",
    "unsettled": "Count",
    "swept_holds": "Count",
    "sweep_failures": "Count",
    "ledger_drift_nano": "Count",
}
"""Every metric, with CloudWatch's unit."""

type Write = Callable[[str, dict[str, Any]], None]


def exchange_line(x: Exchange, now_s: float) -> dict[str, Any]:
    """The canonical line; names are OpenTelemetry's GenAI conventions', read 2026-11-20, where they have one."""
    receipt, target, call = x.receipt, x.target, x.plan.call
    usage = receipt.usage if receipt else None
    line: dict[str, Any] = {
        "request_id": x.arrival.id,
        "trace_id": x.arrival.trace_id,
        "parent_span_id": x.arrival.parent_span_id or None,
        "key_id": x.principal.key_id,
        "organization": x.principal.organization,
        "workflow": x.principal.workflow,
        "gen_ai.operation.name": call.operation.value,
        "gen_ai.provider.name": target.provider if target else None,
        "gen_ai.request.model": target.model if target else None,
        "gen_ai.response.time_to_first_chunk": x.first_frame_s,
        "byok": target.provider if target and target.own else "pooled",
        "byok_reason": target.reason or None if target else None,
        "stream": call.stream,
        "status": x.status,
        "error.type": x.error_code,
        "outcome": x.outcome,
        "attempts": [{"provider": a.provider, "status": a.status, "ms": round(a.seconds * 1000)} for a in x.attempts],
        "cache": x.cache or None,
        "balanced": x.plan.balanced or None,
        "skipped": list(x.plan.skipped) or None,
        "chunks": x.chunks,
        "dropped": list(x.dropped) or None,
        "clamped_to": x.clamped_to,
        "held_nano": x.held_nano,
        "cost_nano": receipt.cost_nano if receipt else None,
        "evidence": receipt.evidence if receipt else None,
    }
    if usage:
        line |= {
            "gen_ai.usage.input_tokens": usage.prompt,
            "gen_ai.usage.output_tokens": usage.completion,
            "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
            "gen_ai.usage.cache_creation.input_tokens": usage.cache_write + usage.cache_write_1h,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
        }
    return {name: value for name, value in line.items() if value is not None} | _numbers(x, now_s)


def _numbers(x: Exchange, now_s: float) -> dict[str, Any]:
    receipt = x.receipt
    duration_s = now_s - x.arrival.started
    ours_s = (x.first_frame_s if x.first_frame_s is not None else duration_s) - x.upstream_s
    models = [(a.provider, a.model) for a in x.attempts]
    switches = sum(1 for a, b in pairwise(models) if a != b)
    numbers: dict[str, Any] = {
        "operation": x.plan.call.operation.value,
        "provider": x.target.provider if x.target else "none",
        "requests": 1,
        "errors": int(x.outcome != "completed"),
        "retries": max(0, len(models) - 1 - switches),
        "fallbacks": switches,
        "input_tokens": receipt.usage.prompt if receipt else 0,
        "output_tokens": receipt.usage.completion if receipt else 0,
        "cost_micro_usd": receipt.cost_nano / 1000 if receipt else 0,
        "duration_ms": round(duration_s * 1000, 3),
        "overhead_ms": round(max(0.0, ours_s) * 1000, 3),
        "unsettled": int(x.unsettled),
    }
    if x.first_frame_s is not None:
        numbers["time_to_first_chunk_ms"] = round(x.first_frame_s * 1000, 3)
    return numbers


def refused_line(arrival: Arrival, err: GatewayError, principal: Principal | None, now_s: float) -> dict[str, Any]:
    """The line of a request that no provider heard of."""
    return {
        "request_id": arrival.id,
        "trace_id": arrival.trace_id,
        "key_id": principal.key_id if principal else None,
        "organization": principal.organization if principal else None,
        "status": err.status,
        "error.type": err.code,
        "outcome": "refused",
        "operation": "refused",
        "provider": "none",
        "requests": 1,
        "errors": 1,
        "duration_ms": round((now_s - arrival.started) * 1000, 3),
    }


def with_metrics(line: dict[str, Any]) -> dict[str, Any]:
    """The line as an embedded metric (CloudWatch specification of the format, read 2026-11-21)."""
    metrics = [{"Name": name, "Unit": unit} for name, unit in UNITS.items() if name in line]
    dimensions = [names for names in DIMENSIONS if all(name in line for name in names)]
    directive = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics}
    return {**line, "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}


def powertools_writer(service: str) -> Write:
    """Writes JSON lines through Powertools' Logger (docs/decisions/0004 says how much of Powertools, and why)."""
    import orjson
    from aws_lambda_powertools.logging import Logger

    def serialize(line: dict[str, Any]) -> str:
        return orjson.dumps(line, default=str).decode()

    logger = Logger(service=service, stream=sys.stdout, level="INFO", location=None, json_serializer=serialize)

    def write(message: str, line: dict[str, Any]) -> None:
        logger.info(message, extra=with_metrics(line))

    return write


def text_writer() -> Write:
    """Writes a short line for a person at a terminal."""

    def write(message: str, line: dict[str, Any]) -> None:
        sys.stdout.write(shown(message, line) + "\n")
        sys.stdout.flush()

    return write


def shown(message: str, line: dict[str, Any]) -> str:
    """`12:00:01 200 completed sandbox/echo 12 ms (2 ours) 5+5 tokens $0.000002 req_…`"""
    parts = [time.strftime("%H:%M:%S"), str(line.get("status", message)), str(line.get("outcome", ""))]
    if "gen_ai.request.model" in line:
        parts.append(f"{line['gen_ai.provider.name']}/{line['gen_ai.request.model']}")
    parts.append(f"{line.get('duration_ms', 0):.0f} ms ({line.get('overhead_ms', 0):.1f} ours)")
    if line.get("cache") == "hit":
        parts.append("from the cache")
    elif "input_tokens" in line:
        parts.append(f"{line['input_tokens']}+{line['output_tokens']} tokens ${line['cost_micro_usd'] / 1e6:.6f}")
    if line.get("error.type"):
        parts.append(str(line["error.type"]))
    return " ".join([*parts, f"req_{line.get('request_id', '')}"])


def report_bug(request_id: str, err: BaseException) -> None:
    """Where an unexpected exception arose: its type and the places, in one line; its text may hold a caller's words.

    template.yaml has an alarm on `orrery: bug`.
    """
    frames = traceback.extract_tb(err.__traceback__)[-6:]
    places = [f"{frame.filename.rsplit('/orrery/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames)]
    sys.stderr.write(f"orrery: bug in {request_id}: {type(err).__name__} at {' < '.join(places)}\n")
