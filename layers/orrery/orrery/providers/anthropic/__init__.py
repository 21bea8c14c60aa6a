"""Anthropic's Messages API: a wire of its own, translated both ways.

`encode` builds the request (`messages`, `parts`, `replay`, `tools`, `thinking`), `decode` and `stream` read the answer
through `answer`; `models` holds what each model takes. `layout` is how thinking survives a round trip.
"""

from collections.abc import Mapping

from orrery.core.dialect import Adapter, Provider, Reply, UpstreamRequest
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Operation, Target
from orrery.providers.anthropic.decode import decode
from orrery.providers.anthropic.encode import encode
from orrery.providers.anthropic.stream import StreamDecoder
from orrery.providers.errors import explain_openai
from orrery.providers.signing import header
from orrery.wire.sse import Reader

VERSION = "2023-06-01"
"""The version of the API that is spoken.

2026-10-21 is newer and takes no temperature, top_p and top_k, not even from models that know them; nothing else in it
concerns us ("Versions", platform.claude.com, read 2026-11-21). Other servers of this wire know the older one too.
"""

_key = header("x-api-key")


def sign(request: UpstreamRequest, target: Target, now: float) -> Mapping[str, str]:
    return {"anthropic-version": VERSION, **_key(request, target, now)}


def path(call: Call, target: Target) -> str:
    return "/v1/messages"


def explain(reply: Reply) -> UpstreamError:
    """Anthropic's `{"type": "error", "error": {type, message}}`. The path is fixed, so a 404 is about the model."""
    err = explain_openai(reply)
    if reply.status == 404:
        err.code = "model_not_found"
    return err


PROVIDER = Provider(
    name="anthropic",
    base_url="https://api.anthropic.com",
    sign=sign,
    adapters={
        Operation.CHAT: Adapter(path=path, encode=encode, decode=decode, decoder=StreamDecoder, reader=Reader),
    },
    explain=explain,
)
