"""The parameters of a response, with the bounds that Open Responses, OpenAI or Orq publishes; the wider one where they
differ.

Sources: as for the items, and Groq's and Anthropic's own documents where a value is theirs (read 2026-11-21).
"""

from collections.abc import Mapping

from orrery.wire.chat_parameters import PARAMETERS as CHAT
from orrery.wire.response_item_shapes import INPUT_ITEMS, INPUT_TEXT
from orrery.wire.response_tools import EFFORT, TOOL, TOOL_CHOICE
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
    variants,
)

INCLUDABLE = (
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
    "message.input_image.image_url",
    "web_search_call.results",
    "web_search_call.action.sources",
    "file_search_call.results",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
)
"""What is shown only to who asks for it."""

LONGEST_ENTITY = 64
"""Characters of a memory's entity. Source: Orq's field trees (`POST /v2/memory-stores/{key}/memories`)."""

MOST_USD, LONGEST_S = 1e6, 86_400.0
"""Bounds of `limits`; ours: Orq publishes none. Nobody needs more, and sums of larger ones are no longer exact."""

_SUMMARY = one_of("auto", "concise", "detailed")
_JSON_SCHEMA = record({"name": FUNCTION_NAME, "schema": OBJECT}, {"description": STRING, "strict": BOOLEAN})
_ENTITY = rule(lambda text: None if 0 < len(text) <= LONGEST_ENTITY else f"1 to {LONGEST_ENTITY} characters", STRING)

AS_IN_CHAT = (
    *("stream", "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "top_logprobs"),
    *("parallel_tool_calls", "metadata", "store", "user", "safety_identifier", "prompt_cache_key"),
    *("prompt_cache_retention", "prompt_cache_options", "moderation", "cache_control"),
)
"""Parameters that mean what they mean in chat, within the same bounds."""

PROMPT = record(
    {"id": FILLED},
    {
        "version": one_of("latest"),  # requests get the version that is published, and no other
        "variables": OBJECT,
    },
)
"""A stored prompt and what its placeholders stand for."""

PROMPT_TEXT = either(text=STRING, object=variants("type", {"input_text": INPUT_TEXT}))
"""What a placeholder of a stored prompt stands for. OpenAI's may be pictures and files, ours are words."""

LIMITS = record(
    {},
    {
        "max_iterations": integer(1),
        "max_execution_time": number(1, LONGEST_S),
        "max_cost": number(0, MOST_USD),
        "max_depth": integer(1),
        "tool_timeout": number(1, LONGEST_S),
    },
)

PARAMETERS: Mapping[str, Shape] = {
    **{name: CHAT[name] for name in AS_IN_CHAT},
    "input": INPUT_ITEMS,
    "instructions": STRING,
    "previous_response_id": FILLED,
    "conversation": either(text=FILLED, object=record({"id": FILLED})),
    "background": BOOLEAN,
    "include": array(one_of(*INCLUDABLE)),
    "tools": array(TOOL),
    "tool_choice": TOOL_CHOICE,
    "max_output_tokens": integer(0),
    "max_tool_calls": integer(1),
    "text": record(
        {},
        {
            "format": variants("type", {"text": OBJECT, "json_object": OBJECT, "json_schema": _JSON_SCHEMA}),
            "verbosity": one_of("low", "medium", "high"),
        },
    ),
    "reasoning": record(
        {},
        {
            "effort": EFFORT,
            "summary": _SUMMARY,
            "generate_summary": _SUMMARY,
            "context": one_of("auto", "current_turn", "all_turns"),
            "mode": STRING,
        },
    ),
    "truncation": one_of("auto", "disabled"),
    "stream_options": record({}, {"include_obfuscation": BOOLEAN}),
    # "on_demand" and "performance" are Groq's, "standard_only" is Anthropic's.
    "service_tier": one_of(
        *("auto", "default", "flex", "scale", "priority", "fast", "ultrafast"),
        *("on_demand", "performance", "standard_only"),
    ),
    "context_management": array(record({"type": FILLED}, {"compact_threshold": integer(1000)}), at_least=1),
    "stop_sequences": array(STRING),
    "prompt": PROMPT,
    "memory": record({"entity_id": _ENTITY}),
    "limits": LIMITS,
    "security": record({}, {"mask": array(STRING)}),
    "integration_id": STRING,
    "tags": array(STRING),
}

COMPACTION: Mapping[str, Shape] = {
    name: PARAMETERS[name]
    for name in (
        *("input", "previous_response_id", "instructions", "service_tier"),
        *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
    )
}
"""The parameters of a compaction."""

OURS = frozenset(
    {"previous_response_id", "conversation", "background", "store", "include", "max_tool_calls", "prompt", "memory"}
    | {"limits", "security", "integration_id", "tags"}
)
"""Parameters that the gateway acts on itself: they go to no provider."""
