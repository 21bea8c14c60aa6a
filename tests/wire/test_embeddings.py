"""What of an embeddings request is refused, and what becomes of the rest; vectors as base64."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation
from orrery.wire.embeddings import MEANINGS, as_base64, from_base64, inputs_of, meaning_of, read_embeddings
from orrery.wire.posted import Posted

MODEL = "openai/text-embedding-3-small"


def read(**body: Any) -> Call:
    return read_embeddings(Posted(orjson.dumps({"model": MODEL, "input": "x"} | body)))


@pytest.mark.parametrize(
    ("posted", "inputs"),
    [
        ("one", ["one"]),
        (["one", "two"], ["one", "two"]),
        ([1, 2], [[1, 2]]),
        ([[1, 2], [3]], [[1, 2], [3]]),
    ],
)
def test_each_way_to_write_an_input_is_read(posted: Any, inputs: list[Any]) -> None:
    assert inputs_of(read(input=posted)) == inputs


@pytest.mark.parametrize(
    ("posted", "param"),
    [
        ("", "input"),
        ([], "input"),
        (None, "input"),
        (7, "input"),
        ({"text": "x"}, "input"),
        (["a", ""], "input[1]"),
        (["a", 1], "input[1]"),
        ([1, "a"], "input[1]"),
        ([1, True], "input[1]"),
        ([1, -1], "input[1]"),
        ([[1], []], "input[1]"),
        ([[1], "a"], "input[1]"),
        ([[1, "a"]], "input[0][1]"),
        ([{"text": "x"}], "input[0]"),
        ([None], "input[0]"),
        ([True], "input[0]"),
        ([1.0], "input[0]"),
        (["a"] * 2049, "input"),
        ([1] * 2049, "input"),
    ],
)
def test_what_cannot_be_embedded_is_refused_where_it_stands(posted: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(input=posted)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("name", "value"),
    [("dimensions", 0), ("dimensions", "3"), ("encoding_format", "int8"), ("user", 1), ("input_type", "poem")],
)
def test_parameters_out_of_bounds_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**{name: value})
    assert caught.value.param == name


def test_an_unknown_input_type_is_told_which_there_are() -> None:
    with pytest.raises(InvalidRequest, match="'query', 'document', 'classification', 'clustering' or 'similarity'"):
        read(input_type="poem")


@pytest.mark.parametrize("word", ["query", "search_query", "RETRIEVAL_QUERY", "retrieval.query", "Retrieval-Query"])
def test_every_provider_s_word_means_the_same(word: str) -> None:
    assert meaning_of(word) == "query"
    assert read(input_type=word).body["input_type"] == word


def test_null_is_as_good_as_nothing() -> None:
    names = ("dimensions", "encoding_format", "user", "input_type")
    assert read(**dict.fromkeys(names)).body["input"] == "x"


def test_the_gateway_s_fields_are_taken_out_and_others_survive() -> None:
    call = read(retry={"count": 2, "on_codes": [429]}, name="n", orq={}, truncate="END")
    assert call.body == {"model": MODEL, "input": "x", "truncate": "END"}
    assert call.options.retry.count == 2
    assert call.operation is Operation.EMBEDDINGS


def test_a_missing_model_is_named() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_embeddings(Posted(b'{"input": "x"}'))
    assert caught.value.param == "model"


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=40))
def test_base64_gives_the_same_floats_back(vector: list[float]) -> None:
    assert from_base64(as_base64(vector)) == vector


@pytest.mark.parametrize("text", ["?", "AAA", "AAAA", "AAAAPw"])
def test_what_is_no_base64_of_floats_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        from_base64(text)


def test_meanings_are_written_as_they_are_looked_up() -> None:
    assert all(meaning_of(word) == meaning for word, meaning in MEANINGS.items())
