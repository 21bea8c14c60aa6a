"""A stored prompt before the input of a response: its messages as items, its model and parameters where none are."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orrery.core.types import Call, Json
from orrery.flow.gateway import Gateway
from orrery.flow.prompting import HEADER, MISSING
from orrery.flow.visit import extras_of
from orrery.wire.response_items import items_of

AS_RESPONSE: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "parallel_tool_calls": "parallel_tool_calls",
    "service_tier": "service_tier",
}
"""Parameters of a chat that a response has, too, and what they are called there."""


async def prompted(call: Call, organization: str, headers: dict[str, str], gateway: Gateway) -> Call:
    """The call with the prompt that its options name; without it where there is none, as chats go ahead, too."""
    found = await extras_of(gateway).prompts.published(organization, call.options.prompt)
    headers[HEADER] = f"{found.id}@{found.version}" if found else MISSING
    if found is None:
        return call
    parameters = {AS_RESPONSE[name]: value for name, value in found.parameters.items() if name in AS_RESPONSE}
    body = {**parameters, **{name: value for name, value in call.body.items() if value is not None}}
    body["input"] = [*map(_item, found.messages), *items_of(call.body.get("input"))]
    if found.model:
        body["model"] = found.model
    return replace(call, model=str(body["model"]), body=body)


def _item(message: Mapping[str, Any]) -> Json:
    """A message of a chat as an item of a response."""
    role, content = str(message["role"]), message.get("content")
    if isinstance(content, list):
        kind = "output_text" if role == "assistant" else "input_text"
        content = [{"type": kind, "text": str(part.get("text", ""))} for part in content if part.get("type") == "text"]
    return {"type": "message", "role": role, "content": content or ""}
