"""Responses over chat: what was said is the messages, and what the assistant says are the items.

The chat's own adapter does the rest, so every provider that chats responds.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from orrery.core.dialect import Adapter, Decoder, Encoded, Frame
from orrery.core.types import Call, Target
from orrery.providers.bridge.response_request import as_chat, bare, own_names, with_own_names
from orrery.providers.bridge.response_stream import ResponseDecoder, whole

PARTS: Mapping[str, str] = {"input_image": "image_url", "input_file": "file"}
"""Content parts of an input that may hold a URL, and those of a chat that they become."""


@lru_cache(maxsize=256)  # adapters are made once each
def over(chat: Adapter) -> Adapter:
    """Responses over a chat adapter."""
    chat_decoder, chat_needs = chat.decoder, chat.needs_bytes

    def path(call: Call, target: Target) -> str:
        return chat.path(_asked(call), target)

    def encode(call: Call, target: Target) -> Encoded:
        asked, lost = as_chat(call, target.provider)
        encoded = with_own_names(chat.encode, asked, target)
        return replace(encoded, dropped=tuple(dict.fromkeys((*own_names(encoded.dropped), *lost))))

    def decode(body: bytes, call: Call) -> Frame:
        return whole(chat.decode(body, _asked(call)), call)

    def decoder(call: Call) -> Decoder:
        assert chat_decoder is not None
        return ResponseDecoder(chat_decoder(_asked(call)), call)

    def needs_bytes(kind: str, url: str) -> bool:
        return chat_needs is not None and chat_needs(PARTS.get(kind, kind), url)

    return Adapter(
        path=path,
        encode=encode,
        decode=decode,
        decoder=decoder if chat_decoder else None,
        reader=chat.reader,
        needs_bytes=needs_bytes if chat_needs else None,
    )


def _asked(call: Call) -> Call:
    """The chat as its adapter knows it where what was asked is of no matter: when the answer is read."""
    return bare(call, {"model": call.body.get("model") or call.model, "messages": []})
