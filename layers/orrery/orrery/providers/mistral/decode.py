"""A whole reply of `POST /v1/chat/completions` as OpenAI's."""

from orrery.core.dialect import Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Usage
from orrery.providers.answer import folded, object_of, text_of
from orrery.providers.errors import read_json
from orrery.providers.mistral.answer import Answer, finish_reason
from orrery.providers.mistral.errors import failure
from orrery.providers.mistral.logprobs import read_logprobs
from orrery.providers.mistral.usage import read_usage
from orrery.wire.chunks import answer_chars, choice, completion


def decode(body: bytes, call: Call) -> Frame:
    """One frame with the whole answer. Raises `UpstreamError` for a body that is none, or one that failed."""
    reply = read_json(body)
    if isinstance(reply, dict) and (reply.get("object") == "error" or reply.get("error")):
        raise failure(reply)
    if not isinstance(reply, dict) or not isinstance(reply.get("choices"), list):
        raise UpstreamError("the provider's reply has no choices", upstream_status=200)
    usage = read_usage(reply.get("usage"))
    whole = completion(
        id=text_of(reply.get("id")),
        model=text_of(reply.get("model")),
        created=call.received_at,
        choices=[_choice(object_of(theirs), place) for place, theirs in enumerate(reply["choices"])],
        usage=usage or Usage(),
    )
    return Frame(whole, usage, answer_chars(whole))


def _choice(theirs: Json, place: int) -> Json:
    if theirs.get("finish_reason") == "error":
        raise failure(theirs)
    message, answer = object_of(theirs.get("message")), Answer()
    deltas = answer.content(message.get("content")) + answer.calls(message.get("tool_calls"))
    index = theirs.get("index")
    told = choice(
        folded(deltas + answer.close()),
        finish_reason(theirs.get("finish_reason")),
        index if type(index) is int else place,
    )
    told["logprobs"] = read_logprobs(theirs.get("logprobs"))
    return told
