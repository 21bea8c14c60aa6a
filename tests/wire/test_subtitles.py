"""Cues, whatever the words: in order, never empty, and nothing that was said is lost."""

import re

from hypothesis import given
from hypothesis import strategies as st

from orrery.wire.subtitles import LONGEST_S, MOST_CHARACTERS, Cue, Word, cues_of, srt, vtt

seconds = st.floats(0, 100_000, allow_nan=False)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
words = st.lists(st.builds(Word, texts, seconds, seconds, st.sampled_from(["", "a", "b"])), max_size=40)

_SRT = re.compile(r"(\d+)\n(\d\d+):(\d\d):(\d\d),(\d{3}) --> (\d\d+):(\d\d):(\d\d),(\d{3})\n([^\n]+)\n\n")


def ms(parts: tuple[str, ...]) -> int:
    hours, minutes, secs, rest = map(int, parts)
    return ((hours * 60 + minutes) * 60 + secs) * 1000 + rest


@given(words)
def test_subrip_is_well_formed_in_order_and_loses_no_word(given_words):
    text = srt(cues_of(given_words))
    found = _SRT.findall(text)
    assert "".join(m.group() for m in _SRT.finditer(text)) == text
    assert [int(cue[0]) for cue in found] == list(range(1, len(found) + 1))
    starts = [ms(cue[1:5]) for cue in found]
    assert starts == sorted(starts)
    assert all(ms(cue[5:9]) >= ms(cue[1:5]) for cue in found)
    said = " ".join(" ".join(word.text for word in given_words).split()).replace("-->", "→")
    assert " ".join(cue[9] for cue in found) == said


@given(words)
def test_webvtt_has_as_many_cues_and_no_tag_that_nobody_wrote(given_words):
    cues = cues_of(given_words)
    text = vtt(cues)
    assert text.startswith("WEBVTT\n\n")
    assert text.count(" --> ") == len(cues)
    assert "<" not in text and not re.search(r"&(?!amp;|lt;)", text)


@given(words)
def test_whoever_speaks_has_cues_of_their_own(given_words):
    spoken = [word for word in given_words if word.text.strip()]
    for speaker in "", "a", "b":
        own = " ".join(" ".join(word.text for word in spoken if word.speaker == speaker).split())
        assert " ".join(" ".join(cue.text for cue in cues_of(spoken) if cue.speaker == speaker).split()) == own


def test_cues_end_with_sentences_pauses_and_speakers():
    said = [Word("One.", 0, 1), Word("Two", 1, 2), Word("three", 4, 5), Word("four", 5, 6, "b")]
    assert [cue.text for cue in cues_of(said)] == ["One.", "Two", "three", "four"]


def test_cues_stay_short_enough_to_read():
    long = cues_of([Word("wordword", n * 0.2, n * 0.2 + 0.1) for n in range(100)])
    slow = cues_of([Word("a", n * 0.9, n * 0.9 + 0.5) for n in range(100)])
    assert max(len(cue.text) for cue in long) <= MOST_CHARACTERS
    assert max(cue.end - cue.start for cue in slow) <= LONGEST_S
    assert len(long) < 15 and len(slow) < 20


def test_times_are_written_in_hours():
    assert srt([Cue("x", 3725.0405, 3726)]) == "1\n01:02:05,040 --> 01:02:06,000\nx\n\n"
    assert vtt([Cue("a & b < c", 0, 0.5)]) == "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\na &amp; b &lt; c\n\n"
