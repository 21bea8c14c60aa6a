"""Chat answers as OpenAI writes them: what a dialect of its own builds its replies and stream events with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from orrery.core.dialect import Frame
from orrery.core.types import Call, Json, Usage
from orrery.wire.usage import write_usage

_TEXTS = ("content", "refusal", "reasoning", "reasoning_content")


def output_chars(message: Any) -> int:
    """How many generated characters a message or a delta holds: text, refusal, reasoning, tool calls, transcript.

    The evidence for charging an answer whose usage never came. Anything that is not text counts as nothing.
    """
    if not isinstance(message, dict):
        return 0
    chars = 0
    for name in _TEXTS:
        chars += _length(message.get(name))
    for tool_call in message.get("tool_calls") or ():
        function = tool_call.get("function") if isinstance(tool_call, dict) else None
        if isinstance(function, dict):
            chars += _length(function.get("name")) + _length(function.get("arguments"))
    audio = message.get("audio")
    if isinstance(audio, dict):
        chars += _length(audio.get("transcript"))
    return chars


def _length(text: Any) -> int:
    return len(text) if isinstance(text, str) else 0


def answer_chars(body: Any) -> int:
    """`output_chars` over all choices of a completion or a chunk."""
    if not isinstance(body, dict):
        return 0
    choices = body.get("choices")
    if not isinstance(choices, list):
        return 0
    return sum(output_chars(c.get("delta") or c.get("message")) for c in choices if isinstance(c, dict))


def completion(*, id: str, model: str, created: int, choices: Sequence[Json], usage: Usage) -> Json:
    """A `chat.completion` object."""
    return {
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": list(choices),
        "usage": write_usage(usage),
    }


def choice(message: Json, finish_reason: str, index: int = 0) -> Json:
    """A choice of a completion. `refusal` and `logprobs` are always there: strict clients insist on both."""
    return {
        "index": index,
        "message": {"role": "assistant", "content": None, "refusal": None, **message},
        "logprobs": None,
        "finish_reason": finish_reason,
    }


@dataclass(slots=True)
class ChunkWriter:
    """Builds the `chat.completion.chunk` events of one streamed answer.

    `usage` is null on every chunk and stands on a last one without choices when the caller asked for it,
    and is on none of them otherwise: `stream_options.include_usage`, exactly.
    """

    call: Call
    id: str = ""
    model: str = ""
    _begun: set[int] = field(default_factory=set)

    def say(self, deltas: Iterable[Json], index: int = 0) -> list[Frame]:
        """What choice `index` says next; its first words come after a delta with its role."""
        frames = [self.delta(delta, index=index) for delta in deltas]
        return [*self._role(index), *frames] if frames else frames

    def finish(self, finish_reason: str, index: int = 0) -> list[Frame]:
        """The end of choice `index`, once; it has a role even if it said nothing."""
        return [*self._role(index), self.delta({}, finish_reason=finish_reason, index=index)]

    def _role(self, index: int) -> list[Frame]:
        if index in self._begun:
            return []
        self._begun.add(index)
        return [self.delta({"role": "assistant", "content": ""}, index=index)]

    def delta(self, delta: Json, *, finish_reason: str | None = None, index: int = 0) -> Frame:
        """One step of choice `index`."""
        choices = [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]
        return Frame(self._chunk(choices, None), output_chars=output_chars(delta))

    def usage(self, usage: Usage) -> Frame:
        """The closing count: for the caller if it asked, for the ledger always."""
        return Frame(self._chunk([], write_usage(usage)) if self.call.wants_usage else None, usage=usage)

    def _chunk(self, choices: list[Json], usage: Json | None) -> Json:
        chunk: Json = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.call.received_at,
            "model": self.model,
            "choices": choices,
        }
        if self.call.wants_usage:
            chunk["usage"] = usage
        return chunk
