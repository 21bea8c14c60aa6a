"""Reranking near OpenAI's wire, which has none: a query, documents, and ranks under each provider's own names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.compatible.row import Row
from orrery.providers.errors import stream_error
from orrery.providers.lost import Lost
from orrery.providers.ranking import frame_of, most_searches, most_tokens, named, searches_used, tokens_used
from orrery.providers.vectors import count_of
from orrery.wire.rerank import texts_of, wanted


@dataclass(frozen=True, slots=True)
class Facts:
    """What is particular about a provider's reranking; each has its `source`, with the day it was read.

    `documents`, `top_n`: its names for them; `rows`, `score`: where its ranks stand. `quiet`: how it is told not to
    send the documents back, which an answer gets here. `takes`: those of Cohere's parameters that it has; `closed`: it
    refuses what it does not know, so nothing else goes on. `searches`: its prices may be by the search.
    """

    source: str
    path: str = "/rerank"
    documents: str = "documents"
    top_n: str = "top_n"
    rows: str = "results"
    score: str = "relevance_score"
    quiet: Mapping[str, bool] = field(default_factory=lambda: {"return_documents": False})
    takes: frozenset[str] = frozenset()
    closed: bool = False
    searches: bool = False


COHERES = frozenset({"rank_fields", "max_tokens_per_doc", "max_chunks_per_doc", "priority", "relevant_spans"})
"""Parameters of Cohere's API, which others do not have unless they say so."""

OURS = frozenset({"model", "query", "documents", "top_n", "return_documents"})

ANY = Facts("a server of the operator's own: as vLLM, which sends the documents back in any case", quiet={})

FACTS: Mapping[str, Facts] = {
    "voyage": Facts(
        "docs.voyageai.com/reference/reranker-api; voyageai 0.5.0 (Python SDK); read 2026-11-21",
        top_n="top_k",
        rows="data",
        quiet={},
    ),
    "jina": Facts("api.jina.ai/redoc#tag/rerank, as public clients have it; read 2026-11-21"),
    "mixedbread": Facts(
        "mixedbread 0.54.0 (Python SDK): `ClientRerankParams`, `RerankResponse`; read 2026-11-21",
        path="/reranking",
        documents="input",
        top_n="top_k",
        rows="data",
        score="score",
        quiet={"return_input": False},
        takes=frozenset({"rank_fields"}),
    ),
    "together": Facts(
        "together 3.1.1 (Python SDK): `RerankCreateParams`, `RerankCreateResponse`; read 2026-11-21",
        takes=frozenset({"rank_fields"}),
    ),
    "fireworks": Facts(
        "docs.fireworks.ai/api-reference/rerank-documents: additionalProperties is false; read 2026-11-21",
        rows="data",
        takes=frozenset({"task"}),
        closed=True,
    ),
    "openrouter": Facts(
        "openrouter 1.3.84 (Python SDK): `CreateRerankRequestBody`, `CreateRerankUsage`; read 2026-11-21",
        quiet={},
        searches=True,
    ),
    "novita": Facts(
        "novita.ai/docs/api-reference/model-apis-llm-create-rerank; read 2026-11-21", path="/v1/rerank", quiet={}
    ),
    "sandbox": Facts("Orrery's own practice provider", quiet={}, searches=True),
}


def adapter(row: Row) -> Adapter:
    """The adapter of the provider that a row describes."""
    facts = FACTS.get(row.name, ANY)

    def most(call: Call, target: Target) -> Usage:
        units = {"search": most_searches(call, None)} if facts.searches else {}
        return Usage(prompt=most_tokens(call), units=units)

    return Adapter(
        path=lambda call, target: facts.path,
        encode=lambda call, target: encode(call, target, facts),
        decode=lambda body, call: decode(body, call, facts),
        most=most,
    )


def encode(call: Call, target: Target, facts: Facts) -> Encoded:
    """Documents as texts, unless the provider can be told by which of their fields to rank them."""
    lost = Lost()
    fields: Json = dict(facts.quiet)
    for name, value in call.body.items():
        if name in OURS or value is None:
            continue
        if name in facts.takes or not (facts.closed or name in COHERES or name == "filename"):
            fields[name] = value
        else:
            lost.add(name)
    by_field = "rank_fields" in fields
    fields |= {
        "model": target.model,
        "query": call.body["query"],
        facts.documents: call.body["documents"] if by_field else texts_of(call),
    }
    if call.body.get("top_n"):
        fields[facts.top_n] = wanted(call)
    return Encoded(fields, lost.names())


def decode(body: bytes, call: Call, facts: Facts) -> Frame:
    """Raises `UpstreamError` for an error under status 200, and for what are no ranks."""
    answer = object_in(body, "a reply")
    if answer.get("error"):
        raise stream_error(answer)
    told, counted = object_of(answer.get("usage")), tokens_used(answer.get("usage"), call)
    more: Json = {} if counted.ours else {"usage": {"prompt_tokens": counted.prompt, "total_tokens": counted.prompt}}
    if facts.searches:
        searches = count_of(told.get("search_units"))
        by_search = searches_used(searches, call, None)
        if searches is not None:
            more["meta"] = {"billed_units": {"search_units": searches}}
        prompt = 0 if counted.ours and not by_search.ours else counted.prompt  # what was told stands alone
        counted = replace(by_search, prompt=prompt)
    return frame_of(answer.get(facts.rows), call, counted, more | named(answer), score=facts.score)
