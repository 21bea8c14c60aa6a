"""A streamed reply of `converse-stream` as chat completion chunks.

Events: `ConverseStreamOutput` in botocore 1.44.5's service model, read 2026-11-21. The reason for the end comes with
`messageStop`, and the usage after it, in `metadata`. What is not known here is passed over.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json
from orrery.providers.answer import object_of
from orrery.providers.bedrock.answer import Answer, finish_reason, model_of
from orrery.providers.bedrock.errors import exception_in
from orrery.providers.bedrock.models import traits_of
from orrery.providers.bedrock.usage import usage_of
from orrery.providers.errors import read_json
from orrery.wire.chunks import ChunkWriter


class StreamDecoder:
    """One stream. The first chunk waits for the first words: until then another target may still be tried."""

    def __init__(self, call: Call) -> None:
        model = model_of(call.model)
        self._writer = ChunkWriter(call, call.answer_id, model)
        self._answer = Answer(traits_of(model))
        self._finish_reason = ""
        self._done = False

    @property
    def done(self) -> bool:
        return self._done

    def feed(self, event: Event) -> Iterable[Frame]:
        if self._done:
            return ()
        err = exception_in(event)
        if err is not None:
            raise err
        read = EVENTS.get(event.name)
        if read is None:
            return ()
        data = read_json(event.data)
        if not isinstance(data, dict):
            raise UpstreamError("the provider sent an event that is not a JSON object", upstream_status=200)
        frames: Iterable[Frame] = read(self, data)
        return frames

    def close(self) -> Iterable[Frame]:
        """The end without usage, where the answer had ended: what is missing then is only its count."""
        if self._done:
            return ()
        if not self._finish_reason:
            raise Truncated("the provider's stream ended before its message did", upstream_status=200)
        return self._end()

    def _block_start(self, data: Json) -> Iterable[Frame]:
        return self._writer.say(self._answer.begin(data.get("contentBlockIndex"), object_of(data.get("start"))))

    def _block_delta(self, data: Json) -> Iterable[Frame]:
        return self._writer.say(self._answer.add(data.get("contentBlockIndex"), object_of(data.get("delta"))))

    def _block_stop(self, data: Json) -> Iterable[Frame]:
        return self._writer.say(self._answer.end(data.get("contentBlockIndex")))

    def _message_stop(self, data: Json) -> Iterable[Frame]:
        self._finish_reason = finish_reason(data.get("stopReason"), called=self._answer.called)
        return ()

    def _metadata(self, data: Json) -> Iterable[Frame]:
        usage = usage_of(data.get("usage"))
        if not self._finish_reason:
            return [Frame(None, usage)] if usage else ()
        frames = self._end()
        return [*frames, self._writer.usage(usage)] if usage else frames

    def _end(self) -> list[Frame]:
        self._done = True
        return [*self._writer.say(self._answer.close()), *self._writer.finish(self._finish_reason)]


EVENTS: Mapping[str, Any] = {
    "contentBlockStart": StreamDecoder._block_start,
    "contentBlockDelta": StreamDecoder._block_delta,
    "contentBlockStop": StreamDecoder._block_stop,
    "messageStop": StreamDecoder._message_stop,
    "metadata": StreamDecoder._metadata,
}
