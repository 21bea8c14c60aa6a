"""Pages as Markdown: what a reader reads, in a bounded time, whatever the page is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.tools.pages import MOST_MARKUP, MOST_SOURCE, charset_of, markdown
from orrery.tools.texts import decoded
from tests.work import steps

URL = "https://example.org/news/today.html"
WORDS = "Planets wander, because they go round the sun as we do, and at another pace than ours. "


def article(inside: str = "") -> str:
    body = "".join(f"<p>{WORDS * 3}</p>" for _ in range(4))
    return (
        "<html><head><title>On\n planets</title><style>p{color:red}</style></head><body>"
        "<nav><ul><li><a href='/a'>Home</a></li><li><a href='/b'>Shop</a></li></ul></nav>"
        f"<div class='article'><h1>Wanderers</h1>{body}{inside}</div>"
        "<script>steal('canary')</script><footer>Imprint, cookies</footer></body></html>"
    )


def test_an_article_is_told_without_what_is_around_it() -> None:
    page = markdown(article("<p>See <a href='../more?x=1'>more of <b>this</b></a>.</p>"), URL)
    assert page.title == "On planets" and WORDS.strip() in page.text
    assert "[more of **this**](https://example.org/more?x=1)" in page.text
    assert not page.cut and not any(word in page.text for word in ("canary", "color", "Shop", "Imprint", "<p>"))


def test_a_page_without_an_article_is_told_whole() -> None:
    page = markdown("<title>T</title><ul><li>One<li>Two</ul><table><tr><td>a<td>b</table>", URL)
    assert "One" in page.text and "Two" in page.text and "a" in page.text and page.title == "T"


def test_code_keeps_its_lines() -> None:
    assert "    for x in y:\n            print(x)" in markdown("<pre>for x in y:\n        print(x)</pre>", URL).text


@pytest.mark.parametrize("html", ["", " ", "<!-- x -->", "\0", "<?xml version='1.0'?>", "<script>x</script>"])
def test_a_page_of_nothing_says_nothing(html: str) -> None:
    assert markdown(html, URL).text == ""


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://[",
        "https://x.test/" + "y" * 3000,
        "#top",
    ],
)
def test_a_link_to_what_is_no_page_is_its_words(href: str) -> None:
    text = markdown(f"<body><p>see <a href='{href}'>here</a></p></body>", URL).text
    assert text == "see here"


def test_what_is_hidden_in_comments_and_attributes_is_not_told() -> None:
    html = "<p title='canary' onclick='canary()' style='canary'>seen<!-- canary --></p><svg><text>canary</text></svg>"
    assert markdown(html, URL).text == "seen"


BOMBS = {
    "deep": "<div>" * 100_000 + "x",
    "quotes": "<blockquote>" * 200 + WORDS * 2_000,
    "cells": "<table>" + ("<tr>" + "<td>x</td>" * 20 + "</tr>") * 3_000,
    "breaks": "<br>" * 200_000,
    "blanks": "<p>" + "\n \n" * 300_000,
    "entities": "<p>" + "&#10;" * 200_000,
    "attributes": "<p " + "a=1 " * 300_000 + ">",
    "open": "<a <b <c " * 100_000,
    "comments": "<!--" * 300_000,
    "doctypes": "<!doctype " * 100_000,
    "bold": "<b>" * 400_000,
    "items": "<ol>" + "<li>x" * 50_000,
    "links": "<a href='/x?y=1'>z</a> " * 40_000,
    "title": "<title>" + "x" * 1_000_000,
    "forms": "<form><input>" * 50_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_becomes_a_text_of_bounded_length(bomb: str) -> None:
    assert len(BOMBS[bomb]) > 100_000
    page = markdown(BOMBS[bomb], URL)
    assert len(page.title) <= 300 and len(page.text) <= 2 * MOST_MARKUP


@pytest.mark.parametrize("bomb", ["cells", "breaks", "links", "items", "forms", "quotes", "bold"])
def test_the_work_does_not_grow_with_the_bomb(bomb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    smaller = {"MOST_SOURCE": 40_000, "MOST_SOURCE_TAGS": 1_500, "MOST_MARKUP": 9_000, "MOST_MARKUP_TAGS": 500}
    for name, value in {**smaller, "MOST_WORK": 200_000, "MOST_ELEMENTS": 600}.items():
        monkeypatch.setattr(f"orrery.tools.pages.{name}", value)
    html = BOMBS[bomb]
    markdown(html[:50_000], URL)  # whatever is made at first use
    short, long = (steps(lambda size=size: markdown(html[:size], URL)) for size in (50_000, 100_000))
    assert long < 1.2 * short


def test_white_space_costs_no_square_of_its_length() -> None:
    """In C, where no step is counted: html2text's patterns took minutes for this."""
    assert markdown("<p>a" + "\n \n" * 600_000 + "b", URL).text in ("a b", "a\nb")


def test_a_page_that_is_too_long_is_cut() -> None:
    page = markdown("<p>" + "word " * 600_000, URL)
    assert page.cut and 100_000 < len(page.text) <= MOST_MARKUP < MOST_SOURCE


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (b"<meta charset=windows-1252><p>", "windows-1252"),
        (b"<META http-equiv='Content-Type' content='text/html; charset = \"Shift_JIS\"'>", "Shift_JIS"),
        (b"\xff\xfe<\0p\0>\0", "utf-16"),
        (b"<p>nothing said", ""),
        (b" " * 5_000 + b"<meta charset=gbk>", ""),
    ],
)
def test_a_file_says_what_it_is_written_in(data: bytes, charset: str) -> None:
    assert charset_of(data) == charset


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("né".encode("cp1252"), "windows-1252", "né"),
        ("né".encode("utf-16"), "utf-16", "né"),
        ("né".encode(), "", "né"),
        ("né".encode(), "punycode", "né"),
        ("né".encode(), "unicode_escape", "né"),
        ("né".encode(), "iso-8859-99", "né"),
        (b"\xef\xbb\xbfx", "utf-8", "x"),
        (b"a\xffb", "utf-8", "a\ufffdb"),
        ("日本".encode("shift_jis"), '"Shift_JIS"', "日本"),
    ],
)
def test_bytes_become_text_somehow(data: bytes, charset: str, text: str) -> None:
    assert decoded(data, charset) == text


TAGS = "p div a li ul table tr td pre b i br h1 h9 title script svg math template blockquote html body head x-y"
tags = st.sampled_from(TAGS.split())
pieces = st.one_of(
    tags.map(lambda tag: f"<{tag}>"),
    tags.map(lambda tag: f"</{tag}>"),
    st.sampled_from(
        ["<a href='http://['>", "&#x110000;", "&#99999999999;", "<![CDATA[", "<!--", "-->", "<", "&", "\0"]
    ),
    st.text(max_size=8),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(pieces, max_size=25).map("".join))
def test_whatever_a_page_is_it_becomes_text(html: str) -> None:
    page = markdown(html, URL)
    page.text.encode()
    assert "\0" not in page.text and "\n\n\n" not in page.text
