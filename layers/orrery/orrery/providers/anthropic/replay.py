"""An assistant's message of the history as content blocks: its thinking first and verbatim, its tool calls last."""

import re
from zlib import crc32

from orrery.core.types import Json
from orrery.providers.anthropic.answer import ISSUER
from orrery.providers.anthropic.parts import text_block
from orrery.providers.layout import Block, Sealed, described, opened
from orrery.providers.lost import Lost
from orrery.providers.turns import input_of, refuse_unsayable

_THOUGHTS = ("reasoning", "redacted_reasoning")
_NOT_ID = re.compile(r"[^A-Za-z0-9_-]")


class Ids:
    """Tool call ids as the dialect takes them: `[A-Za-z0-9_-]+`, and each one once in a request."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def new(self, id: str) -> str:
        """The id to send for a caller's: the same where it can be, else one that follows from it."""
        plain = _NOT_ID.sub("_", id) or "call"
        wire = plain if plain == id else f"{plain}_{crc32(id.encode()):08x}"
        number = 1
        while wire in self._used:
            number += 1
            wire = f"{plain}_{number}"
        self._used.add(wire)
        return wire


def assistant_blocks(message: Json, where: str, ids: Ids, lost: Lost) -> tuple[list[Json], dict[str, str]]:
    """The blocks, and the ids of the tool calls among them: the caller's to the dialect's, in order."""
    refuse_unsayable(message, where)
    calls: dict[str, str] = {}
    tools: list[Json] = []
    for call in message.get("tool_calls") or ():
        calls[call["id"]] = ids.new(call["id"])
        function = call["function"]
        tools.append(
            {
                "type": "tool_use",
                "id": calls[call["id"]],
                "name": function["name"],
                "input": input_of(function.get("arguments")),
            }
        )
    laid_out = _laid_out(message, tools)
    if laid_out is not None:
        return laid_out, calls
    content = message.get("content")
    said = _parts(content, lost) if isinstance(content, list) else text_block(content)
    has_thinking = any(block["type"] in ("thinking", "redacted_thinking") for block in said)
    thought = [] if has_thinking else _thought(message, lost)
    return [*thought, *said, *text_block(message.get("refusal")), *tools], calls


def _thinking(text: str, signature: str) -> Json:
    return {"type": "thinking", "thinking": text, "signature": signature}


def _thought(message: Json, lost: Lost) -> list[Json]:
    """Seed 003's fields. Thinking that another issuer signed, or nobody, is a 400 if sent: it is withheld."""
    signature, reasoning = opened(message.get("reasoning_signature") or ""), message.get("reasoning") or ""
    redacted = opened(message.get("redacted_reasoning") or "")
    blocks: list[Json] = []
    if signature.data and is_ours(signature) and not signature.describes:
        blocks.append(_thinking(reasoning, signature.data))
    elif reasoning or signature.data:
        lost.add("messages.reasoning")
    if redacted.data and is_ours(redacted):
        blocks.append({"type": "redacted_thinking", "data": redacted.data})
    elif redacted.data:
        lost.add("messages.redacted_reasoning")
    return blocks


def is_ours(sealed: Sealed) -> bool:
    """Whether Claude signed it. What no gateway sealed is taken for its own: who spoke to it directly sends that."""
    return sealed.issuer in ("", ISSUER)


def _parts(parts: list[Json], lost: Lost) -> list[Json]:
    blocks: list[Json] = []
    for part in parts:
        kind, found = part.get("type"), []
        sealed = opened(part.get("signature") or part.get("data") or "") if kind in _THOUGHTS else None
        if sealed is not None and not (sealed.data and is_ours(sealed)):
            lost.add(f"messages.{kind}")
        elif sealed is not None and kind == "reasoning":
            found = [_thinking(part["reasoning"], sealed.data)]
        elif sealed is not None:
            found = [{"type": "redacted_thinking", "data": sealed.data}]
        else:
            found = text_block(part.get("text") or part.get("refusal"))
            if found and part.get("cache_control"):
                found[0]["cache_control"] = part["cache_control"]
        blocks += found
    return blocks


def _laid_out(message: Json, tools: list[Json]) -> list[Json] | None:
    """The blocks in the places that our own signature gives them; None where the message is no longer what it was."""
    sealed, content = opened(message.get("reasoning_signature") or ""), message.get("content") or ""
    if sealed.issuer != ISSUER or not sealed.describes or not isinstance(content, str):
        return None
    layout = described(sealed.data, message.get("reasoning") or "", content)
    if layout is None or sum(block.kind == "tool" for block in layout) != len(tools):
        return None
    calls = iter(tools)
    return [found for block in layout for found in ([next(calls)] if block.kind == "tool" else _wire(block))]


def _wire(block: Block) -> list[Json]:
    if block.kind == "text":
        return text_block(block.text)
    if block.kind == "redacted":
        return [{"type": "redacted_thinking", "data": block.data}]
    return [_thinking(block.text, block.data)] if block.data else []
