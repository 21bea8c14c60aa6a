"""No header, method or target can smuggle another line into a request."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.dialect import UpstreamRequest
from orrery.edge.http import HttpTransport
from orrery.edge.http_head import encode_head
from tests.edge.faulty import OK, answers, serve


def encode(*headers: tuple[bytes, bytes], method: bytes = b"POST", target: bytes = b"/x", length: int = 2) -> bytes:
    return encode_head(method, target, b"h.example", list(headers), length)


def test_the_head_is_complete() -> None:
    assert encode((b"X-A", b"1"), (b"x-b", b"two words")) == (
        b"POST /x HTTP/1.1\r\nhost: h.example\r\nX-A: 1\r\nx-b: two words\r\n"
        b"content-length: 2\r\naccept-encoding: identity\r\n\r\n"
    )


def test_a_post_without_body_says_so_and_a_get_does_not() -> None:
    assert b"content-length: 0\r\n" in encode(length=0)
    assert b"content-length" not in encode(method=b"GET", length=0)


NOT_THE_CALLERS = (
    b"Host Content-Length Transfer-Encoding Accept-Encoding TE Upgrade Keep-Alive Trailer Expect Connection "
    b"Proxy-Authorization Proxy-Connection Proxy-Authenticate"
).split()


@pytest.mark.parametrize("name", NOT_THE_CALLERS)
def test_framing_and_hop_by_hop_headers_are_not_the_callers_to_set(name: bytes) -> None:
    assert encode((name, b"evil")) == encode()


def test_what_connection_names_is_left_out_too() -> None:
    assert encode((b"connection", b"close, X-Hop"), (b"x-hop", b"1"), (b"x-end", b"2")) == encode((b"x-end", b"2"))


@settings(deadline=None)  # other tests keep the machine busy
@given(st.binary(min_size=1), st.binary())
def test_any_header_is_sent_as_one_line_or_not_at_all(name: bytes, value: bytes) -> None:
    try:
        head = encode((name, value))
    except ValueError:
        return
    assert head.count(b"\r\n") <= 6
    assert not set(head.replace(b"\r\n", b"")) & set(b"\r\n\0")


@pytest.mark.parametrize("value", [b"a\r\nx-evil: 1", b"a\nb", b"a\rb", b"a\0b", b"a\x7fb", b"\x1b[0m"])
def test_a_value_with_a_control_character_is_refused_without_quoting_it(value: bytes) -> None:
    with pytest.raises(ValueError, match="header 'x-key' holds") as caught:
        encode((b"fine", b"1"), (b"x-key", value))
    assert value.decode() not in str(caught.value)


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\n", "ä".encode(), b"(a)"])
def test_a_name_that_is_no_token_is_refused(name: bytes) -> None:
    with pytest.raises(ValueError, match="header"):
        encode((b"fine", b"1"), (name, b"1"))


@pytest.mark.parametrize("target", [b"", b"/a b", b"/a\r\nx: y", b"/\xc3\xa4", b"/a\0"])
def test_a_target_that_is_not_visible_ascii_is_refused(target: bytes) -> None:
    with pytest.raises(ValueError, match="target"):
        encode(target=target)


@pytest.mark.parametrize("method", [b"", b"GET /x HTTP/1.1\r\nHost:", b"GE T"])
def test_a_method_that_is_no_token_is_refused(method: bytes) -> None:
    with pytest.raises(ValueError, match="method"):
        encode(method=method)


@pytest.mark.parametrize("headers", [{"x-a": "1\r\nx-evil: 2"}, {"x\r\nevil": "1"}, {"x-a": "ä\r\n"}, {"x-a": "☃"}])
async def test_an_injected_header_never_reaches_the_wire(headers: dict[str, str]) -> None:
    transport = HttpTransport()
    async with serve(answers(OK)) as server:
        with pytest.raises(ValueError):
            async with transport.send(UpstreamRequest("POST", server.url, headers, b""), 20):
                pass
        assert server.connections == 0
        await transport.aclose()


async def test_only_our_own_framing_is_on_the_wire() -> None:
    transport = HttpTransport()
    async with serve(answers(OK)) as server:
        sent = {"Host": "evil", "Content-Length": "99", "Transfer-Encoding": "chunked", "Accept-Encoding": "gzip, br"}
        async with transport.send(UpstreamRequest("POST", server.url + "/p?q=1", sent, b"{}"), 20) as reply:
            assert reply.status == 200
        await transport.aclose()
    assert server.requests == [
        f"POST /p?q=1 HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\ncontent-length: 2\r\n"
        "accept-encoding: identity\r\n\r\n{}".encode()
    ]
