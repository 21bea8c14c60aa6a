"""Cohere's rerank, `/v2/rerank`: paid for by the search.

Source: `V2Client.rerank`, `V2RerankResponse` and `ApiMeta` of the cohere Python SDK 7.3.1, read 2026-11-21.
"""

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.lost import Lost
from orrery.providers.ranking import frame_of, most_searches, named, searches_used
from orrery.wire.rerank import texts_of, wanted

LONGEST = 4096
"""Tokens of a document that are looked at, unless `max_tokens_per_doc` says otherwise."""

SAME = frozenset({"max_tokens_per_doc", "priority", "relevant_spans"})
"""Parameters of its own that go on as they came."""

KNOWN = SAME | {"model", "query", "documents", "top_n", "return_documents"}


def encode(call: Call, target: Target) -> Encoded:
    """Documents as texts: what an answer shall show of them, it gets here."""
    lost = Lost()
    for name, value in call.body.items():
        if name not in KNOWN and value is not None:
            lost.add(name)
    body: Json = {"model": target.model, "query": call.body["query"], "documents": texts_of(call)}
    if call.body.get("top_n"):
        body["top_n"] = wanted(call)
    body |= {name: call.body[name] for name in SAME if call.body.get(name) is not None}
    return Encoded(body, lost.names())


def decode(body: bytes, call: Call) -> Frame:
    """Its `meta` goes on: Cohere's clients read the searches there. Raises `UpstreamError` for what are no ranks."""
    answer = object_in(body, "a reply")
    meta = object_of(answer.get("meta"))
    usage = searches_used(object_of(meta.get("billed_units")).get("search_units"), call, _longest(call))
    told = {"meta": meta} if meta else {}
    return frame_of(answer.get("results"), call, usage, told | named(answer))


def most(call: Call, target: Target) -> Usage:
    return Usage(units={"search": most_searches(call, _longest(call))})


def _longest(call: Call) -> int:
    return call.body.get("max_tokens_per_doc") or LONGEST


ADAPTER = Adapter(path=lambda call, target: "/v2/rerank", encode=encode, decode=decode, most=most)
