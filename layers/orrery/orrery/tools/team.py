"""`orq:call_sub_agent` and `orq:retrieve_agents`: agents that an agent may give tasks to.

Sources: Orq's field trees (`team_of_agents`), wire.md 1.A.10, read 2026-11-21.
"""

import re
from collections.abc import Mapping
from typing import Any

from orrery.core.errors import GatewayError, NotFound
from orrery.core.tools import Opened, Outcome, Setting
from orrery.core.types import Json
from orrery.tools.functions import Tool, failed, function, refused, text, words
from orrery.tools.outfit import Outfit
from orrery.tools.sidecars import LONGEST_ASKED, answer
from orrery.tools.texts import inert
from orrery.wire.body import dumps

MOST_AGENTS = 50
LONGEST_KEY = 255

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*", re.ASCII)

LISTING = function("retrieve_agents", "Lists the agents that can be given tasks, and what each is for.", {})


async def opened(spec: Json, setting: Setting, outfit: Outfit) -> Opened:
    """`agents` are `{key, role}`. Raises `InvalidRequest` where there are none, or one has no proper key."""
    kind = str(spec["type"])
    team = _team(spec.get("agents"))
    if kind == "orq:retrieve_agents":
        tool = Tool(kind, LISTING, _Listing(team, outfit).run)
    else:
        tool = Tool(kind, _calling(team), _Calling(team).run)
    return Opened(tools=(tool,))


def _team(given: Any) -> dict[str, str]:
    """Roles by key."""
    if not isinstance(given, list) or not 0 < len(given) <= MOST_AGENTS:
        raise refused(f"A team has 1 to {MOST_AGENTS} agents: 'agents', a list of {{key, role}}.")
    team: dict[str, str] = {}
    for each in given:
        key = each.get("key") if isinstance(each, dict) else None
        if not isinstance(key, str) or len(key) > LONGEST_KEY or not _KEY.fullmatch(key):
            raise refused("Each agent of a team has a 'key'.")
        team[key] = str(each.get("role") or "")
    return team


def _calling(team: Mapping[str, str]) -> Json:
    roles = "\n".join(f"- {key}: {role}" if role else f"- {key}" for key, role in team.items())
    return function(
        "call_sub_agent",
        f"Gives an agent of the team a task and waits for its result. It sees nothing but the task. The team:\n{roles}",
        {
            "agent_key": {"type": "string", "enum": list(team), "description": "Which agent."},
            "task": text("The task, with all that it takes to do it."),
        },
        ["agent_key", "task"],
    )


class _Calling:
    def __init__(self, team: Mapping[str, str]) -> None:
        self._team = team

    async def run(self, arguments: Json, setting: Setting) -> Outcome:
        """A key that is none of the team's is not tried: models make names up, or are talked into others."""
        key, task = words(arguments, "agent_key", LONGEST_KEY + 1), words(arguments, "task", LONGEST_ASKED)
        if key not in self._team:
            return failed(f"there is no such agent in the team. There are: {', '.join(self._team)}.")
        if not task:
            return failed("'task' must say in words what is to be done.")
        return await answer(setting, {"model": f"agent/{key}", "input": inert(task)})


class _Listing:
    def __init__(self, team: Mapping[str, str], outfit: Outfit) -> None:
        self._team = team
        self._outfit = outfit

    async def run(self, arguments: Json, setting: Setting) -> Outcome:
        """`[{key, role, description}]` as JSON; an agent that is gone meanwhile is left out."""
        found = []
        for key, role in self._team.items():
            try:
                agent = await self._outfit.agents.resolve(setting.organization, key, "")
            except NotFound:
                continue
            except GatewayError as err:
                return failed(err.message)
            found.append({"key": key, "role": role or agent.role, "description": agent.description})
        return Outcome(dumps(found).decode())
