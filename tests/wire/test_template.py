"""The `text` engine: one bounded pass."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.errors import InvalidRequest
from orrery.wire.template import LONGEST_NAME, fill
from tests.work import steps

ROOM = 1_000_000


def one(text: str, values: dict[str, Any], **more: Any) -> str:
    return fill([text], values, most_chars=ROOM, **more)[0]


@pytest.mark.parametrize("placeholder", ["{{name}}", "{{ name }}", "{{  name}}", "{{\tname \t}}"])
def test_a_placeholder_becomes_its_value(placeholder):
    assert one(f"Hello {placeholder}!", {"name": "Ada"}) == "Hello Ada!"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "null"),
        ([1, "a"], '[1,"a"]'),
        ({"k": "é"}, '{"k":"é"}'),
        ("", ""),
    ],
)
def test_what_is_no_string_is_json(value, text):
    assert one("<{{v}}>", {"v": value}) == f"<{text}>"


@pytest.mark.parametrize(
    ("name", "text"),
    [("user.name", "Ada"), ("user.tags.0", "x"), ("user.tags.1.k", "v"), ("user.tags", '["x",{"k":"v"}]')],
)
def test_dots_lead_into_objects_and_lists(name, text):
    values = {"user": {"name": "Ada", "tags": ["x", {"k": "v"}]}}
    assert one("{{" + name + "}}", values) == text


def test_a_name_with_dots_of_its_own_comes_first():
    assert one("{{a.b}}", {"a.b": "own", "a": {"b": "led"}}) == "own"


@pytest.mark.parametrize(
    "text",
    [
        "{{other}}", "{{user.age}}", "{{user.name.x}}", "{{list.2}}", "{{list.-1}}", "{{list.0000000001}}",
        "{{list.x}}", "{{list.²}}", "{{list.١}}", "{{user.}}", "{{.user}}", "{{user..name}}",
        "{{user.__class__}}", "{{list.__len__}}", "{{}}",
        "{{ }}", "{{", "}}", "{{ user", "{ {user} }", "{{us er}}", "{{user\n}}", "{{#user}}", "{{user|upper}}",
        "{% if user %}",
    ],
)  # fmt: skip
def test_what_names_nothing_is_left_as_it_is(text):
    assert one(text, {"user": {"name": "Ada"}, "list": ["a", "b"]}) == text


def test_a_longer_name_than_any_is_no_placeholder():
    fits, longer = "n" * LONGEST_NAME, "n" * (LONGEST_NAME + 1)
    assert one(f"{{{{{fits}}}}} {{{{{longer}}}}}", {fits: "a", longer: "b"}) == f"a {{{{{longer}}}}}"


def test_braces_around_a_placeholder_stay():
    assert one('{"a": {{{v}}}}', {"v": 1}) == '{"a": {1}}'


def test_what_is_put_in_is_never_read_again():
    values = {"a": "{{b}}", "b": "B", "open": "{{", "close": "}}"}
    assert one("{{a}} {{open}}b{{close}} {{open}}b}}", values) == "{{b}} {{b}} {{b}}"


def test_a_hidden_value_is_masked_however_it_is_reached():
    values = {"key": {"id": "abc", "list": ["def"]}, "k.d": "ghi", "shown": "s"}
    text = "{{key}} {{key.id}} {{key.list.0}} {{k.d}} {{shown}} {{key.no}}"
    assert one(text, values, hidden={"key", "k.d"}) == "*** *** *** *** s {{key.no}}"


def test_values_of_one_name_are_not_hidden_by_a_longer_one():
    assert one("{{a.b}} {{a}}", {"a.b": "1", "a": "2"}, hidden={"a"}) == "1 ***"


def test_the_text_that_is_too_much_is_named():
    with pytest.raises(InvalidRequest) as raised:
        fill(["{{v}}", "{{v}}{{v}}"], {"v": "x" * 10}, most_chars=29)
    assert raised.value.param == "1"
    assert fill(["{{v}}", "{{v}}{{v}}"], {"v": "x" * 10}, most_chars=30) == ["x" * 10, "x" * 20]


def test_what_shrinks_makes_room():
    assert fill(["{{ long_name }}{{ long_name }}"], {"long_name": ""}, most_chars=30) == [""]


def test_texts_that_are_too_long_by_themselves_are_refused():
    with pytest.raises(InvalidRequest):
        fill(["x" * 11], {}, most_chars=10)


def test_ten_thousand_times_a_large_value_ends_when_the_room_does():
    value = "x" * 100_000
    text = "{{v}}" * 10_000

    def attack() -> None:
        with pytest.raises(InvalidRequest):
            one(text, {"v": value})

    assert steps(attack) < 10_000


def test_a_large_object_is_written_once_however_often_it_stands_there(monkeypatch):
    written = []
    monkeypatch.setattr("orrery.wire.template.dumps", lambda value: written.append(1) or b"{}")
    assert one("{{v}}" * 1_000, {"v": {"a": 1}}) == "{}" * 1_000
    assert len(written) == 1


@pytest.mark.parametrize(
    "piece", ["{", "{{", "{{ ", "{{a", "{{a ", "{{a.", "{{" + " " * 99, "{{" + "a" * 300, "}", "{{a}"]
)
def test_hostile_texts_are_left_as_they_are(piece):
    # Were the expression to look at them again and again, 2 MB would take minutes.
    text = (piece * (2_000_000 // len(piece)))[:2_000_000]
    assert fill([text], {"a": "x"}, most_chars=2_000_000) == [text]


@given(
    st.text(alphabet="{} ab.\t\n\\", max_size=60), st.dictionaries(st.sampled_from("ab"), st.text("{}ab", max_size=5))
)
def test_without_a_whole_placeholder_nothing_changes(text, values):
    if "{{" not in text or "}}" not in text:
        assert one(text, values) == text


@given(st.lists(st.one_of(st.sampled_from(["a", "b"]), st.text("{x} ", max_size=4)), max_size=12), st.text(), st.text())
def test_it_is_what_replacing_at_once_gives(parts, a, b):
    names = {"a": a, "b": b}
    text = "".join(
        "\0{{" + part + "}}\0" if part in names else part.replace("}}", "}").replace("{{", "{") for part in parts
    )
    expected = "".join(
        "\0" + names[part] + "\0" if part in names else part.replace("}}", "}").replace("{{", "{") for part in parts
    )
    assert one(text, names) == expected


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(), c, max_size=3),
    )
)
def test_any_value_comes_back_from_its_text(value):
    text = one("{{v}}", {"v": value})
    assert (text if isinstance(value, str) else json.loads(text)) == value
