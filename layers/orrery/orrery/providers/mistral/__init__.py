"""Mistral's chat completions: OpenAI's wire at first sight, and stricter and richer than it at second.

`encode` builds the request (`messages`, `parts`, `ids`, `effort`), `decode` and `stream` read the answer through
`answer`.
"""

from orrery.core.dialect import Adapter, Provider
from orrery.core.types import Call, Operation, Target
from orrery.providers.lazily import Lazily, named
from orrery.providers.mistral.decode import decode
from orrery.providers.mistral.encode import encode
from orrery.providers.mistral.errors import explain
from orrery.providers.mistral.stream import StreamDecoder
from orrery.providers.signing import bearer
from orrery.wire.sse import Reader


def path(call: Call, target: Target) -> str:
    return "/chat/completions"


CHAT = Adapter(path=path, encode=encode, decode=decode, decoder=StreamDecoder, reader=Reader)

PROVIDER = Provider(
    name="mistral",
    base_url="https://api.mistral.ai/v1",
    sign=bearer,
    adapters=Lazily(
        {
            Operation.CHAT: lambda: CHAT,
            Operation.COMPLETIONS: named("orrery.providers.mistral.fim:ADAPTER"),
            Operation.EMBEDDINGS: named("orrery.providers.mistral.embeddings:ADAPTER"),
            Operation.MODERATIONS: named("orrery.providers.mistral.moderations:ADAPTER"),
            Operation.OCR: named("orrery.providers.mistral.ocr:ADAPTER"),
            Operation.SPEECH: named("orrery.providers.mistral.speech:ADAPTER"),
            Operation.TRANSCRIPTIONS: named("orrery.providers.mistral.transcriptions:ADAPTER"),
        }
    ),
    explain=explain,
)
