"""A streamed transcript in OpenAI's events, which pass through as they came."""

from collections.abc import Iterable
from typing import Any

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated
from orrery.core.types import Call, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.errors import stream_error
from orrery.providers.hearing import heard
from orrery.wire.sse import is_one_line


class TranscriptDecoder:
    """One stream. It is whole when `transcript.text.done` came."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.done = False

    def feed(self, event: Event) -> Iterable[Frame]:
        if self.done or event.data == b"[DONE]":
            return ()
        said = object_in(event.data, "an event")
        kind = said.get("type")
        if said.get("error") or kind == "error":
            raise stream_error(said)
        payload = event.data if is_one_line(event.data) else said
        if kind != "transcript.text.done":
            return (Frame(payload, None, len(text_of(said.get("delta")))),)
        self.done = True
        usage = said.get("usage")
        return (Frame(payload, heard(self._call, object_of(usage).get("seconds"), tokens_in(usage))),)

    def close(self) -> Iterable[Frame]:
        if not self.done:
            raise Truncated("the provider's stream ended before the transcript did", upstream_status=200)
        return ()


def tokens_in(usage: Any) -> Usage | None:
    """The tokens of a transcript's usage; None where it counts none."""
    told = object_of(usage)
    prompt, completion = (_count(told.get(name)) for name in ("input_tokens", "output_tokens"))
    if not prompt and not completion:
        return None
    return Usage(prompt, completion, audio_input=_count(object_of(told.get("input_token_details")).get("audio_tokens")))


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and value >= 0 else 0
