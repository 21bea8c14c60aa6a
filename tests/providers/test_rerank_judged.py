"""Reranking, judged by the vendors' SDKs: they send what we send, and read the replies that it is tested with; Cohere's
own clients read what is answered, on our own routes, too."""

from typing import Any

import cohere
import httpx
import orjson
import pytest
from cohere.core.unchecked_base_model import construct_type
from cohere.types import RerankResponse
from cohere.v2.types import V2RerankResponse

from orrery.edge.families import family
from orrery.providers.bedrock.rerank import is_cohere
from tests.fakes import FakeTransport, Room, json_reply
from tests.providers.bedrock_judge import service
from tests.providers.families import Case, all_cases, reply_of

CASES = [case for case in all_cases() if case.text_of("operation") == "rerank"]
RANKS = {
    "id": "r1",
    "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
    "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1.0}},
}


def each(*files: str, of: str = "") -> Any:
    cases = [case for case in CASES if case.has(*files) and of in ("", case.provider)]
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case.provider}/{case.name}")


@each("request.json", of="cohere")
def test_coheres_sdk_sends_the_same(case: Case) -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=reply_of(case))

    http = httpx.Client(transport=httpx.MockTransport(respond))
    read = cohere.ClientV2(api_key="k", httpx_client=http).rerank(**case.json_of("request.json"))
    assert orjson.loads(seen[0].content) == case.json_of("request.json")
    assert seen[0].url.path == case.text_of("path.txt") == "/v2/rerank"
    assert len(read.results) == len(case.json_of("reply.json")["results"])


@each("request.json", of="bedrock")
def test_coheres_sdk_sends_bedrock_the_same_but_for_the_name(case: Case) -> None:
    asked = case.json_of("request.json")
    own = {"query", "documents"} | (
        {"api_version", "top_n", "max_tokens_per_doc"} if is_cohere(case.target().model) else set()
    )
    assert set(asked) <= own and asked.get("api_version", 2) == 2
    model, http = case.target().model, service().operation_model("InvokeModel").http
    path = http["requestUri"].replace("{modelId}", model.replace(":", "%3A"))
    assert case.text_of("path.txt") == path


@each("answer.json")
def test_coheres_clients_read_every_answer(case: Case) -> None:
    answer = case.json_of("answer.json")
    first = construct_type(type_=RerankResponse, object_=answer)
    second = construct_type(type_=V2RerankResponse, object_=answer)
    assert isinstance(first, RerankResponse) and isinstance(second, V2RerankResponse)
    for row, old, new in zip(answer["results"], first.results, second.results, strict=True):
        assert row["index"] == old.index == new.index and row["relevance_score"] == old.relevance_score
        assert (old.document.text if old.document else None) == row.get("document", {}).get("text")
    units = answer.get("meta", {}).get("billed_units", {}).get("search_units")
    told = second.meta.billed_units.search_units if second.meta and second.meta.billed_units else None
    assert told == units


async def test_coheres_older_client_works_on_our_route() -> None:
    """`{root}/v1/rerank` is a route here, as it is there."""
    room = Room(transport=FakeTransport(json_reply(RANKS)))
    http = httpx.AsyncClient(transport=httpx.ASGITransport(family("embeddings", room.gateway)))
    async with cohere.AsyncClient(api_key="good", base_url="http://gateway.test", httpx_client=http) as client:
        read = await client.rerank(
            model="cohere/rerank-v4.0-pro", query="q", documents=["a", {"text": "b"}], return_documents=True
        )
    assert [(row.index, row.document.text) for row in read.results if row.document] == [(1, "b"), (0, "a")]
    assert read.meta and read.meta.billed_units and read.meta.billed_units.search_units == 1
