"""An assistant's message of the history as content blocks: its reasoning first and verbatim, its tool calls last."""

import re
from base64 import b64encode
from typing import Any
from zlib import crc32

from orrery.core.types import Json
from orrery.providers.anthropic.replay import Ids as PlainIds
from orrery.providers.bedrock.answer import issuer_of
from orrery.providers.bedrock.models import Traits
from orrery.providers.bedrock.parts import Parts, text_block
from orrery.providers.layout import Block, Sealed, described, opened
from orrery.providers.lost import Lost
from orrery.providers.turns import input_of

LONGEST_ID = 64
"""Characters of a `toolUseId` (botocore 1.44.5, read 2026-11-21)."""

_ROOM = 8  # for what tells an id from another
_NINE = re.compile(r"[A-Za-z0-9]{9}")
_THOUGHTS = ("reasoning", "redacted_reasoning")


class Ids:
    """Tool call ids as models take them, each one once in a request: Mistral's want nine letters and digits."""

    def __init__(self, traits: Traits) -> None:
        self._ids = PlainIds()
        self._nine = traits.nine

    def new(self, id: str) -> str:
        """The id to send for a caller's: the same where it can be, else one that follows from it."""
        fits = len(id) <= LONGEST_ID - _ROOM
        wire = self._ids.new(id if fits else f"{id[: LONGEST_ID - 2 * _ROOM - 1]}_{crc32(id.encode()):08x}")
        return _nine(wire) if self._nine else wire


def _nine(id: str) -> str:
    # Imported here: only Mistral's models need it, and its package holds a whole dialect.
    from orrery.providers.mistral.ids import hashed

    return id if _NINE.fullmatch(id) else hashed(id)


class Replay:
    """Earlier answers, for a model that reads the signatures of its own kind only."""

    def __init__(self, traits: Traits, parts: Parts, lost: Lost) -> None:
        self._ids = Ids(traits)
        self._parts = parts
        self._lost = lost
        self._issuer = issuer_of(traits)

    def blocks(self, message: Json) -> tuple[list[Json], dict[str, str]]:
        """The blocks, and the ids of the tool calls among them: the caller's to those that are sent."""
        calls = {call["id"]: self._ids.new(call["id"]) for call in message.get("tool_calls") or ()}
        tools = [_tool_use(call, calls) for call in message.get("tool_calls") or ()]
        laid_out = self._laid_out(message, tools)
        if laid_out is not None:
            return laid_out, calls
        content = message.get("content")
        said = self._said(content) if isinstance(content, list) else text_block(content)
        thought = [] if any("reasoningContent" in block for block in said) else self._thought(message)
        return [*thought, *said, *text_block(message.get("refusal")), *tools], calls

    def _thought(self, message: Json) -> list[Json]:
        """Seed 003's fields. Reasoning that another issuer signed, or nobody, is withheld."""
        reasoning = message.get("reasoning") or ""
        signature = opened(message.get("reasoning_signature") or "")
        redacted = opened(message.get("redacted_reasoning") or "")
        blocks: list[Json] = []
        if self._is_ours(signature) and not signature.describes:
            blocks += self._reasoning("thinking", signature.data, reasoning)
        elif reasoning or signature.data:
            self._lost.add("messages.reasoning")
        if self._is_ours(redacted):
            blocks += self._reasoning("redacted", redacted.data)
        elif redacted.data:
            self._lost.add("messages.redacted_reasoning")
        return blocks

    def _is_ours(self, sealed: Sealed) -> bool:
        """Whether this kind of model signed it. What no gateway sealed may be Claude's, and nobody else's."""
        unsealed = sealed.issuer == "" and self._issuer == "anthropic"
        return bool(sealed.data) and (sealed.issuer == self._issuer or unsealed)

    def _reasoning(self, kind: str, data: str, text: str = "") -> list[Json]:
        if kind == "thinking":
            return [{"reasoningContent": {"reasoningText": {"text": text, "signature": data}}}]
        # What Anthropic writes as text, Bedrock has as bytes: base64 of it. Other models' bytes were never touched.
        blob = b64encode(data.encode()).decode() if self._issuer == "anthropic" else data
        return [{"reasoningContent": {"redactedContent": blob}}]

    def _said(self, parts: list[Json]) -> list[Json]:
        blocks: list[Json] = []
        for part in parts:
            kind = part.get("type")
            if kind not in _THOUGHTS:
                found = text_block(part.get("text") or part.get("refusal"))
                blocks += found
                self._parts.caching.mark(blocks if found else [], part.get("cache_control"), "messages")
                continue
            sealed = opened(part.get("signature") or part.get("data") or "")
            if not self._is_ours(sealed):
                self._lost.add(f"messages.{kind}")
                continue
            blocks += self._reasoning(
                "thinking" if kind == "reasoning" else "redacted", sealed.data, part.get("reasoning") or ""
            )
        return blocks

    def _laid_out(self, message: Json, tools: list[Json]) -> list[Json] | None:
        """The blocks in the places that our own signature gives them; None where the message has changed."""
        sealed, content = opened(message.get("reasoning_signature") or ""), message.get("content") or ""
        if sealed.issuer != self._issuer or not sealed.describes or not isinstance(content, str):
            return None
        layout = described(sealed.data, message.get("reasoning") or "", content)
        if layout is None or sum(block.kind == "tool" for block in layout) != len(tools):
            return None
        calls = iter(tools)
        return [found for block in layout for found in ([next(calls)] if block.kind == "tool" else self._wire(block))]

    def _wire(self, block: Block) -> list[Json]:
        if block.kind == "text":
            return text_block(block.text)
        return self._reasoning(block.kind, block.data, block.text) if block.data else []


def _tool_use(call: Any, ids: dict[str, str]) -> Json:
    function = call["function"]
    return {
        "toolUse": {
            "toolUseId": ids[call["id"]],
            "name": function["name"],
            "input": input_of(function.get("arguments")),
        }
    }
