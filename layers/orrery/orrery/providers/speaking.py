"""What adapters of speech have in common: sound handed on as it comes, or put into events; and lesser parameters."""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from orrery.core.dialect import Event, Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Usage
from orrery.providers.errors import read_json, stream_error
from orrery.providers.lost import Lost
from orrery.wire.speech import done, format_of, frames_of

TOKENS_A_BYTE = 4
"""Of sound, for each byte of text that is spoken: a bound for ordinary text, which has some 15 characters a second.

OpenAI sells gpt-4o-mini-tts at about 0.015 USD a minute and 12 USD a million tokens, so 21 tokens a second; Gemini
counts 25. Scripts that say more with a character have more bytes in it. Their pricing pages, read 2026-11-21.
"""

LONGEST_ERROR_BYTES = 64 * 1024

UNTOLD = "application/octet-stream"
"""What servers call a file of which they say nothing."""

NOTHING: Mapping[str, Any] = {"speed": 1, "instructions": ""}
"""By parameter: the value that asks for nothing, so that leaving it out loses nothing."""


def lose(call: Call, taken: frozenset[str], formats: Iterable[str]) -> Lost:
    """The caller's parameters that are not among `taken` and ask for something, and a format not among `formats`."""
    lost = Lost()
    for name, value in call.body.items():
        asks = value is not None and (name not in NOTHING or value != NOTHING[name])
        if asks and name not in taken | {"model", "input", "response_format", "stream_format"}:
            lost.add(name)
    if call.body.get("response_format") and format_of(call) not in formats:
        lost.add("response_format")
    return lost


def sound_tokens(call: Call) -> Usage:
    """The most tokens that a call may take: of text, and of sound, of which slow speech has more."""
    text, guidance = (len(str(call.body.get(name) or "").encode()) for name in ("input", "instructions"))
    sound = ceil(text * TOKENS_A_BYTE / min(1.0, call.body.get("speed") or 1.0))
    return Usage(prompt=text + guidance, completion=sound, audio_output=sound, ours=True)


def never_whole(body: bytes, call: Call) -> Frame:
    """The `decode` of adapters whose answers are always read as they come."""
    raise UpstreamError("speech is not read whole", upstream_status=200)


class SpeechDecoder:
    """The bytes of one file. `usage` is what it costs, known before it begins.

    Its type is what the provider says that it is, else `media_type`. An error under status 200 is JSON, or a page:
    nothing of that is sound.
    """

    def __init__(self, call: Call, usage: Usage, media_type: str = "") -> None:
        self._call = call
        self._usage = usage
        self._begun = False
        self._error = bytearray()
        told = call.reply_type.partition(";")[0].strip().lower()
        self._is_page = told.startswith("text/")
        self._media_type = call.reply_type if told not in ("", UNTOLD) else media_type or UNTOLD

    @property
    def done(self) -> bool:
        return False  # a file ends with the body

    def feed(self, event: Event) -> Iterable[Frame]:
        if self._is_page:
            raise UpstreamError(f"the provider sent {self._call.reply_type} for sound", upstream_status=200)
        if self._error or (not self._begun and not self._call.reply_type and event.data.startswith(b"{")):
            self._error += event.data[: LONGEST_ERROR_BYTES - len(self._error)]
            return []
        usage, self._begun = (None if self._begun else self._usage), True
        return frames_of(event.data, self._call, self._media_type, usage)

    def close(self) -> Iterable[Frame]:
        if self._error:
            told = read_json(bytes(self._error))
            raise stream_error(told if isinstance(told, dict) else {})
        if not self._begun:
            raise UpstreamError("the provider sent no sound", upstream_status=200)
        return [] if self._call.raw else [Frame(done(self._usage))]
