"""Requests for responses where a provider chats: what it is sent is what a chat that asks the same would send."""

from dataclasses import replace
from typing import Any

import orjson

from orrery.providers.bridge.responses import over
from tests.providers.cases import Case, with_files
from tests.providers.responding import PARAMETERS, call, of_chat, varied
from tests.providers.test_cases import each

ALSO = {"model", "messages", "stream", "tools", "tool_choice", "reasoning_effort", "logprobs", "top_logprobs"} | {
    "response_format",
    "verbosity",
}
RENAMED = {
    "max_completion_tokens": "max_output_tokens",
    "stop": "stop_sequences",
    "logprobs": "top_logprobs",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "verbosity": "text.verbosity",
}
ROLES = {
    "system": {"content"},
    "developer": {"content"},
    "user": {"content"},
    "assistant": {
        "content",
        "refusal",
        "tool_calls",
        "reasoning",
        "reasoning_signature",
        "redacted_reasoning",
        "images",
    },
    "tool": {"content", "tool_call_id", "cache_control", "is_error"},
}


def as_a_response_could_ask(body: Any) -> Any:
    """A chat's body without names that a response does not have; None where that would ask for something else."""
    found = {name: value for name, value in body.items() if value is not None and name != "stream_options"}
    if "max_tokens" in found:
        found["max_completion_tokens"] = found.pop("max_tokens")
    if not found.keys() <= ALSO | PARAMETERS.keys() or not found.get("messages"):
        return None
    found["messages"] = [{n: v for n, v in m.items() if n != "name"} for m in found["messages"]]
    if isinstance(found.get("stop"), str):
        found["stop"] = [found["stop"]]
    if not found.get("tools") and ("tool_choice" in found or "parallel_tool_calls" in found):
        return None
    return found if all(map(can_be_items, found["messages"])) else None


def can_be_items(message: Any) -> bool:
    parts = message["content"] if isinstance(message.get("content"), list) else ()
    if message["role"] == "assistant" and parts:
        return False  # texts of an answer become one
    if any(part["type"] in ("reasoning", "redacted_reasoning") or "mimeType" in str(part) for part in parts):
        return False
    if any("type" not in tool or tool["type"] != "function" for tool in message.get("tool_calls") or ()):
        return False
    return (
        message["role"] in ROLES
        and message.keys() - {"role"} <= ROLES[message["role"]]
        and (message["role"] != "tool" or message.get("tool_call_id") is not None)
    )


CASES = [
    case
    for case in varied(with_files("call.json", "request.json"))
    if as_a_response_could_ask(case.json_of("call.json")) is not None and case.name != "allowed_tools"
]


def nulls_apart(body: Any) -> Any:
    """Without nulls in messages: who leaves a field out and who sends null in it ask the same."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        return body
    return body | {"messages": [{n: v for n, v in message.items() if v is not None} for message in body["messages"]]}


def called(name: str) -> str:
    """A chat's parameter as that of a response."""
    if name.startswith("messages."):
        return f"input.{name.removeprefix('messages.')}"
    return RENAMED.get(name, name)


def test_most_cases_can_be_asked_for_as_responses() -> None:
    assert len(CASES) > 0.7 * len(varied(with_files("call.json", "request.json"))), len(CASES)


@each(CASES)
def test_the_request_is_that_of_the_same_chat(case: Case) -> None:
    body = as_a_response_could_ask(case.json_of("call.json"))
    chat = replace(case.call(), body=body)
    asked = call(of_chat(body, case.provider), case.provider)
    before = orjson.dumps(asked.body)
    expected, found = case.adapter().encode(chat, case.target()), over(case.adapter()).encode(asked, case.target())
    assert nulls_apart(found.body) == nulls_apart(expected.body)
    assert found.headers == expected.headers
    assert set(found.dropped) == {called(name) for name in expected.dropped if name != "metadata"}
    assert over(case.adapter()).path(asked, case.target()) == case.adapter().path(chat, case.target())
    assert orjson.dumps(asked.body) == before, "the caller's own mapping was changed"
