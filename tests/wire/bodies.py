"""Chat requests as the SDKs and frameworks send them, composed after their own documentation and wire formats.

Each name says whose. All but those in `BEYOND_THE_SDK` are valid under the openai SDK's own request types.
"""

from typing import Any

type Body = dict[str, Any]

USER = {"role": "user", "content": "What is the weather in Paris?"}
PIXEL = "data:image/png;base64,iVBORw0KGgo="

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather for a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}

CALLED = {
    "role": "assistant",
    "content": None,
    "refusal": None,
    "audio": None,
    "function_call": None,
    "annotations": [],
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}},
    ],
}

BODIES: dict[str, Body] = {
    "openai quickstart": {
        "model": "gpt-5",
        "messages": [{"role": "developer", "content": "Talk like a pirate."}, {"role": "user", "content": "Hi"}],
    },
    "openai streaming with usage": {
        "model": "gpt-4o",
        "messages": [USER],
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
    },
    "openai all knobs": {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be brief.", "name": "boss"}, {**USER, "name": "ann"}],
        "temperature": 0.2,
        "top_p": 1,
        "n": 2,
        "seed": 42,
        "stop": ["\n", "END"],
        "logprobs": True,
        "top_logprobs": 3,
        "logit_bias": {"50256": -100},
        "presence_penalty": -2.0,
        "frequency_penalty": 2.0,
        "max_completion_tokens": 256,
        "user": "user-1",
        "safety_identifier": "u_1",
        "store": False,
        "metadata": {"team": "a"},
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "verbosity": "low",
        "reasoning_effort": "minimal",
    },
    "openai image": {
        "model": "gpt-4o",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/cat.jpg"}},
                ],
            }
        ],
    },
    "openai audio in and out": {
        "model": "gpt-4o-audio-preview",
        "modalities": ["text", "audio"],
        "audio": {"voice": "marin", "format": "pcm16"},
        "messages": [
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}],
            },
            {"role": "assistant", "audio": {"id": "audio_1"}},
            {"role": "user", "content": "Again, slower"},
        ],
    },
    "openai files": {
        "model": "gpt-4o",
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
                    },
                    {"type": "file", "file": {"file_id": "file-1"}},
                ],
            }
        ],
    },
    "openai tool loop": {
        "model": "gpt-4o",
        "messages": [
            USER,
            CALLED,
            {"role": "tool", "tool_call_id": "call_1", "content": '{"c":21}'},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "25"}]},
        ],
        "tools": [WEATHER],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    },
    "openai named tool": {
        "model": "gpt-4o",
        "messages": [USER],
        "tools": [WEATHER],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    },
    "openai allowed tools": {
        "model": "gpt-5",
        "messages": [USER],
        "tools": [WEATHER],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "get_weather"}}]},
        },
    },
    "openai custom tool": {
        "model": "gpt-5",
        "messages": [
            USER,
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "code", "input": "print(1)"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "1"},
        ],
        "tools": [
            {"type": "custom", "custom": {"name": "code", "description": "Runs Python"}},
            {
                "type": "custom",
                "custom": {
                    "name": "sum",
                    "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: NUMBER"}},
                },
            },
        ],
        "tool_choice": {"type": "custom", "custom": {"name": "code"}},
    },
    "openai legacy functions": {
        "model": "gpt-4",
        "messages": [
            USER,
            {"role": "assistant", "content": None, "function_call": {"name": "get_weather", "arguments": "{}"}},
            {"role": "function", "name": "get_weather", "content": "21"},
        ],
        "functions": [{"name": "get_weather", "parameters": {"type": "object", "properties": {}}}],
        "function_call": {"name": "get_weather"},
    },
    "openai structured output": {
        "model": "gpt-4o",
        "messages": [USER],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {}}, "strict": True},
        },
    },
    "openai predicted output": {
        "model": "gpt-4o",
        "messages": [USER],
        "prediction": {"type": "content", "content": [{"type": "text", "text": "class User:"}]},
    },
    "openai web search": {
        "model": "gpt-4o-search-preview",
        "messages": [USER],
        "web_search_options": {
            "search_context_size": "high",
            "user_location": {"type": "approximate", "approximate": {"country": "FR", "city": "Paris"}},
        },
    },
    "openai moderation and caching": {
        "model": "gpt-5.6",
        "messages": [
            {
                "role": "system",
                "content": [{"type": "text", "text": "Long", "prompt_cache_breakpoint": {"mode": "explicit"}}],
            },
            USER,
        ],
        "prompt_cache_options": {"mode": "explicit", "ttl": "30m"},
        "moderation": {"model": "omni-moderation-latest", "policy": {"input": {"mode": "block"}, "output": None}},
    },
    "langchain ChatOpenAI": {
        "model": "gpt-4o-mini",
        "messages": [
            {"content": "You are helpful", "role": "system"},
            {"content": [{"type": "text", "text": "hi"}], "role": "user"},
            {"content": "hello", "role": "assistant", "tool_calls": []},
            {"content": "more", "role": "user"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "n": 1,
        "temperature": 0.7,
        "max_completion_tokens": 100,
        "response_format": {"type": "json_object"},
    },
    "pydantic-ai output tool": {
        "model": "gpt-4o",
        "messages": [USER],
        "tools": [{**WEATHER, "function": {**WEATHER["function"], "name": "final_result"}}],
        "tool_choice": "required",
        "stream": False,
    },
    "instructor": {
        "model": "gpt-4o-mini",
        "messages": [USER],
        "tools": [
            {"type": "function", "function": {"name": "User", "description": "", "parameters": {"type": "object"}}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "User"}},
        "stream": True,
    },
    "llm with None for what is unset": {
        "model": "gpt-4o-mini",
        "messages": [USER],
        "temperature": None,
        "max_tokens": None,
        "stop": None,
        "stream_options": None,
        "metadata": None,
        "n": None,
    },
    "refusal replayed": {
        "model": "gpt-4o",
        "messages": [
            USER,
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}], "refusal": "No."},
            USER,
        ],
    },
    "orq reasoning replayed": {
        "model": "anthropic/claude-sonnet-4-5",
        "messages": [
            {
                "role": "system",
                "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            },
            USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "reasoning", "reasoning": "Hm.", "signature": "sig"},
                    {"type": "redacted_reasoning", "data": "AAAA"},
                    {"type": "text", "text": "Let me look."},
                ],
                "tool_calls": [
                    {
                        "id": "t1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": "{}"},
                        "thought_signature": "abc",
                    }
                ],
            },
            {"role": "tool", "tool_call_id": None, "content": "21", "cache_control": {"type": "ephemeral"}},
            {
                "role": "assistant",
                "content": "21.",
                "reasoning": "Hm.",
                "reasoning_signature": "s",
                "redacted_reasoning": None,
            },
            USER,
        ],
        "thinking": {"type": "enabled", "budget_tokens": 2048, "thinking_level": "high"},
        "max_tokens": 4096,
        "cache_control": {"type": "ephemeral"},
        "top_k": 40,
    },
    "orq file by uri": {
        "model": "google-ai/gemini-3-pro",
        "messages": [
            {
                "role": "user",
                "content": [{"type": "file", "file": {"uri": "gs://b/a.pdf", "mimeType": "application/pdf"}}],
            }
        ],
        "thinking": {"type": "adaptive"},
    },
    "orq tool without a type": {
        "model": "openai/gpt-4o",
        "messages": [USER],
        "tools": [{"function": WEATHER["function"]}],
        "tool_choice": {"function": {"name": "get_weather"}},
    },
}

