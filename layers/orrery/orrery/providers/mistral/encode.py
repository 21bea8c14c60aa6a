"""A chat request as the body of Mistral's `POST /v1/chat/completions`.

Facts, read 2026-11-21: `ChatCompletionRequest` of the mistralai Python SDK 3.7, and Mistral's OpenAPI document
(github.com/mistralai/platform-docs-public, 2026-08-21) for bounds.
"""

from orrery.core.dialect import Encoded
from orrery.core.types import Call, Json, Target
from orrery.providers.functions import functions_of
from orrery.providers.lost import Lost
from orrery.providers.mistral.effort import effort_of
from orrery.providers.mistral.messages import Conversation
from orrery.providers.neutral import lose_rest

OWN = frozenset(
    {"guardrails", "min_tokens", "prompt_logprobs", "prompt_mode", "random_seed", "repetition_penalty", "safe_prompt"}
    | {"top_prompt_logprobs"}
)
"""Parameters of Mistral's own, for who knows them."""

AS_THEY_ARE = frozenset(
    {"temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "n", "stop", "metadata"}
) | {"logprobs", "top_logprobs", "prompt_cache_key", *OWN}

READ = (
    frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "seed"})
    | {"tools", "tool_choice", "parallel_tool_calls", "response_format", "prediction", "thinking", "reasoning_effort"}
    | {"service_tier", *AS_THEY_ARE}
)
"""Parameters that are translated below.

All others are lost: "Extra inputs are not permitted" (422). `stream_options` are not in the schema, and not needed.
"""

MOST_TEMPERATURE = 1.5
SERVICE_TIER = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}


def encode(call: Call, target: Target) -> Encoded:
    """The body, and the names of what it lost. Raises `InvalidRequest` for what cannot be said at all."""
    asked, lost = call.body, Lost()
    body: Json = {"model": target.model, "messages": Conversation(lost).read(asked["messages"])}
    found = {
        **{name: value for name, value in asked.items() if name in AS_THEY_ARE},
        **_sampling(asked, lost),
        **_tools(asked, lost),
        "response_format": _format(asked, lost),
        "prediction": _prediction(asked),
        "reasoning_effort": effort_of(asked, target.model, lost),
        "max_tokens": asked.get("max_completion_tokens") or asked.get("max_tokens"),
        "service_tier": _service_tier(asked, lost),
        "stream": call.stream or None,
    }
    body |= {name: value for name, value in found.items() if value is not None}
    lose_rest(asked, READ, lost)
    return Encoded(body, lost.names())


def _sampling(asked: Json, lost: Lost) -> Json:
    found: Json = {}
    temperature, top_k, seed = asked.get("temperature"), asked.get("top_k"), asked.get("seed")
    if temperature is not None and temperature > MOST_TEMPERATURE:
        lost.add("temperature")
        found["temperature"] = MOST_TEMPERATURE
    if top_k is not None:
        found["top_k"] = int(top_k)
        if top_k != int(top_k):
            lost.add("top_k")
    if seed is not None and seed >= 0:
        found["random_seed"] = int(seed)
    elif seed is not None:
        lost.add("seed")
    return found


def _tools(asked: Json, lost: Lost) -> Json:
    """`tools`, and what must be done with them. What must not be called is not shown."""
    functions, mode = functions_of(asked)
    if any(tool.get("cache_control") for tool in asked.get("tools") or ()):
        lost.add("cache_control")
    if mode == "none" or not functions:
        if mode == "required":
            lost.add("tool_choice")
        return {}
    return {
        "tools": [{"type": "function", "function": function} for function in functions],
        "tool_choice": "any" if mode == "required" else None,
        "parallel_tool_calls": asked.get("parallel_tool_calls"),
    }


def _format(asked: Json, lost: Lost) -> Json | None:
    wanted = asked.get("response_format")
    if not wanted or wanted["type"] == "text":
        return None
    if wanted["type"] == "json_object":
        return {"type": "json_object"}
    schema = wanted["json_schema"]
    if schema.get("schema") is None:
        lost.add("response_format")
        return None
    known = {name: schema[name] for name in ("name", "description", "schema", "strict") if schema.get(name) is not None}
    return {"type": "json_schema", "json_schema": known}


def _prediction(asked: Json) -> Json | None:
    """Its content is a string here, and may be a list of texts in OpenAI's."""
    prediction = asked.get("prediction")
    if not prediction:
        return None
    content = prediction["content"]
    return {"type": "content", "content": content if isinstance(content, str) else "".join(p["text"] for p in content)}


def _service_tier(asked: Json, lost: Lost) -> str | None:
    tier = asked.get("service_tier")
    if tier is not None and tier not in SERVICE_TIER:
        lost.add("service_tier")
    return SERVICE_TIER.get(tier) if tier else None
