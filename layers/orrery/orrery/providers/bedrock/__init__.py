"""Amazon Bedrock's Converse API: one wire for many makers' models, translated both ways.

`places` finds the endpoint, `encode` builds the request (`messages`, `parts`, `replay`, `caching`, `tools`,
`thinking`), `decode` and `stream` read the answer through `answer`; `models` holds what each family takes.
"""

from collections.abc import Mapping

from orrery.core.dialect import Adapter, Provider, UpstreamRequest
from orrery.core.types import Operation, Target
from orrery.providers.bedrock.decode import decode
from orrery.providers.bedrock.encode import encode
from orrery.providers.bedrock.errors import explain
from orrery.providers.bedrock.parts import needs_bytes
from orrery.providers.bedrock.places import BASE_URL, locate, path
from orrery.providers.bedrock.stream import StreamDecoder
from orrery.providers.lazily import Lazily, named
from orrery.providers.signing import bearer, sign_v4
from orrery.wire.eventstream import Reader


def sign(request: UpstreamRequest, target: Target, now: float) -> Mapping[str, str]:
    """A Bedrock API key as a bearer token, or Signature Version 4 by the role's or user's credentials."""
    if target.secret or target.aws is None:
        return bearer(request, target, now)
    signed = sign_v4(
        request.method,
        request.url,
        request.headers,
        request.body if isinstance(request.body, bytes) else b"".join(request.body),
        service="bedrock",
        region=target.region,
        access_key=target.aws.access_key,
        secret_key=target.aws.secret_key,
        session_token=target.aws.session_token,
        now=now,
    )
    given = {name.lower() for name in request.headers} | {"host"}  # the connection writes the host itself
    return {name: value for name, value in signed.items() if name not in given}


CHAT = Adapter(
    path=path,
    encode=encode,
    decode=decode,
    decoder=StreamDecoder,
    reader=Reader,
    needs_bytes=needs_bytes,
)

PROVIDER = Provider(
    name="bedrock",
    base_url=BASE_URL,
    sign=sign,
    adapters=Lazily(
        {
            Operation.CHAT: lambda: CHAT,
            Operation.EMBEDDINGS: named("orrery.providers.bedrock.embeddings:ADAPTER"),
            Operation.RERANK: named("orrery.providers.bedrock.rerank:ADAPTER"),
            Operation.IMAGES: named("orrery.providers.bedrock.images:ADAPTER"),
            Operation.IMAGE_EDITS: named("orrery.providers.bedrock.images:ADAPTER"),
            Operation.IMAGE_VARIATIONS: named("orrery.providers.bedrock.images:ADAPTER"),
        }
    ),
    explain=explain,
    locate=locate,
    credential="aws",
)
