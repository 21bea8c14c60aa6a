"""What a message's content blocks add to an answer: an entry of a whole reply, and the events of a streamed one.

Source: `ContentBlock`, `ContentBlockStart`, `ContentBlockDelta` and `StopReason` in the service model of botocore
1.44.5, read 2026-11-21. Only tool calls have a start; texts and reasoning begin with their first delta.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from typing import Any

import orjson

from orrery.core.errors import UpstreamError
from orrery.core.types import Json
from orrery.providers import answer
from orrery.providers.answer import object_of, text_of
from orrery.providers.bedrock.models import Traits
from orrery.providers.layout import Block

FINISH_REASON = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "content_filter",
}
"""`refusal` is Claude's own word and not in the service model; where it comes through it means the same."""

FAILED = frozenset({"malformed_model_output", "malformed_tool_use"})
"""Reasons that are errors: there is no answer, or none that can be trusted."""


def issuer_of(traits: Traits) -> str:
    """Who reads the signatures of such a model. Claude's are the same wherever it is served.

    "signature values are compatible across platforms" ("Extended thinking", platform.claude.com, read 2026-11-21).
    """
    return "anthropic" if traits.claude is not None else "bedrock"


def model_of(model: str) -> str:
    """A target's model without its provider, to name in the answer: Converse does not repeat it."""
    return model.partition("/")[2] or model


def finish_reason(theirs: Any, *, called: bool) -> str:
    """OpenAI's word for how it ended. Raises `UpstreamError` for an answer that went wrong.

    New reasons appear from time to time: they ended normally. Whether tools are called, the answer says itself: with
    some models the reason is `end_turn` beside calls (strands-agents/harness-sdk#767, 2025-08-28), or `tool_use`
    without any (strands-rl/strands-env#252, 2026-09-01).
    """
    reason = text_of(theirs)
    if reason in FAILED:
        raise UpstreamError(f"the model's answer failed: {reason}", upstream_status=200, code=reason)
    word = FINISH_REASON.get(reason, "stop")
    return ("tool_calls" if called else "stop") if word in ("stop", "tool_calls") else word


class Answer:
    """The blocks so far. Each step gives the deltas that say what it adds; unknown kinds of blocks add nothing."""

    def __init__(self, traits: Traits) -> None:
        self._is_claude = traits.claude is not None
        self._answer = answer.Answer(issuer_of(traits))
        self._open: dict[int, Block] = {}

    @property
    def called(self) -> bool:
        """Whether it calls a tool."""
        return any(block.kind == "tool" for block in self._answer.blocks)

    def whole(self, block: Json) -> list[Json]:
        """A block of a whole reply."""
        index = len(self._open)
        tool = object_of(block.get("toolUse"))
        if tool:
            written = orjson.dumps(object_of(tool.get("input"))).decode()
            return self.begin(index, {"toolUse": tool}) + self.add(index, {"toolUse": {"input": written}})
        if isinstance(block.get("citationsContent"), dict):
            cited = block["citationsContent"].get("content")
            texts = [text_of(object_of(piece).get("text")) for piece in cited] if isinstance(cited, list) else []
            return self.add(index, {"text": "".join(texts)})
        reasoning = object_of(block.get("reasoningContent"))
        delta = {**reasoning, **object_of(reasoning.get("reasoningText"))}
        return self.add(index, {"reasoningContent": delta} if reasoning else {"text": block.get("text")})

    def begin(self, index: Any, start: Json) -> list[Json]:
        """A tool call opens. Tools that run at Amazon (`server_tool_use`), and what they give, are none of ours."""
        tool = object_of(start.get("toolUse"))
        if not isinstance(index, int) or not tool or tool.get("type") == "server_tool_use":
            return []
        block, deltas = self._answer.call(text_of(tool.get("toolUseId")), text_of(tool.get("name")))
        self._open[index] = block
        return deltas

    def add(self, index: Any, delta: Json) -> list[Json]:
        """A piece of a block; texts and reasoning open with their first. Citations are left out."""
        if not isinstance(index, int):
            return []
        if isinstance(delta.get("toolUse"), dict):
            block = self._open.get(index)
            piece = text_of(delta["toolUse"].get("input"))
            return self._answer.arguments(block, piece) if block is not None and block.kind == "tool" else []
        if isinstance(delta.get("reasoningContent"), dict):
            return self._reason(index, delta["reasoningContent"])
        text = text_of(delta.get("text"))
        return self._answer.say(self._opened(index, "text"), text) if text else []

    def _reason(self, index: int, piece: Json) -> list[Json]:
        redacted = text_of(piece.get("redactedContent"))
        if redacted:
            block = self._opened(index, "redacted")
            block.data = self._joined(block.data, redacted)
            return []
        text, signature = text_of(piece.get("text")), text_of(piece.get("signature"))
        if not text and not signature:
            return []
        block = self._opened(index, "thinking")
        block.data += signature
        return self._answer.say(block, text)

    def _joined(self, before: str, blob: str) -> str:
        """Redacted content with more of it. Claude's is Anthropic's text as bytes, and becomes that text again."""
        try:
            raw = b64decode(blob, validate=True)
            return before + raw.decode() if self._is_claude else b64encode(b64decode(before) + raw).decode()
        except (NotBase64, UnicodeDecodeError):
            return ""  # nothing that could be sent back

    def _opened(self, index: int, kind: str) -> Block:
        block = self._open.get(index)
        if block is None or block.kind != kind:
            block = self._open[index] = self._answer.open(kind)
        return block

    def end(self, index: Any) -> list[Json]:
        """A block closes; a tool call that brought no arguments gets `{}`."""
        block = self._open.get(index) if isinstance(index, int) else None
        return self._answer.end(block) if block is not None else []

    def close(self) -> list[Json]:
        """All blocks are here: calls that were never closed get their arguments, and a replay what it needs."""
        ended = [delta for block in self._answer.blocks for delta in self._answer.end(block)]
        return ended + self._answer.close()
