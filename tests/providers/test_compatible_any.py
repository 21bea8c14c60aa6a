"""Any stream of OpenAI's chunks at all: usage told once, nothing lost or made up, wherever its bytes are cut."""

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.providers.compatible import ChatDecoder
from orrery.wire.sse import Reader
from tests.providers.cases import chunks_of
from tests.providers.test_compatible import COUNTS, DONE, ROW, call, chunk, frames, told

TEXTS = st.text(max_size=5) | st.sampled_from([',"usage":null', '"', "\\", "é", "\n", "🪐"])
USAGES = st.sampled_from([{}, {"usage": None}, {"usage": COUNTS}])
PADDINGS = st.sampled_from([{}, {"obfuscation": "aB3"}, {"obfuscation": ""}, {"x": {"usage": None}}])


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Chunks of up to three choices in any order, with usage here and there, each choice finished at the end."""
    made = []
    for index, text in draw(st.lists(st.tuples(st.integers(0, 2), TEXTS | st.none()), max_size=30)):
        made.append(chunk(text, index=index, **draw(USAGES), **draw(PADDINGS)))
    return made + [chunk("", "stop", index=index, **draw(USAGES)) for index in range(3)]


@settings(deadline=None)  # the machine may be busy
@given(streams(), st.booleans(), st.booleans())
def test_usage_is_told_once_at_most_and_last(stream: list[bytes], wants_usage: bool, done: bool) -> None:
    chunks = told(*stream, *([DONE] if done else []), wants_usage=wants_usage)
    counted = [number for number, part in enumerate(chunks) if part.get("usage")]
    anywhere = any(orjson.loads(data).get("usage") for data in stream)
    assert counted == ([len(chunks) - 1] if wants_usage and anywhere else [])
    assert all(("usage" in part) == wants_usage for part in chunks)


@settings(deadline=None)  # the machine may be busy
@given(streams(), st.booleans())
def test_nothing_generated_is_lost_or_made_up(stream: list[bytes], wants_usage: bool) -> None:
    made = frames(*stream, DONE, wants_usage=wants_usage)
    assert said(chunks_of(made)) == said([orjson.loads(data) for data in stream])
    assert sum(frame.output_chars for frame in made) == sum(map(len, said(chunks_of(made))))


def said(chunks: Sequence[Any]) -> list[str]:
    return [
        "".join(c["delta"].get("content", "") for part in chunks for c in part["choices"] if c["index"] == index)
        for index in range(3)
    ]


@settings(deadline=None)  # the machine may be busy
@given(streams(), st.integers(0, 2**32), st.booleans())
def test_any_byte_cuts_make_the_same_frames(stream: list[bytes], seed: int, wants_usage: bool) -> None:
    raw = b"".join(b"data: %b\n\n" % data for data in [*stream, DONE])
    rng = random.Random(seed)
    places = [0, *sorted(rng.sample(range(1, len(raw)), 8)), len(raw)]
    reader, decoder = Reader(), ChatDecoder(call(wants_usage=wants_usage), ROW)
    parts = (raw[a:b] for a, b in pairwise(places))
    made = [frame for part in parts for event in reader.feed(part) for frame in decoder.feed(event)]
    assert made == frames(*stream, DONE, wants_usage=wants_usage)
