"""Chat answers as OpenAI writes them: what a dialect of its own builds its replies and stream events with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

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
    _around: dict[tuple[str, int, str, str], tuple[bytes, bytes]] = field(default_factory=dict)

    def say(self, deltas: Sequence[Json], index: int = 0, logprobs: Json | None = None) -> list[Frame]:
        """What choice `index` says next; its first words come after a delta with its role.

        `logprobs` are of all that is said here; they stand beside the last delta.
        """
        frames = [self._said(delta, index) for delta in deltas]
        if logprobs and frames:
            frames[-1] = self.delta(deltas[-1], index=index, logprobs=logprobs)
        return frames if index in self._begun or not frames else [*self._role(index), *frames]

    def finish(self, finish_reason: str, index: int = 0) -> list[Frame]:
        """The end of choice `index`, once; it has a role even if it said nothing."""
        return [*self._role(index), self.delta({}, finish_reason=finish_reason, index=index)]

    def _role(self, index: int) -> list[Frame]:
        if index in self._begun:
            return []
        self._begun.add(index)
        return [self.delta({"role": "assistant", "content": ""}, index=index)]

    def delta(
        self, delta: Json, *, finish_reason: str | None = None, index: int = 0, logprobs: Json | None = None
    ) -> Frame:
        """One step of choice `index`."""
        choices = [{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}]
        return Frame(self._chunk(choices, None), output_chars=output_chars(delta))

    def _said(self, delta: Json, index: int) -> Frame:
        """`delta` as a frame. Most have one text, and differ from the one before in it alone: the rest is kept."""
        name = next(iter(delta), "")
        text = delta.get(name)
        if len(delta) > 1 or type(text) is not str or name not in _TEXTS:
            return self.delta(delta, index=index)
        key = (name, index, self.id, self.model)
        around = self._around.get(key)
        if around is None:
            # Our own braces: what the ids hold is escaped, so this text cannot stand anywhere else.
            whole = orjson.dumps(self.delta({name: ""}, index=index).payload)
            head, tail = whole.split(b'"delta":{"%b":""}' % name.encode())
            around = self._around[key] = head + b'"delta":{"%b":' % name.encode(), b"}" + tail
        return Frame(around[0] + orjson.dumps(text) + around[1], None, len(text))

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
