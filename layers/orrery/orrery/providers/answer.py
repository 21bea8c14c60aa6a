"""A translated answer's blocks as OpenAI's deltas. Whole replies and streams both go through here, so they agree."""

from collections.abc import Iterable
from typing import Any

from orrery.core.types import Json
from orrery.providers.layout import Block, separator, signed

_FIELDS = {"text": "content", "thinking": "reasoning"}


def text_of(value: Any) -> str:
    """A provider's text, or none where it is something else: other servers speak these wires too, not all well."""
    return value if isinstance(value, str) else ""


def object_of(value: Any) -> Json:
    """A provider's object, or an empty one."""
    return value if isinstance(value, dict) else {}


class Answer:
    """The blocks of one choice so far. Each step gives the deltas that say what it adds.

    `issuer` is who alone can read the signatures in it (`layout`).
    """

    def __init__(self, issuer: str) -> None:
        self.blocks: list[Block] = []
        self._issuer = issuer
        self._indexes: dict[int, int] = {}  # by the identity of a tool call's block: which of the calls it is

    def open(self, kind: str, data: str = "") -> Block:
        """A block of "text", "thinking" or "redacted" begins; `data` is its signature, or what is redacted."""
        block = Block(kind, data=data)
        self.blocks.append(block)
        return block

    def call(self, id: str, name: str, data: str = "") -> tuple[Block, list[Json]]:
        """A tool call begins, without arguments yet."""
        block = self.open("tool", data)
        self._indexes[id_of(block)] = len(self._indexes)
        function = {"name": name, "arguments": ""}
        return block, [self._of_tool(block, {"id": id, "type": "function", "function": function})]

    def say(self, block: Block, text: str) -> list[Json]:
        """More text of a block."""
        if not text or block.kind not in _FIELDS:
            return []
        apart = "" if block.length else separator(block.kind, [b for b in self.blocks if b is not block])
        block.length += len(text)
        return [{_FIELDS[block.kind]: apart + text}]

    def arguments(self, block: Block, piece: str) -> list[Json]:
        """More of a tool call's arguments, as JSON text."""
        if not piece:
            return []
        block.length += len(piece)
        return [self._of_tool(block, {"function": {"arguments": piece}})]

    def end(self, block: Block, arguments: str = "{}") -> list[Json]:
        """A block is complete: a tool call that brought no arguments gets these."""
        return self.arguments(block, arguments) if block.kind == "tool" and not block.length else []

    def close(self) -> list[Json]:
        """All blocks are here: what a replay of them needs."""
        delta = signed(self.blocks, self._issuer)
        return [delta] if delta else []

    def _of_tool(self, block: Block, fields: Json) -> Json:
        return {"tool_calls": [{"index": self._indexes[id_of(block)], **fields}]}


id_of = id  # `id` is a parameter's name here, as it is in OpenAI's wire


def folded(deltas: Iterable[Json]) -> Json:
    """The message that deltas add up to."""
    message: Json = {}
    calls: list[Json] = []
    for delta in deltas:
        for name, value in delta.items():
            if name != "tool_calls":
                message[name] = message[name] + value if name in message else value
                continue
            for call in value:
                if "id" in call:
                    known = {key: part for key, part in call.items() if key not in ("index", "function")}
                    calls.append({**known, "function": dict(call["function"])})
                else:
                    calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
    if calls:
        message["tool_calls"] = calls
    return message
