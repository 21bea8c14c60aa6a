"""Teams: which agents are given tasks, and what is told of them."""

from typing import Any

import orjson
import pytest

from orrery.core.agents import Agent
from orrery.core.errors import InvalidRequest, NotFound, Unavailable
from tests.tools.outfits import CALL, FakeAgents, FakeModels, Workshop

TEAM = [{"key": "writer", "role": "writes"}, {"key": "data.reader-2"}]
CALLING = {"type": "orq:call_sub_agent", "agents": TEAM}
LISTING = {"type": "orq:retrieve_agents", "agents": TEAM}


def agent(key: str) -> Agent:
    return Agent(key, "1.0.0", "sandbox/echo", "secret instructions", role="reads", description="Reads data.")


async def test_a_task_goes_to_an_agent_of_the_team() -> None:
    room = Workshop()
    tool = await room.tool(CALLING)
    outcome = await tool.run({"agent_key": "writer", "task": "Write {{token}}."}, room.setting)
    assert room.models.asked == [{"model": "agent/writer", "input": "Write { {token}}.", "store": False}]
    assert tool.shown(CALL, outcome)["type"] == "orq:call_sub_agent" and outcome.output == "fine"


async def test_the_model_is_told_who_there_is() -> None:
    told = (await Workshop().tool(CALLING)).function
    assert told["parameters"]["properties"]["agent_key"]["enum"] == ["writer", "data.reader-2"]
    assert "- writer: writes\n- data.reader-2" in told["description"] and told["name"] == "call_sub_agent"


@pytest.mark.parametrize(
    "key", ["stranger", "", "writer@2.0.0", "../writer", "WRITER", None, ["writer"], "openai/gpt-5"]
)
async def test_nobody_else_is_given_tasks(key: Any) -> None:
    room = Workshop()
    outcome = await room.run(CALLING, {"agent_key": key, "task": "x"})
    assert outcome.failed and not room.models.asked and "writer" in outcome.output


async def test_a_task_of_no_words_is_none() -> None:
    room = Workshop()
    assert (await room.run(CALLING, {"agent_key": "writer", "task": " "})).failed and not room.models.asked


async def test_an_agent_that_fails_does_not_fail_the_turn() -> None:
    room = Workshop(models=FakeModels(NotFound("Agent 'writer' not found")))
    outcome = await room.run(CALLING, {"agent_key": "writer", "task": "x"})
    assert outcome.failed and "not found" in outcome.output


async def test_the_team_is_listed_as_it_is_now() -> None:
    room = Workshop(agents=FakeAgents({"data.reader-2": agent("data.reader-2")}))
    tool = await room.tool(LISTING)
    outcome = await tool.run({}, room.setting)
    assert orjson.loads(outcome.output) == [{"key": "data.reader-2", "role": "reads", "description": "Reads data."}]
    assert tool.function["name"] == "retrieve_agents" and not outcome.failed


async def test_a_role_in_the_team_goes_before_the_agents_own() -> None:
    room = Workshop(agents=FakeAgents({"writer": agent("writer")}))
    assert orjson.loads((await room.run(LISTING, {})).output)[0]["role"] == "writes"


async def test_agents_that_cannot_be_read_just_now_fail_the_call_alone() -> None:
    assert (await Workshop(agents=FakeAgents({"writer": Unavailable("not now")})).run(LISTING, {})).failed


@pytest.mark.parametrize(
    "agents",
    [
        None,
        [],
        {},
        "writer",
        ["writer"],
        [{}],
        [{"key": 7}],
        [{"key": "a/b"}],
        [{"key": "a@b"}],
        [{"key": "a" * 256}],
        [{"key": "a"}] * 51,
    ],
)
@pytest.mark.parametrize("kind", ["orq:call_sub_agent", "orq:retrieve_agents"])
async def test_a_team_that_is_none_is_refused(kind: str, agents: Any) -> None:
    with pytest.raises(InvalidRequest):
        await Workshop().opened({"type": kind, "agents": agents})
