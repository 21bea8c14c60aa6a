"""What of a rerank request is refused, and how ranks are written."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation
from orrery.wire.posted import Posted
from orrery.wire.rerank import MOST_DOCUMENTS, Rank, read_rerank, rerank_answer, texts_of, wanted


def read(**body: Any) -> Call:
    asked = {"model": "cohere/rerank-v4.0-pro", "query": "q", "documents": ["a", "b", "c"]} | body
    return read_rerank(Posted(orjson.dumps(asked)))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"query": ""}, "query"),
        ({"query": None}, "query"),
        ({"query": ["q"]}, "query"),
        ({"model": ""}, "model"),
        ({"documents": []}, "documents"),
        ({"documents": "a"}, "documents"),
        ({"documents": None}, "documents"),
        ({"documents": ["a"] * (MOST_DOCUMENTS + 1)}, "documents"),
        ({"documents": ["a", 1]}, "documents[1]"),
        ({"documents": ["a", {"title": "x"}]}, "documents[1].text"),
        ({"documents": [{"text": 1}]}, "documents[0].text"),
        ({"top_n": 0}, "top_n"),
        ({"top_n": "2"}, "top_n"),
        ({"top_n": 1.5}, "top_n"),
        ({"return_documents": "yes"}, "return_documents"),
        ({"filename": 1}, "filename"),
        ({"rank_fields": []}, "rank_fields"),
        ({"max_tokens_per_doc": 0}, "max_tokens_per_doc"),
        ({"priority": -1}, "priority"),
        ({"relevant_spans": True}, "relevant_spans"),
        ({"retry": {"count": 9}}, "retry.count"),
        ({"orq": {"timeout": {"call_timeout": 0}}}, "orq.timeout.call_timeout"),
    ],
)
def test_what_is_no_request_is_refused_where_it_stands(body: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**body)
    assert caught.value.param == param


@pytest.mark.parametrize("missing", ["model", "query", "documents"])
def test_what_is_missing_is_named(missing: str) -> None:
    body = {"model": "m", "query": "q", "documents": ["a"]}
    del body[missing]
    with pytest.raises(InvalidRequest, match=f"Missing required parameter: '{missing}'"):
        read_rerank(Posted(orjson.dumps(body)))


def test_the_gateways_own_fields_are_read_and_go_no_further() -> None:
    call = read(name="n", fallbacks=[{"model": "jina/x"}], orq={"retry": {"count": 2}}, instruction="by date")
    assert (
        call.operation is Operation.RERANK and call.options.fallbacks == ("jina/x",) and call.options.retry.count == 2
    )
    assert set(call.body) == {"model", "query", "documents", "instruction"}


def test_null_means_left_out() -> None:
    call = read(top_n=None, return_documents=None)
    assert wanted(call) == 3 and "document" not in rerank_answer([Rank(0, 1.0, {})], call)["results"][0]


def test_an_empty_document_is_one() -> None:
    assert texts_of(read(documents=["", {"text": ""}])) == ["", ""]


@pytest.mark.parametrize(("top_n", "count"), [(1, 1), (3, 3), (4, 3)])
def test_no_more_is_wanted_than_there_is(top_n: int, count: int) -> None:
    assert wanted(read(top_n=top_n)) == count


def test_the_best_come_first_and_no_more_than_were_asked_for() -> None:
    ranks = [Rank(0, 0.1, {}), Rank(1, 0.9, {}), Rank(2, 0.5, {})]
    assert [row["index"] for row in rerank_answer(ranks, read(top_n=2))["results"]] == [1, 2]


def test_documents_come_back_as_they_were_sent() -> None:
    call = read(documents=["a", {"text": "b", "id": "7"}], return_documents=True)
    results = rerank_answer([Rank(0, 0.9, {}), Rank(1, 0.5, {})], call)["results"]
    assert [row["document"] for row in results] == [{"text": "a"}, {"text": "b", "id": "7"}]


def test_an_answer_is_a_list_under_the_requests_id() -> None:
    answer = rerank_answer([Rank(0, 0.9, {})], replace(read(), answer_id="r1"))
    result = {"object": "rerank", "index": 0, "relevance_score": 0.9}
    assert answer == {"id": "r1", "object": "list", "model": "cohere/rerank-v4.0-pro", "results": [result]}
