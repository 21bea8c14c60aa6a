"""Engines that search the web, each as a row: how it is asked, and where its results stand.

Every answer is someone else's: whatever its shape, what comes of it is a list of hits, maybe an empty one.

Sources, read 2026-11-21:
- Tavily: docs.tavily.com/api-reference/introduction; tavily-ai/tavily-python, tavily/tavily.py. It wants countries by
  their English names ("ISO country codes are not supported", tavily-mcp), so that a country is not passed on.
- Brave: brave/brave-search-mcp-server, src/tools/web/params.ts; api-dashboard.search.brave.com, "Search operators".
- Serper: schemas.apis.io, "Serper Search Request"; api-evangelist/serper, openapi/serper-google-search-api-openapi.yml.
- Exa: docs.exa.ai/reference/search; searxng/searxng, searx/engines/exaapi.py.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from orrery.core.dialect import UpstreamRequest
from orrery.core.types import Json
from orrery.tools.texts import line
from orrery.wire.body import dumps

LONGEST_TITLE = 200
LONGEST_URL = 2_048
LONGEST_SNIPPET = 1_000
SITES_CHARS = 1_000
"""Characters that a query may grow by when sites are named in it; results of others are dropped in any case."""

BRAVE_CHARS, BRAVE_WORDS, BRAVE_RESULTS = 400, 50, 20
BRAVE_COUNTRIES = (
    "AR AU AT BE BR CA CL DK FI FR DE HK IN ID IT JP KR MY MX NL NZ NO CN PL PT PH RU SA ZA ES SE CH TW TR GB US"
)

_ODD = re.compile(r"[\s\\]")
_TAG = re.compile(r"</?(?:strong|b|em)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. `domains`: only there, and below; () anywhere. `country`: two letters, "" unknown."""

    words: str
    results: int
    domains: Sequence[str] = ()
    country: str = ""


class Hit(NamedTuple):
    """A page that was found, in text without markup."""

    title: str
    url: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Engine:
    """`variable` is where its operator puts the key. `found` gives rows of title, URL and snippets, unjudged."""

    name: str
    variable: str
    ask: Callable[[Query, str], UpstreamRequest]
    found: Callable[[Json], Iterator[tuple[Any, Any, Any]]]

    def hits(self, answer: Any, query: Query) -> list[Hit]:
        """At most as many as are wanted, of the wanted domains, each page once."""
        rows = self.found(answer) if isinstance(answer, dict) else ()
        known: dict[str, Hit] = {}
        for title, url, snippet in rows:
            if _is_page(url) and within(url, query.domains):
                hit = Hit(_text(title, LONGEST_TITLE) or url, url, _text(snippet, LONGEST_SNIPPET))
                known.setdefault(url, hit)
        return list(known.values())[: query.results]


def within(url: str, domains: Sequence[str]) -> bool:
    """Whether the URL's host is one of `domains` or below one; without any, all are."""
    host = (urlsplit(url).hostname or "").lower().removesuffix(".")
    return not domains or any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _is_page(url: Any) -> bool:
    try:
        return isinstance(url, str) and len(url) <= LONGEST_URL and _is_plain(url) and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _is_plain(url: str) -> bool:
    return url.startswith(("https://", "http://")) and url.isprintable() and not _ODD.search(url)


def _text(value: Any, most: int) -> str:
    return line(_TAG.sub("", value[: most * 8]), most) if isinstance(value, str) else ""


def _rows(answer: Json, *path: str) -> Iterator[Mapping[str, Any]]:
    place: Any = answer
    for step in path:
        place = place.get(step) if isinstance(place, dict) else None
    yield from (row for row in (place if isinstance(place, list) else ()) if isinstance(row, dict))


def _post(url: str, headers: Mapping[str, str], body: Json) -> UpstreamRequest:
    told = {"content-type": "application/json", "accept": "application/json", **headers}
    return UpstreamRequest("POST", url, told, dumps(body))


