"""Google's Gemini API: a wire of its own, translated both ways. Vertex AI speaks it, too (`providers.vertex`).

`encode` builds the request (`messages`, `parts`, `replay`, `results`, `tools`, `schemas`, `thinking`), `decode` and
`stream` read the answer through `response` and `answer`; `models` holds what each model takes.
"""

from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from orrery.core.dialect import Adapter, Provider
from orrery.core.types import Call, Operation, Target
from orrery.providers.gemini.decode import decode
from orrery.providers.gemini.encode import encode
from orrery.providers.gemini.errors import explain
from orrery.providers.gemini.parts import needs_bytes
from orrery.providers.gemini.stream import StreamDecoder
from orrery.providers.lazily import Lazily, named
from orrery.providers.signing import header
from orrery.wire.sse import Reader

METHODS = {False: "generateContent", True: "streamGenerateContent?alt=sse"}
"""By whether the answer is streamed."""


def chat(issuer: str, path: Callable[[Call, Target], str]) -> Adapter:
    """Chat in this dialect. `issuer` is the provider's name, and the only one that can read its signatures.

    That the two services read each other's is documented nowhere, and each says to return its own.
    """
    return Adapter(
        path=path,
        encode=encode,
        decode=partial(decode, issuer=issuer),
        decoder=partial(StreamDecoder, issuer=issuer),
        reader=Reader,
        needs_bytes=needs_bytes,
    )


def path(call: Call, target: Target) -> str:
    """By the model's resource name, which is `models/…` unless it says that it is a tuned one."""
    collection = "tunedModels" if target.model.startswith("tunedModels/") else "models"
    name = quote(target.model.removeprefix(f"{collection}/"), safe="")
    return f"/{collection}/{name}:{METHODS[call.stream]}"


def _images() -> Adapter:
    from orrery.providers.gemini.images import adapter

    return adapter(path)


def _speech() -> Adapter:
    from orrery.providers.gemini.speech import adapter

    return adapter(path)


CHAT = chat("google", path)

PROVIDER = Provider(
    name="google",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    sign=header("x-goog-api-key"),
    adapters=Lazily(
        {
            Operation.CHAT: lambda: CHAT,
            Operation.EMBEDDINGS: named("orrery.providers.gemini.embeddings:ADAPTER"),
            Operation.IMAGES: _images,
            Operation.IMAGE_EDITS: _images,
            Operation.SPEECH: _speech,
        }
    ),
    explain=explain,
)
