"""What of an item is shown only on demand: `include` of a request names it.

Kept it is in any case, since the next turn or another request may need it. Sources: OpenAI's API document 2.3.0
(ResponseIncludable), Orq's documentation of web search (`web_search_call.action.sources`), read 2026-11-21.
"""

from collections.abc import Callable, Collection, Mapping

from orrery.core.types import Json

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
_RESULTS, _SOURCES = "web_search_call.results", "web_search_call.action.sources"
_FILE_RESULTS, _OUTPUTS = "file_search_call.results", "code_interpreter_call.outputs"


def unveiled(item: Json, include: Collection[str]) -> Json:
    """The item as a caller gets it: the same object where nothing of it is withheld."""
    veil = _VEILS.get(item["type"])
    return item if veil is None else veil(item, include)


def _without(item: Json, *names: str) -> Json:
    if not any(name in item for name in names):
        return item
    return {name: value for name, value in item.items() if name not in names}


def _message(item: Json, include: Collection[str]) -> Json:
    if LOGPROBS in include or not any("logprobs" in part for part in item["content"]):
        return item
    return item | {"content": [_without(part, "logprobs") for part in item["content"]]}


def _reasoning(item: Json, include: Collection[str]) -> Json:
    return item if ENCRYPTED in include else _without(item, "encrypted_content")


def _web_search(item: Json, include: Collection[str]) -> Json:
    if _RESULTS not in include:
        item = _without(item, "results")
    action = item.get("action")
    if _SOURCES not in include and isinstance(action, dict) and "sources" in action:
        item = item | {"action": _without(action, "sources")}
    return item


def _file_search(item: Json, include: Collection[str]) -> Json:
    return item if _FILE_RESULTS in include else _without(item, "results")


def _code_interpreter(item: Json, include: Collection[str]) -> Json:
    """Its `outputs` are null and never missing: OpenAI's document requires the field."""
    return item if _OUTPUTS in include else item | {"outputs": None}


_VEILS: Mapping[str, Callable[[Json, Collection[str]], Json]] = {
    "message": _message,
    "reasoning": _reasoning,
    "web_search_call": _web_search,
    "file_search_call": _file_search,
    "code_interpreter_call": _code_interpreter,
}
