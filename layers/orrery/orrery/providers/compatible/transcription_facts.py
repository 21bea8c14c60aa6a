"""What is particular about each provider's transcriptions and translations on OpenAI's wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ELEVENLABS = frozenset({"diarize", "num_speakers", "tag_audio_events", "timestamps_granularity", "enable_logging"})
"""Parameters of ElevenLabs' that Orq takes at this endpoint; OpenAI's document has none of them."""

NEWER = frozenset(
    {"languages", "keywords", "include", "chunking_strategy", "known_speaker_names", "known_speaker_references"}
)
"""OpenAI's own, beyond what Whisper takes."""

READ = "read 2026-11-21"


@dataclass(frozen=True, slots=True)
class Facts:
    """`asks`: the form that is always asked for, because it tells the length; "": what the caller wants goes on.

    `streams` False: it has no events of its own. `drop`: parameters that it does not take; `rename`: names of its own;
    `unstated`: what is sent where the caller says nothing. `diarizes`: it tells speakers apart. `least_ms`: what a
    request costs at least.
    """

    source: str
    asks: str = ""
    streams: bool = True
    drop: frozenset[str] = ELEVENLABS
    rename: Mapping[str, str] = field(default_factory=dict)
    unstated: Mapping[str, str] = field(default_factory=dict)
    diarizes: bool = False
    least_ms: int = 0


OPENAI = Facts(f"OpenAI API document 2.3.0, CreateTranscriptionRequest; {READ}")

FACTS: Mapping[str, Facts] = {
    "groq": Facts(
        "groq 1.7.0 (Python SDK): json, text and verbose_json; console.groq.com/docs/speech-text: 'Minimum Billed "
        f"Length: 10 seconds'; {READ}",
        asks="verbose_json",
        streams=False,
        drop=ELEVENLABS | NEWER,
        least_ms=10_000,
    ),
    "together": Facts(
        f"together 3.1.1 (Python SDK): json and verbose_json; the language is English unless 'auto' is said; {READ}",
        asks="verbose_json",
        streams=False,
        drop=(ELEVENLABS | NEWER) - {"diarize", "num_speakers"},
        rename={"num_speakers": "max_speakers"},
        unstated={"language": "auto"},
        diarizes=True,
    ),
    "deepinfra": Facts(
        f"deepinfra.com/openai/whisper-large/api: OpenAI's forms, and verbose_json tells the duration; {READ}",
        asks="verbose_json",
        streams=False,
        drop=ELEVENLABS | NEWER,
    ),
    "vllm": Facts(
        "docs.vllm.ai, 'Transcriptions API'; its streams have events of their own (vllm-project/vllm#49116, "
        f"2026-07-19); {READ}",
        streams=False,
    ),
}
"""By provider; others get what OpenAI documents."""
