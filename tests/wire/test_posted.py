"""A body may come as JSON or as a form: both mean the same."""

import orjson
import pytest

from orrery.core.dialect import Form
from orrery.core.errors import InvalidRequest
from orrery.wire.form import write_form
from orrery.wire.posted import Posted, read_body
from orrery.wire.shapes import BOOLEAN, STRING, array, integer, number, one_of

FIELDS = {
    "model": STRING,
    "n": integer(1),
    "temperature": number(0, 1),
    "diarize": BOOLEAN,
    "quality": one_of("high", "low"),
    "include": array(STRING),
}


def posted(*fields: tuple[str, str]) -> Posted:
    content_type, pieces = write_form(Form(fields, ()))
    return Posted(b"".join(pieces), content_type)


def test_fields_become_what_they_mean() -> None:
    body, files = read_body(
        posted(
            ("model", "1"), ("n", "2"), ("temperature", "0.5"), ("diarize", "true"), ("quality", "high"), ("x", "3")
        ),
        FIELDS,
    )
    assert body == {"model": "1", "n": 2, "temperature": 0.5, "diarize": True, "quality": "high", "x": "3"}
    assert files == ()


def test_brackets_and_repetition_make_lists() -> None:
    assert read_body(posted(("include[]", "a")), FIELDS)[0] == {"include": ["a"]}
    assert read_body(posted(("include", "a"), ("include", "b"), ("include", "c")), FIELDS)[0] == {
        "include": list("abc")
    }


def test_the_gateways_own_fields_are_json() -> None:
    retry = {"count": 2, "on_codes": [500]}
    body, _ = read_body(
        posted(("orq", orjson.dumps({"retry": retry}).decode()), ("retry", '{"count": 1}'), ("name", "a")), FIELDS
    )
    assert body == {"orq": {"retry": retry}, "retry": {"count": 1}, "name": "a"}


@pytest.mark.parametrize(("name", "text"), [("n", "two"), ("orq", "{"), ("diarize", "yes"), ("retry", "")])
def test_what_is_no_json_is_refused_where_json_is_meant(name: str, text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_body(posted((name, text)), FIELDS)
    assert caught.value.param == name


def test_json_is_json() -> None:
    assert read_body(Posted(b'{"n": 1}'), FIELDS) == ({"n": 1}, ())
    with pytest.raises(InvalidRequest):
        read_body(Posted(b"n=1"), FIELDS)
