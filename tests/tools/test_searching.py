"""Searching the web: engines by key, what they are asked, what comes back, and what must not."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import ResponseFunctionWebSearch

from orrery.core.errors import InvalidRequest, Unreachable
from orrery.tools.search_engines import ENGINES, Query, within
from tests.fakes import FakeTransport
from tests.tools.outfits import CALL, Endless, Workshop, never, reply, texts

KEY = "canary-key-7f3a"
WEB, GOOGLE = {"type": "web_search"}, {"type": "orq:google_search"}

ROWS = [("One", "https://a.example.org/1", "first"), ("Two", "https://b.test/2", "second")]
ANSWERS: dict[str, Any] = {
    "TAVILY_API_KEY": {"results": [{"title": t, "url": u, "content": s, "score": 0.9} for t, u, s in ROWS]},
    "BRAVE_API_KEY": {
        "web": {"results": [{"title": t, "url": u, "description": f"<strong>{s}</strong>"} for t, u, s in ROWS]}
    },
    "SERPER_API_KEY": {"organic": [{"title": t, "link": u, "snippet": s, "position": 1} for t, u, s in ROWS]},
    "EXA_API_KEY": {"results": [{"title": t, "url": u, "highlights": [s]} for t, u, s in ROWS]},
}
HOSTS = {
    "TAVILY_API_KEY": "https://api.tavily.com/search",
    "BRAVE_API_KEY": "https://api.search.brave.com/res/v1/web/search",
    "SERPER_API_KEY": "https://google.serper.dev/search",
    "EXA_API_KEY": "https://api.exa.ai/search",
}


def workshop(variable: str, *replies: Any) -> Workshop:
    found = replies or (reply(orjson.dumps(ANSWERS[variable])),)
    return Workshop(transport=FakeTransport(*found), keys={variable: KEY})


def asked(room: Workshop) -> dict[str, Any]:
    """What the engine was asked: the fields of its body, or of its query."""
    request = room.transport.requests[-1]
    if request.body:
        return dict(orjson.loads(request.body))  # type: ignore[arg-type]
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


@pytest.mark.parametrize("variable", ANSWERS)
async def test_each_engine_finds_what_it_was_asked_for(variable: str) -> None:
    room = workshop(variable)
    outcome = await room.run(WEB, {"query": "red planets"})
    assert not outcome.failed
    assert outcome.output == ("1. One\n   https://a.example.org/1\n   first\n\n2. Two\n   https://b.test/2\n   second")
    request = room.transport.requests[0]
    assert request.url.partition("?")[0] == HOSTS[variable]
    assert KEY in " ".join(request.headers.values()) and KEY not in request.url
    assert asked(room).get("query", asked(room).get("q")) == "red planets"


@pytest.mark.parametrize(
    ("variable", "field", "counts"),
    [
        ("TAVILY_API_KEY", "max_results", [3, 6, 10]),
        ("BRAVE_API_KEY", "count", ["3", "6", "10"]),
        ("SERPER_API_KEY", "num", [3, 6, 10]),
        ("EXA_API_KEY", "numResults", [3, 6, 10]),
    ],
)
async def test_the_size_of_the_context_is_a_number_of_results(variable: str, field: str, counts: list[Any]) -> None:
    found = []
    for size in ("low", "medium", "high"):
        room = workshop(variable)
        await room.run({**WEB, "search_context_size": size}, {"query": "x"})
        found.append(asked(room)[field])
    assert found == counts


@pytest.mark.parametrize(
    ("variable", "field", "expected"),
    [
        ("TAVILY_API_KEY", "include_domains", ["example.org", "other.test"]),
        ("BRAVE_API_KEY", "q", "x (site:example.org OR site:other.test)"),
        ("SERPER_API_KEY", "q", "x (site:example.org OR site:other.test)"),
        ("EXA_API_KEY", "includeDomains", ["example.org", "other.test"]),
    ],
)
@pytest.mark.parametrize("older", [True, False])
async def test_domains_are_asked_for_and_others_dropped(variable: str, field: str, expected: Any, older: bool) -> None:
    domains = ["Example.org", "other.test", "example.org"]
    more = {"type": "web_search_preview", "domains": domains} if older else {"filters": {"allowed_domains": domains}}
    room = workshop(variable)
    outcome = await room.run({**WEB, **more}, {"query": "x"})
    assert asked(room)[field] == expected
    assert [hit["url"] for hit in outcome.detail["results"]] == ["https://a.example.org/1"]


@pytest.mark.parametrize(
    ("variable", "field", "expected"),
    [("BRAVE_API_KEY", "country", "DE"), ("SERPER_API_KEY", "gl", "de"), ("EXA_API_KEY", "userLocation", "DE")],
)
async def test_a_country_is_passed_on(variable: str, field: str, expected: str) -> None:
    room = workshop(variable)
    await room.run({**WEB, "user_location": {"type": "approximate", "country": "de", "city": "Ulm"}}, {"query": "x"})
    assert asked(room)[field] == expected


@pytest.mark.parametrize("country", ["Germany", "DEU", "D", "1", "de\n", 7])
@pytest.mark.parametrize("variable", ANSWERS)
async def test_what_is_no_country_is_not(variable: str, country: Any) -> None:
    room = workshop(variable)
    await room.run({**WEB, "user_location": {"country": country}}, {"query": "x"})
    assert not asked(room).keys() & {"country", "gl", "userLocation"}


async def test_brave_gets_no_country_that_it_does_not_know() -> None:
    room = workshop("BRAVE_API_KEY")
    await room.run({**WEB, "user_location": {"country": "HU"}}, {"query": "x"})
    assert "country" not in asked(room)


async def test_brave_gets_no_more_than_it_takes() -> None:
    room = workshop("BRAVE_API_KEY")
    domains = [f"{'d' * 30}{n}.example.org" for n in range(50)]
    await room.run({**WEB, "filters": {"allowed_domains": domains}}, {"query": "word " * 199})
    query = asked(room)["q"]
    assert len(query) <= 400 and len(query.split()) <= 50 and query.endswith(")") and "site:" in query
    room = workshop("BRAVE_API_KEY")
    await room.run(WEB, {"query": "word " * 199})
    assert len(asked(room)["q"].split()) == 50


@pytest.mark.parametrize(("spec", "first"), [(WEB, "api.tavily.com"), (GOOGLE, "google.serper.dev")])
async def test_where_several_have_a_key_one_is_taken(spec: Any, first: str) -> None:
    room = Workshop(transport=FakeTransport(reply("{}")), keys=dict.fromkeys(ANSWERS, KEY))
    await room.run(spec, {"query": "x"})
    assert urlsplit(room.transport.requests[0].url).hostname == first


@pytest.mark.parametrize("keys", [{}, dict.fromkeys(ANSWERS, ""), {"SERPER_API_KEY": " \n"}])
@pytest.mark.parametrize("spec", [WEB, {"type": "web_search_preview"}, GOOGLE])
async def test_without_a_key_its_variables_are_named(spec: Any, keys: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as err:
        await Workshop(keys=keys).opened(spec)
    assert all(variable in err.value.message for variable in ANSWERS) and err.value.param == "tools"


@pytest.mark.parametrize(
    "more",
    [
        {"search_context_size": "huge"},
        {"search_context_size": 3},
        {"filters": []},
        {"filters": {"allowed_domains": "example.org"}},
        {"filters": {"allowed_domains": ["https://example.org"]}},
        {"filters": {"allowed_domains": ["example.org) OR (site:evil.test"]}},
        {"filters": {"allowed_domains": [7]}},
        {"filters": {"allowed_domains": [""]}},
        {"filters": {"allowed_domains": ["a.test"] * 101}},
        {"user_location": "DE"},
    ],
)
async def test_settings_that_are_none_are_refused(more: Any) -> None:
    with pytest.raises(InvalidRequest):
        await workshop("EXA_API_KEY").opened({**WEB, **more})


async def test_a_search_is_shown_as_openai_shows_it() -> None:
    room = workshop("TAVILY_API_KEY")
    tool = await room.tool(WEB)
    outcome = await tool.run({"query": "red planets"}, room.setting)
    shown = tool.shown(CALL, outcome)
    item = ResponseFunctionWebSearch.model_validate({"id": "ws_1", **shown})
    assert item.status == "completed" and item.action.type == "search"
    assert item.action.query == "red planets" and item.action.queries == ["red planets"]
    assert [source.url for source in item.action.sources or ()] == [url for _, url, _ in ROWS]
    assert shown["results"][0] == {"title": "One", "url": "https://a.example.org/1", "snippet": "first"}
    assert tool.hidden and tool.function["name"] == "web_search" and "call_id" not in shown


async def test_googles_search_is_shown_after_its_call() -> None:
    room = workshop("SERPER_API_KEY")
    tool = await room.tool(GOOGLE)
    shown = tool.shown(CALL, await tool.run({"query": "x"}, room.setting))
    assert not tool.hidden and tool.function["name"] == "google_search"
    assert (shown["type"], shown["call_id"], shown["status"]) == ("orq:google_search", "call_1", "completed")
    assert shown["output"].startswith("1. One") and len(shown["results"]) == 2


FAILURES = [
    reply(f"the key {KEY} is bad", 401),
    reply(b"", 500),
    reply(b"<html>" + KEY.encode()),
    reply(b"[1]"),
    reply(b"{"),
    Endless(),
    Unreachable("no connection to the engine"),
    ValueError(f"illegal header {KEY}"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("variable", ANSWERS)
async def test_an_engine_that_fails_says_nothing_of_the_key(variable: str, failure: Any) -> None:
    room = workshop(variable, failure)
    tool = await room.tool(WEB)
    outcome = await tool.run({"query": "red planets"}, room.setting)
    shown = tool.shown(CALL, outcome)
    assert outcome.failed and shown["status"] == "failed" and "results" not in shown
    assert shown["action"]["query"] == "red planets"
    assert KEY not in texts([outcome, outcome.output, outcome.detail, shown, tool])
    assert room.transport.open == 0


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    endless = Endless()
    outcome = await workshop("EXA_API_KEY", endless).run(WEB, {"query": "x"})
    assert "more than 2000000 bytes" in outcome.output and endless.sent < 100 and endless.closed


async def test_an_answer_under_another_status_is_none() -> None:
    outcome = await workshop("EXA_API_KEY", reply(orjson.dumps(ANSWERS["EXA_API_KEY"]), 429)).run(WEB, {"query": "x"})
    assert outcome.failed and "status 429" in outcome.output


async def test_an_engine_that_hangs_is_left() -> None:
    room = workshop("EXA_API_KEY", never).given(timeout_s=0.0)
    outcome = await room.run(WEB, {"query": "x"})
    assert outcome.failed and "in time" in outcome.output


@pytest.mark.parametrize("arguments", [{}, {"query": ""}, {"query": " \n"}, {"query": 7}, {"query": ["x"]}, {"q": "x"}])
async def test_a_question_of_no_words_asks_nobody(arguments: Any) -> None:
    room = workshop("EXA_API_KEY")
    assert (await room.run(WEB, arguments)).failed and not room.transport.requests


async def test_a_hit_cannot_pass_for_another() -> None:
    row = {"title": "Nice\n\n2. Forged", "url": "https://a.test/", "content": "x\n2. https://evil.test/\n\u202etxt"}
    room = workshop("TAVILY_API_KEY", reply(orjson.dumps({"results": [row]})))
    output = (await room.run(WEB, {"query": "x"})).output
    assert output.count("\n") == 2 and "\u202e" not in output


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "http://[",
        "https://a.test/ b",
        "https://a.test/\n2. x",
        "https://evil.test\\@a.test/",
        7,
        None,
        "https://a.test/" + "x" * 3000,
    ],
)
async def test_what_is_no_page_is_no_hit(url: Any) -> None:
    room = workshop("TAVILY_API_KEY", reply(orjson.dumps({"results": [{"title": "t", "url": url, "content": "c"}]})))
    outcome = await room.run(WEB, {"query": "x"})
    assert outcome.output == "Nothing was found." and not outcome.failed


async def test_a_page_is_told_once_and_briefly() -> None:
    row = {"title": "t" * 9999, "url": "https://a.test/", "content": "c" * 99_999}
    room = workshop("TAVILY_API_KEY", reply(orjson.dumps({"results": [row] * 9})))
    output = (await room.run(WEB, {"query": "x"})).output
    assert len(output) < 1_300 and output.count("https://a.test/") == 1


async def test_no_more_hits_come_than_were_wanted() -> None:
    rows = [{"title": "t", "url": f"https://a.test/{n}", "content": "c"} for n in range(50)]
    room = workshop("TAVILY_API_KEY", reply(orjson.dumps({"results": rows})))
    assert len((await room.run({**WEB, "search_context_size": "low"}, {"query": "x"})).detail["results"]) == 3


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("https://example.org/x", True),
        ("https://EXAMPLE.org./x", True),
        ("https://www.example.org:8443/x", True),
        ("https://notexample.org/", False),
        ("https://example.org.evil.test/", False),
        ("https://evil.test/example.org", False),
        ("https://example.org@evil.test/", False),
    ],
)
def test_a_domain_holds_what_lies_below_it(url: str, inside: bool) -> None:
    assert within(url, ["example.org"]) is inside and within(url, [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["results", "web", "organic", "title", "url", "link", "highlights"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(json_values)
def test_whatever_an_engine_answers_is_a_list_of_hits(answer: Any) -> None:
    for engine in ENGINES:
        assert isinstance(engine.hits(answer, Query("x", 3)), list)
