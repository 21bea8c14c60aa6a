"""Reranking on Bedrock: `InvokeModel`, with the body of Cohere's API, or of Amazon's model, which takes less.

`Rerank` of the agent runtime would do the same at another host, for another permission, and not with an API key.
Sources, read 2026-11-21: `BedrockClientV2` of the cohere Python SDK 7.3.1 (the body, and `api_version`, which must be
2: cohere-ai/cohere-python#613); "Rerank 3.5" (its model card, docs.aws.amazon.com/bedrock: InvokeModel); Amazon's body
and ranks are as public clients use them, no document shows them. Neither reply is documented to count searches.
"""

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of
from orrery.providers.bedrock.models import base_name
from orrery.providers.bedrock.places import invoke
from orrery.providers.cohere.rerank import LONGEST
from orrery.providers.compatible.decode import object_in
from orrery.providers.lost import Lost
from orrery.providers.ranking import frame_of, most_searches, searches_used
from orrery.wire.rerank import texts_of, wanted

ALWAYS = frozenset({"model", "query", "documents", "top_n", "return_documents"})


def is_cohere(model: str) -> bool:
    """Raises `InvalidRequest` for a model whose body is unknown here."""
    name = base_name(model.lower())
    if name.startswith("cohere.rerank"):
        return True
    if name.startswith("amazon.rerank"):
        return False
    raise InvalidRequest("This is no reranking model of Bedrock's that is known here.", param="model")


def encode(call: Call, target: Target) -> Encoded:
    """What Amazon's model cannot be told of `top_n`, the answer is cut to. Raises as `is_cohere`."""
    body: Json = {"query": call.body["query"], "documents": texts_of(call)}
    known = ALWAYS
    if is_cohere(target.model):
        known |= {"max_tokens_per_doc"}
        body |= {"api_version": 2}
        if call.body.get("top_n"):
            body["top_n"] = wanted(call)
        if call.body.get("max_tokens_per_doc"):
            body["max_tokens_per_doc"] = call.body["max_tokens_per_doc"]
    lost = Lost()
    for name, value in call.body.items():
        if name not in known and value is not None:
            lost.add(name)
    return Encoded(body, lost.names())


def decode(body: bytes, call: Call) -> Frame:
    """Raises `UpstreamError` for what are no ranks."""
    answer = object_in(body, "a reply")
    billed = object_of(object_of(answer.get("meta")).get("billed_units"))
    usage = searches_used(billed.get("search_units"), call, _longest(call, call.model.partition("/")[2]))
    return frame_of(answer.get("results"), call, usage, {})


def most(call: Call, target: Target) -> Usage:
    return Usage(units={"search": most_searches(call, _longest(call, target.model))})


def _longest(call: Call, model: str) -> int | None:
    return (call.body.get("max_tokens_per_doc") or LONGEST) if is_cohere(model) else None


ADAPTER = Adapter(path=invoke, encode=encode, decode=decode, most=most)
