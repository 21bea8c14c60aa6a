"""A streamed reply of `POST /v1/messages` as chat completion chunks.

Events: "Streaming messages" (platform.claude.com) and `RawMessageStreamEvent` of the anthropic Python SDK 2.11, read
2026-11-21. What is not known here, pings among them, is passed over: new kinds of events are announced as possible.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json
from orrery.providers.answer import object_of, text_of
from orrery.providers.anthropic.answer import Answer, finish_reason
from orrery.providers.anthropic.usage import Counts
from orrery.providers.errors import read_json, stream_error
from orrery.wire.chunks import ChunkWriter


class StreamDecoder:
    """One stream. The first chunk waits for the first words: until then another target may still be tried."""

    def __init__(self, call: Call) -> None:
        self._writer = ChunkWriter(call)
        self._answer = Answer()
        self._counts = Counts()
        self._stop: Json = {}
        self._done = False

    @property
    def done(self) -> bool:
        return self._done

    def feed(self, event: Event) -> Iterable[Frame]:
        if self._done or (event.name and event.name not in EVENTS):
            return ()
        data = read_json(event.data)
        if not isinstance(data, dict):
            raise UpstreamError("the provider sent an event that is not a JSON object", upstream_status=200)
        read = EVENTS.get(text_of(data.get("type")) or event.name)
        return read(self, data) if read else ()

    def close(self) -> Iterable[Frame]:
        if not self._done:
            raise Truncated("the provider's stream ended before its message did", upstream_status=200)
        return ()

    def _message_start(self, data: Json) -> Iterable[Frame]:
        message = object_of(data.get("message"))
        self._writer.id, self._writer.model = str(message.get("id") or ""), str(message.get("model") or "")
        return self._count(message.get("usage"), at_start=True)

    def _block_start(self, data: Json) -> Iterable[Frame]:
        return self._writer.say(self._answer.begin(data.get("index"), object_of(data.get("content_block"))))

    def _block_delta(self, data: Json) -> Iterable[Frame]:
        return self._writer.say(self._answer.add(data.get("index"), object_of(data.get("delta"))))

    def _block_stop(self, data: Json) -> Iterable[Frame]:
        return self._writer.say(self._answer.end(data.get("index")))

    def _message_delta(self, data: Json) -> Iterable[Frame]:
        self._stop |= {name: value for name, value in object_of(data.get("delta")).items() if value is not None}
        return self._count(data.get("usage"))

    def _message_stop(self, data: Json) -> Iterable[Frame]:
        """The end. The reason for it is told only here, so that no cut stream looks whole."""
        self._done = True
        frames = self._writer.say(self._answer.close(self._stop.get("stop_details")))
        frames += self._writer.finish(finish_reason(self._stop.get("stop_reason")))
        usage = self._counts.usage()
        return [*frames, self._writer.usage(usage)] if usage else frames

    def _error(self, data: Json) -> Iterable[Frame]:
        raise stream_error(data)

    def _count(self, usage: Any, *, at_start: bool = False) -> Iterable[Frame]:
        counted = self._counts.add(usage, at_start=at_start)
        return [Frame(None, counted)] if counted else ()


EVENTS: Mapping[str, Any] = {
    "message_start": StreamDecoder._message_start,
    "content_block_start": StreamDecoder._block_start,
    "content_block_delta": StreamDecoder._block_delta,
    "content_block_stop": StreamDecoder._block_stop,
    "message_delta": StreamDecoder._message_delta,
    "message_stop": StreamDecoder._message_stop,
    "error": StreamDecoder._error,
}