BEYOND_THE_SDK = {
    "orq reasoning replayed",
    "orq file by uri",
    "orq tool without a type",
    "llm with None for what is unset",
}

SEED = {
    "messages": [{"role": "system", "content": "<string>", "name": "<string>"}],
    "model": "<string>",
    "metadata": {},
    "audio": {"voice": "alloy", "format": "wav"},
    "frequency_penalty": 1.23,
    "max_tokens": 2000,
    "max_completion_tokens": 2000,
    "logprobs": True,
    "top_logprobs": 10,
    "n": 2,
    "presence_penalty": -1.23,
    "response_format": {"type": "text"},
    "reasoning_effort": "low",
    "verbosity": "<string>",
    "seed": 123,
    "stop": "<string>",
    "stream_options": {"include_usage": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024, "thinking_level": "low"},
    "temperature": 1,
    "top_p": 0.123,
    "top_k": 123,
    "tools": [WEATHER],
    "tool_choice": "none",
    "parallel_tool_calls": True,
    "modalities": ["text"],
    "orq": {
        "retry": {"count": 3, "on_codes": [429, 500, 502]},
        "fallbacks": [{"model": "openai/gpt-5"}, {"model": "anthropic/claude-4-opus"}],
        "contact": {"id": "contact_01", "display_name": "Jane Doe", "email": "jane@example.com"},
        "thread": {"id": "thread_01", "tags": ["customer-support"]},
        "inputs": {"customer_name": "John Smith", "issue_type": "billing"},
        "cache": {"ttl": 3600, "type": "exact_match"},
        "timeout": {"call_timeout": 30000},
    },
    "stream": False,
}
"""Seed 003's request, with numbers inside their bounds where it has placeholders, and without `KNOWLEDGE`."""

KNOWLEDGE = {"knowledge_bases": [{"knowledge_id": "knowledge_01", "top_k": 5}]}
"""What stands in its `orq`, too."""
