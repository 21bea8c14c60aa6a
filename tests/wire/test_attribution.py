"""Labels in headers: what they may be, which of two counts, and nothing at all for requests without."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.errors import InvalidRequest
from orrery.core.options import Attribution, Identity
from orrery.wire.attribution import LABELS, SESSION, identity_header, metadata_of, read_attribution
from tests.work import steps

type Headers = list[tuple[bytes, bytes]]

EVERY_HEADER = {
    "x-orbitrage-end-user-id": "end_user",
    "x-orbitrage-run-id": "run",
    "x-orbitrage-session-id": "session",
    "x-orbitrage-workflow-id": "workflow",
    "x-orbitrage-customer-id": "customer",
    "x-orbitrage-tenant-id": "tenant",
    "x-orbitrage-parent-request-id": "parent",
    "x-orqen-session-id": "session",
}
PLAIN: Headers = [(b"host", b"x"), (b"authorization", b"Bearer k"), (b"content-type", b"application/json")]


def read(body: dict[str, Any] | None = None, **headers: str | bytes) -> Attribution | None:
    named: Headers = [
        (name.replace("_", "-").encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    ]
    return read_attribution(PLAIN + named, body or {})


def refused(**headers: str | bytes) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read(**headers)
    return caught.value


@pytest.mark.parametrize(("header", "field"), EVERY_HEADER.items())
def test_each_header_is_its_label(header: str, field: str) -> None:
    assert read(**{header: " a/b #1 "}) == dataclasses.replace(Attribution(), **{field: "a/b #1"})


def test_the_page_of_the_product_names_no_other_header() -> None:
    assert {*LABELS, SESSION} == {header.encode() for header in EVERY_HEADER}


def test_together_they_are_one_attribution() -> None:
    told = {header: field for header, field in EVERY_HEADER.items() if header != "x-orqen-session-id"}
    assert read(**told, **{"x-orbitrage-step-index": "12", "x-orq-metadata-team": "blue"}) == Attribution(
        run="run",
        session="session",
        end_user="end_user",
        customer="customer",
        tenant="tenant",
        workflow="workflow",
        parent="parent",
        step=12,
        metadata={"team": "blue"},
    )


def test_without_such_headers_there_is_nothing() -> None:
    assert read() is None
    assert read({"metadata": {"a": "b"}}) is None
    others = ["x-orbitrage-user-id", "x-orbitrage-prompt-id", "x-orbitrage-signature", "x-orrery-strict", "x-orq-other"]
    assert read(**dict.fromkeys(others, "x")) is None
    assert read(**{"x-orq-identity-id": "i"}) is None


def test_a_header_without_meaning_costs_one_look() -> None:
    def work(count: int) -> int:
        headers = PLAIN * count
        return steps(lambda: read_attribution(headers, {}))

    assert (work(200) - work(100)) <= 100 * len(PLAIN) * 6


def test_the_first_of_a_name_counts() -> None:
    headers = [(b"x-orbitrage-run-id", b"one"), (b"x-orbitrage-run-id", b"two")]
    headers += [(b"x-orbitrage-step-index", b"0"), (b"x-orbitrage-step-index", b"2")]
    headers += [(b"x-orq-metadata-a", b"1"), (b"x-orq-metadata-a", b"2")]
    assert read_attribution(headers, {}) == Attribution(run="one", step=0, metadata={"a": "1"})


@pytest.mark.parametrize("orqen_first", [True, False])
def test_orbitrages_session_stands_before_orqens(orqen_first: bool) -> None:
    headers = [(b"x-orbitrage-session-id", b"orbitrage"), (b"x-orqen-session-id", b"orqen")]
    assert read_attribution(headers[::-1] if orqen_first else headers, {}) == Attribution(session="orbitrage")


@pytest.mark.parametrize("header", [*EVERY_HEADER, "x-orq-metadata-a"])
@pytest.mark.parametrize("value", ["", "  ", "x" * 257, "a\tb", "a\nb", "a\x00b", "a\u2028b", "\u202eevil"])
def test_what_is_no_label_is_refused_by_name(header: str, value: str) -> None:
    err = refused(**{header: value})
    assert (err.status, err.param) == (400, header)
    assert not value.strip() or value not in err.message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"x" * 256, "x" * 256),
        ("é".encode() * 256, "é" * 256),
        (b"caf\xe9", "café"),
        (b"\t x \t", "x"),
        (b"#", "#"),
    ],
)
def test_a_label_is_text_in_either_encoding(value: bytes, text: str) -> None:
    assert read(**{"x-orbitrage-run-id": value}) == Attribution(run=text)


@pytest.mark.parametrize(("value", "number"), [("0", 0), (" 7 ", 7), ("007", 7), ("999999999", 999_999_999)])
def test_a_step_is_a_whole_number(value: str, number: int) -> None:
    assert read(**{"x-orbitrage-step-index": value}) == Attribution(step=number)


@pytest.mark.parametrize(
    "value", ["", "-1", "+1", "1.0", "1e3", "one", "1_0", "0x1", "٣", "²", "1000000000", "1" * 5000]
)
def test_any_other_step_is_refused(value: str) -> None:
    assert refused(**{"x-orbitrage-step-index": value}).param == "x-orbitrage-step-index"


def test_metadata_of_the_body_stands_before_that_of_headers() -> None:
    found = read(
        {"metadata": {"b": "body", "c": "body"}}, **{"x-orq-metadata-a": "header", "x-orq-metadata-b": "header"}
    )
    assert found is not None
    assert found.metadata == {"a": "header", "b": "body", "c": "body"}
    assert read({"metadata": {"b": "body"}}, **{"x-orbitrage-run-id": "r"}) == Attribution("r", metadata={"b": "body"})


def test_metadata_headers_have_a_name_and_an_end() -> None:
    assert refused(**{"x-orq-metadata-": "v"}).param == "x-orq-metadata-"
    assert refused(**{"x-orq-metadata-" + "n" * 65: "v"}).param == "x-orq-metadata-"
    assert read(**{"x-orq-metadata-" + "n" * 64: "v"}) == Attribution(metadata={"n" * 64: "v"})
    many = {f"x-orq-metadata-{number}": "v" for number in range(17)}
    assert refused(**many).param == "x-orq-metadata-"
    del many["x-orq-metadata-16"]
    found = read(**many)
    assert found is not None
    assert len(found.metadata) == 16


@pytest.mark.parametrize("told", [None, "text", ["a"], 5, {}, {"a": 1}, {"a": None}, {"a": {"b": "c"}}])
def test_metadata_that_is_none_is_left_out(told: Any) -> None:
    assert metadata_of({"metadata": told}) == {}
    assert metadata_of({}) == {}


def test_of_too_many_pairs_in_the_body_the_first_are_kept() -> None:
    many = {str(number): "v" for number in range(17)}
    assert list(metadata_of({"metadata": many})) == [str(number) for number in range(16)]


@given(st.dictionaries(st.text(max_size=70), st.one_of(st.text(max_size=10), st.integers(), st.just("x" * 513))))
def test_metadata_of_the_body_is_bounded_and_never_changed(told: dict[str, Any]) -> None:
    kept = metadata_of({"metadata": told})
    assert len(kept) == min(
        16, sum(type(text) is str and len(text) <= 512 and len(name) <= 64 for name, text in told.items())
    )
    assert all(told[name] == text for name, text in kept.items())


def test_an_identity_in_the_header_is_a_name_alone() -> None:
    assert identity_header(PLAIN) is None
    assert identity_header([*PLAIN, (b"x-orq-identity-id", b" user-1 "), (b"x-orq-identity-id", b"two")]) == Identity(
        "user-1"
    )
    for wrong in (b"", b" ", b"x" * 257, b"a\nb"):
        with pytest.raises(InvalidRequest) as caught:
            identity_header([(b"x-orq-identity-id", wrong)])
        assert caught.value.param == "x-orq-identity-id"


@given(
    st.lists(
        st.tuples(st.sampled_from([*LABELS, SESSION, b"x-orbitrage-step-index", b"x-orq-metadata-x"]), st.binary())
    )
)
def test_whatever_comes_is_read_or_refused(headers: Headers) -> None:
    try:
        found = read_attribution(headers, {})
    except InvalidRequest:
        return
    assert (found is None) == (not headers)
    if found is not None:
        texts = [found.run, found.session, found.parent, *found.metadata.values()]
        assert all(len(text) <= 256 and text.isprintable() and text == text.strip() for text in texts)
