"""What a message's parts add to an answer: those of a whole reply, and the events of a streamed one.

Cohere does not sign its thinking, but knows two kinds of it: content of the type "thinking", and the `tool_plan` that
goes before tool calls. Both are `reasoning` here; the signature says which it was, so that it goes back to its place.
"""

from typing import Any

from orrery.core.errors import UpstreamError
from orrery.core.types import Json
from orrery.providers import answer
from orrery.providers.answer import object_of, text_of
from orrery.providers.errors import upstream_error
from orrery.providers.layout import Block

ISSUER = "cohere"
THINKING = "thinking"
PLAN = "plan"

FINISH_REASON = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}
FAILED = {"ERROR": 502, "TIMEOUT": 504}
"""Source: `ChatFinishReason` of the cohere Python SDK 7.3.1, read 2026-11-21."""

_KINDS = ("thinking", "text")

NO_ARGUMENTS = "null"
"""What stands where a call has none: in whole replies this word, in streams nothing at all."""


def finish_reason(end: Json) -> str:
    """OpenAI's word for how it ended. New reasons ended normally. Raises `UpstreamError` for an answer that failed."""
    reason = text_of(end.get("finish_reason"))
    if reason in FAILED:
        raise failure(end, FAILED[reason])
    return FINISH_REASON.get(reason, "stop")


def failure(end: Json, status: int) -> UpstreamError:
    """The error of an answer that failed: `error` says why, and `error_type` which kind it was (seen in streams)."""
    kind = text_of(end.get("error_type")).lower()
    err = upstream_error(
        status, text_of(end.get("error")) or "the provider failed while it answered", code=kind or None
    )
    err.upstream_status = 200
    return err


def model_of(model: str) -> str:
    """A target's model without its provider, to name in the answer: the API does not repeat it."""
    return model.partition("/")[2] or model


class Answer:
    """The parts so far. Each step gives the deltas that say what it adds; unknown kinds of content add nothing."""

    def __init__(self) -> None:
        self._answer = answer.Answer(ISSUER)
        self._contents: dict[int, Block] = {}
        self._calls: dict[int, tuple[Block, str]] = {}  # by index: the block, and arguments that may be none at all
        self._plan: Block | None = None
        self.citations: list[Json] = []  # in Cohere's own shape

    def content(self, index: Any, content: Json) -> list[Json]:
        """More of the content at `index`, which opens with its first piece."""
        kind = next(
            (kind for kind in _KINDS if content.get("type") == kind or isinstance(content.get(kind), str)), None
        )
        if kind is None or not isinstance(index, int):
            return []
        block = self._contents.get(index)
        if block is None or block.kind != kind:
            block = self._contents[index] = self._answer.open(kind, THINKING if kind == "thinking" else "")
        return self._answer.say(block, text_of(content.get(kind)))

    def plan(self, text: str) -> list[Json]:
        """More of what the model says of the tools that it is about to call."""
        if self._plan is None and text:
            self._plan = self._answer.open("thinking", PLAN)
        return self._answer.say(self._plan, text) if self._plan else []

    def call(self, index: Any, call: Json) -> list[Json]:
        """A tool call opens, with as much of its arguments as is here."""
        if not isinstance(index, int):
            return []
        function = object_of(call.get("function"))
        block, deltas = self._answer.call(text_of(call.get("id")), text_of(function.get("name")))
        self._calls[index] = block, ""
        return deltas + self.arguments(index, text_of(function.get("arguments")))

    def arguments(self, index: Any, piece: str) -> list[Json]:
        """More arguments of an open call."""
        block, held = self._calls.get(index, (None, "")) if isinstance(index, int) else (None, "")
        if block is None:
            return []
        if not block.length and NO_ARGUMENTS.startswith(held + piece):
            self._calls[index] = block, held + piece
            return []
        self._calls[index] = block, ""
        return self._answer.arguments(block, held + piece)

    def end_call(self, index: Any) -> list[Json]:
        """A call is complete; one without arguments gets `{}`."""
        block, held = self._calls.pop(index, (None, "")) if isinstance(index, int) else (None, "")
        return self._answer.end(block, held if held not in ("", NO_ARGUMENTS) else "{}") if block else []

    def cite(self, citations: Any) -> None:
        """Citations of what was said: one, or a list."""
        found = citations if isinstance(citations, list) else [citations]
        self.citations += [citation for citation in found if isinstance(citation, dict)]

    def close(self) -> list[Json]:
        """All parts are here: what a replay of them needs."""
        ended = [delta for index in list(self._calls) for delta in self.end_call(index)]
        return ended + self._answer.close()
