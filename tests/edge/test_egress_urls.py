"""What a URL says, and what is refused by its text alone."""

import pytest

from orrery.core.errors import InvalidRequest
from orrery.edge.egress_urls import LONGEST_URL, Place, place_of

READ = {
    "https://a.example": ("a.example", 443, b"/"),
    "HTTPS://A.Example./x.png": ("a.example", 443, b"/x.png"),
    "https://a.example:/x": ("a.example", 443, b"/x"),
    "https://a.example:443/x": ("a.example", 443, b"/x"),
    "https://a.example:80/x": ("a.example", 80, b"/x"),
    "https://a.example?q=1": ("a.example", 443, b"/?q=1"),
    "https://a.example/x?q=%20a&b=c/d?e#part?#": ("a.example", 443, b"/x?q=%20a&b=c/d?e"),
    "https://a.example/Zürich/ü?ö": ("a.example", 443, b"/Z%C3%BCrich/%C3%BC?%C3%B6"),
    "https://a.example//x/../y": ("a.example", 443, b"//x/../y"),
    "https://under_score.a-b.xn--bcher-kva.example/": ("under_score.a-b.xn--bcher-kva.example", 443, b"/"),
    "https://[2606:4700::1111]/x": ("2606:4700::1111", 443, b"/x"),
    "https://[2606:4700:0:0:0:0:0:1111]:443/": ("2606:4700::1111", 443, b"/"),
    "https://1.1.1.1/": ("1.1.1.1", 443, b"/"),
}
REFUSED = [
    "",
    "a.example/x",
    "//a.example/x",
    "/x",
    "https:",
    "https:/a.example",
    "https:///x",
    "https://",
    "https://.",
    "https://?x",
    "https://:443/",
    "http://a.example/",
    "ftp://a.example/",
    "file:///proc/self/environ",
    "file://a.example/etc/passwd",
    "gopher://a.example:443/_x",
    "dict://a.example/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "jar:https://a.example/!/",
    "ws://a.example/",
    "https://me@a.example/",
    "https://me:word@a.example/",
    "https://@a.example/",
    "https://a.example@127.0.0.1/",
    "https://a.example:443@127.0.0.1:443/",
    "https://a.example:8080/",
    "https://a.example:22/",
    "https://a.example:9001/",
    "https://a.example:0/",
    "https://a.example:65536/",
    "https://a.example:-443/",
    "https://a.example:4x/",
    "https://a.example:４４３/",
    "https://a.example\\@127.0.0.1/",
    "https:\\\\127.0.0.1/",
    "https://a.example /",
    " https://a.example/",
    "https://a.example/\r\nHost: b.example",
    "https://a.example/\tx",
    "https://a\nexample/",
    "https://a.example/\x00",
    "https://a.example/\x7f",
    "https://127.0.0.1%2f.a.example/",
    "https://%31%32%37.0.0.1/",
    "https://a..example/",
    "https://.a.example/",
    "https://a.example../",
    f"https://{'a' * 64}.example/",
    f"https://{'a.' * 127}example/",
    "https://①②⑦.⓪.⓪.①/",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://bücher.example/",
    "https://a.example\u2044@b/",
    "https://a\u00ad.example/",
    "https://[::1/",
    "https://::1/",
    "https://[::1]x/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[v1.x]/",
    "https://[127.0.0.1]/",
    "https://[::1].a.example/",
    "https://a.example/\ud800",
    f"https://a.example/{'x' * LONGEST_URL}",
]


@pytest.mark.parametrize("url", READ)
def test_a_url_is_taken_apart_once(url: str) -> None:
    assert place_of(url) == Place("https", *READ[url])


@pytest.mark.parametrize("url", REFUSED)
def test_a_url_that_may_not_be_read_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        place_of(url, {"a.example"} if not url.startswith("http:") else ())
    assert (caught.value.status, caught.value.code) == (400, "invalid_url")
    assert len(url) < 8 or url not in caught.value.message


def test_a_name_in_front_of_the_host_is_called_what_it_is() -> None:
    with pytest.raises(InvalidRequest, match="user name"):
        place_of("https://files.example@127.0.0.1/")


def test_http_is_read_where_the_operator_says_so() -> None:
    assert place_of("http://A.example/x", {"a.example"}) == Place("http", "a.example", 80, b"/x")
    with pytest.raises(InvalidRequest, match="only https"):
        place_of("http://b.a.example/x", {"a.example"})
