"""What requests say of variables, in each of the ways to say it."""

import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.options import Variables
from orrery.wire.options import read_options
from orrery.wire.variables import read_variables


def test_any_json_is_a_value():
    given = {"a": "x", "b": 1, "c": [1, {"d": None}], "e": {"f": True}, "g": None}
    assert read_variables(given, None) == Variables(given, frozenset(), "text")


def test_an_object_of_value_and_secret_says_what_it_holds():
    read = read_variables(
        {
            "plain": {"value": "p"},
            "key": {"value": "s", "secret": True},
            "open": {"value": [1], "secret": False},
            "null": {"value": None, "secret": None},
        },
        None,
    )
    assert read == Variables({"plain": "p", "key": "s", "open": [1], "null": None}, frozenset({"key"}), "text")


@pytest.mark.parametrize(
    "value", [{"secret": True}, {"value": 1, "unit": "m"}, {"value": 1, "secret": True, "x": 2}, {}]
)
def test_any_other_object_is_itself_a_value(value):
    assert read_variables({"a": value}, None) == Variables({"a": value})


@pytest.mark.parametrize("secret", ["yes", "true", 1, 0, [], {}])
def test_a_secret_that_is_no_boolean_is_refused_since_its_writer_means_one(secret):
    with pytest.raises(InvalidRequest) as raised:
        read_variables({"a": {"value": "s", "secret": secret}}, None)
    assert raised.value.param == "variables.a.secret"


def test_inputs_are_an_object():
    assert read_variables(None, {"a": 1, "b": {"value": 2, "secret": True}}) == Variables(
        {"a": 1, "b": 2}, frozenset({"b"})
    )


def test_inputs_are_a_list_whose_personal_values_are_secret():
    listed = [{"key": "a", "value": 1}, {"key": "b", "value": "B", "is_pii": True}, {"key": "c", "is_pii": False}]
    assert read_variables(None, listed) == Variables({"a": 1, "b": "B", "c": None}, frozenset({"b"}))


def test_variables_win_over_inputs_name_by_name():
    read = read_variables({"a": "variable"}, {"a": "input", "b": "input"})
    assert read is not None
    assert read.values == {"a": "variable", "b": "input"}


def test_what_either_calls_secret_is():
    read = read_variables({"a": "variable"}, [{"key": "a", "value": "input", "is_pii": True}])
    assert read == Variables({"a": "variable"}, frozenset({"a"}))


@pytest.mark.parametrize(
    ("inputs", "param"),
    [
        ([{"value": 1}], "inputs[0].key"),
        ([{"key": "a"}, {"key": 7}], "inputs[1].key"),
        ([{"key": "a", "is_pii": "yes"}], "inputs[0].is_pii"),
        (["a"], "inputs[0]"),
        ("a", "inputs"),
        (7, "inputs"),
    ],
)
def test_the_first_offence_is_named(inputs, param):
    with pytest.raises(InvalidRequest) as raised:
        read_variables(None, inputs)
    assert raised.value.param == param


def test_variables_are_an_object():
    with pytest.raises(InvalidRequest) as raised:
        read_variables([], None)  # type: ignore[arg-type]
    assert raised.value.param == "variables"


@pytest.mark.parametrize("engine", ["text", "mustache", "jinja"])
def test_an_engine_is_chosen(engine):
    read = read_variables({"a": 1}, None, engine)
    assert read is not None
    assert read.engine == engine


def test_an_unknown_engine_is_refused():
    with pytest.raises(InvalidRequest) as raised:
        read_variables({"a": 1}, None, "erb")
    assert (raised.value.param, raised.value.code) == ("template_engine", "unsupported_engine")


def test_naming_nothing_is_having_none():
    assert read_variables({}, []) is None
    assert read_variables(None, None, "jinja") is None


def test_no_value_shows_in_a_repr():
    assert "hunter2" not in repr(read_variables({"a": {"value": "hunter2", "secret": True}}, None))


def test_a_request_brings_them():
    body = {"variables": {"a": {"value": 1, "secret": True}}, "inputs": {"b": 2}, "template_engine": "jinja"}
    assert read_options(body).variables == Variables({"a": 1, "b": 2}, frozenset({"a"}), "jinja")
