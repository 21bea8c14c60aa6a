"""Conversations that go on after an answer: as a chat's client would send it back, and as items of a response."""

from typing import Any

import orjson
import pytest

from orrery import providers
from orrery.core.dialect import Adapter
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation, Target
from orrery.providers.bridge.responses import over
from tests.providers.families import REGIONS
from tests.providers.responding import SPOKEN, call

FIRST = {"role": "user", "content": "Hi"}
LAST = {"role": "user", "content": "Go on"}


def message_of(answer: Any) -> Any:
    """What a client sends back of a chat's answer."""
    message = answer["choices"][0]["message"]
    kept = {name: message[name] for name in SPOKEN if message.get(name) not in (None, [], "")}
    if "tool_calls" in kept:
        kept["tool_calls"] = [{n: v for n, v in call.items() if n != "index"} for call in kept["tool_calls"]]
    return {"content": None, **kept}


def place_of(name: str, model: str) -> tuple[Adapter, Target]:
    provider = providers.get(name)
    assert provider is not None
    target = Target(name, model, provider.base_url, REGIONS.get(name, ""))
    return provider.adapters[Operation.CHAT], provider.locate(target) if provider.locate else target


def sent_by_chat(name: str, model: str, message: Any) -> Any:
    results = [{"role": "tool", "tool_call_id": c["id"], "content": "1"} for c in message.get("tool_calls") or ()]
    adapter, target = place_of(name, model)
    history = [FIRST, message, *results, LAST]
    return adapter.encode(Call(Operation.CHAT, target.model, {"model": target.model, "messages": history}), target)


def sent_by_items(name: str, model: str, output: list[Any]) -> Any:
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "1"}
        for item in output
        if item["type"] == "function_call"
    ]
    adapter, target = place_of(name, model)
    body = {"model": target.model, "input": [FIRST, *output, *results, LAST]}
    before = orjson.dumps(body)
    encoded = over(adapter).encode(call(body, name), target)
    assert orjson.dumps(body) == before, "the caller's own items were changed"
    return encoded


def assert_goes_back(name: str, model: str, message: Any, output: list[Any]) -> None:
    if not any(message.get(name) for name in ("content", "refusal", "tool_calls", "images")):
        return  # an answer of thoughts alone is not sent back: few chats would take it
    try:
        theirs = sent_by_chat(name, model, message)
    except InvalidRequest:
        with pytest.raises(InvalidRequest):
            sent_by_items(name, model, output)
        return
    ours = sent_by_items(name, model, output)
    assert without_nulls(ours.body) == without_nulls(theirs.body)
    assert [name.replace("input.", "messages.") for name in ours.dropped] == list(theirs.dropped)


def without_nulls(body: Any) -> Any:
    if isinstance(body, list):
        return [without_nulls(value) for value in body]
    return {n: without_nulls(v) for n, v in body.items() if v is not None} if isinstance(body, dict) else body
