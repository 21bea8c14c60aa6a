"""A whole completion, forwarded as it came unless something in it is not as OpenAI would say it."""

from typing import Any

import orjson

from orrery.core.dialect import Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json
from orrery.providers.compatible.choice import Choice, joined
from orrery.providers.compatible.counts import counted, told
from orrery.providers.compatible.row import Row
from orrery.providers.errors import stream_error
from orrery.wire.chunks import answer_chars


def decode_chat(body: bytes, row: Row, call: Call) -> Frame:
    """Raises `UpstreamError` for an error under status 200, and for what is no completion at all."""
    answer = object_in(body, "a reply")
    if answer.get("error"):
        raise stream_error(answer)
    choices = answer.get("choices")
    if not isinstance(choices, list):
        raise UpstreamError("the provider's reply has no choices", upstream_status=200)
    changed = identified(answer, "chat.completion", row, call)
    for index, choice in enumerate(choices):
        if isinstance(choice, dict):
            changed |= _take(choice, Choice(row, f"{answer['id']}/{index}"), index)
    usage = counted(answer.get("usage"), row)
    if usage:
        changed |= told(answer["usage"], usage)
    return Frame(answer if changed else body, usage, answer_chars(answer))


def _take(choice: Json, own: Choice, index: int) -> bool:
    message = choice.get("message")
    changed = not isinstance(message, dict)
    if not isinstance(message, dict):
        message = choice["message"] = {}
    changed |= own.take(message, whole=True)
    if rest := {name: value for name, value in own.rest().items() if name != "tool_calls"}:
        choice["message"] = message = joined(message, rest)
        changed = True
    reason = own.reason(choice.get("finish_reason"), choice) or "stop"
    if reason != choice.get("finish_reason"):
        choice["finish_reason"], changed = reason, True
    if message.get("role") != "assistant":
        message["role"], changed = "assistant", True
    filled = [filled_in(choice, "index", index), filled_in(choice, "logprobs"), filled_in(message, "refusal")]
    return changed | filled_in(message, "content") | any(filled)


def identified(answer: Json, kind: str, row: Row, call: Call) -> bool:
    """Fills in what some servers leave out of a completion or a chunk; True when something was changed."""
    named = {"id": "", "object": kind, "created": call.received_at, "model": call.model}
    changed = any([filled_in(answer, name, value) for name, value in named.items()])
    tier = answer.get("service_tier")
    if isinstance(tier, str) and tier in row.tiers:
        answer["service_tier"], changed = row.tiers[tier], True
    return changed


def filled_in(holder: Json, name: str, value: Any = None) -> bool:
    """Adds `name` where it is missing; True when it was."""
    if name in holder:
        return False
    holder[name] = value
    return True


def object_in(data: bytes, what: str) -> Json:
    """The JSON object in `data`, or `UpstreamError`."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        # The cause would carry the whole answer; a traceback of it must reach no log.
        raise UpstreamError(f"the provider sent {what} that is not JSON", upstream_status=200) from None
    if not isinstance(value, dict):
        raise UpstreamError(f"the provider sent {what} that is not a JSON object", upstream_status=200)
    return value
