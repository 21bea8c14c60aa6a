"""A chat request as the body of `generateContent`.

Facts from `GenerateContentConfig` of the google-genai Python SDK 3.4 and what it sends, read 2026-11-21.
"""

from typing import Any

from orrery.core.dialect import Encoded
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Target
from orrery.providers.answer import object_of
from orrery.providers.gemini.messages import Conversation
from orrery.providers.gemini.models import Traits, traits_of
from orrery.providers.gemini.schemas import adapted
from orrery.providers.gemini.thinking import thinking_of
from orrery.providers.gemini.tools import choice_of, tools_of
from orrery.providers.lost import Lost

RENAMED = {"seed": "seed", "frequency_penalty": "frequencyPenalty", "presence_penalty": "presencePenalty"}
SAMPLING = {"temperature": "temperature", "top_p": "topP", "top_k": "topK"}

READ = (
    frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "stop", "n"})
    | {"tools", "tool_choice", "parallel_tool_calls", "response_format", "thinking", "reasoning_effort", "modalities"}
    | {"logprobs", "top_logprobs", "cached_content", "safety_settings", "google", "extra_body"}
    | RENAMED.keys()
    | SAMPLING.keys()
)
"""Parameters that are translated below. All others are lost."""

NEUTRAL: dict[str, Any] = {
    "store": False,
    "logit_bias": {},
    "metadata": {},
    "verbosity": "medium",
    "functions": [],
}
"""What asks for nothing that would not happen anyway, and so is no loss."""

ORDINARY_TIERS = ("auto", "default", "standard_only")

OWN_THINKING = {
    "thinking_budget": "thinkingBudget",
    "thinking_level": "thinkingLevel",
    "include_thoughts": "includeThoughts",
}


def encode(call: Call, target: Target) -> Encoded:
    """The body, and the names of what it lost. Raises `InvalidRequest` for what cannot be said at all."""
    asked, lost, traits = call.body, Lost(), traits_of(target.model)
    own = _own(asked)
    conversation = Conversation(target.provider, traits, lost)
    conversation.read(asked["messages"])
    found = {
        "systemInstruction": {"parts": conversation.system} if conversation.system else None,
        "contents": conversation.contents,
        "tools": tools_of(asked, lost),
        "toolConfig": choice_of(asked, lost),
        "generationConfig": _generation_config(asked, own, traits, lost),
        "safetySettings": own.get("safety_settings"),
        "cachedContent": own.get("cached_content"),
    }
    for name, value in asked.items():
        neutral = value is None or value == NEUTRAL.get(name) or (name == "service_tier" and value in ORDINARY_TIERS)
        if name not in READ and not neutral:
            lost.add(name)
    return Encoded({name: value for name, value in found.items() if value}, lost.names())


def _own(body: Json) -> Json:
    """Google's own wishes, wherever its documents let OpenAI's SDK put them ("OpenAI compatibility", ai.google.dev).

    `cached_content`, `safety_settings` and `thinking_config`: under `google`, there under `extra_body`, or on top.
    """
    top = {name: body[name] for name in ("cached_content", "safety_settings") if body.get(name)}
    return {**object_of(object_of(body.get("extra_body")).get("google")), **object_of(body.get("google")), **top}


def _generation_config(body: Json, own: Json, traits: Traits, lost: Lost) -> Json:
    if "audio" in (body.get("modalities") or ()):
        raise InvalidRequest("Answers of Gemini models in audio are not translated.", param="modalities")
    config: Json = {
        "maxOutputTokens": body.get("max_completion_tokens") or body.get("max_tokens"),
        "stopSequences": _stop_sequences(body),
        "thinkingConfig": _own_thinking(own) or thinking_of(body, traits, lost),
        **{theirs: body.get(ours) for ours, theirs in RENAMED.items()},
        **_sampling(body, traits, lost),
        **_several(body, traits, lost),
        **_format(body, lost),
    }
    if not -(2**31) <= (config["seed"] or 0) < 2**31:
        lost.add("seed")
        config["seed"] = None
    whole = {name: int(config[name]) for name in ("maxOutputTokens", "seed") if config[name] is not None}
    return {name: value for name, value in (config | whole).items() if value is not None and value != []}


def _stop_sequences(body: Json) -> list[str]:
    stop = body.get("stop") or []
    return [stop] if isinstance(stop, str) else [sequence for sequence in stop if sequence]


def _own_thinking(own: Json) -> Json:
    given = object_of(own.get("thinking_config"))
    named = {theirs: given[ours] for ours, theirs in OWN_THINKING.items() if given.get(ours) is not None}
    if isinstance(named.get("thinkingLevel"), str):
        named["thinkingLevel"] = named["thinkingLevel"].upper()
    return named


def _sampling(body: Json, traits: Traits, lost: Lost) -> Json:
    """`temperature`, `topP` and `topK`, where they have an effect. A default that goes is no loss."""
    asked = {name: body[name] for name in SAMPLING if body.get(name) is not None}
    if not traits.sampling:
        for name, value in asked.items():
            if name == "top_k" or value != 1:
                lost.add(name)
        return {}
    if not float(asked.get("top_k", 0)).is_integer():
        lost.add("top_k")
        del asked["top_k"]
    return {SAMPLING[name]: int(value) if name == "top_k" else value for name, value in asked.items()}


def _several(body: Json, traits: Traits, lost: Lost) -> Json:
    """More than one candidate, and log probabilities."""
    n, logprobs = int(body.get("n") or 1), body.get("logprobs") is True
    if not traits.several:
        for name, asked in (("n", n > 1), ("logprobs", logprobs)):
            if asked:
                lost.add(name)
        return {}
    found: Json = {"candidateCount": n} if n > 1 else {}
    if logprobs:
        found |= {"responseLogprobs": True, "logprobs": body.get("top_logprobs") or None}
    return found


def _format(body: Json, lost: Lost) -> Json:
    """JSON by its type, and its schema as far as it can be demanded."""
    wanted = body.get("response_format")
    if not wanted or wanted["type"] == "text":
        return {}
    schema = wanted["json_schema"].get("schema") if wanted["type"] == "json_schema" else None
    if schema is None:
        return {"responseMimeType": "application/json"}
    taken, loosened = adapted(schema)
    if loosened:
        lost.add("response_format.json_schema")
    return {"responseMimeType": "application/json", "responseJsonSchema": taken}
