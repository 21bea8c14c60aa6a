"""A chat request as the body of `POST /model/{modelId}/converse`.

Facts from `ConverseRequest` in botocore 1.44.5's service model, read 2026-11-21. What it has no place for but a model
has goes into `additionalModelRequestFields`.
"""

import re
from typing import Any

import orjson

from orrery.core.dialect import Encoded
from orrery.core.types import Call, Json, Target
from orrery.providers.anthropic.tools import closed
from orrery.providers.bedrock.inference import inference_of
from orrery.providers.bedrock.messages import Conversation
from orrery.providers.bedrock.models import Traits, traits_of
from orrery.providers.bedrock.tools import one_at_a_time, tools_of
from orrery.providers.lost import Lost
from orrery.providers.neutral import lose_rest

STREAM = {"accept": "application/vnd.amazon.eventstream"}

SERVICE_TIER = {"default": "default", "standard_only": "default", "flex": "flex"}
"""OpenAI's words, and Anthropic's; "auto" asks for nothing. Dearer tiers are refused before."""

READ = (
    frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "stop"})
    | {"tools", "tool_choice", "parallel_tool_calls", "response_format", "thinking", "reasoning_effort", "service_tier"}
    | {"temperature", "top_p", "top_k", "metadata", "cache_control", "guardrailConfig"}
)
"""Parameters that are translated below. All others are lost; `performanceConfig`, too, for it changes the price."""

GUARDRAIL = frozenset({"guardrailIdentifier", "guardrailVersion", "trace", "streamProcessingMode"})

_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,-.]{1,256}")
"""Keys and values of `requestMetadata`; values may also be empty."""


def encode(call: Call, target: Target) -> Encoded:
    """The body, and the names of what it lost. Raises `InvalidRequest` for what cannot be said at all."""
    asked, lost, traits = call.body, Lost(), traits_of(target.model)
    conversation = Conversation(traits, lost)
    conversation.read(asked["messages"])
    caching = conversation.parts.caching
    tools = tools_of(asked, conversation.called, traits, caching, lost)
    may_budget = "toolChoice" not in tools and not conversation.lacks_reasoning()
    inference, more = inference_of(asked, traits, target, may_budget=may_budget, lost=lost)
    turns = conversation.turns()
    caching.mark(turns[-1]["content"], asked.get("cache_control"), "messages")
    contents = [turn["content"] for turn in reversed(turns)]
    caching.limit(conversation.system, tools.get("tools", []), *contents)
    found: Json = {
        "system": conversation.system,
        "messages": turns,
        "inferenceConfig": inference,
        "toolConfig": tools,
        "additionalModelRequestFields": {**more, **one_at_a_time(asked, tools, traits, lost)},
        "outputConfig": _output_config(asked, traits, lost),
        "serviceTier": _service_tier(asked, lost),
        "requestMetadata": _metadata(asked, lost),
        "guardrailConfig": _guardrail(asked, call, lost),
    }
    lose_rest(asked, READ, lost)
    body = {name: value for name, value in found.items() if value}
    return Encoded(body, lost.names(), STREAM if call.stream else {})


def _output_config(body: Json, traits: Traits, lost: Lost) -> Json:
    """The schema of the answer. There is no JSON mode without one, and no prompt is changed to imitate it."""
    wanted = body.get("response_format")
    if not wanted or wanted["type"] == "text":
        return {}
    held = wanted["json_schema"] if wanted["type"] == "json_schema" else {}
    if held.get("schema") is None or not traits.structured:
        lost.add("response_format")
        return {}
    definition = {name: held[name] for name in ("name", "description") if held.get(name)}
    definition["schema"] = orjson.dumps(closed(held["schema"])).decode()
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": definition}}}


def _service_tier(body: Json, lost: Lost) -> Json:
    asked = body.get("service_tier")
    if asked in (None, "auto"):
        return {}
    if asked not in SERVICE_TIER:
        lost.add("service_tier")
        return {}
    return {"type": SERVICE_TIER[asked]}


def _metadata(body: Json, lost: Lost) -> Json:
    """For the logs of the account, as far as they may be written there."""
    pairs: dict[str, Any] = body.get("metadata") or {}
    fit = {k: v for k, v in pairs.items() if _METADATA.fullmatch(k) and (v == "" or _METADATA.fullmatch(v))}
    if len(fit) < len(pairs):
        lost.add("metadata")
    return fit


def _guardrail(body: Json, call: Call, lost: Lost) -> Json:
    """A guardrail of the account, for who knows it, in Bedrock's own words."""
    given = body.get("guardrailConfig")
    if given is None:
        return {}
    allowed = GUARDRAIL if call.stream else GUARDRAIL - {"streamProcessingMode"}
    if (
        not isinstance(given, dict)
        or not all(isinstance(value, str) for value in given.values())
        or given.keys() - allowed
    ):
        lost.add("guardrailConfig")
        return {}
    return given
