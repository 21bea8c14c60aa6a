"""Agents as their owners see them, over HTTP and at the command line.

Source: Orq's answer to POST /v2/agents (field tree read 2026-11-21). `note` of a version and environments are ours.
What nobody here knows (`metrics`, who made it) is left out, or null where it must stand.
"""

from typing import Any

from orrery.core.agents import StoredDocument
from orrery.core.registries import AgentVersion
from orrery.core.types import Json
from orrery.edge.prompt_shown import instant
from orrery.wire.agent_reading import MOST_EXECUTION_S, MOST_ITERATIONS, fallbacks_of, model_of
from orrery.wire.agent_tools import shown as tool_shown

ALWAYS = ("memory_stores", "team_of_agents", "skills", "knowledge_bases")


def shown(organization: str, agent: StoredDocument) -> dict[str, Any]:
    """An agent at one of its versions; `version` says which."""
    return {
        "_id": agent.id,
        "key": agent.key,
        "project_id": organization,
        "created_by_id": None,
        "updated_by_id": None,
        "created": instant(int(agent.created_at)),
        "updated": instant(int(agent.updated_at)),
        "status": "live",
        "version": agent.version,
        "type": "internal",
        **said(agent.body),
    }


def version_shown(agent: str, version: AgentVersion) -> dict[str, Any]:
    """One version by itself."""
    return {
        "_id": version.version,
        "agent_key": agent,
        "version": version.version,
        "description": version.note or None,
        "created": instant(int(version.created_at)),
        "agent": said(version.body),
    }


def said(body: Json) -> Json:
    """What a document says, with what it leaves open filled in."""
    as_posted = {name: value for name, value in body.items() if name not in ("model", "settings", "fallback_models")}
    settings = body["settings"]
    return {
        "source": "internal",
        "engine": "text",
        "variables": {},
        **{name: [] for name in ALWAYS},
        **as_posted,
        "model": {"integration_id": None, **model_of(body), "fallback_models": fallbacks_of(body)},
        "settings": {
            "max_iterations": MOST_ITERATIONS,
            "max_execution_time": MOST_EXECUTION_S,
            "max_cost": 0,
            "tool_approval_required": "respect_tool",
            **settings,
            "tools": [tool_shown(tool) for tool in settings.get("tools") or ()],
        },
    }
