"""`POST /chat/completions`: the posted bytes as a `Call`.

The body is judged and then goes on as it came, minus the gateway's own fields: what nobody here knows survives.
"""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation
from orrery.wire.body import drop_idle_stream_options, read_json
from orrery.wire.chat_messages import MESSAGE
from orrery.wire.chat_parameters import PARAMETERS
from orrery.wire.options import passed_on, read_options
from orrery.wire.posted import Posted
from orrery.wire.shapes import FILLED, STRING, array, checking, record

_MESSAGES = array(MESSAGE, at_least=1)
_check = checking(record({"model": FILLED, "messages": _MESSAGES}, PARAMETERS))

_FROM_PROMPT = {**PARAMETERS, "model": STRING, "messages": array(MESSAGE)}
"""What a stored prompt may bring need not be there."""


def read_chat_completion(posted: Posted) -> Call:
    """See `read_chat`."""
    return read_chat(posted.raw, strict=posted.strict, has_prompt=posted.has_prompt)


def read_chat(raw: bytes, *, limit_bytes: int | None = None, strict: bool = False, has_prompt: bool = False) -> Call:
    """The call that a chat request makes. Raises `InvalidRequest` for the first offence, `TooLarge` over the limit.

    `has_prompt`: a stored prompt brings the messages, and perhaps the model.
    """
    body = read_json(raw, limit_bytes=limit_bytes)
    if has_prompt:
        checking(record({}, _FROM_PROMPT))(body)
        body = {**body, "model": body.get("model") or "", "messages": body.get("messages") or []}
    else:
        _check(body)
    _check_together(body)
    drop_idle_stream_options(body)
    return Call(
        operation=Operation.CHAT,
        model=body["model"],
        body=passed_on(body),
        stream=body.get("stream") is True,
        options=read_options(body),
        body_bytes=len(raw),
        wants_usage=(body.get("stream_options") or {}).get("include_usage") is True,
        strict=strict,
    )


def _check_together(body: Json) -> None:
    """What one parameter demands of another."""
    if body.get("top_logprobs") and body.get("logprobs") is not True:
        raise InvalidRequest("'top_logprobs' is only allowed when 'logprobs' is true.", param="top_logprobs")
    if "audio" in (body.get("modalities") or ()) and body.get("audio") is None:
        raise InvalidRequest("'audio' is required when 'modalities' asks for audio.", param="audio")
    thinking: Any = body.get("thinking")
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    budget = thinking.get("budget_tokens") if thinking is not None and thinking["type"] == "enabled" else None
    if budget is not None and most is not None and budget >= most:
        raise InvalidRequest(
            f"Invalid value for 'thinking.budget_tokens': expected less than the {most} tokens of the answer.",
            param="thinking.budget_tokens",
        )
