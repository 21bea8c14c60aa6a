"""Words with their times as cues, and cues as SubRip and WebVTT.

Cues are cut as subtitles are: after a sentence, at a pause, where somebody else speaks, and before they grow too long
to read. What a cue shows is what was said, word for word.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

PAUSE_S = 1.0
LONGEST_S = 7.0
MOST_CHARACTERS = 84
"""Two lines of 42 and seven seconds: the usual limits of subtitles (Netflix, "Timed Text Style Guide", 2026-11-21)."""

_ENDS = (".", "!", "?", "…", "。", "！", "？")


class Word(NamedTuple):
    """A word as it is written, and the seconds at which it begins and ends. `speaker` "": nobody is told apart."""

    text: str
    start: float
    end: float
    speaker: str = ""


class Cue(NamedTuple):
    """What is shown, from one second to another."""

    text: str
    start: float
    end: float
    speaker: str = ""


def cues_of(words: Iterable[Word]) -> list[Cue]:
    """The words in cues, in their order; times never run backwards, whatever the words' own say."""
    cues: list[Cue] = []
    held: list[Word] = []
    for word in words:
        if held and _breaks(held, word):
            cues.append(_cue(held))
            held = []
        held.append(word)
    return in_order([*cues, _cue(held)] if held else cues)


def _breaks(held: Sequence[Word], word: Word) -> bool:
    last = held[-1]
    characters = sum(len(each.text) + 1 for each in held) + len(word.text)
    return (
        last.text.endswith(_ENDS)
        or word.speaker != last.speaker
        or word.start - last.end > PAUSE_S
        or word.end - held[0].start > LONGEST_S
        or characters > MOST_CHARACTERS
    )


def _cue(words: Sequence[Word]) -> Cue:
    return Cue(" ".join(word.text for word in words), words[0].start, words[-1].end, words[0].speaker)


def in_order(cues: Iterable[Cue]) -> list[Cue]:
    """The cues that say something, none of which begins before the one before it, or ends before it begins."""
    ordered: list[Cue] = []
    at = 0.0
    for cue in cues:
        if not cue.text.strip():
            continue
        start = max(cue.start, at)
        ordered.append(cue._replace(start=start, end=max(cue.end, start)))
        at = start
    return ordered


def srt(cues: Iterable[Cue]) -> str:
    """SubRip, as Whisper's own API ends it: an empty line after each cue."""
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_shown(cue)}\n\n"
        for number, cue in enumerate(in_order(cues), 1)
    )


def vtt(cues: Iterable[Cue]) -> str:
    """WebVTT."""
    lines = (f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(cue)}\n\n" for cue in in_order(cues))
    return "WEBVTT\n\n" + "".join(lines)


def _shown(cue: Cue) -> str:
    """One line: a blank one would end the cue, and an arrow could pose as the next one's times."""
    return " ".join(cue.text.split()).replace("-->", "→")


def _escaped(cue: Cue) -> str:
    """In WebVTT these two begin an entity and a tag (w3.org/TR/webvtt1, 2026-11-21)."""
    return _shown(cue).replace("&", "&amp;").replace("<", "&lt;")


def _clock(seconds: float, point: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"
