"""What a response tells of its cost, and of its failure."""

from dataclasses import replace
from typing import Any

from orrery.core.errors import UpstreamError
from orrery.core.types import Json, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.errors import stream_error
from orrery.wire.usage import read_usage

TOOLS = {
    "web_search_call": "web_search",
    "x_search_call": "x_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter",
    "image_generation_call": "image_generation",
}
"""Items that say that a hosted tool ran, by what it is counted as in `Usage.units`."""

STATUS_OF_CODE = {
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "bio_policy": 400,
    "data_residency_mismatch": 400,
    "model_not_found": 404,
    "vector_store_timeout": 504,
    "timeout": 504,
    "overloaded": 503,
}
"""OpenAI's ResponseErrorCode (API document 2.3.0), but those of `providers.errors` and of images, which are all 400;
`context_length_exceeded`, `overloaded` and `timeout` are what imitators send. Read 2026-11-21."""

_IMAGES = frozenset({"empty_image_file", "failed_to_download_image", "unsupported_image_media_type"})
_ENDED_BADLY = frozenset({"failed", "cancelled"})


def counted(resource: Json) -> Usage | None:
    """The count of a response; None where it tells none. Hosted tools are counted by their items, or as it says."""
    usage = object_of(resource.get("usage"))
    of_input, given = object_of(usage.get("input_tokens_details")), usage.get("input_tokens")
    cached = of_input.get("cached_tokens")
    if isinstance(given, int) and isinstance(cached, int) and cached > given:
        given += cached  # xAI, at times: @ai-sdk/xai, convert-xai-responses-usage.ts (2026-08-22)
    found = read_usage(
        {
            "prompt_tokens": given,
            "completion_tokens": usage.get("output_tokens"),
            "prompt_tokens_details": of_input,
            "completion_tokens_details": usage.get("output_tokens_details"),
        }
    )
    if found is None:
        return None
    return replace(found, units={**_ran(resource.get("output")), **_told(usage)})


def _ran(output: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in output if isinstance(output, list) else ():
        unit = TOOLS.get(text_of(object_of(item).get("type")))
        if unit:
            found[unit] = found.get(unit, 0) + 1
    return found


def _told(usage: Json) -> dict[str, int]:
    """xAI's own count, `{"web_search_calls": 2}` and such: not every call has an item there."""
    details = object_of(usage.get("server_side_tool_usage_details"))
    known = {f"{unit}_calls": unit for unit in TOOLS.values()}
    told = {known[name]: count for name, count in details.items() if name in known and type(count) is int}
    return {unit: count for unit, count in told.items() if count > 0}


def chars_of(item: Any) -> int:
    """The generated characters of an output item: texts, refusals, reasoning, calls."""
    found = object_of(item)
    texts = [found.get(name) for name in ("name", "arguments", "input")] if "call" in text_of(found.get("type")) else []
    for parts in (found.get("content"), found.get("summary")):
        for part in parts if isinstance(parts, list) else ():
            texts += [object_of(part).get("text"), object_of(part).get("refusal")]
    return sum(len(text) for text in texts if isinstance(text, str))


def is_failed(resource: Json) -> bool:
    """Whether a response says that it came to nothing."""
    return text_of(resource.get("status")) in _ENDED_BADLY


def failure(told: Json) -> UpstreamError:
    """The error that an event or a response tells of: `error` or `response.error` in it, or itself."""
    error = object_of(object_of(told.get("response")).get("error")) or object_of(told.get("error")) or told
    found = {
        name: value for name, value in error.items() if name != "type" or value not in ("error", "response.failed")
    }
    code = text_of(found.get("code"))
    status = 400 if "image" in code or code in _IMAGES else STATUS_OF_CODE.get(code)
    if status is not None:
        found = {**found, "status": status}
    return stream_error({"error": found or {"message": ""}})
