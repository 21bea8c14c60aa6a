"""A request of an agent: what the agent is set up with, under what the request says itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orrery.core.agents import Agent
from orrery.core.options import Options, Retry, Variables
from orrery.core.responses import Bounds, Responding
from orrery.core.types import Call, Json
from orrery.flow.gateway import Gateway
from orrery.flow.visit import extras_of
from orrery.wire.options import GATEWAY_FIELDS, read_options
from orrery.wire.variables import read_variables

TOGETHER = ("text", "reasoning")
"""Parameters of several fields, each of which a request may set by itself."""


async def as_agent(call: Call, responding: Responding, organization: str, gateway: Gateway) -> Call:
    """The call as the agent's. Raises `NotFound` for an agent or a version that is not there."""
    agent = await extras_of(gateway).agents.resolve(organization, responding.agent, responding.agent_version)
    body = _under(agent, call.body)
    body["instructions"] = _instructions(agent, call.body.get("instructions"))
    functions = [tool for tool in agent.tools if tool["type"] == "function"]
    if functions:
        body["tools"] = [*functions, *(call.body.get("tools") or ())]
    body["model"] = agent.model
    return replace(call, model=agent.model, body=body, options=_options(call.options, agent, responding))


def _under(agent: Agent, own: Json) -> Json:
    """The agent's parameters, where the request has none of its own. Its options are no parameters."""
    body = {name: value for name, value in agent.parameters.items() if name not in GATEWAY_FIELDS}
    for name, value in own.items():
        if name in TOGETHER and isinstance(value, dict) and isinstance(body.get(name), dict):
            body[name] = {**body[name], **{field: each for field, each in value.items() if each is not None}}
        elif value is not None:
            body[name] = value
    return body


def _instructions(agent: Agent, more: str | None) -> str:
    """The system prompt, the instructions, and what the request adds to them."""
    return "\n\n".join(text for text in (agent.system_prompt, agent.instructions, more) if text)


def _options(own: Options, agent: Agent, responding: Responding) -> Options:
    hosted = tuple(_judged(tool, agent) for tool in agent.tools if tool["type"] != "function")
    usual = read_options({name: value for name, value in agent.parameters.items() if name in GATEWAY_FIELDS})
    return replace(
        own,
        retry=own.retry if own.retry != Retry() else _retry(agent),
        fallbacks=own.fallbacks or agent.fallbacks,
        balance=own.balance or usual.balance,
        cache_ttl_s=usual.cache_ttl_s if own.cache_ttl_s is None else own.cache_ttl_s,
        call_timeout_s=usual.call_timeout_s if own.call_timeout_s is None else own.call_timeout_s,
        name=own.name or usual.name,
        variables=_variables(own.variables, agent),
        responding=replace(responding, hosted=_once(*hosted, *responding.hosted), bounds=_bounds(agent, responding)),
    )


def _once(*tools: Json) -> tuple[Json, ...]:
    """Without repetitions: a request may name a tool that its agent has anyway."""
    found: list[Json] = []
    for tool in tools:
        if tool["type"] == "mcp" or not any(_same(tool, other) for other in found):
            found.append(tool)
    return tuple(found)


def _same(tool: Json, other: Json) -> bool:
    return (tool["type"], tool.get("tool_id")) == (other["type"], other.get("tool_id"))


def _judged(tool: Json, agent: Agent) -> Json:
    """With the agent's word on whether calls of it wait for approval."""
    return tool if agent.approval == "respect_tool" else {**tool, "requires_approval": agent.approval == "all"}


def _retry(agent: Agent) -> Retry:
    if not agent.retry:
        return Retry()
    codes = agent.retry.get("on_codes") or (429,)
    return Retry(count=int(agent.retry.get("count") or 3), on_codes=frozenset(map(int, codes)))


def _variables(own: Variables | None, agent: Agent) -> Variables | None:
    """The agent's, under the request's. Its engine reads its texts, unless the request names one of more than words."""
    if not agent.variables and own is None:
        return None
    given = own or Variables({})
    engine = agent.engine if given.engine == "text" else given.engine
    return replace(given, values={**_plain(agent), **given.values}, engine=engine)


def _plain(agent: Agent) -> Mapping[str, Any]:
    """Its variables, whichever way they were written: `{"value": …}` is the value."""
    found = read_variables(agent.variables, None)
    return found.values if found else {}


def _bounds(agent: Agent, responding: Responding) -> Bounds:
    """The narrower of each."""
    theirs, ours = agent.bounds, responding.bounds
    costs = [cost for cost in (theirs.max_cost_nano, ours.max_cost_nano) if cost]
    return Bounds(
        max_iterations=_least(theirs.max_iterations, ours.max_iterations),
        max_execution_s=_least(theirs.max_execution_s, ours.max_execution_s),
        max_cost_nano=min(costs, default=0),
        max_depth=_least(theirs.max_depth, ours.max_depth),
        tool_timeout_s=_least(theirs.tool_timeout_s, ours.tool_timeout_s),
    )


def _least[T: (int, float)](theirs: T | None, ours: T | None) -> T | None:
    if theirs is None or ours is None:
        return ours if theirs is None else theirs
    return min(theirs, ours)
