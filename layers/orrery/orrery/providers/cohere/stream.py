"""A streamed reply of `POST /v2/chat` as chat completion chunks.

Events: "Streaming" and "Streaming for tool use" (docs.cohere.com) and `V2ChatStreamResponse` of the cohere Python SDK
7.3.1, read 2026-11-21. What is not known here is passed over.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Json
from orrery.providers.answer import object_of, text_of
from orrery.providers.cohere.answer import Answer, finish_reason, model_of
from orrery.providers.cohere.logprobs import read_logprobs
from orrery.providers.cohere.usage import read_usage
from orrery.providers.errors import read_json, stream_error
from orrery.wire.chunks import ChunkWriter


class StreamDecoder:
    """One stream. The first chunk waits for the first words: until then another target may still be tried."""

    def __init__(self, call: Call) -> None:
        self._writer = ChunkWriter(call, model=model_of(call.model))
        self._answer = Answer()
        self._done = False

    @property
    def done(self) -> bool:
        return self._done

    def feed(self, event: Event) -> Iterable[Frame]:
        if self._done or event.data == b"[DONE]":
            return ()
        data = read_json(event.data)
        if not isinstance(data, dict):
            raise UpstreamError("the provider sent an event that is not a JSON object", upstream_status=200)
        kind = text_of(data.get("type")) or event.name
        if kind not in EVENTS:
            return self._unknown(data, kind)
        message = object_of(object_of(data.get("delta")).get("message"))
        return EVENTS[kind](self, data, message)  # type: ignore[no-any-return]  # a table of methods has no type of its own

    def close(self) -> Iterable[Frame]:
        if not self._done:
            raise Truncated("the provider's stream ended before its message did", upstream_status=200)
        return ()

    def _unknown(self, data: Json, kind: str) -> Iterable[Frame]:
        if not kind and "message" in data:  # the shape of Cohere's errors
            raise stream_error(data)
        return ()

    def _message_start(self, data: Json, message: Json) -> Iterable[Frame]:
        self._writer.id = text_of(data.get("id"))
        return ()

    def _content(self, data: Json, message: Json) -> Iterable[Frame]:
        deltas = self._answer.content(data.get("index"), object_of(message.get("content")))
        return self._writer.say(deltas, logprobs=read_logprobs(data.get("logprobs")))

    def _tool_plan(self, data: Json, message: Json) -> Iterable[Frame]:
        return self._writer.say(self._answer.plan(text_of(message.get("tool_plan"))))

    def _tool_call_start(self, data: Json, message: Json) -> Iterable[Frame]:
        return self._writer.say(self._answer.call(data.get("index"), object_of(message.get("tool_calls"))))

    def _tool_call_delta(self, data: Json, message: Json) -> Iterable[Frame]:
        function = object_of(object_of(message.get("tool_calls")).get("function"))
        return self._writer.say(self._answer.arguments(data.get("index"), text_of(function.get("arguments"))))

    def _tool_call_end(self, data: Json, message: Json) -> Iterable[Frame]:
        return self._writer.say(self._answer.end_call(data.get("index")))

    def _citation(self, data: Json, message: Json) -> Iterable[Frame]:
        self._answer.cite(message.get("citations"))
        return ()

    def _message_end(self, data: Json, message: Json) -> Iterable[Frame]:
        """The end, which is told only here, so that no cut stream looks whole.

        Clients cannot add up lists, so all citations come in one delta.
        """
        end = object_of(data.get("delta"))
        reason = finish_reason(end)
        self._done = True
        frames = self._writer.say(self._answer.close())
        if self._answer.citations:
            frames += self._writer.say([{"citations": self._answer.citations}])
        frames += self._writer.finish(reason)
        usage = read_usage(end.get("usage"))
        return [*frames, self._writer.usage(usage)] if usage else frames


EVENTS: Mapping[str, Any] = {
    "message-start": StreamDecoder._message_start,
    "content-start": StreamDecoder._content,
    "content-delta": StreamDecoder._content,
    "tool-plan-delta": StreamDecoder._tool_plan,
    "tool-call-start": StreamDecoder._tool_call_start,
    "tool-call-delta": StreamDecoder._tool_call_delta,
    "tool-call-end": StreamDecoder._tool_call_end,
    "citation-start": StreamDecoder._citation,
    "message-end": StreamDecoder._message_end,
}
