"""A stored agent as a request uses it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orrery.core.agents import Agent
from orrery.core.responses import Bounds
from orrery.core.types import Json
from orrery.wire.agent_parameters import responses_fields
from orrery.wire.agent_tools import entry

MOST_ITERATIONS = 100
MOST_EXECUTION_S = 600
"""What an agent has that sets no other: Orq's defaults (field tree of POST /v2/agents, read 2026-11-21)."""

NANO = 10**9


def agent_of(key: str, version: str, body: Mapping[str, Any]) -> Agent:
    """`body` is a document as `wire.agent_documents` took it."""
    model = model_of(body)
    parameters = model.get("parameters") or {}
    settings = body["settings"]
    team = team_of(body)
    stores = body.get("memory_stores") or []
    fallbacks = [*fallbacks_of(body), *(each["model"] for each in parameters.get("fallbacks") or ())]
    return Agent(
        key=key,
        version=version,
        model=model["id"],
        instructions=body["instructions"],
        role=body["role"],
        description=body["description"],
        system_prompt=body.get("system_prompt") or "",
        parameters=responses_fields(parameters),
        retry=model.get("retry"),
        fallbacks=tuple(dict.fromkeys(fallbacks)),
        tools=[entry(tool, team, stores) for tool in settings.get("tools") or ()],
        approval=settings.get("tool_approval_required") or "respect_tool",
        bounds=_bounds(settings),
        memory_stores=tuple(stores),
        team=tuple((each["key"], each["role"]) for each in team),
        variables=body.get("variables") or {},
        engine=body.get("engine") or "text",
    )


def model_of(body: Mapping[str, Any]) -> Json:
    """`{id, parameters, retry}`, whichever way it was written."""
    model = body["model"]
    return {"id": model} if type(model) is str else dict(model)


def fallbacks_of(body: Mapping[str, Any]) -> list[str]:
    """The models to try after the agent's own, in order."""
    return [each if type(each) is str else each["id"] for each in body.get("fallback_models") or ()]


def team_of(body: Mapping[str, Any]) -> list[Json]:
    """Its sub-agents: `{key, role}` of each; "" where nobody said what it is for."""
    return [{"key": each["key"], "role": each.get("role") or ""} for each in body.get("team_of_agents") or ()]


def _bounds(settings: Mapping[str, Any]) -> Bounds:
    cost = settings.get("max_cost") or 0
    return Bounds(
        max_iterations=settings.get("max_iterations") or MOST_ITERATIONS,
        max_execution_s=float(settings.get("max_execution_time") or MOST_EXECUTION_S),
        max_cost_nano=int((Decimal(str(cost)) * NANO).to_integral_value()),
    )
