"""The short way for chunks that differ in their text alone never says anything else than the long way."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.providers.likeness import PATIENCE, Likeness


def chunk(text: str, name: str = "content", **more: Any) -> bytes:
    return orjson.dumps({"id": "c", "choices": [{"index": 0, "delta": {name: text}, "finish_reason": None}], **more})


def learnt(data: bytes, text: str = "model", **how: Any) -> Likeness:
    likeness = Likeness()
    likeness.learn(data, ("content",), text, **how)
    return likeness


@pytest.mark.parametrize("text", ["x", "", "é🪐", 'a "quoted" \\ word', "line\nbreak", '"}}]', "\x00"])
def test_another_text_is_alike(text: str) -> None:
    assert learnt(chunk("model")).alike(chunk(text)) == (chunk(text), text)
    padded = chunk(text, obfuscation="Zz9")
    assert learnt(chunk("model", obfuscation="a1")).alike(padded) == (padded, text)


@pytest.mark.parametrize(
    "other",
    [
        chunk("x", id="d"),
        chunk("x", usage=None),
        chunk("x", obfuscation="a1"),
        chunk("x")[:-1],
        chunk("x") + b" ",
        chunk("x").replace(b"null", b"true"),
        chunk("x").replace(b'"x"', b'"x","content":"y"'),
        chunk("x").replace(b'"x"', b'"x\n"'),
        chunk("x").replace(b'"x"', b'"\xff"'),
        chunk("x").replace(b'"x"', b'"\\x"'),
        chunk("x").replace(b'"x"', b'"'),
        b"[DONE]",
        b"",
    ],
)
def test_anything_else_is_unlike(other: bytes) -> None:
    assert learnt(chunk("model")).alike(other) is None


@pytest.mark.parametrize("padding", ["", "a b", 'a","b":"c', "é", '"', "a1\\n"])
def test_padding_that_is_not_letters_and_digits_is_unlike(padding: str) -> None:
    assert learnt(chunk("model", obfuscation="a1")).alike(chunk("x", obfuscation=padding)) is None


@pytest.mark.parametrize("end", [b"", b'"', b"}", b'"]', b'"}}', b'"} '])
def test_padding_that_ends_otherwise_is_unlike(end: bytes) -> None:
    padded = chunk("model", obfuscation="a1")
    assert learnt(padded).alike(padded.removesuffix(b'"}') + end) is None


def test_nothing_is_alike_before_something_was_learnt_or_when_it_was_forgotten() -> None:
    assert Likeness().alike(chunk("x")) is None
    likeness = learnt(chunk("model"))
    likeness.forget()
    assert likeness.alike(chunk("x")) is None


@pytest.mark.parametrize("data", [chunk("é\n"), chunk("x", more={"content": "x"}), chunk("xy"), b'{"content":"other"}'])
def test_a_text_that_does_not_stand_there_as_it_is_makes_no_model(data: bytes) -> None:
    assert not Likeness().learn(data, ("content",), "é\n")
    assert not Likeness().learn(data, ("content",), "x")


def test_spaced_json_can_be_a_model() -> None:
    spaced = b'{"choices": [{"delta": {"role": "assistant", "content": "model"}}]}'
    other = spaced.replace(b'"model"', b'"abc"')
    assert learnt(spaced).alike(other) == (other, "abc")


def test_learning_in_vain_ends_and_a_likeness_renews_it() -> None:
    likeness = Likeness()
    taught = [likeness.learn(chunk("x", id=str(number)), ("content",), "x") for number in range(PATIENCE + 1)]
    assert taught == [True] * PATIENCE + [False]
    assert likeness.alike(chunk("x", id=str(PATIENCE))) is None
    assert likeness.alike(chunk("x", id=str(PATIENCE - 1))) is not None
    assert likeness.learn(chunk("x", id="new"), ("content",), "x")
    assert likeness.alike(chunk("y", id="new")) == (chunk("y", id="new"), "y")


# What becomes something else


def renamed(text: str) -> Any:
    return orjson.loads(chunk(text, "reasoning", id="other"))


@pytest.mark.parametrize("text", ["x", "", "é🪐", 'a "quoted" \\ word', '","reasoning":""', "line\nbreak"])
def test_what_is_alike_becomes_what_the_model_became(text: str) -> None:
    found = learnt(chunk("model"), became=renamed("model")).alike(chunk(text))
    assert found is not None and orjson.loads(found[0]) == renamed(text) and found[1] == text


@pytest.mark.parametrize("became", [renamed("another text"), {"choices": [{"delta": {"refusal": "model"}}]}])
def test_what_became_something_with_another_text_is_no_model(became: Any) -> None:
    assert not Likeness().learn(chunk("model"), ("content",), "model", became)
    assert not Likeness().learn(chunk("model", obfuscation="a1"), ("content",), "model", renamed("model"))


def test_a_model_that_could_not_be_learnt_changes_nothing() -> None:
    likeness = learnt(chunk("model"), became=renamed("model"))
    before = likeness.alike(chunk("x"))
    assert not likeness.learn(chunk("y", id="d"), ("content",), "not there", {**renamed("not there"), "id": "e"})
    assert likeness.alike(chunk("x")) == before


@pytest.mark.parametrize(("text", "is_alike"), [("a", True), ("a\nb", True), ("a<", False), ("a\n", False)])
def test_between_tags_what_may_be_their_end_is_unlike(text: str, is_alike: bool) -> None:
    likeness = learnt(chunk("model"), became=renamed("model"), in_tags=True)
    assert (likeness.alike(chunk(text)) is not None) == is_alike


def twice(text: str, again: str | None = None, **more: Any) -> bytes:
    delta = {"content": text, "blocks": [{"text": text if again is None else again}]}
    return orjson.dumps({"choices": [{"delta": delta}], **more})


def twin() -> Likeness:
    likeness = Likeness()
    assert likeness.learn(twice("model"), ("content", "text"), "model")
    return likeness


@pytest.mark.parametrize("text", ["x", "", "é🪐", 'a "quoted" \\ word', '"blocks":[{"text":"'])
def test_a_text_that_stands_twice_is_alike_where_both_are_the_same(text: str) -> None:
    assert twin().alike(twice(text)) == (twice(text), text)


@pytest.mark.parametrize(
    "other", [twice("xy", "xz"), twice("xy", "x"), twice("x", "xyz"), twice("x", id=1), b"", b"{}"]
)
def test_two_texts_that_differ_are_unlike(other: bytes) -> None:
    assert twin().alike(other) is None


PIECES = st.sampled_from(
    [b'"', b"\\", b"}", b"]", b",", b":", b"content", b"null", b"x", b" ", b"\n", b'"}}]', b"\xc3\xa9"]
)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(PIECES, max_size=12).map(b"".join), st.booleans())
def test_what_is_alike_is_json_and_differs_in_its_text_alone(middle: bytes, padded: bool) -> None:
    more = {"obfuscation": "a1"} if padded else {}
    model = chunk("model", **more)
    found = learnt(model).alike(model.replace(b"model", middle))
    if found is not None:
        assert orjson.loads(found[0]) == orjson.loads(chunk(found[1], **more))


@settings(deadline=None)  # the machine may be busy
@given(st.lists(PIECES, max_size=8).map(b"".join), st.lists(PIECES, max_size=8).map(b"".join))
def test_what_is_alike_twice_is_json_and_differs_in_its_text_alone(first: bytes, second: bytes) -> None:
    for other in (first, second):
        data = twice("model").replace(b"model", first, 1).replace(b"model", other, 1)
        if (found := twin().alike(data)) is not None:
            assert orjson.loads(found[0]) == orjson.loads(twice(found[1]))
