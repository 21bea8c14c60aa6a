"""A streamed reply of `POST /v1/chat/completions` as OpenAI's chunks.

It ends with `[DONE]` (`ChatCompletionStreamRequest` of the mistralai Python SDK 3.7); usage comes unasked with the last
chunk that has a choice. Read 2026-11-21.
"""

from collections.abc import Iterable

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.errors import read_json
from orrery.providers.mistral.answer import Answer, finish_reason
from orrery.providers.mistral.errors import failure
from orrery.providers.mistral.logprobs import read_logprobs
from orrery.providers.mistral.usage import read_usage
from orrery.wire.chunks import ChunkWriter


class StreamDecoder:
    """One stream. The first chunk waits for the first words: until then another target may still be tried."""

    def __init__(self, call: Call) -> None:
        self._writer = ChunkWriter(call)
        self._answers: dict[int, Answer] = {}
        self._finished: set[int] = set()
        self._usage: Usage | None = None
        self._done = False

    @property
    def done(self) -> bool:
        return self._done

    def feed(self, event: Event) -> Iterable[Frame]:
        if self._done:
            return ()
        if event.data == b"[DONE]":
            return self._end()
        chunk = read_json(event.data)
        if not isinstance(chunk, dict):
            raise UpstreamError("the provider sent an event that is not a JSON object", upstream_status=200)
        if chunk.get("object") == "error" or chunk.get("error"):
            raise failure(chunk)
        self._writer.id = self._writer.id or text_of(chunk.get("id"))
        self._writer.model = self._writer.model or text_of(chunk.get("model"))
        frames: list[Frame] = []
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            frames += self._choice(object_of(choice))
        if "usage" in chunk and (usage := read_usage(chunk["usage"])):
            self._usage = usage
            frames.append(Frame(None, usage))
        return frames

    def close(self) -> Iterable[Frame]:
        if not self._done:
            raise Truncated("the provider's stream ended before the answer did", upstream_status=200)
        return ()

    def _choice(self, choice: Json) -> list[Frame]:
        index = choice.get("index")
        index = index if type(index) is int else 0
        if index in self._finished:
            return []
        delta, reason = object_of(choice.get("delta")), choice.get("finish_reason")
        if reason == "error":
            raise failure(choice)
        answer = self._answers.get(index) or self._answers.setdefault(index, Answer())
        deltas = answer.content(delta.get("content"))
        if "tool_calls" in delta:
            deltas += answer.calls(delta["tool_calls"])
        frames = self._writer.say(deltas, index, read_logprobs(choice.get("logprobs")))
        if not reason:
            return frames
        self._finished.add(index)
        frames += self._writer.say(answer.close(), index)
        return frames + self._writer.finish(finish_reason(reason), index)

    def _end(self) -> list[Frame]:
        if not self._finished or self._finished != set(self._answers):
            raise Truncated("the provider's stream ended before the answer did", upstream_status=200)
        self._done = True
        return [self._writer.usage(self._usage)] if self._usage else []
