"""What a choice says: its content, which is a string or a list of chunks, and its tool calls.

A chunk that follows another of its kind continues it, as streams cut them anywhere; a signature ends a thinking chunk.
Thinking carries a mark of ours even where Mistral did not sign it: it wants its own thinking back, and no one else's.
References to what tools found are left out: a chat message has no place for them.

Sources, read 2026-11-21: `AssistantMessage`, `DeltaMessage` and `ThinkChunk` of the mistralai Python SDK 3.7;
"Reasoning" (docs.mistral.ai). Calls come whole, and without type and index, from Mistral's own models; piece by piece
from others that it serves (github.com/vercel/ai, packages/mistral, 2026-08-22).
"""

from typing import Any

import orjson

from orrery.core.types import Json
from orrery.providers import answer
from orrery.providers.answer import object_of, text_of
from orrery.providers.layout import Block
from orrery.providers.mistral.ids import hashed

ISSUER = "mistral"

FINISH_REASON = {"stop": "stop", "length": "length", "model_length": "length", "tool_calls": "tool_calls"}
"""Source: `ChatCompletionChoice` of the mistralai Python SDK 3.7, read 2026-11-21. "error" is one: see `decode`."""

_UNSIGNED = "."
_NO_ID = "null"
"""What stands where a call has no id (the default of `ToolCall` in the SDK)."""


def signature_in(data: str) -> str:
    """Mistral's own signature in what was sealed; "" where it gave none."""
    return data.removeprefix(_UNSIGNED)


def finish_reason(theirs: Any) -> str:
    """OpenAI's word for how it ended. New reasons appear from time to time: they ended normally."""
    return FINISH_REASON.get(text_of(theirs), "stop")


class Answer:
    """One choice so far. Each step gives the deltas that say what it adds; unknown kinds of chunks add nothing."""

    def __init__(self) -> None:
        self._answer = answer.Answer(ISSUER)
        self._last: Block | None = None
        self._calls: dict[int, tuple[str, Block]] = {}  # by Mistral's index: the id and the block

    def content(self, content: Any) -> list[Json]:
        """More content: a text, or chunks."""
        if isinstance(content, str):
            return self._say("text", content) if content else []
        deltas: list[Json] = []
        for chunk in content if isinstance(content, list) else ():
            deltas += self._chunk(object_of(chunk))
        return deltas

    def calls(self, calls: Any) -> list[Json]:
        """More tool calls, or more of them."""
        deltas: list[Json] = []
        for place, call in enumerate(calls if isinstance(calls, list) else ()):
            deltas += self._call(object_of(call), place)
        return deltas

    def close(self) -> list[Json]:
        """All is here: calls without arguments get `{}`, then what a replay of the thinking needs."""
        ended = [delta for block in self._answer.blocks for delta in self._answer.end(block)]
        return ended + self._answer.close()

    def _chunk(self, chunk: Json) -> list[Json]:
        if chunk.get("type") == "text":
            return self._say("text", text_of(chunk.get("text")))
        if chunk.get("type") != "thinking":
            return []
        thinking = chunk.get("thinking")
        pieces = [{"text": thinking}] if isinstance(thinking, str) else thinking if isinstance(thinking, list) else []
        deltas = self._say("thinking", "".join(text_of(object_of(piece).get("text")) for piece in pieces))
        if self._last and (signature := text_of(chunk.get("signature"))):
            self._last.data = _UNSIGNED + signature
        return deltas

    def _say(self, kind: str, text: str) -> list[Json]:
        last = self._last
        if last is None or last.kind != kind or signature_in(last.data):
            last = self._last = self._answer.open(kind, _UNSIGNED if kind == "thinking" else "")
        return self._answer.say(last, text)

    def _call(self, call: Json, place: int) -> list[Json]:
        """A call with an id of its own is a new one, even where all of them have the same index."""
        function, index = object_of(call.get("function")), call.get("index")
        index = index if type(index) is int else place
        id = "" if call.get("id") == _NO_ID else text_of(call.get("id"))
        known, block = self._calls.get(index, ("", None))
        deltas: list[Json] = []
        if block is None or (id and id != known):
            number = sum(each.kind == "tool" for each in self._answer.blocks)
            id = id or hashed(f"{function.get('name')} {number}")
            block, deltas = self._answer.call(id, text_of(function.get("name")))
            self._calls[index] = id, block
        arguments = function.get("arguments")
        written = orjson.dumps(arguments).decode() if isinstance(arguments, dict) else text_of(arguments)
        return deltas + self._answer.arguments(block, written)
