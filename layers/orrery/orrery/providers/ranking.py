"""What all reranking has in common: ranks that can be trusted, and what they cost: tokens, or searches."""

from typing import Any

from orrery.core.dialect import Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Usage
from orrery.providers.answer import object_of
from orrery.providers.vectors import BYTES_PER_TOKEN_TYPICAL, BYTES_PER_TOKEN_WORST, count_of
from orrery.wire.rerank import Rank, rerank_answer, texts_of

TOKENS_BESIDE = 64
"""Per document, for holds: what a model is told around a query and a document."""

DOCUMENTS_PER_SEARCH = 100
CHUNK_TOKENS = 500
"""A search is a query with up to 100 documents; those that have more than 500 tokens together with the query count as
several. Sources: cohere.com/pricing and aws.amazon.com/bedrock/pricing, as quoted in others' repositories and, for the
hundred, in "Pricing and search units" (docs.aws.amazon.com/bedrock); read 2026-11-21."""


def frame_of(rows: Any, call: Call, usage: Usage, told: Json, *, score: str = "relevance_score") -> Frame:
    """The answer of a provider's rows, `told` what else of its reply the caller gets.

    Raises `UpstreamError` for rows that are none, name no document or one twice, or have no score.
    """
    ranks = ranks_of(rows, call, score)
    return Frame({**rerank_answer(ranks, call), **told}, usage)


def named(answer: Json) -> Json:
    """The id that a provider gave its answer, where it did."""
    return {"id": answer["id"]} if isinstance(answer.get("id"), str) and answer["id"] else {}


def ranks_of(rows: Any, call: Call, score: str) -> list[Rank]:
    """The provider's rows, checked: a wrong index would rank a document that the caller never meant."""
    if not isinstance(rows, list) or not rows:
        raise UpstreamError("the provider's reply has no ranks", upstream_status=200)
    ranks = [_rank(object_of(row), score) for row in rows]
    places, count = {rank.place for rank in ranks}, len(call.body["documents"])
    if len(places) != len(ranks):
        raise UpstreamError("the provider ranked a document twice", upstream_status=200)
    if not all(0 <= place < count for place in places):
        raise UpstreamError(f"the provider ranked a document that is none of the {count}", upstream_status=200)
    return ranks


def _rank(row: Json, score: str) -> Rank:
    place, value = row.get("index"), row.get(score)
    if type(place) is not int:
        raise UpstreamError("the provider sent a rank without the index of its document", upstream_status=200)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UpstreamError("the provider sent a rank without a score", upstream_status=200)
    spans = row.get("relevant_spans")
    return Rank(place, value, {"relevant_spans": spans} if isinstance(spans, list) else {})


def most_tokens(call: Call) -> int:
    """The most tokens that ranking takes, where these are what is paid for."""
    return _tokens(call, BYTES_PER_TOKEN_WORST) + TOKENS_BESIDE * len(call.body["documents"])


def tokens_used(usage: Any, call: Call) -> Usage:
    """The tokens that a reply's `usage` tells, or as many as they are by our count."""
    told = object_of(usage)
    tokens = count_of(told.get("total_tokens")) or count_of(told.get("prompt_tokens"))
    return Usage(prompt=tokens) if tokens else Usage(prompt=_tokens(call, BYTES_PER_TOKEN_TYPICAL), ours=True)


def _tokens(call: Call, bytes_per_token: int) -> int:
    """The query's, once for each document, and the documents' own.

    Source: Voyage's "Rerankers" (docs.voyageai.com/reference/reranker-api), read 2026-11-21; others tell no formula.
    """
    texts = texts_of(call)
    query = _size(call.body["query"], bytes_per_token)
    return query * len(texts) + sum(_size(text, bytes_per_token) for text in texts)


def most_searches(call: Call, longest: int | None) -> int:
    """The most searches that ranking counts as; `longest`: tokens to which documents are cut (None: they are not)."""
    return _searches(call, longest, BYTES_PER_TOKEN_WORST)


def searches_used(told: Any, call: Call, longest: int | None) -> Usage:
    """The searches that a provider tells, or as many as they are by our count."""
    count = count_of(told)
    if count is not None:
        return Usage(units={"search": count})
    return Usage(units={"search": _searches(call, longest, BYTES_PER_TOKEN_TYPICAL)}, ours=True)


def _searches(call: Call, longest: int | None, bytes_per_token: int) -> int:
    # How chunks are counted beside a query that fills most of one is not documented: it is taken to fill half.
    room = CHUNK_TOKENS - min(_size(call.body["query"], bytes_per_token), CHUNK_TOKENS // 2)
    sizes = [_size(text, bytes_per_token) for text in texts_of(call)]
    cut = sizes if longest is None else [min(size, longest) for size in sizes]
    chunks = sum(max(1, -(-size // room)) for size in cut)
    return -(-chunks // DOCUMENTS_PER_SEARCH)


def _size(text: str, bytes_per_token: int) -> int:
    return -(-len(text.encode()) // bytes_per_token)
