"""A whole reply of `converse` as a chat completion."""

from orrery.core.dialect import Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Usage
from orrery.providers.answer import folded, object_of
from orrery.providers.bedrock.answer import Answer, finish_reason, model_of
from orrery.providers.bedrock.models import traits_of
from orrery.providers.bedrock.usage import usage_of
from orrery.providers.errors import read_json
from orrery.wire.chunks import choice, completion, output_chars


def decode(body: bytes, call: Call) -> Frame:
    """One frame with the whole answer. Raises `UpstreamError` for a body that is none, or one that failed."""
    reply = object_of(read_json(body))
    content = object_of(object_of(reply.get("output")).get("message")).get("content")
    if not isinstance(content, list):
        raise UpstreamError("the provider's reply is not a message", upstream_status=200)
    model = model_of(call.model)
    answer = Answer(traits_of(model))
    deltas = [delta for block in content if isinstance(block, dict) for delta in answer.whole(block)]
    message = folded(deltas + answer.close())
    usage = usage_of(reply.get("usage"))
    whole = completion(
        id=call.answer_id,  # it has none: only the reply's head has one, of the request
        model=model,
        created=call.received_at,
        choices=[choice(message, finish_reason(reply.get("stopReason"), called=answer.called))],
        usage=usage or Usage(),
    )
    return Frame(whole, usage, output_chars(message))
