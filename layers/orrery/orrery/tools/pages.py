"""Pages as Markdown: what a reader of the page reads, by readability-lxml and html2text.

Everything here works on what strangers wrote, in one thread that nobody can stop: so what is given to each step is
bounded by what that step costs. Measured with lxml 6.1, readability-lxml 0.9 and html2text 2025.4 (2026-11-21): parsing
takes 30 ms per MB and keeps at most 256 levels; readability's time grows with levels times characters (5 s for 200
block quotes around 134,000 characters); html2text's with elements (7 s per MB of line breaks), and, for white space,
with the square of its length (minutes for one MB), so that none is left where it is long.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import urljoin

from orrery.tools.texts import clean, line

MOST_SOURCE, MOST_SOURCE_TAGS = 2_000_000, 30_000
"""Characters and tags of HTML that are parsed; the rest of a page is not read."""

MOST_MARKUP, MOST_MARKUP_TAGS = 160_000, 10_000
"""Of what is left when scripts, styles and attributes are gone: so much is turned into Markdown, at 30 µs a tag."""

MOST_WORK = 4_000_000
"""Characters times levels for which the article is looked for; beyond, all of the page is given."""

MOST_ELEMENTS = 10_000
SHORTEST_ARTICLE = 250
"""Characters; with fewer, what was taken for the article is likely a teaser."""

LONGEST_TITLE = 300
LONGEST_HREF = 2_048
LONGEST_NAME = 200

_UNREAD = ("script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed", "canvas", "head")
_NAMES = ("class", "id")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?([\w-]{2,20})", re.IGNORECASE)
_GAP = re.compile(r"\s{32,}")
_BLANKS = re.compile(r"\n{3,}")


type Element = Any
"""lxml's element: the library has no types."""


class Page(NamedTuple):
    """`text` is Markdown. `cut`: the page goes on."""

    title: str
    text: str
    cut: bool = False


def charset_of(data: bytes) -> str:
    """What an HTML file says that it is written in; "" where it says nothing. Source: HTML standard, "prescan"."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    found = _CHARSET.search(data[:4_096])
    return found[1].decode() if found else ""


def markdown(html: str, url: str) -> Page:
    """The page's title and its article, or all of it where no article stands out. Links are absolute."""
    from lxml import etree  # type: ignore[import-untyped]
    from lxml import html as parser

    try:
        source = _beginning(html, MOST_SOURCE, MOST_SOURCE_TAGS)
        root = parser.document_fromstring(clean(source))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):  # it holds no element at all
        return Page("", "")
    title = line(root.findtext(".//title"), LONGEST_TITLE)
    elements, levels = _stripped(root, url)
    markup = _markup(root)
    cut = len(source) < len(html)
    if elements <= MOST_ELEMENTS and levels * len(markup) <= MOST_WORK:
        told, more = _markdown(_article(root))
        if len(told) >= SHORTEST_ARTICLE:
            return Page(title, told, cut or more)
    told, more = _markdown(markup)
    return Page(title, told, cut or more)


def _stripped(root: Element, url: str) -> tuple[int, int]:
    """Takes away what nobody reads; gives how many elements are left, and on how many levels."""
    from lxml import etree

    etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, *_UNREAD, with_tail=False)
    elements = levels = 0
    level = [root]
    while level:
        for element in level:
            _without_attributes(element, url)
            element.text, element.tail = _without_gaps(element.text), _without_gaps(element.tail)
        elements, levels = elements + len(level), levels + 1
        level = [child for element in level for child in element if isinstance(child.tag, str)]
    return elements, levels


def _without_gaps(text: str | None) -> str | None:
    return _GAP.sub("\n", text) if text else text


def _without_attributes(element: Element, url: str) -> None:
    """Leaves a link's target, and the names by which readability tells articles from menus."""
    if not element.attrib:
        return
    kept = {name: element.attrib[name][:LONGEST_NAME] for name in _NAMES if name in element.attrib}
    target = _absolute(element.attrib.get("href", ""), url) if element.tag == "a" else ""
    element.attrib.clear()
    element.attrib.update({**kept, **({"href": target} if target else {})})


def _absolute(href: str, url: str) -> str:
    if len(href) > LONGEST_HREF or href.startswith("#"):
        return ""
    try:
        found = urljoin(url, href.strip())
    except ValueError:  # "http://["
        return ""
    return found if found.startswith(("https://", "http://")) and len(found) <= 2 * LONGEST_HREF else ""


def _markup(root: Element) -> str:
    from lxml import html as parser

    return str(parser.tostring(root, encoding="unicode"))


def _article(root: Element) -> str:
    """The HTML of what readability takes for the article; "" where it finds none. Changes `root`."""
    import logging

    from readability import Document  # type: ignore[import-untyped]

    logging.getLogger("readability.readability").disabled = True  # it writes errors down, with what it read
    try:
        found: str = Document(root).summary(html_partial=True)
    except (ValueError, TypeError, AttributeError, LookupError):  # `Unparseable`, and what odd trees bring about
        return ""
    return found


def _markdown(html: str) -> tuple[str, bool]:
    """As much of it as is worth the time, and whether there is more."""
    from html2text import HTML2Text

    kept = _beginning(html, MOST_MARKUP, MOST_MARKUP_TAGS)
    writer = HTML2Text(bodywidth=0)
    writer.ignore_images = True
    writer.unicode_snob = True
    writer.skip_internal_links = True
    lines = (each.rstrip() for each in writer.handle(kept).split("\n"))
    return _BLANKS.sub("\n\n", "\n".join(lines)).strip("\n"), len(kept) < len(html)


def _beginning(html: str, most_chars: int, most_tags: int) -> str:
    return "<".join(html[:most_chars].split("<", most_tags + 1)[: most_tags + 1])
