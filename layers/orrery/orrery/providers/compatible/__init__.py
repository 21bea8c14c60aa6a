"""Providers that speak OpenAI's wire: the body goes on as it came, minus what a row says they refuse.

Each provider is a row of facts (`rows`); the behaviour is here, once. `encode` builds the request (`controls`,
`history`, `marks`), `decode` reads a whole answer and `stream` a streamed one, both through `choice`.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from orrery.core.dialect import Adapter, Decoder, Encoded, Frame, Provider
from orrery.core.types import Call, Operation, Target
from orrery.providers.compatible.decode import decode_chat
from orrery.providers.compatible.encode import encode_chat
from orrery.providers.compatible.row import AS_GIVEN, MARKS, NOT_OPENAI, Controls, Row
from orrery.providers.compatible.stream import ChatDecoder
from orrery.providers.errors import explain_openai
from orrery.providers.lazily import Lazily
from orrery.providers.signing import bearer
from orrery.wire.media import is_http
from orrery.wire.sse import Reader

__all__ = ["NOT_OPENAI", "ChatDecoder", "Controls", "Row", "decode_chat", "encode_chat", "server", "serving"]


def serving(row: Row) -> Provider:
    """The provider that a row describes."""

    def encode(call: Call, target: Target) -> Encoded:
        return encode_chat(call, target, row)

    def decode(body: bytes, call: Call) -> Frame:
        return decode_chat(body, row, call)

    def decoder(call: Call) -> Decoder:
        return ChatDecoder(call, row)

    def needs_bytes(part_type: str, url: str) -> bool:
        return part_type in row.by_content and is_http(url)

    chat = Adapter(
        path=_chat_path, encode=encode, decode=decode, decoder=decoder, reader=Reader, needs_bytes=needs_bytes
    )
    others = {operation: _maker(operation, row) for operation in row.serves if operation in WIRES}
    chats = {Operation.CHAT: lambda: chat} if Operation.CHAT in row.serves else {}
    return Provider(
        name=row.name,
        base_url=row.base_url,
        sign=bearer,
        adapters=Lazily({**chats, **others}),
        explain=explain_openai,
        needs_key=row.needs_key,
    )


WIRES: Mapping[Operation, str] = {
    Operation.COMPLETIONS: "completions:adapter",
    Operation.RESPONSES: "responses:adapter",
    Operation.EMBEDDINGS: "embeddings:adapter",
    Operation.MODERATIONS: "moderations:adapter",
    Operation.RERANK: "rerank:adapter",
    Operation.OCR: "ocr:adapter",
    Operation.IMAGES: "images:generations",
    Operation.IMAGE_EDITS: "images:edits",
    Operation.IMAGE_VARIATIONS: "images:variations",
    Operation.VIDEOS: "videos:adapter",
    Operation.SPEECH: "speech:adapter",
    Operation.TRANSCRIPTIONS: "transcriptions:transcriptions",
    Operation.TRANSLATIONS: "transcriptions:translations",
}
"""Which function of which module here makes the adapter of each operation but chat, out of a row."""

BY_CHAT = frozenset({Operation.RESPONSES})
"""What a server that may have anything is better asked for as a chat: most have no more, and none says so."""


def _maker(operation: Operation, row: Row) -> Callable[[], Adapter]:
    def make() -> Adapter:
        module, _, name = WIRES[operation].partition(":")
        found: Adapter = getattr(import_module(f"{__name__}.{module}"), name)(row)
        return found

    return make


def _chat_path(call: Call, target: Target) -> str:
    return "/chat/completions"


def server(name: str, base_url: str, *, responds: bool = False) -> Provider:
    """An OpenAI-speaking server that an operator named: nothing is dropped, and no key is needed.

    `responds`: it is known to have a Responses API of its own.
    """
    row = Row(
        name,
        base_url,
        "named by the operator",
        "",
        needs_key=False,
        replay=AS_GIVEN,
        marks=MARKS,
        # It may have any of them, and says itself what it has not.
        serves=frozenset({Operation.CHAT, *WIRES}) - (frozenset() if responds else BY_CHAT),
    )
    return serving(row)
