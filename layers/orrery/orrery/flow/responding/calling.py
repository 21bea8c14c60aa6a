"""Calls of hosted tools, run: several at once, each within its time, none of them the end of the response."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import orjson

from orrery.core.errors import GatewayError
from orrery.core.tools import HostedTool, Outcome, Setting
from orrery.core.types import Json

AT_ONCE = 8
"""Tools that run at the same time."""

LONGEST_OUTPUT = 100_000
"""Characters of a tool's output that a model hears: more would be the whole window of most."""

TOOL_TIMEOUT_S = 60.0
"""How long a tool may take where nobody says."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call that has run: what the model hears of it, and what the caller sees."""

    call: Json = field(repr=False)
    output: Json = field(repr=False)
    shown: Json = field(repr=False)


async def run_all(calls: Sequence[tuple[Json, HostedTool]], setting: Setting) -> list[Called]:
    """In the order of the calls. Raises `GatewayError` only where the response as a whole must fail."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(call: Json, tool: HostedTool) -> Called:
        async with turns:
            return called(call, tool, await _outcome(call, tool, setting))

    tasks = [asyncio.ensure_future(one(call, tool)) for call, tool in calls]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def called(call: Json, tool: HostedTool, outcome: Outcome) -> Called:
    """The two items of a call: the function's output for the model, and the caller's."""
    outcome = replace(outcome, output=_bounded(outcome.output))
    heard = {"type": "function_call_output", "call_id": call["call_id"], "output": outcome.output}
    return Called(call, heard, tool.shown(call, outcome))


def _bounded(text: str) -> str:
    if len(text) <= LONGEST_OUTPUT:
        return text
    return f"{text[:LONGEST_OUTPUT]}\n[{len(text) - LONGEST_OUTPUT} more characters are left out]"


async def _outcome(call: Json, tool: HostedTool, setting: Setting) -> Outcome:
    arguments = arguments_of(call)
    if arguments is None:
        return Outcome("The arguments of this call are no JSON object.", failed=True)
    name = call["name"]
    try:
        async with asyncio.timeout(setting.timeout_s):
            return await tool.run(arguments, setting)
    except TimeoutError:
        return Outcome(f"The tool '{name}' gave no answer in {setting.timeout_s:g} s.", failed=True)


def arguments_of(call: Json) -> Json | None:
    """What a model calls a tool with; {} for nothing, None for what is no object."""
    try:
        found = orjson.loads(call.get("arguments") or "{}")
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def refused(call: Json, why: str) -> Json:
    """What the model hears of a call that is not run."""
    return {"type": "function_call_output", "call_id": call["call_id"], "output": why}


def failure(err: GatewayError) -> Json:
    """What a resource says of the error that ended it."""
    return {"code": err.code or err.type, "message": err.message}
