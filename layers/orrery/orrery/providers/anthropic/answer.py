"""What a message's content blocks add to an answer: an entry of a whole reply, and the events of a streamed one."""

from typing import Any

import orjson

from orrery.core.types import Json
from orrery.providers import answer
from orrery.providers.answer import text_of
from orrery.providers.layout import Block

ISSUER = "anthropic"
"""Who reads these signatures: Claude, wherever it is served.

"signature values are compatible across platforms" ("Extended thinking", platform.claude.com, read 2026-11-21).
"""

FINISH_REASON = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""Source: `StopReason` of the anthropic Python SDK 2.11, read 2026-11-21. `pause_turn` needs tools we never send."""

_KINDS = {"text": "text", "thinking": "thinking", "redacted_thinking": "redacted", "tool_use": "tool"}


def finish_reason(stop_reason: Any) -> str:
    """OpenAI's word for how it ended. New reasons appear from time to time: they ended normally."""
    return FINISH_REASON.get(text_of(stop_reason), "stop")


class Answer:
    """The blocks so far. Each step gives the deltas that say what it adds; unknown kinds of blocks add nothing."""

    def __init__(self) -> None:
        self._answer = answer.Answer(ISSUER)
        self._open: dict[int, tuple[Block, Any]] = {}  # by index: the block, and the input that a call began with

    def begin(self, index: Any, start: Json) -> list[Json]:
        """A block opens; what it already holds counts as its first delta."""
        kind = _KINDS.get(text_of(start.get("type")))
        if kind is None or not isinstance(index, int):
            return []
        if kind == "tool":
            block, deltas = self._answer.call(text_of(start.get("id")), text_of(start.get("name")))
        else:
            data = start.get("data") if kind == "redacted" else start.get("signature")
            block = self._answer.open(kind, text_of(data))
            deltas = self._answer.say(block, text_of(start.get(kind)))
        self._open[index] = block, start.get("input")
        return deltas

    def add(self, index: Any, delta: Json) -> list[Json]:
        """A piece of an open block. Citations are left out: a chat message has no place for them."""
        block, _ = self._open.get(index, (None, None)) if isinstance(index, int) else (None, None)
        if block is None:
            return []
        kind = text_of(delta.get("type"))
        if kind == "signature_delta" and block.kind == "thinking":
            block.data = text_of(delta.get("signature")) or block.data  # it comes whole, in one delta
        elif kind == "input_json_delta" and block.kind == "tool":
            return self._answer.arguments(block, text_of(delta.get("partial_json")))
        elif kind in ("text_delta", "thinking_delta"):
            return self._answer.say(block, text_of(delta.get(kind.removesuffix("_delta"))))
        return []

    def end(self, index: Any) -> list[Json]:
        """A block closes; a tool call that brought no arguments gets those of its start, `{}` at the least."""
        block, start = self._open.pop(index, (None, None)) if isinstance(index, int) else (None, None)
        return self._answer.end(block, orjson.dumps(start or {}).decode()) if block else []

    def close(self, stop_details: Any = None) -> list[Json]:
        """All blocks are here: what their thinking needs for a replay, and why the model refused, if it says so."""
        deltas = self._answer.close()
        why = text_of(stop_details.get("explanation") if isinstance(stop_details, dict) else None)
        return [*deltas, {"refusal": why}] if why else deltas
