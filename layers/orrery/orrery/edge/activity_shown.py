"""Runs, sessions, threads and identities as their organization sees them, with their steps and who called whom.

Sources: Orq's answers to GET /v2/identities (`external_id`, `display_name`, `avatar_url`, …; read 2026-11-21) for the
names of an identity's fields. The rest is ours.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from orrery.catalog.cost import usd
from orrery.core.activity import StoredStep, Tracked
from orrery.core.pages import Listed

STEP_ID = "req_"
"""What stands before the id of a request in `x-request-id`."""

FACTS = {"display_name": "display_name", "email": "email", "avatar_url": "logo_url", "logo_url": "logo_url"}
"""Fields of an identity, and what requests call them."""


def shown(tracked: Tracked) -> dict[str, Any]:
    """One of them with its sums. `latency_ms` is what all requests took together, `elapsed_ms` from first to last."""
    shared = {
        "_id": tracked.id,
        "id": tracked.id,
        "object": tracked.kind,
        "created": instant(tracked.created_ms),
        "updated": instant(tracked.last_ms),
        "requests": tracked.requests,
        "failures": tracked.failures,
        "input_tokens": tracked.input_tokens,
        "output_tokens": tracked.output_tokens,
        "cost_usd": usd(tracked.cost_nano),
        "cost_nano": tracked.cost_nano,
        "latency_ms": tracked.duration_ms,
        "elapsed_ms": max(0, tracked.last_ms - tracked.created_ms),
    }
    if tracked.kind == "thread":
        return shared | {"tags": list(tracked.tags)}
    if tracked.kind == "identity":
        return shared | _known(tracked)
    return shared


def _known(tracked: Tracked) -> dict[str, Any]:
    profile = tracked.profile
    facts = {name: profile.get(field) for name, field in FACTS.items()}
    return {
        "external_id": tracked.id,
        **facts,
        "tags": profile.get("tags", []),
        "metadata": profile.get("metadata", {}),
    }


def with_steps(tracked: Tracked, page: Listed[StoredStep]) -> dict[str, Any]:
    """One of them with a page of its steps; `graph` is of these steps alone."""
    steps = [step_shown(stored) for stored in page.data]
    return shown(tracked) | {"steps": steps, "graph": graph(steps), "has_more": page.more}


def step_shown(stored: StoredStep) -> dict[str, Any]:
    """A step. `id` is its place in lists, `request_id` what `x-request-id` said, `parent` what its caller called it."""
    step = stored.step
    shown = {
        "id": stored.id,
        "object": "step",
        "request_id": STEP_ID + step.request_id,
        "parent": step.parent or None,
        "step": step.step,
        "started": instant(step.started_ms),
        "latency_ms": step.duration_ms,
        "status": step.status,
        "operation": step.operation,
        "provider": step.provider or None,
        "model": step.model,
        "cached": step.cached,
        "response_id": step.response or None,
        "input_tokens": step.input_tokens,
        "output_tokens": step.output_tokens,
        "cost_usd": usd(step.cost_nano),
        "cost_nano": step.cost_nano,
        "name": step.name or None,
        "run": step.run,
        "session": step.session or None,
        "thread": step.thread or None,
        "identity": step.identity or None,
        "end_user": step.end_user or None,
        "customer": step.customer or None,
        "tenant": step.tenant or None,
        "workflow": step.workflow,
        "user": step.user,
        "key_id": step.key_id,
        "metadata": step.metadata,
    }
    if step.transcript is not None:
        shown["transcript"] = orjson.loads(step.transcript)
    return shown | {"transcript_omitted": True} if stored.transcript_omitted else shown


def graph(steps: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """The requests that each parent called, in order. A parent is a request's id where it is one of these steps.

    Else it is what the callers called it: a span of their own, say.
    """
    ids = {step["request_id"] for step in steps}
    children: dict[str, list[str]] = {}
    for step in steps:
        if (parent := step["parent"]) is not None:
            known = STEP_ID + parent if STEP_ID + parent in ids else parent
            children.setdefault(known, []).append(step["request_id"])
    return children


def instant(epoch_ms: int) -> str:
    """`2026-11-21T10:00:00.123Z`."""
    seconds, ms = divmod(epoch_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"
