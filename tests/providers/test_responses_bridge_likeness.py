"""Chunks that are alike are told without being taken apart: what they become is the same either way."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.dialect import Event, Frame
from orrery.core.types import Json, Usage
from orrery.providers.bridge.response_stream import ResponseDecoder
from tests.providers.responding import call
from tests.providers.test_responses_bridge_telling import chunk, piece
from tests.work import steps

TEXTS = st.sampled_from(
    ["a", " word", 'quo"ted', "back\\slash", "line\n", "\u00e9\U0001f600", '","content":"', "", "<"]
)
PROBABLE = {"content": [{"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": []}]}
CITED = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}
DELTAS = st.one_of(
    TEXTS.map(lambda text: {"content": text}),
    TEXTS.map(lambda text: {"content": text, "refusal": None}),
    TEXTS.map(lambda text: {"refusal": text}),
    TEXTS.map(lambda text: {"reasoning": text}),
    TEXTS.map(lambda text: {"content": text, "reasoning": text}),
    TEXTS.map(lambda text: {"content": text, "annotations": [CITED]}),
    st.just({"content": 5}),
    st.just({"tool_calls": [CITED]}),
    st.integers(0, 1).map(lambda index: piece(index, f"c{index}", "{")),
    st.integers(0, 1).map(lambda index: piece(index, arguments="}")),
)
PLAIN = TEXTS.map(lambda text: chunk({"content": text}))
CHUNKS = PLAIN | st.builds(
    lambda delta, probable, tier, reason, index, padding: chunk(
        delta, reason, probable, index, **({"service_tier": tier} if tier else {}), **padding
    ),
    DELTAS,
    st.sampled_from([None, None, None, PROBABLE]),
    st.sampled_from(["", "", "flex"]),
    st.sampled_from([None, None, None, None, "stop", "length"]),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([{}, {}, {"obfuscation": "aB3"}, {"content": "a"}]),
)


class Chat:
    """A chat that says what it is given: as bytes, or as the mappings that these are."""

    def __init__(self, *, as_bytes: bool) -> None:
        self.as_bytes = as_bytes
        self.done = False

    def feed(self, event: Event) -> list[Frame]:
        return [Frame(event.data if self.as_bytes else orjson.loads(event.data), Usage(prompt=1), 1)]

    def close(self) -> list[Frame]:
        return [Frame(None, Usage(prompt=1, completion=1))]


def told(chunks: list[Json], *, as_bytes: bool) -> list[Any]:
    decoding = ResponseDecoder(Chat(as_bytes=as_bytes), call({"model": "xai/m", "input": "Hi"}, "xai", stream=True))
    frames = [frame for each in chunks for frame in decoding.feed(Event("", orjson.dumps(each)))]
    frames += decoding.close()
    return [(frame.payload, frame.usage, frame.output_chars) for frame in frames]


@given(st.lists(st.tuples(CHUNKS | PLAIN, st.integers(1, 3)), max_size=12))
@settings(max_examples=100)
def test_chunks_in_bytes_are_told_as_those_that_are_taken_apart(repeated: list[tuple[Json, int]]) -> None:
    chunks = [each for each, times in repeated for _ in range(times)]
    assert told(chunks, as_bytes=True) == told(chunks, as_bytes=False)


def test_what_is_alike_is_little_work() -> None:
    many = [chunk({"content": f" word{number}"}) for number in range(400)]

    def taken(*, as_bytes: bool) -> int:
        return steps(lambda: told(many, as_bytes=as_bytes))

    taken(as_bytes=True), taken(as_bytes=False)
    assert taken(as_bytes=True) < 0.9 * taken(as_bytes=False)


def test_probabilities_of_later_words_are_told() -> None:
    payloads = [payload for payload, _, _ in told([chunk({"content": "a"}, None, PROBABLE)] * 2, as_bytes=True)]
    found = [payload["logprobs"] for payload in payloads if payload and "logprobs" in payload]
    assert [len(each) for each in found] == [1, 1, 2]  # two deltas, and their sum


def test_the_last_end_holds() -> None:
    ended = [
        chunk({"content": text}, reason) for text, reason in (("a", None), ("a", "stop"), ("", "length"), ("a", "stop"))
    ]
    assert told(ended, as_bytes=True)[-1][0]["response"]["status"] == "completed"
