"""A whole reply of `POST /v2/chat` as a chat completion."""

from orrery.core.dialect import Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Usage
from orrery.providers.answer import folded, object_of, text_of
from orrery.providers.cohere.answer import Answer, finish_reason, model_of
from orrery.providers.cohere.logprobs import read_logprobs
from orrery.providers.cohere.usage import read_usage
from orrery.providers.errors import read_json
from orrery.wire.chunks import choice, completion, output_chars


def decode(body: bytes, call: Call) -> Frame:
    """One frame with the whole answer. Raises `UpstreamError` for a body that is none, or one that failed."""
    reply = read_json(body)
    if not isinstance(reply, dict) or not isinstance(reply.get("message"), dict):
        raise UpstreamError("the provider's reply is not a message", upstream_status=200)
    reason = finish_reason(reply)
    message = _message(reply["message"])
    usage = read_usage(reply.get("usage"))
    told = choice(message, reason)
    told["logprobs"] = read_logprobs(reply.get("logprobs"))
    whole = completion(
        id=text_of(reply.get("id")),
        model=model_of(call.model),
        created=call.received_at,
        choices=[told],
        usage=usage or Usage(),
    )
    return Frame(whole, usage, output_chars(message))


def _message(theirs: Json) -> Json:
    answer, deltas = Answer(), []
    content = theirs.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for index, part in enumerate(content if isinstance(content, list) else ()):
        deltas += answer.content(index, object_of(part))
    deltas += answer.plan(text_of(theirs.get("tool_plan")))
    calls = theirs.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        deltas += answer.call(index, object_of(call)) + answer.end_call(index)
    answer.cite(theirs.get("citations"))
    message = folded(deltas + answer.close())
    return {**message, "citations": answer.citations} if answer.citations else message
