"""What providers say when they refuse, and what callers see of it."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.dialect import Reply
from orrery.core.errors import BadCredential, UpstreamError
from orrery.providers.errors import LONGEST_MESSAGE, explain_openai, retry_after, scrub, stream_error, upstream_error


def explained(status: int, body: object, **headers: str) -> UpstreamError:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return explain_openai(Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw))


def test_openais_own_shape_comes_through() -> None:
    error = {"message": "Too long", "type": "invalid_request_error", "param": "messages", "code": "context_length"}
    err = explained(400, {"error": error})
    assert (err.status, err.upstream_status) == (400, 400)
    assert err.body()["error"] == error


@pytest.mark.parametrize(
    "body",
    [
        {"error": "It broke"},
        {"detail": "It broke"},
        {"detail": [{"loc": ["body"], "msg": "It broke", "type": "x"}]},
        {"message": "It broke"},
        {"message": {"message": "It broke"}},
        {"error": {"message": "It broke"}},
        [{"error": {"message": "It broke"}}],
        {"object": "error", "message": "It broke", "code": 40001},
    ],
)
def test_loose_shapes_are_understood(body: object) -> None:
    err = explained(422, body)
    assert (err.message, err.status, err.type, err.code) == (
        "It broke",
        422,
        "invalid_request_error",
        "provider_error",
    )


@pytest.mark.parametrize(
    "body", [b"", b"<html><h1>502</h1></html>", b"\xff\xfe", b"[]", b"7", b'{"error": null}', b"{}"]
)
def test_garbage_becomes_a_plain_sentence(body: bytes) -> None:
    assert explained(502, body).message == "the provider answered with status 502 and no message"


@pytest.mark.parametrize(
    ("theirs", "ours"), [(400, 400), (404, 404), (429, 429), (500, 500), (529, 503), (402, 502), (200, 502), (302, 502)]
)
def test_the_status_blames_the_right_side(theirs: int, ours: int) -> None:
    err = upstream_error(theirs, "x")
    assert (err.status, err.upstream_status) == (ours, theirs)


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejected_key_is_not_the_callers(status: int) -> None:
    err = explained(status, {"error": {"message": "Incorrect API key provided: sk-proj-****abcd."}})
    assert isinstance(err, BadCredential)
    assert (err.status, err.upstream_status, err.message) == (422, status, "Incorrect API key provided: [key]")


def test_a_rate_limit_says_when_to_come_back() -> None:
    err = explained(429, {"error": {"message": "Slow down", "type": "tokens"}}, retry_after="3")
    assert (err.type, err.code, err.retry_after_s) == ("rate_limit_error", "rate_limit_exceeded", 3.0)
    assert explained(429, {"error": {"code": "insufficient_quota"}}).code == "insufficient_quota"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "9", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "9", "retry-after-ms": "soon"}, 9.0),
        ({"retry-after": "Sat, 21 Nov 2026 00:01:00 GMT", "date": "Sat, 21 Nov 2026 00:00:00 GMT"}, 60.0),
        ({"retry-after": "Sat, 21 Nov 2026 00:00:00 GMT", "date": "Sat, 21 Nov 2026 00:01:00 GMT"}, 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 00:01:00 GMT"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 00:01:00 GMT", "date": "yesterday"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon", "date": "Sat, 21 Nov 2026 00:01:00 GMT"}, None),
    ],
)
def test_waiting_times_are_read_from_what_providers_send(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after(headers) == wait_s


@pytest.mark.parametrize(
    "key",
    [
        "sk-ant-api03-AAAAbbbbCCCC_ddd-eee",
        "sk-proj-abcdefghijkl",
        "sk-or-v1-0123456789abcdef",
        "sk-abcd****wxyz",
        "gsk_0123456789abcdef",
        "xai-0123456789abcdef",
        "orb_prefix12_secretsecret",
        "AIzaSyA0123456789012345678901234567890",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl",
    ],
)
def test_keys_are_scrubbed(key: str) -> None:
    assert scrub(f"Bad key ({key}), sorry") == "Bad key ([key]), sorry"
    assert key not in scrub(f"https://host/v1?key={key}&alt=sse") and key not in scrub(f"Authorization: Bearer {key}")


def test_ordinary_words_are_left_alone() -> None:
    text = "The task-management risk-averse disk-space model claude-opus-5 needs max_tokens > thinking.budget_tokens"
    assert scrub(text) == text


@given(st.text())
def test_a_message_is_one_short_line(text: str) -> None:
    line = scrub(text)
    assert len(line) <= LONGEST_MESSAGE and "\n" not in line and "\r" not in line and "\x00" not in line


def test_a_long_message_is_cut() -> None:
    assert scrub("a" * 10_000) == "a" * (LONGEST_MESSAGE - 1) + "…"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"type": "overloaded_error"}, 503),
        ({"type": "rate_limit_error"}, 429),
        ({"code": "rate_limit_exceeded"}, 429),
        ({"code": 504, "type": "x"}, 504),
        ({"status": 429}, 429),
        ({"type": "timeout_error"}, 504),
        ({"type": "authentication_error"}, 422),
        ({"type": "never heard of"}, 502),
        ({"code": 7}, 502),
        ({}, 502),
    ],
)
def test_an_error_inside_a_stream_finds_its_status(error: dict[str, object], status: int) -> None:
    err = stream_error({"error": {"message": "It broke", **error}})
    assert (err.status, err.message) == (status, "It broke")
    assert isinstance(err, UpstreamError)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(
    st.sampled_from(["error", "message", "detail", "type", "code", "param", "status"]), c), max_leaves=8))  # fmt: skip
def test_any_body_is_survived(body: object) -> None:
    err = explain_openai(Reply(500, {}, str(body).encode() if body is None else dumps(body)))
    assert orjson.dumps(err.body())


def dumps(body: object) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return repr(body).encode(errors="replace")
