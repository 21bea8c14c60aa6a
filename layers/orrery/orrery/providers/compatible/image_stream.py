"""A stream of pictures on OpenAI's wire: sketches of each, then the picture. The events are forwarded as they came.

Source: OpenAI's API document 2.3.0, ImageGenStreamEvent and ImageEditStreamEvent, read 2026-11-21; no `[DONE]` there.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated
from orrery.core.types import Call, Json, Usage
from orrery.providers.answer import object_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.errors import stream_error
from orrery.wire.image_answers import count_of, counted
from orrery.wire.sse import is_one_line

EVENT_LIMIT_BYTES = 32 * 2**20
"""A picture of 3840x2160 pixels as PNG in base64 has some 20 MB."""


class ImageDecoder:
    """Whole once as many pictures are complete as were asked for. `unit` is what one is charged as."""

    def __init__(self, call: Call, unit: Callable[[Call], str]) -> None:
        self.done = False
        self._call = call
        self._unit = unit(call)
        self._complete = 0
        self._tokens: Usage | None = None

    def feed(self, event: Event) -> Iterable[Frame]:
        if event.data == b"[DONE]":
            self.done = self._complete > 0
            return
        told = object_in(event.data, "an event")
        if told.get("error") or told.get("type") == "error":
            raise stream_error(told)
        payload: Json | bytes = event.data if is_one_line(event.data) else told
        if not str(told.get("type")).endswith(".completed"):
            yield Frame(payload)
            return
        self._complete += 1
        self.done = self._complete >= count_of(self._call)
        self._tokens = _sum(self._tokens, usage_of(told))
        yield Frame(payload, counted(self._call, self._complete, self._unit, self._tokens))

    def close(self) -> Iterable[Frame]:
        raise Truncated(f"{self._call.model} ended before its last image was complete", upstream_status=200)


def usage_of(answer: Json) -> Usage | None:
    """The tokens of an answer or of a completed event; None where it tells none."""
    usage = answer.get("usage")
    if not isinstance(usage, dict) or "output_tokens" not in usage:
        return None
    read, drawn = _count(usage.get("input_tokens")), _count(usage.get("output_tokens"))
    of_input, of_output = object_of(usage.get("input_tokens_details")), object_of(usage.get("output_tokens_details"))
    return Usage(
        prompt=read,
        completion=drawn,
        cache_read=min(_count(of_input.get("cached_tokens")), read),
        image_input=min(_count(of_input.get("image_tokens")), read),
        image_output=min(_count(of_output["image_tokens"]) if "image_tokens" in of_output else drawn, drawn),
    )


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    """Each picture's event tells of that picture alone."""
    if one is None or other is None:
        return one or other
    names = ("prompt", "completion", "cache_read", "image_input", "image_output")
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})
