"""Cohere's chat API, version 2: a wire of its own, translated both ways.

`encode` builds the request (`messages`, `parts`, `thinking`), `decode` and `stream` read the answer through `answer`.
"""

from orrery.core.dialect import Adapter, Provider, Reply
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Operation, Target
from orrery.providers.cohere.decode import decode
from orrery.providers.cohere.encode import encode
from orrery.providers.cohere.stream import StreamDecoder
from orrery.providers.errors import explain_openai, upstream_error
from orrery.providers.lazily import Lazily, named
from orrery.providers.signing import bearer
from orrery.wire.sse import Reader

STATUS = {498: 401, 499: 503}
"""Cohere's own: 498 is an invalid token, 499 a request that it cancelled (`cohere.errors` of its Python SDK 7.3.1;
"Errors", docs.cohere.com, read 2026-11-21)."""


def path(call: Call, target: Target) -> str:
    return "/v2/chat"


def explain(reply: Reply) -> UpstreamError:
    """Cohere's `{"message": …}`, at times with an `id`. The path is fixed, so a 404 is about the model."""
    err = explain_openai(reply)
    if reply.status in STATUS:
        err = upstream_error(STATUS[reply.status], err.message, headers=reply.headers)
        err.upstream_status = reply.status
    if reply.status == 404:
        err.code = "model_not_found"
    return err


CHAT = Adapter(path=path, encode=encode, decode=decode, decoder=StreamDecoder, reader=Reader)

PROVIDER = Provider(
    name="cohere",
    base_url="https://api.cohere.com",
    sign=bearer,
    adapters=Lazily(
        {
            Operation.CHAT: lambda: CHAT,
            Operation.EMBEDDINGS: named("orrery.providers.cohere.embeddings:ADAPTER"),
            Operation.RERANK: named("orrery.providers.cohere.rerank:ADAPTER"),
        }
    ),
    explain=explain,
)
