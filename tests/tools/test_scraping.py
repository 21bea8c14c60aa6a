"""The scraper: what is visited, what is read of it, what is refused."""

from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.edge.egress import Egress
from orrery.edge.http_pool import Pool
from orrery.tools.scraping import MOST_BYTES
from tests.tools.outfits import CALL, FakeFetch, Workshop, never, page

SPEC = {"type": "orq:web_scraper"}
URL = "https://example.org/a"


async def scrape(found: Any, url: Any = URL) -> Any:
    return await Workshop(fetch=FakeFetch({URL: found})).run(SPEC, {"url": url})


async def test_a_page_is_told_with_its_title() -> None:
    outcome = await scrape(page("<title>On planets</title><body><p>They wander.</p></body>"))
    assert outcome.output == "# On planets\n\nThey wander." and not outcome.failed
    assert outcome.detail == {"title": "On planets", "url": URL}


async def test_what_is_fetched_is_bounded() -> None:
    room = Workshop(fetch=FakeFetch({URL: page("x", "text/plain")}))
    await room.run(SPEC, {"url": f" {URL} "})
    assert room.fetch.asked == [(URL, MOST_BYTES, 5.0)]


@pytest.mark.parametrize(
    ("data", "media_type", "text"),
    [
        (b'{"a": 1}', "application/json", '{"a": 1}'),
        (b'{"a": 1}', "application/ld+json", '{"a": 1}'),
        (b"a,b\r\n1,2", "text/csv", "a,b\n1,2"),
        (b"<a/>", "application/atom+xml", "<a/>"),
        (b"plain \x1b[31m<b>", "text/plain", "plain [31m<b>"),
        (b"plain", "", "plain"),
        (b"\n<!DOCTYPE html><p>They wander.", "text/plain", "They wander."),
        (b"<html><p>They wander.", "", "They wander."),
        ("<p>né".encode("cp1252") + b"<meta charset=windows-1252>", "text/html", "né"),
        ("<p>né".encode("utf-16"), "text/html", "né"),
    ],
)
async def test_text_comes_as_it_is_and_html_as_markdown(data: bytes, media_type: str, text: str) -> None:
    outcome = await scrape(page(data, media_type))
    assert outcome.output == text and not outcome.failed


@pytest.mark.parametrize(
    ("data", "media_type", "word"),
    [
        (b"%PDF-1.7 x", "text/html", "PDF"),
        (b"x", "application/pdf", "PDF"),
        (b"\x89PNG\0\0", "image/png", "image/png"),
        (b"PK\x03\x04\0\0", "text/plain", "binary"),
        (b"x", "application/zip", "application/zip"),
        (b"\x7fELF\0", "", "binary"),
        (b"", "text/html", "no text"),
        (b"<script>app()</script>", "text/html", "scripts"),
        (b" ", "text/plain", "no text"),
    ],
)
async def test_what_is_no_text_is_refused_in_words(data: bytes, media_type: str, word: str) -> None:
    outcome = await scrape(page(data, media_type))
    assert outcome.failed and word in outcome.output


async def test_a_long_page_is_cut_with_a_note() -> None:
    outcome = await scrape(page("x" * 60_000, "text/plain"))
    assert outcome.output.startswith("x" * 50_000) and "10000 more characters" in outcome.output
    assert len(outcome.output) < 50_100


async def test_a_page_whose_end_was_not_read_says_so() -> None:
    outcome = await scrape(page("<p>x" + "<br>" * 100_000))
    assert "rest was not read" in outcome.output


@pytest.mark.parametrize("failure", [InvalidRequest("No."), TooLarge("Too large."), never])
async def test_a_page_that_cannot_be_had_is_a_failed_call(failure: Any) -> None:
    room = Workshop(fetch=FakeFetch({URL: failure}))
    if failure is never:
        room.given(timeout_s=0.0)
    tool = await room.tool(SPEC)
    outcome = await tool.run({"url": URL}, room.setting)
    assert outcome.failed and tool.shown(CALL, outcome)["status"] == "failed"


@pytest.mark.parametrize("arguments", [{}, {"url": ""}, {"url": 7}, {"url": [URL]}])
async def test_an_address_that_is_none_is_not_visited(arguments: Any) -> None:
    room = Workshop()
    assert (await room.run(SPEC, arguments)).failed and not room.fetch.asked


def no_way_out() -> Any:
    raise AssertionError("a connection was made")


async def resolve(host: str) -> list[str]:
    """As a machine's resolver reads odd spellings, and as an attacker's name server answers."""
    odd = {"127.1": "127.0.0.1", "0x7f000001": "127.0.0.1", "2130706433": "127.0.0.1", "rebind.test": "169.254.169.254"}
    return [odd.get(host, host)]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "https://rebind.test/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[fd00:ec2::254]/",
        "https://10.0.0.1/",
        "https://0.0.0.0/",
        "https://user@example.org/",
        "https://example.org:22/",
        "https://example.org\\@127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/",
        "//127.0.0.1/",
        "https://example.org/\r\nX: y",
    ],
)
async def test_the_gateways_own_network_cannot_be_looked_at(url: str) -> None:
    room = Workshop(visits=Egress(Pool(tls=no_way_out, kept=0), lookup=resolve))
    outcome = await room.run(SPEC, {"url": url})
    assert outcome.failed and "connection was made" not in outcome.output
    assert len(outcome.output) < 200


async def test_what_is_shown_is_json() -> None:
    room = Workshop(fetch=FakeFetch({URL: page("<title>T</title><p>x</p>")}))
    tool = await room.tool(SPEC)
    shown = tool.shown(CALL, await tool.run({"url": URL}, room.setting))
    assert orjson.loads(orjson.dumps(shown))["type"] == "orq:web_scraper" and shown["title"] == "T"
