"""How the sandbox is told to call tools: by lines of the last user message.

    call get_weather {"city": "Paris"}     with these arguments, sent as they stand, well formed or not
    call get_time                          with the smallest arguments that its parameters allow

Each such line is a call, several are made at once (only the first, where `parallel_tool_calls` is false). A line that
names a tool which is not offered is no instruction. Whoever plainly asks for the time or the date has a tool
`current_date` called, where it is offered. `think <words>` on a line has these words come first, as
`reasoning_content`. Calls are made only while the last message is the user's: results are
answered with what they said, so that no exchange goes on for ever.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

type Json = dict[str, Any]

CLOCK = "current_date"
PIECE_CHARS = 12
"""Characters of arguments in one streamed piece."""

_LINE = re.compile(r"^[ \t]*call[ \t]+([\w-]{1,64})[ \t]*(\{.*)?$", re.MULTILINE | re.ASCII)
_THOUGHT = re.compile(r"^[ \t]*think[ \t]+(\S.*)$", re.MULTILINE)
_TIME = re.compile(r"\b(?:what|which|current|today'?s?|tell me)\b[^\n]{0,80}\b(?:time|date|day)\b", re.IGNORECASE)
_ZONE = re.compile(r"\b(?:UTC|GMT|CET|EET|WET|MET|EST|MST|HST|[A-Z][a-z]+(?:/[A-Z][A-Za-z_]+)+)\b")


@dataclass(frozen=True, slots=True)
class Instruction:
    """A call that is wanted; `arguments` None: whatever the tool's parameters allow."""

    name: str
    arguments: str | None


def instructions(asked: Json, said: str) -> list[Instruction]:
    """The calls that the last message, `said` by the user, wants of tools that may be called."""
    offered = set(callable_tools(asked))
    wanted = [Instruction(name, given) for name, given in _lines(said) if name in offered]
    if not wanted and CLOCK in offered and _TIME.search(said):
        zone = _ZONE.search(said)
        wanted = [Instruction(CLOCK, orjson.dumps({"timezone": zone[0]} if zone else {}).decode())]
    return wanted[:1] if asked.get("parallel_tool_calls") is False else wanted


def _lines(said: str) -> Iterator[tuple[str, str | None]]:
    for match in _LINE.finditer(said):
        yield match[1], match[2].rstrip() if match[2] else None


def thoughts(said: str) -> str:
    """What is to be thought before the answer; "" where nothing is."""
    return "\n".join(match[1].rstrip() for match in _THOUGHT.finditer(said))


def callable_tools(asked: Json) -> dict[str, Json]:
    """The offered functions by name, without those that the request's `tool_choice` forbids."""
    tools = {tool["function"]["name"]: tool["function"] for tool in asked.get("tools") or () if "function" in tool}
    choice = asked.get("tool_choice")
    if choice == "none":
        return {}
    if not isinstance(choice, dict):
        return tools
    among = choice.get("allowed_tools") or {}
    named = among.get("tools") or [choice]
    allowed = {(each.get("function") or {}).get("name") for each in named}
    return {name: tool for name, tool in tools.items() if name in allowed}


def must_call(asked: Json) -> bool:
    """Whether the request's `tool_choice` demands a call."""
    choice = asked.get("tool_choice")
    if isinstance(choice, dict):
        return "allowed_tools" not in choice or choice["allowed_tools"].get("mode") == "required"
    return choice == "required"


def is_users_turn(messages: Sequence[Json]) -> bool:
    return bool(messages) and messages[-1].get("role") == "user"


def results(messages: Sequence[Json]) -> list[tuple[str, Json]]:
    """The tool messages that the conversation ends with, each with the name of the tool whose call it answers."""
    found: list[tuple[str, Json]] = []
    names = {call.get("id"): (call.get("function") or {}).get("name") for call in _calls(messages)}
    for message in reversed(messages):
        name = names.get(message.get("tool_call_id"))
        if message.get("role") != "tool" or name is None:
            break
        found.append((name, message))
    return found[::-1]


def next_call(messages: Sequence[Json]) -> int:
    """The number of the next call: ids are told apart throughout a conversation."""
    return sum(1 for _ in _calls(messages))


def _calls(messages: Sequence[Json]) -> Iterator[Json]:
    for message in messages:
        yield from message.get("tool_calls") or ()


def deltas(number: int, index: int, name: str, arguments: str) -> Iterator[Json]:
    """A call as OpenAI streams it: its name first, then its arguments bit by bit."""
    function = {"name": name, "arguments": ""}
    yield {"tool_calls": [{"index": index, "id": f"call_sandbox{number}", "type": "function", "function": function}]}
    for start in range(0, len(arguments), PIECE_CHARS):
        piece = {"arguments": arguments[start : start + PIECE_CHARS]}
        yield {"tool_calls": [{"index": index, "function": piece}]}
