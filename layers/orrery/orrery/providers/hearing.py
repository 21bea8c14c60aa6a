"""What the adapters of transcriptions have in common: what a recording may cost, what it did, and lesser parameters."""

from collections.abc import Mapping
from math import ceil, isfinite
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Target, Upload, Usage
from orrery.providers.lost import Lost
from orrery.wire.sound import heard_ms, named

UNSEEN_MS = 3_600_000
"""Held for a recording behind a URL, which is read after the hold: an hour. What it costs is known in the end."""

AUDIO_TOKENS_PER_S = 25
"""A bound: OpenAI counts one for 100 ms ("Managing costs", developers.openai.com, 2026-11-21)."""

TEXT_TOKENS_PER_S = 10
"""A bound on what is said in a second: fast speech has six words, a word has less than two tokens."""

NOTHING: Mapping[str, Any] = {
    "diarize": False,
    "tag_audio_events": False,
    "timestamps_granularity": "none",
    "enable_logging": True,
    "stream": False,
    "temperature": 0,
    "prompt": "",
    "include": [],
    "keywords": [],
    "known_speaker_names": [],
    "known_speaker_references": [],
}
"""By parameter: the value that asks for nothing, so that leaving it out loses nothing."""


def most(call: Call, target: Target) -> Usage:
    """Milliseconds of sound, and the tokens that so much speech can be: a price has the one or the other."""
    ms = UNSEEN_MS if call.links else heard_ms(call.files)
    seconds = ceil(ms / 1000)
    audio = seconds * AUDIO_TOKENS_PER_S
    text = sum(len(value) for value in call.body.values() if isinstance(value, str)) // 2
    return Usage(
        prompt=audio + text,
        completion=max(64, seconds * TEXT_TOKENS_PER_S),
        audio_input=audio,
        units={"audio_ms": ms},
    )


def heard(call: Call, seconds: Any, tokens: Usage | None = None, least_ms: int = 0) -> Usage:
    """What was used: the provider's own seconds, else ours; and its tokens, where it told them."""
    told = isinstance(seconds, int | float) and not isinstance(seconds, bool) and isfinite(seconds) and seconds >= 0
    ms = max(least_ms, ceil(round(seconds * 1000, 3)) if told else heard_ms(call.files))
    known = tokens or Usage()
    return Usage(
        prompt=known.prompt,
        completion=known.completion,
        audio_input=known.audio_input,
        units={"audio_ms": ms},
        ours=not told and tokens is None,
    )


def file_of(call: Call) -> Upload:
    """The recording, under a name that tells its format."""
    if not call.files:
        raise InvalidRequest("Missing required parameter: 'file'.", param="file")
    return named(call.files[0])


def lose(call: Call, taken: frozenset[str]) -> Lost:
    """The caller's parameters that are not among `taken` and ask for something."""
    lost = Lost()
    for name, value in call.body.items():
        if name not in taken and value is not None and (name not in NOTHING or value != NOTHING[name]):
            lost.add(name)
    return lost
