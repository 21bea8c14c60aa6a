"""A whole reply of `generateContent` as a chat completion."""

from orrery.core.dialect import Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Usage
from orrery.providers.answer import folded
from orrery.providers.errors import read_json
from orrery.providers.gemini.response import Response
from orrery.wire.chunks import choice, completion, output_chars


def decode(body: bytes, call: Call, *, issuer: str) -> Frame:
    """One frame with the whole answer. Raises `UpstreamError` for a body that is none."""
    response = Response(call, issuer)
    said = response.add(read_json(body))
    if not response.candidates:
        raise UpstreamError("the provider's reply has no candidates", upstream_status=200)
    choices: list[Json] = []
    for index, candidate in sorted(response.candidates.items()):
        deltas = [delta for s in said if s.choice == index for delta in s.deltas]
        logprobs = next((s.logprobs for s in said if s.choice == index), None)
        message = folded(deltas + candidate.close())
        choices.append({**choice(message, candidate.finish_reason, index), "logprobs": logprobs})
    usage = response.counts.usage()
    whole = completion(
        id=response.id, model=response.model, created=call.received_at, choices=choices, usage=usage or Usage()
    )
    return Frame(whole, usage, sum(output_chars(c["message"]) for c in choices))
