"""A request for a response as the chat that it asks for.

What a chat cannot be asked is refused where the answer would be another one, and named where it would not. Sources:
OpenAI's API document 2.3.0 (CreateResponse, CreateChatCompletionRequest) and Open Responses 2026-04-24, 2026-11-21.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation
from orrery.providers.bridge.response_items import messages_of
from orrery.providers.bridge.response_tools import tools_of
from orrery.providers.lost import Lost
from orrery.wire.chat_parameters import PARAMETERS
from orrery.wire.shapes import checking, record

SAME = frozenset(
    {"temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "logit_bias", "user"}
    | {"metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"}
    | {"prompt_cache_options", "cache_control", "moderation", "thinking"}
)
"""Parameters that are the same in both."""

RENAMED: Mapping[str, str] = {
    "max_output_tokens": "max_completion_tokens",
    "stop_sequences": "stop",
    "reasoning.effort": "reasoning_effort",
    "text.verbosity": "verbosity",
    "text.format": "response_format",
    "top_logprobs": "logprobs",
    "input": "messages",
}
"""By the name in a response: a chat's name for it."""

OURS = frozenset(
    {"model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning"}
    | {"max_output_tokens", "stop_sequences", "top_logprobs", "truncation", "include", "stream", "stream_options"}
    | {"store", "previous_response_id", "conversation", "background", "max_tool_calls"}
)
"""Fields that are translated below, or that are between a caller and this gateway alone."""

WORDLESS = frozenset({"context_management", "prompt"})
"""Fields that no chat has."""

LOGPROBS = "message.output_text.logprobs"

KEPT_HERE = frozenset({"metadata"})
"""What is done without the provider, too: that it does not take it is no loss."""

_BACK = {theirs: ours for ours, theirs in RENAMED.items()}
_CHATS = {*RENAMED.values(), "top_logprobs"} - {"messages"}
_check = checking(record({}, {name: PARAMETERS[name] for name in SAME | _CHATS}))


def as_chat(call: Call, provider: str) -> tuple[Call, tuple[str, ...]]:
    """The chat for the provider called so, and what of the request has no place in it.

    Raises `InvalidRequest` for what no chat can do.
    """
    given, lost = call.body, Lost()
    body: Json = {"model": given["model"], "messages": _messages(given, provider, lost)}
    body |= {"stream": True} if call.stream else {}
    body |= {name: value for name, value in given.items() if name in SAME or _is_unknown(name)}
    for name, value in _asked(given, lost).items():
        if value is not None:
            body[RENAMED[name]] = value
    body |= _logprobs(call) | tools_of(given)
    with_own_names(_check, body)
    for name, value in given.items():
        if value is not None and (name in WORDLESS or (name in PARAMETERS and name not in SAME and name not in OURS)):
            lost.add(name)
    return bare(call, body), lost.names()


def bare(call: Call, body: Json) -> Call:
    """The call as one for a chat with this body."""
    return replace(call, operation=Operation.CHAT, body=body, wants_usage=False)


def own_names(dropped: Sequence[str]) -> tuple[str, ...]:
    """Names of a chat's parameters as those of a response."""
    found = (own_name(name) for name in dropped if name not in KEPT_HERE)
    return tuple(dict.fromkeys(name for name in found if name))


def own_name(name: str) -> str:
    """The name, or the path, of a chat's parameter as that of a response."""
    head = name.replace("[", ".").partition(".")[0]
    if head == "messages":
        # Which of the items became a message, nobody can tell by its number.
        return "input" if "[" in name else f"input{name[len(head) :]}"
    if head in ("tools", "tool_choice"):
        return name.replace(".function", "").replace(".json_schema", "")
    if head == "response_format":
        return "text.format" + name[len(head) :].replace(".json_schema", "")
    return _BACK.get(head, head) + name[len(head) :]


def with_own_names[T](do: Callable[..., T], *args: Any) -> T:
    """What `do` gives, with complaints about a response's parameters, not a chat's."""
    try:
        return do(*args)
    except InvalidRequest as err:
        param = own_name(err.param) if err.param else None
        raise InvalidRequest(err.message, param=param, code=err.code) from err


def _is_unknown(name: str) -> bool:
    """Whether neither knows it: a provider may."""
    return name not in OURS and name not in WORDLESS and name not in PARAMETERS and name != "messages"


def _messages(given: Json, provider: str, lost: Lost) -> list[Json]:
    items = given.get("input") or ()
    if isinstance(items, str):
        items = [{"type": "message", "role": "user", "content": items}]
    instructions = given.get("instructions")
    first = [{"role": "system", "content": instructions}] if instructions else []
    return [*first, *messages_of(items, provider, lost)]


def _asked(given: Json, lost: Lost) -> Json:
    """What both have under different names, by those of a response."""
    text, reasoning = given.get("text") or {}, given.get("reasoning") or {}
    if given.get("truncation") == "auto":
        lost.add("truncation")
    for name in ("context", "mode"):
        if reasoning.get(name) is not None:
            lost.add(f"reasoning.{name}")
    return {
        "max_output_tokens": given.get("max_output_tokens"),
        "stop_sequences": given.get("stop_sequences") or None,
        "reasoning.effort": reasoning.get("effort"),
        "text.verbosity": text.get("verbosity"),
        "text.format": _format(text.get("format") or {}),
    }


def _format(asked: Json) -> Json | None:
    kind = asked.get("type") or "text"
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "json_object"}
    if kind != "json_schema":
        raise InvalidRequest(
            f"This model is served as a chat, which knows no format of type '{kind}'.", param="text.format.type"
        )
    named = ("name", "description", "schema", "strict")
    return {"type": "json_schema", "json_schema": {n: asked[n] for n in named if asked.get(n) is not None}}


def _logprobs(call: Call) -> Json:
    most = call.body.get("top_logprobs") or 0
    responding = call.options.responding
    include = {*(call.body.get("include") or ()), *(responding.include if responding else ())}
    if not most and LOGPROBS not in include:
        return {}
    return {"logprobs": True} | ({"top_logprobs": most} if most else {})
