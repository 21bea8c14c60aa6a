"""What reranking is held for and charged where nobody counted it, and what is refused of rerankers' replies."""

from typing import Any

import orjson
import pytest

from orrery.core.errors import UpstreamError
from orrery.core.types import Call
from orrery.providers.bedrock import rerank as bedrock
from orrery.providers.cohere import rerank as cohere
from orrery.providers.compatible import rerank as compatible
from orrery.providers.ranking import most_searches, most_tokens, ranks_of, searches_used, tokens_used
from orrery.wire.posted import Posted
from orrery.wire.rerank import read_rerank
from tests.providers.families import Case

TOKENS = "xx"  # two bytes: a token at worst


def call(documents: list[Any], query: str = "q", **more: Any) -> Call:
    asked = {"model": "cohere/m", "query": query, "documents": documents} | more
    return read_rerank(Posted(orjson.dumps(asked)))


@pytest.mark.parametrize(
    ("documents", "searches"),
    [
        ([""], 1),
        ([""] * 100, 1),
        ([""] * 101, 2),
        ([TOKENS * 499], 1),
        ([TOKENS * 499] * 100, 1),
        ([TOKENS * 500] * 100, 2),  # with the query's one token: two chunks each
        ([TOKENS * 499 * 100], 1),
        ([TOKENS * 499 * 100 + "x"], 2),
    ],
)
def test_long_documents_count_as_several(documents: list[str], searches: int) -> None:
    assert most_searches(call(documents), None) == searches


def test_documents_are_counted_as_far_as_they_are_looked_at() -> None:
    documents = [TOKENS * 50_000] * 11
    assert most_searches(call(documents), 4096) == 1 and most_searches(call(documents), None) == 12


def test_a_query_that_fills_a_chunk_leaves_half_of_it() -> None:
    assert most_searches(call([TOKENS * 250] * 100, TOKENS * 9_000), None) == 1
    assert most_searches(call([TOKENS * 251] * 100, TOKENS * 9_000), None) == 2


def test_cohere_looks_at_as_much_as_the_caller_says() -> None:
    long = [TOKENS * 9_000] * 50
    held = [cohere.most(call(long, **more), TARGET).units["search"] for more in ({}, {"max_tokens_per_doc": 499})]
    assert held == [5, 1]  # 4,096 tokens are nine chunks


TARGET = Case("bedrock", "rerank_cohere").target()


def test_amazons_model_is_not_documented_to_cut_documents() -> None:
    long, amazon = call([TOKENS * 9_000] * 50), Case("bedrock", "rerank_amazon").target()
    held = [bedrock.most(long, target).units["search"] for target in (TARGET, amazon)]
    assert held == [5, 10]


def test_a_query_is_read_beside_each_document() -> None:
    asked = call(["dddd"] * 3, "qqqqqqqq")
    assert tokens_used({}, asked).prompt == 3 * 2 + 3 and tokens_used({}, asked).ours
    assert most_tokens(asked) == 3 * 4 + 3 * 2 + 3 * 64


@pytest.mark.parametrize(
    "told", [None, "many", {}, {"total_tokens": None}, {"total_tokens": -1}, {"total_tokens": True}]
)
def test_a_count_that_is_none_is_made_here(told: Any) -> None:
    assert tokens_used(told, call(["a"])).ours and tokens_used(told, call(["a"])).prompt > 0


def test_searches_are_the_providers_where_it_tells_them_even_none() -> None:
    assert searches_used(0.0, call(["a"]), None).units == {"search": 0}
    assert searches_used("1", call(["a"]), None).ours


@pytest.mark.parametrize("score", [True, None, "0.5", [0.5]])
def test_a_score_is_a_number(score: Any) -> None:
    with pytest.raises(UpstreamError, match="without a score"):
        ranks_of([{"index": 0, "relevance_score": score}], call(["a"]), "relevance_score")


@pytest.mark.parametrize("rows", [None, {}, [], "ranks"])
def test_no_ranks_are_no_answer(rows: Any) -> None:
    with pytest.raises(UpstreamError, match="no ranks"):
        ranks_of(rows, call(["a"]), "relevance_score")


def test_an_error_under_status_200_is_one() -> None:
    reply = b'{"error": {"message": "overloaded", "code": 503}}'
    with pytest.raises(UpstreamError, match="overloaded"):
        compatible.decode(reply, call(["a"]), compatible.ANY)


def test_a_filename_goes_to_nobody() -> None:
    encoded = compatible.encode(call(["a"], filename="x.csv", instruction="i"), TARGET, compatible.FACTS["jina"])
    assert encoded.dropped == ("filename",) and isinstance(encoded.body, dict) and encoded.body["instruction"] == "i"
