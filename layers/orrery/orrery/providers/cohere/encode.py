"""A chat request as the body of `POST /v2/chat`.

Facts, read 2026-11-21: the parameters of `V2Client.chat` in the cohere Python SDK 7.3.1, and Cohere's OpenAPI document
(github.com/cohere-ai/cohere-developer-experience, 2026-08-20) for their bounds.
"""

from typing import Any

from orrery.core.dialect import Encoded
from orrery.core.types import Call, Json, Target
from orrery.providers.cohere.messages import Conversation
from orrery.providers.cohere.thinking import thinking_of
from orrery.providers.functions import functions_of
from orrery.providers.lost import Lost
from orrery.providers.neutral import lose_rest

OWN = ("citation_options", "documents", "k", "p", "priority", "safety_mode", "strict_tools")
"""Parameters of Cohere's own, for who knows them."""

READ = (
    frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "stop"})
    | {"tools", "tool_choice", "response_format", "thinking", "reasoning_effort", "logprobs"}
    | {"temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", *OWN}
)
"""Parameters that are translated below; all others are lost."""

BOUNDS: dict[str, tuple[str, float, float]] = {
    "temperature": ("temperature", 0, 1),
    "top_p": ("p", 0.01, 0.99),
    "top_k": ("k", 0, 500),
    "frequency_penalty": ("frequency_penalty", 0, 1),
    "presence_penalty": ("presence_penalty", 0, 1),
    "seed": ("seed", 0, 2**64 - 1),
}
"""What Cohere calls each, and from where to where it may go.

Beyond, the nearest is sent (of a seed none), and the loss is named.
"""

WHOLE = ("top_k", "seed")
PENALTIES = ("frequency_penalty", "presence_penalty")
"""Some models take only one of the two ("Errors", docs.cohere.com): one that asks for nothing is not sent."""

TOOL_CHOICE = {"required": "REQUIRED", "none": "NONE"}


def encode(call: Call, target: Target) -> Encoded:
    """The body, and the names of what it lost. Raises `InvalidRequest` for what cannot be said at all."""
    asked, lost = call.body, Lost()
    thinking = thinking_of(asked, lost)
    thinks = thinking is None or thinking["type"] != "disabled"
    body: Json = {"model": target.model, "messages": Conversation(lost, thinks=thinks).read(asked["messages"])}
    found = {
        **_tools(asked, lost),
        "response_format": _format(asked, lost),
        "thinking": thinking,
        "max_tokens": asked.get("max_completion_tokens") or asked.get("max_tokens"),
        "stop_sequences": _stop_sequences(asked),
        "logprobs": asked.get("logprobs") or None,
        **_numbers(asked, lost),
        **{name: asked[name] for name in OWN if name in asked},
        "stream": call.stream or None,
    }
    body |= {name: value for name, value in found.items() if value is not None}
    lose_rest(asked, READ, lost)
    return Encoded(body, lost.names())


def _tools(asked: Json, lost: Lost) -> Json:
    """`tools`, `tool_choice` and `strict_tools`, which binds all tools or none."""
    functions, mode = functions_of(asked)
    if not functions:
        if mode == "required":
            lost.add("tool_choice")
        return {}
    strict = [function.pop("strict", False) is True for function in functions]
    if any(strict) and not all(strict):
        lost.add("tools.strict")
    if any(tool.get("cache_control") for tool in asked["tools"]):
        lost.add("cache_control")
    return {
        "tools": [{"type": "function", "function": function} for function in functions],
        "tool_choice": TOOL_CHOICE.get(mode),
        "strict_tools": True if all(strict) else None,
    }


def _format(asked: Json, lost: Lost) -> Json | None:
    """JSON, by a schema or not: "not supported when used in combinations with the documents or tools parameters"."""
    wanted = asked.get("response_format")
    if not wanted or wanted["type"] == "text":
        return None
    if asked.get("tools") or asked.get("documents"):
        lost.add("response_format")
        return None
    schema = (wanted.get("json_schema") or {}).get("schema")
    return {"type": "json_object", "json_schema": schema} if schema else {"type": "json_object"}


def _stop_sequences(asked: Json) -> list[str] | None:
    stop = asked.get("stop")
    return [stop] if isinstance(stop, str) else stop or None


def _numbers(asked: Json, lost: Lost) -> Json:
    numbers: dict[str, Any] = {}
    for ours, (theirs, least, most) in BOUNDS.items():
        value = asked.get(ours)
        if value is None:
            continue
        fit = min(max(value, least), most)
        fit = int(fit) if ours in WHOLE else fit
        if fit != value:
            lost.add(ours)
        if (fit or ours not in PENALTIES) and (fit == value or ours != "seed"):
            numbers[theirs] = fit
    return numbers