def _with_sites(query: Query, most_chars: int) -> str:
    """The words and `(site:a OR site:b)`, with as many sites as there is room for."""
    sites: list[str] = []
    for domain in query.domains:
        if len(query.words) + len(" OR ".join([*sites, f"site:{domain}"])) + 3 > most_chars:
            break
        sites.append(f"site:{domain}")
    return f"{query.words} ({' OR '.join(sites)})" if sites else query.words


def _tavily(query: Query, key: str) -> UpstreamRequest:
    body: Json = {"query": query.words, "max_results": query.results, "search_depth": "basic"}
    if query.domains:
        body["include_domains"] = list(query.domains)
    return _post("https://api.tavily.com/search", {"authorization": f"Bearer {key}"}, body)


def _tavily_rows(answer: Json) -> Iterator[tuple[Any, Any, Any]]:
    return ((row.get("title"), row.get("url"), row.get("content")) for row in _rows(answer, "results"))


def _brave(query: Query, key: str) -> UpstreamRequest:
    """The engine takes 400 characters and 50 words: more of either is cut off."""
    words = " ".join(query.words.split()[: BRAVE_WORDS // 2])[: BRAVE_CHARS // 2] if query.domains else query.words
    asked = _with_sites(Query(words, query.results, query.domains[: BRAVE_WORDS // 4]), BRAVE_CHARS)
    fields = {"q": " ".join(asked.split()[:BRAVE_WORDS])[:BRAVE_CHARS], "count": min(query.results, BRAVE_RESULTS)}
    country = {"country": query.country} if query.country in BRAVE_COUNTRIES else {}
    url = f"https://api.search.brave.com/res/v1/web/search?{urlencode({**fields, **country, 'result_filter': 'web'})}"
    return UpstreamRequest("GET", url, {"accept": "application/json", "x-subscription-token": key})


def _brave_rows(answer: Json) -> Iterator[tuple[Any, Any, Any]]:
    return ((row.get("title"), row.get("url"), row.get("description")) for row in _rows(answer, "web", "results"))


def _serper(query: Query, key: str) -> UpstreamRequest:
    body: Json = {"q": _with_sites(query, len(query.words) + SITES_CHARS), "num": query.results}
    if query.country:
        body["gl"] = query.country.lower()
    return _post("https://google.serper.dev/search", {"x-api-key": key}, body)


def _serper_rows(answer: Json) -> Iterator[tuple[Any, Any, Any]]:
    return ((row.get("title"), row.get("link"), row.get("snippet")) for row in _rows(answer, "organic"))


def _exa(query: Query, key: str) -> UpstreamRequest:
    body: Json = {
        "query": query.words,
        "type": "auto",
        "numResults": query.results,
        "contents": {"highlights": {"maxCharacters": LONGEST_SNIPPET}},
    }
    if query.domains:
        body["includeDomains"] = list(query.domains)
    if query.country:
        body["userLocation"] = query.country
    return _post("https://api.exa.ai/search", {"x-api-key": key}, body)


def _exa_rows(answer: Json) -> Iterator[tuple[Any, Any, Any]]:
    for row in _rows(answer, "results"):
        parts = row.get("highlights")
        highlights = [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []
        yield row.get("title"), row.get("url"), " … ".join(highlights)


TAVILY = Engine("Tavily", "TAVILY_API_KEY", _tavily, _tavily_rows)
BRAVE = Engine("Brave", "BRAVE_API_KEY", _brave, _brave_rows)
SERPER = Engine("Serper", "SERPER_API_KEY", _serper, _serper_rows)
EXA = Engine("Exa", "EXA_API_KEY", _exa, _exa_rows)

ENGINES: Sequence[Engine] = (TAVILY, BRAVE, SERPER, EXA)
"""In the order in which they are taken where several have a key."""

GOOGLE_FIRST: Sequence[Engine] = (SERPER, TAVILY, BRAVE, EXA)
"""Serper's results are Google's."""
