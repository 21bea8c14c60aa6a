"""`x-orbitrage-user-id`: believed with a signature for this very request, and a forgery in every other case."""

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.errors import Forbidden
from orrery.edge.edge_signature import Signed, sign, verified_user

OLD, NEW, STRANGER = b"o" * 32, b"n" * 32, b"s" * 32
NOW = 1_800_000_000.0
BODY = b'{"model": "m"}'
REQUEST: dict[str, Any] = {"method": "POST", "path": "/v1/chat/completions", "organization": "org-a", "body": BODY}


def signature(key: bytes = NEW, timestamp: str = str(int(NOW)), user: str = "vera", **request: Any) -> str:
    asked = REQUEST | request
    return sign(key, Signed(timestamp, asked["method"], asked["path"], user, asked["organization"], asked["body"]))


def headers(**changed: str | bytes | None) -> list[tuple[bytes, bytes]]:
    told: dict[str, Any] = {"user_id": "vera", "timestamp": str(int(NOW)), "signature": signature()} | changed
    return [
        (b"x-orbitrage-" + name.replace("_", "-").encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in told.items()
        if value is not None
    ]


def user_of(told: list[tuple[bytes, bytes]], keys: tuple[bytes, ...] = (NEW,), now: float = NOW, **request: Any) -> str:
    return verified_user([(b"host", b"x"), *told], keys=keys, now=now, **(REQUEST | request))


def assert_forged(told: list[tuple[bytes, bytes]], **how: Any) -> None:
    with pytest.raises(Forbidden) as caught:
        user_of(told, **how)
    assert caught.value.status == 403
    assert caught.value.body() == {
        "error": {
            "message": "x-orbitrage-user-id is reserved",
            "type": "invalid_request_error",
            "param": None,
            "code": "forbidden_header",
        }
    }
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_the_signature_is_what_the_page_says() -> None:
    lines = ["v1", "1800000000", "POST", "/v1/chat/completions", "vera", "org-a", hashlib.sha256(BODY).hexdigest()]
    assert signature() == hmac.new(NEW, "\n".join(lines).encode(), "sha256").hexdigest()


def test_a_user_is_believed_with_it() -> None:
    assert user_of(headers()) == "vera"
    assert user_of(headers(signature=signature().upper())) == "vera"


def test_without_the_header_nobody_is_named() -> None:
    assert user_of([]) == ""
    assert user_of(headers(user_id=None)) == ""
    assert user_of([], keys=()) == ""


def test_either_of_two_keys_is_good_and_no_third() -> None:
    for key in (OLD, NEW):
        assert user_of(headers(signature=signature(key)), keys=(OLD, NEW)) == "vera"
    assert_forged(headers(signature=signature(STRANGER)), keys=(OLD, NEW))
    assert_forged(headers(signature=signature(OLD)))
    assert_forged(headers(), keys=())


@pytest.mark.parametrize(
    "changed",
    [
        {"user_id": "root"},
        {"user_id": ""},
        {"user_id": " "},
        {"user_id": "x" * 257},
        {"user_id": "vera\nx"},
        {"user_id": b"\xff\x00"},
        {"signature": ""},
        {"signature": None},
        {"signature": "0" * 64},
        {"signature": b"\xff" * 64},
        {"signature": "é" * 64},
        {"timestamp": None},
        {"timestamp": ""},
        {"timestamp": "0"},
        {"timestamp": "-1800000000"},
        {"timestamp": "1800000000.0"},
        {"timestamp": "1e9"},
        {"timestamp": "9" * 5000},
        {"timestamp": "١"},
        {"timestamp": b"\xff"},
        {"timestamp": "1800000001"},
    ],
)
def test_with_anything_else_in_it_it_is_a_forgery(changed: dict[str, Any]) -> None:
    assert_forged(headers(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "GET"},
        {"path": "/v1/embeddings"},
        {"path": "/v1/chat/completions/"},
        {"organization": "org-b"},
        {"body": BODY + b" "},
        {"body": b""},
    ],
)
def test_a_signature_is_good_for_its_request_alone(changed: dict[str, Any]) -> None:
    assert_forged(headers(), **changed)
    assert user_of(headers(signature=signature(**changed)), **changed) == "vera"


@pytest.mark.parametrize(("skew_s", "is_good"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_a_signature_has_its_time(skew_s: int, is_good: bool) -> None:
    timestamp = str(int(NOW) + skew_s)
    told = headers(timestamp=timestamp, signature=signature(timestamp=timestamp))
    if is_good:
        assert user_of(told) == "vera"
    else:
        assert_forged(told)


@pytest.mark.parametrize("value", ["", " ", "x" * 257, "vera\tx"])
def test_what_could_be_no_user_is_none_even_with_a_signature(value: str) -> None:
    for signed in (value, value.strip(), ""):
        assert_forged(headers(user_id=value, signature=signature(user=signed)))


def test_two_users_are_a_forgery_whichever_is_signed() -> None:
    for other in (b"vera", b"root"):
        assert_forged([*headers(), (b"x-orbitrage-user-id", other)])
        assert_forged([(b"x-orbitrage-user-id", other), *headers()])


@pytest.mark.parametrize("value", ["jürgen".encode(), "jürgen".encode("latin-1"), " jürgen ".encode()])
def test_a_user_is_text_in_either_encoding(value: bytes) -> None:
    assert user_of(headers(user_id=value, signature=signature(user="jürgen"))) == "jürgen"


@given(st.text(max_size=8), st.text(max_size=8), st.sampled_from(["vera", "a", "org-a"]), st.sampled_from(["a", "b"]))
def test_a_signature_cannot_be_read_as_one_of_another_request(
    path: str, other: str, user: str, organization: str
) -> None:
    """Line breaks in the path move no line into another's place."""
    first = signature(path=path + "\n" + user, user="vera", organization=organization)
    second = signature(path=path, user=user, organization=organization)
    assert first != second
    assert (signature(path=path) == signature(path=other)) is (path == other)
