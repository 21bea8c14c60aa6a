"""A chat request as the body of `POST /v1/messages`.

Facts from `MessageCreateParams` of the anthropic Python SDK 2.11 and from Anthropic's "OpenAI SDK compatibility"
(platform.claude.com), read 2026-11-21.
"""

from orrery.core.dialect import Encoded
from orrery.core.types import Call, Json, Target
from orrery.providers.anthropic.messages import Conversation, lacks_thinking
from orrery.providers.anthropic.models import Traits, traits_of
from orrery.providers.anthropic.thinking import level_of, sampling_of, thinking_of
from orrery.providers.anthropic.tools import choice_of, closed, is_forced, tools_of
from orrery.providers.lost import Lost
from orrery.providers.neutral import lose_rest

DEFAULT_MAX_TOKENS = 16_384
"""The API insists on a limit. This is what the ledger holds for an answer without one."""

ROOM_AFTER_THINKING = 4_096
"""Tokens left for the answer where the caller's thinking budget exceeds the default."""

SERVICE_TIER = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}
"""OpenAI's "default" is ordinary capacity; the others have no counterpart ("Service tiers", read 2026-11-21)."""

READ = (
    frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "stop"})
    | {"tools", "tool_choice", "parallel_tool_calls", "response_format", "thinking", "reasoning_effort"}
    | {"temperature", "top_p", "top_k", "user", "safety_identifier", "service_tier", "cache_control", "output_config"}
)
"""Parameters that are translated below.

All others are lost. That includes Anthropic's own `speed` and `inference_geo`, which change the price, and
`container`, `diagnostics` and the like, whose effects have no place in a chat completion.
"""


def encode(call: Call, target: Target) -> Encoded:
    """The body, and the names of what it lost. Raises `InvalidRequest` for what cannot be said at all."""
    asked, lost, traits = call.body, Lost(), traits_of(target.model)
    conversation = Conversation(lost)
    conversation.read(asked["messages"])
    tools = tools_of(asked, traits, lost)
    choice = choice_of(asked, tools, traits, lost)
    max_tokens = max_tokens_of(asked, traits, target)
    may_budget = not is_forced(choice) and not lacks_thinking(conversation.turns)
    thinking = thinking_of(asked, traits, max_tokens, may_budget=may_budget, lost=lost)
    body: Json = {"model": target.model, "max_tokens": max_tokens}
    found = {
        "system": conversation.system,
        "messages": conversation.turns,
        "tools": tools,
        "tool_choice": choice,
        "thinking": thinking,
        "output_config": _output_config(asked, traits, thinking, lost),
        "stop_sequences": _stop_sequences(asked, lost),
        "metadata": _metadata(asked),
        "service_tier": _service_tier(asked, lost),
        "cache_control": asked.get("cache_control"),
        "stream": call.stream,
        **sampling_of(asked, traits, thinking, lost),
    }
    # Nothing that is set here may be an empty list, object or False; zeros are meant.
    body |= {name: value for name, value in found.items() if value or (value == 0 and value is not False)}
    lose_rest(asked, READ, lost)
    return Encoded(body, lost.names())


def max_tokens_of(body: Json, traits: Traits, target: Target) -> int:
    """The limit of the answer: the caller's, else the default as far as the model goes, with room for its thinking."""
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit:
        return int(limit)
    most = min(target.max_output or 2**31, traits.max_output or 2**31)
    budget = int((body.get("thinking") or {}).get("budget_tokens") or 0) if traits.budget else 0
    needed = budget + ROOM_AFTER_THINKING if budget >= DEFAULT_MAX_TOKENS else DEFAULT_MAX_TOKENS
    return min(needed, most)


def _output_config(body: Json, traits: Traits, thinking: Json | None, lost: Lost) -> Json:
    """Effort and format; what the caller put into Anthropic's own `output_config` wins."""
    own = body.get("output_config") or {}
    if not isinstance(own, dict):
        lost.add("output_config")
        own = {}
    found = {"effort": level_of(body, traits, thinking, lost), "format": _format(body, traits, lost)}
    return {name: value for name, value in {**found, **own}.items() if value is not None}


def _format(body: Json, traits: Traits, lost: Lost) -> Json | None:
    """The schema of the answer. There is no JSON mode without one, and no prompt is changed to imitate it."""
    wanted = body.get("response_format")
    if not wanted or wanted["type"] == "text":
        return None
    schema = wanted["json_schema"].get("schema") if wanted["type"] == "json_schema" else None
    if schema is None or not traits.structured:
        lost.add("response_format")
        return None
    return {"type": "json_schema", "schema": closed(schema)}


def _stop_sequences(body: Json, lost: Lost) -> list[str]:
    """Without blank ones: each "must contain non-whitespace" (the API's 400, quoted in BerriAI/litellm#3286)."""
    stop = body.get("stop") or []
    asked = [stop] if isinstance(stop, str) else stop
    taken = [sequence for sequence in asked if sequence.strip()]
    if len(taken) < len(asked):
        lost.add("stop")
    return taken


def _metadata(body: Json) -> Json:
    user = body.get("user") or body.get("safety_identifier")
    return {"user_id": user} if user else {}


def _service_tier(body: Json, lost: Lost) -> str | None:
    asked = body.get("service_tier")
    if asked is not None and asked not in SERVICE_TIER:
        lost.add("service_tier")
    return SERVICE_TIER.get(asked) if asked else None
