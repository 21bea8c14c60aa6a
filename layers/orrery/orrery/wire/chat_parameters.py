"""The parameters of a chat completion, with the bounds that Orq or OpenAI publishes; the wider one where they differ.

Sources: as for the messages, and Groq's and Anthropic's own documents where a value is theirs (read 2026-11-21).
"""

from collections.abc import Mapping
from typing import Any

from orrery.wire.chat_messages import CACHE_CONTROL, TEXT_PARTS
from orrery.wire.shapes import (
    BOOLEAN,
    FILLED,
    FUNCTION_NAME,
    OBJECT,
    STRING,
    Shape,
    array,
    either,
    integer,
    number,
    one_of,
    record,
    rule,
    string,
    variants,
    whole,
)


def _metadata(pairs: dict[str, Any]) -> str | None:
    if len(pairs) > 16:
        return "at most 16 pairs"
    if any(len(key) > 64 for key in pairs):
        return "keys of at most 64 characters"
    if any(type(value) is not str or len(value) > 512 for value in pairs.values()):
        return "values that are strings of at most 512 characters"
    return None


def _biases(biases: dict[str, Any]) -> str | None:
    fit = all(type(bias) in (int, float) and -100 <= bias <= 100 for bias in biases.values())
    return None if fit else "values that are numbers from -100 to 100"


def _measure(thinking: dict[str, Any]) -> str | None:
    # Seed 003 requires the budget, and says that a level stands in its place where a model has levels.
    has = thinking.get("budget_tokens") is not None or thinking.get("thinking_level") is not None
    return None if has else "budget_tokens or thinking_level"


_FUNCTION = record({"name": FUNCTION_NAME}, {"description": STRING, "parameters": OBJECT, "strict": BOOLEAN})
_GRAMMAR = record({"definition": STRING, "syntax": one_of("lark", "regex")})
_CUSTOM_TOOL = record(
    {"name": FILLED},
    {
        "description": STRING,
        "format": variants("type", {"text": OBJECT, "grammar": record({"grammar": _GRAMMAR})}),
    },
)
_NAMED = record({"name": FILLED})
_TOOL = variants(
    "type",
    {"function": record({"function": _FUNCTION}), "custom": record({"custom": _CUSTOM_TOOL})},
    default="function",
)
_TOOL_CHOICE = variants(
    "type",
    {
        "function": record({"function": _NAMED}),
        "custom": record({"custom": _NAMED}),
        "allowed_tools": record(
            {"allowed_tools": record({"mode": one_of("auto", "required"), "tools": array(OBJECT)})}
        ),
    },
    default="function",
)
_JSON_SCHEMA = record({"name": FUNCTION_NAME}, {"description": STRING, "schema": OBJECT, "strict": BOOLEAN})
_MODERATION_MODE = record({"mode": one_of("score", "block")})
_ENABLED = record({}, {"budget_tokens": whole(1024), "thinking_level": one_of("minimal", "low", "medium", "high")})
_PLACE = record({}, dict.fromkeys(("country", "region", "city", "timezone"), STRING))

PARAMETERS: Mapping[str, Shape] = {
    "stream": BOOLEAN,
    "stream_options": record({}, {"include_usage": BOOLEAN, "include_obfuscation": BOOLEAN}),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "top_k": number(),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "max_tokens": integer(1),
    "max_completion_tokens": integer(1),
    "n": integer(1, 128),
    "seed": whole(-(2**63), 2**63),
    "stop": either(text=STRING, array=array(STRING, at_most=4)),
    "logprobs": BOOLEAN,
    "top_logprobs": integer(0, 20),
    "logit_bias": rule(_biases, OBJECT),
    "tools": array(_TOOL),
    "tool_choice": either(text=one_of("none", "auto", "required"), object=_TOOL_CHOICE),
    "parallel_tool_calls": BOOLEAN,
    "functions": array(
        record({"name": FUNCTION_NAME}, {"description": STRING, "parameters": OBJECT}), at_least=1, at_most=128
    ),
    "function_call": either(text=one_of("none", "auto"), object=_NAMED),
    "response_format": variants(
        "type", {"text": OBJECT, "json_object": OBJECT, "json_schema": record({"json_schema": _JSON_SCHEMA})}
    ),
    # "default" is Groq's (console.groq.com), "max" OpenAI's, the rest both Orq's and OpenAI's.
    "reasoning_effort": one_of("none", "minimal", "low", "medium", "high", "xhigh", "max", "default"),
    "thinking": variants(
        "type",
        {
            "disabled": OBJECT,
            "adaptive": OBJECT,
            "enabled": rule(_measure, _ENABLED),
        },
    ),
    "verbosity": STRING,
    "modalities": array(one_of("text", "audio")),
    "audio": record(
        {
            "voice": either(text=FILLED, object=record({"id": FILLED})),
            "format": one_of("wav", "aac", "mp3", "flac", "opus", "pcm16"),
        }
    ),
    "prediction": variants("type", {"content": record({"content": either(text=STRING, array=TEXT_PARTS)})}),
    "web_search_options": record(
        {},
        {
            "search_context_size": one_of("low", "medium", "high"),
            "user_location": variants("type", {"approximate": record({"approximate": _PLACE})}),
        },
    ),
    "moderation": record(
        {"model": STRING}, {"policy": record({}, {"input": _MODERATION_MODE, "output": _MODERATION_MODE})}
    ),
    "metadata": rule(_metadata, OBJECT),
    "store": BOOLEAN,
    # "on_demand" and "performance" are Groq's, "standard_only" is Anthropic's.
    "service_tier": one_of(
        "auto", "default", "flex", "scale", "priority", "fast", "on_demand", "performance", "standard_only"
    ),
    "user": STRING,
    "safety_identifier": string(64),
    "prompt_cache_key": STRING,
    "prompt_cache_retention": one_of("in_memory", "in-memory", "24h"),  # older SDKs write it with a dash
    "prompt_cache_options": record({}, {"mode": one_of("implicit", "explicit"), "ttl": one_of("30m", "12h")}),
    "cache_control": CACHE_CONTROL,
}
