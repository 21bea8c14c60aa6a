"""`POST /rerank`: the posted bytes as a `Call`, and ranks as Orq and Cohere write them, both at once.

The body is either's: they share `query`, `documents`, `top_n` and `return_documents`. Sources: Orq's published field
trees; `Client.rerank` and `ClientV2.rerank` of the cohere Python SDK 7.3.1; read 2026-11-21.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from orrery.core.types import Call, Json, Operation
from orrery.wire.body import read_json
from orrery.wire.options import passed_on, read_options
from orrery.wire.posted import Posted
from orrery.wire.shapes import BOOLEAN, FILLED, OBJECT, STRING, array, checking, either, integer, record

MOST_DOCUMENTS = 10_000
"""In one request: Cohere's limit, the largest of any. Source: "Best Practices for using Rerank" (docs.cohere.com),
read 2026-11-21."""

_DOCUMENTS = array(either(text=STRING, object=record({"text": STRING})), at_least=1, at_most=MOST_DOCUMENTS)

_check = checking(
    record(
        {"model": FILLED, "query": FILLED, "documents": _DOCUMENTS},
        {
            "top_n": integer(1),
            "return_documents": BOOLEAN,
            "filename": STRING,
            "rank_fields": array(STRING, at_least=1),
            "max_tokens_per_doc": integer(1),
            "max_chunks_per_doc": integer(1),
            "priority": integer(0),
            "relevant_spans": OBJECT,
        },
    )
)


class Rank(NamedTuple):
    """A document's place in `documents`, its score, and what else a provider says of it."""

    place: int
    score: float
    more: Json


def read_rerank(posted: Posted) -> Call:
    """The call that a rerank request makes. Raises `InvalidRequest` for the first offence."""
    body = read_json(posted.raw)
    _check(body)
    return Call(
        operation=Operation.RERANK,
        model=body["model"],
        body=passed_on(body),
        options=read_options(body),
        body_bytes=len(posted.raw),
        strict=posted.strict,
    )


def texts_of(call: Call) -> list[str]:
    """The documents as texts: of objects, their `text`, as Cohere ranks them unless told otherwise."""
    return [document if isinstance(document, str) else document["text"] for document in call.body["documents"]]


def wanted(call: Call) -> int:
    """How many of the documents the answer shall hold, at most."""
    count = len(call.body["documents"])
    return min(call.body.get("top_n") or count, count)


def rerank_answer(ranks: Sequence[Rank], call: Call) -> Json:
    """The best of them first, no more than were asked for; documents are the caller's own, where it wants them."""
    best = sorted(ranks, key=_by_score)[: wanted(call)]
    return {
        "id": call.answer_id,
        "object": "list",
        "model": call.model,
        "results": [_result(rank, call) for rank in best],
    }


def _by_score(rank: Rank) -> float:
    return -rank.score


def _result(rank: Rank, call: Call) -> Json:
    result: Json = {"object": "rerank", "index": rank.place, "relevance_score": rank.score, **rank.more}
    if call.body.get("return_documents"):
        result["document"] = _as_object(call.body["documents"][rank.place])
    return result


def _as_object(document: Any) -> Json:
    return {"text": document} if isinstance(document, str) else document
