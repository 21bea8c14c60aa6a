"""A whole reply of `POST /v1/messages` as a chat completion."""

from orrery.core.dialect import Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Usage
from orrery.providers.answer import folded
from orrery.providers.anthropic.answer import Answer, finish_reason
from orrery.providers.anthropic.usage import Counts
from orrery.providers.errors import read_json, stream_error
from orrery.wire.chunks import choice, completion, output_chars


def decode(body: bytes, call: Call) -> Frame:
    """One frame with the whole answer. Raises `UpstreamError` for a body that is none."""
    reply = read_json(body)
    if isinstance(reply, dict) and reply.get("type") == "error":
        raise stream_error(reply)
    if not isinstance(reply, dict) or not isinstance(reply.get("content"), list):
        raise UpstreamError("the provider's reply is not a message", upstream_status=200)
    answer = Answer()
    deltas = []
    for index, block in enumerate(reply["content"]):
        if isinstance(block, dict):
            deltas += answer.begin(index, block) + answer.end(index)
    message = folded(deltas + answer.close(reply.get("stop_details")))
    usage = Counts().add(reply.get("usage"))
    whole = completion(
        id=str(reply.get("id") or ""),
        model=str(reply.get("model") or ""),
        created=call.received_at,
        choices=[choice(message, finish_reason(reply.get("stop_reason")))],
        usage=usage or Usage(),
    )
    return Frame(whole, usage, output_chars(message))
