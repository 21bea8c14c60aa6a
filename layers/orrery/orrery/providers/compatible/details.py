"""Reasoning in blocks, with what their issuer signed or encrypted: kept together, sealed, for their issuer alone.

OpenRouter: "Preserving reasoning" (openrouter.ai/docs) and `ReasoningDetailUnion` of its Python SDK 1.3.84; Databricks:
`ReasoningContent` among a message's content ("Query reasoning models", docs.databricks.com). Read 2026-11-21.
"""

from base64 import urlsafe_b64encode
from typing import Any

import orjson

from orrery.core.types import Json
from orrery.providers.answer import object_of, text_of
from orrery.providers.layout import seal

_TEXTS = ("text", "summary")


class Details:
    """The blocks so far: pieces of one block, which streams bring one by one, are joined again."""

    __slots__ = ("_blocks",)

    def __init__(self) -> None:
        self._blocks: list[Json] = []

    def add(self, pieces: Any) -> str:
        """More pieces; the text in them."""
        said = ""
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, dict):
                said += text_in(piece)
                if not (self._blocks and _join(self._blocks[-1], piece)):
                    self._blocks.append(_copied(piece))
        return said

    def say(self, text: str) -> None:
        """More text of the last block, from a piece that was like the one before."""
        block = self._blocks[-1]
        summary = block.get("summary")
        holder = summary[-1] if isinstance(summary, list) else block
        holder["summary" if isinstance(summary, str) else "text"] += text

    def sealed(self, issuer: str) -> str:
        """The blocks as a signature; "" where they hold nothing but text, for that stands in the message already."""
        if not any(_is_signed(block) for block in self._blocks):
            return ""
        found = self._blocks if len(self._blocks) > 1 else self._blocks[0]
        # The order of names is fixed, so that the pieces of a stream and a whole reply give the same.
        return seal(issuer, urlsafe_b64encode(orjson.dumps(found, option=orjson.OPT_SORT_KEYS)).decode())


def text_in(block: Json) -> str:
    """What a block says in words."""
    summary = block.get("summary")
    if isinstance(summary, list):
        return "".join(text_of(object_of(item).get("text")) for item in summary)
    return text_of(block.get("text")) or text_of(summary)


def _copied(block: Json) -> Json:
    copied: Json = orjson.loads(orjson.dumps(block))
    return copied


def _is_signed(block: Json) -> bool:
    summary = block.get("summary")
    if isinstance(summary, list):
        return any(object_of(item).get("signature") for item in summary)
    return bool(block.get("signature")) or block.get("type") not in ("reasoning.text", "reasoning.summary")


def _join(block: Json, piece: Json) -> bool:
    """Adds a piece to the block that it continues; False for one that begins another."""
    if any(block.get(name) != piece.get(name) for name in ("type", "index", "id") if piece.get(name) is not None):
        return False
    summary, more = block.get("summary"), piece.get("summary")
    if isinstance(summary, list) and isinstance(more, list):
        for item in more:
            if not (summary and isinstance(item, dict) and _join(object_of(summary[-1]), item)):
                summary.append(item)
        return True
    if block.get("signature") or not any(isinstance(block.get(name), str) for name in _TEXTS):
        return False
    for name, value in piece.items():
        if name in _TEXTS and isinstance(value, str) and isinstance(block.get(name), str):
            block[name] += value
        elif value is not None:
            block[name] = value
    return True
