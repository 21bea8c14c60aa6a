"""A streamed reply of `streamGenerateContent?alt=sse` as chat completion chunks.

Each event is a `GenerateContentResponse` with what is new. Nothing marks the end but a finish reason on each candidate
("Text generation", ai.google.dev, read 2026-11-21), and usage may follow it: so the body is read to its end.
"""

from collections.abc import Iterable

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated
from orrery.core.types import Call, Usage
from orrery.providers.errors import read_json
from orrery.providers.gemini.response import Response
from orrery.wire.chunks import ChunkWriter


class StreamDecoder:
    """One stream. The first chunk waits for the first words: until then another target may still be tried."""

    def __init__(self, call: Call, *, issuer: str) -> None:
        self._writer = ChunkWriter(call)
        self._response = Response(call, issuer)
        self._usage: Usage | None = None
        self._done = False

    @property
    def done(self) -> bool:
        return self._done

    def feed(self, event: Event) -> Iterable[Frame]:
        if self._done or event.data == b"[DONE]":
            return ()
        said = self._response.add(read_json(event.data))
        self._writer.id, self._writer.model = self._response.id, self._response.model
        frames: list[Frame] = []
        for each in said:
            frames += self._writer.say(each.deltas, each.choice, each.logprobs)
        if self._response.counted:
            self._usage = self._response.counts.usage()
            if not frames:
                return [Frame(None, self._usage)]
            frames[-1].usage = self._usage
        return frames

    def close(self) -> Iterable[Frame]:
        if self._done:
            return ()
        if not self._response.ended():
            raise Truncated("the provider's stream ended before its answer did", upstream_status=200)
        self._done = True
        frames: list[Frame] = []
        for index, candidate in sorted(self._response.candidates.items()):
            frames += self._writer.say(candidate.close(), index)
            frames += self._writer.finish(candidate.finish_reason, index)
        return [*frames, self._writer.usage(self._usage)] if self._usage else frames
