"""Reranking, moderations and OCR on their whole way: options, holds, costs, fallbacks to another wire, uploads."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest

from orrery.core.errors import GatewayError, InvalidRequest, OutOfCredit, UpstreamError
from orrery.core.types import Call, Fetched
from orrery.flow.serve import Answer, serve
from orrery.wire.moderations import read_moderation
from orrery.wire.ocr import read_ocr
from orrery.wire.posted import Posted
from orrery.wire.rerank import read_rerank
from tests.fakes import FakeReply, FakeTransport, Room, json_reply
from tests.flow.asking import arrive

RERANK = {"model": "cohere/rerank-v4.0-pro", "query": "q", "documents": ["a", "b"]}
RANKS = {"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]}
BILLED = RANKS | {"id": "c1", "meta": {"billed_units": {"search_units": 1.0}}}
JINA = RANKS | {"usage": {"total_tokens": 40}}
PDF = {"type": "document_url", "document_url": "https://example.com/a.pdf"}
OCR = {"model": "mistral/mistral-ocr-2512", "document": PDF}
PAGES = {
    "pages": [{"index": 0, "markdown": "hi", "images": [], "dimensions": None}],
    "model": "mistral-ocr-2512",
    "usage_info": {"pages_processed": 1},
}
SAFE = {"categories": {"pii": False}, "category_scores": {"pii": 0.1}}

type Read = Callable[[Posted], Call]


async def ask(room: Room, read: Read, body: Any, *, strict: bool = False) -> tuple[Answer, Any]:
    def posted(_: object) -> Call:
        return replace(read(Posted(orjson.dumps(body), strict=strict)), received_at=1_800_000_000)

    answer = await serve("good", posted, await arrive(), room.gateway())
    try:
        payloads = [payload async for batch in answer.batches for payload in batch]
    finally:
        await answer.close()
    return answer, orjson.loads(b"".join(payloads))


def replying(*replies: Any) -> Room:
    return Room(transport=FakeTransport(*replies))


def overloaded() -> FakeReply:
    return json_reply({"message": "overloaded"}, status=503)


async def test_reranking_costs_the_searches_that_were_billed() -> None:
    room = replying(json_reply(BILLED))
    told, answer = await ask(room, read_rerank, RERANK)
    assert [row["index"] for row in answer["results"]] == [1, 0] and answer["id"] == "c1"
    receipt = room.ledger.settled["r1"]
    assert receipt.usage.units == {"search": 1} and receipt.evidence == "provider"
    assert told.headers["x-orrery-cost-usd"] == "0.0025" and receipt.cost_nano == 2_500_000
    assert room.logged[0].held_nano >= receipt.cost_nano


async def test_what_nobody_counted_is_charged_by_our_count() -> None:
    room = replying(json_reply(RANKS))
    _, answer = await ask(room, read_rerank, RERANK)
    receipt = room.ledger.settled["r1"]
    assert (receipt.cost_nano, receipt.evidence) == (2_500_000, "counted") and "meta" not in answer


async def test_long_documents_are_held_as_many_searches() -> None:
    room = replying(json_reply(BILLED))
    long = ["word " * 1000] * 2  # 5 kB each: up to 2,500 tokens, six chunks of 500 less the query
    await ask(room, read_rerank, RERANK | {"documents": [*long, *["x"] * 90]})
    assert room.logged[0].held_nano == 2 * 2_500_000


async def test_it_is_tried_again_where_the_caller_asked_for_it() -> None:
    room = replying(overloaded(), json_reply(BILLED))
    _, answer = await ask(room, read_rerank, RERANK | {"retry": {"count": 1, "on_codes": [503]}})
    assert answer["results"] and len(room.slept) == 1 and room.ledger.settled["r1"].cost_nano == 2_500_000


async def test_another_providers_wire_takes_over_and_answers_alike() -> None:
    room = replying(overloaded(), json_reply(JINA))
    asked = RERANK | {"top_n": 1, "return_documents": True, "priority": 1}
    model = "jina/jina-reranker-v2-base-multilingual"
    told, answer = await ask(room, read_rerank, asked | {"fallbacks": [{"model": model}]})
    assert room.transport.requests[1].url == "https://api.jina.ai/v1/rerank"
    sent = {"model": model.removeprefix("jina/"), "query": "q", "documents": ["a", "b"], "top_n": 1}
    assert room.transport.body() == sent | {"return_documents": False}
    result = {"object": "rerank", "index": 1, "relevance_score": 0.9, "document": {"text": "b"}}
    assert answer["results"] == [result] and answer["model"] == model
    assert answer["usage"] == {"prompt_tokens": 40, "total_tokens": 40}
    assert told.headers["x-orrery-dropped-params"] == "priority"
    assert room.ledger.settled["r1"].usage.prompt == 40 and room.ledger.settled["r1"].cost_nano == 40 * 50


async def test_a_reply_that_lies_is_the_providers_failure_and_costs_nothing() -> None:
    room = replying(json_reply({"results": [{"index": 7, "relevance_score": 0.9}]}))
    with pytest.raises(UpstreamError) as caught:
        await ask(room, read_rerank, RERANK)
    assert caught.value.status == 502 and room.ledger.settled["r1"].cost_nano == 0


async def test_who_is_strict_is_told_before_anything_is_sent() -> None:
    room = replying()
    with pytest.raises(GatewayError) as caught:
        await ask(room, read_rerank, RERANK | {"rank_fields": ["title"]}, strict=True)
    assert caught.value.status == 400 and not room.transport.requests


async def test_bedrock_is_called_where_its_models_are_invoked() -> None:
    room = replying(json_reply(RANKS))
    _, answer = await ask(room, read_rerank, RERANK | {"model": "bedrock/cohere.rerank-v3-5:0"})
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/cohere.rerank-v3-5%3A0/invoke"
    assert room.transport.requests[0].url == url and answer["results"]
    assert room.ledger.settled["r1"].cost_nano == 2_000_000


async def test_moderation_without_a_model_is_openais_and_free() -> None:
    verdict = {"id": "m", "model": "omni-moderation-latest", "results": [SAFE | {"flagged": False}]}
    room = replying(json_reply(verdict))
    _, answer = await ask(room, read_moderation, {"input": "hello"})
    assert room.transport.requests[0].url == "https://api.openai.com/v1/moderations"
    assert room.transport.body() == {"input": "hello", "model": "omni-moderation-latest"}
    assert answer == verdict and room.ledger.settled["r1"].cost_nano == 0


async def test_mistral_judges_where_openai_fails() -> None:
    room = replying(overloaded(), json_reply({"id": "m", "model": "mistral-moderation-latest", "results": [SAFE]}))
    _, answer = await ask(
        room, read_moderation, {"input": ["a"], "fallbacks": [{"model": "mistral/mistral-moderation-2603"}]}
    )
    assert answer["results"] == [SAFE | {"flagged": False}]
    assert room.transport.requests[1].url == "https://api.mistral.ai/v1/moderations"


@pytest.mark.parametrize("url", ["s3://bucket/a.png", "gs://bucket/a.png"])
async def test_buckets_are_not_read_for_callers(url: str) -> None:
    room = replying()
    picture = {"type": "image_url", "image_url": {"url": url}}
    for read, body, param in (
        (read_moderation, {"input": [picture]}, "input[0].image_url.url"),
        (read_ocr, OCR | {"document": {"type": "document_url", "document_url": url}}, "document.document_url"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await ask(room, read, body)
        assert caught.value.param == param and not room.transport.requests


async def test_reading_costs_the_pages_that_were_read() -> None:
    room = replying(json_reply(PAGES))
    told, answer = await ask(room, read_ocr, OCR | {"pages": [0, 1, 2]})
    assert answer["usage"] == {"type": "pages", "pages_processed": 1} and answer["usage_info"]["pages_processed"] == 1
    assert room.logged[0].held_nano == 3 * 2_000_000 and room.ledger.settled["r1"].cost_nano == 2_000_000
    assert told.headers["x-orrery-cost-usd"] == "0.002"
    assert room.transport.requests[0].url == "https://api.mistral.ai/v1/ocr" and not room.web.read


async def test_pages_that_are_described_cost_more() -> None:
    room = replying(json_reply(PAGES))
    annotated = {"bbox_annotation_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}}
    await ask(room, read_ocr, OCR | annotated | {"pages": "0"})
    assert room.ledger.settled["r1"].cost_nano == 5_000_000


async def test_a_document_of_unknown_length_is_held_as_the_longest() -> None:
    room = replying(json_reply(PAGES))
    room.ledger.balance_nano = 999 * 2_000_000
    with pytest.raises(OutOfCredit):
        await ask(room, read_ocr, OCR)
    assert not room.transport.requests


@dataclass
class OneUpload:
    """One file that was uploaded here, and what became of it."""

    url: str = "https://uploads.test/u1"
    deleted: list[str] = field(default_factory=list)

    def has(self, url: str) -> bool:
        return url.startswith("https://uploads.test/")

    async def read(self, organization: str, url: str, *, timeout_s: float) -> Fetched:
        if url != self.url:
            raise InvalidRequest("nothing there")
        return Fetched("application/pdf", b"%PDF-1.7")

    async def delete(self, organization: str, url: str) -> None:
        self.deleted.append(url)


async def test_an_upload_goes_to_the_provider_as_its_content() -> None:
    room = replying(json_reply(PAGES))
    room.uploads = uploads = OneUpload()
    document = {"type": "document_url", "document_url": uploads.url, "document_name": "a.pdf"}
    await ask(room, read_ocr, OCR | {"document": document})
    sent = document | {"document_url": "data:application/pdf;base64,JVBERi0xLjc="}
    assert room.transport.body()["document"] == sent and uploads.deleted == [uploads.url]


async def test_an_upload_that_is_not_there_is_said_where_it_stands() -> None:
    room = replying()
    room.uploads = OneUpload()
    picture = {"type": "image_url", "image_url": {"url": "https://uploads.test/u2"}}
    with pytest.raises(InvalidRequest) as caught:
        await ask(room, read_ocr, OCR | {"document": picture})
    assert caught.value.param == "document.image_url.url"
