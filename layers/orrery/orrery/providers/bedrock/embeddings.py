"""Embeddings on Bedrock: `InvokeModel`, whose body is each maker's own.

Titan and Nova take a text at a time, Cohere 96. Sources, read 2026-11-21 on docs.aws.amazon.com: "Amazon Titan
Embeddings G1 - Text" (V2, too), "Amazon Titan Multimodal Embeddings G1", "Cohere Embed v3" and "v4", "Complete
embeddings request and response schema" (Amazon Nova). Cohere's and Nova's replies hold no count of tokens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import InvalidRequest, UpstreamError
from orrery.core.types import Call, Json, Target
from orrery.providers.answer import object_of
from orrery.providers.bedrock.models import base_name
from orrery.providers.bedrock.places import invoke
from orrery.providers.compatible.decode import object_in
from orrery.providers.lost import Lost
from orrery.providers.vectors import (
    Limits,
    count_of,
    dtype_of,
    frame_of,
    input_type_of,
    join,
    most,
    splitting,
    texts_of,
)

COHERE_TYPES = {
    "query": "search_query",
    "document": "search_document",
    "classification": "classification",
    "clustering": "clustering",
}
NOVA_PURPOSES = {
    "query": "TEXT_RETRIEVAL",
    "document": "GENERIC_INDEX",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}


@dataclass(frozen=True, slots=True)
class Family:
    """What the models of a maker take. `same`: parameters that go on as they came; `sized`: `dimensions` among them."""

    body: Callable[[Call, list[str], str], Json]
    inputs: int = 1
    input_types: Mapping[str, str] = field(default_factory=dict)
    same: frozenset[str] = frozenset()
    sized: bool = True


def _titan(call: Call, texts: list[str], input_type: str) -> Json:
    return {"inputText": texts[0]} | ({"dimensions": size} if (size := call.body.get("dimensions")) else {})


def _titan_of_old(call: Call, texts: list[str], input_type: str) -> Json:
    return {"inputText": texts[0]}


def _titan_for_images(call: Call, texts: list[str], input_type: str) -> Json:
    size = call.body.get("dimensions")
    return {"inputText": texts[0]} | ({"embeddingConfig": {"outputEmbeddingLength": size}} if size else {})


def _nova(call: Call, texts: list[str], input_type: str) -> Json:
    # A text that is too long is an error at OpenAI, too, not one that is quietly cut.
    asked: Json = {
        "embeddingPurpose": input_type or "GENERIC_INDEX",
        "text": {"truncationMode": "NONE", "value": texts[0]},
    }
    if size := call.body.get("dimensions"):
        asked["embeddingDimension"] = size
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": asked}


def _cohere_of_old(call: Call, texts: list[str], input_type: str) -> Json:
    kinds = [dtype_of(call, "embedding_types")]
    return {"texts": texts, "input_type": input_type or "search_document", "embedding_types": kinds}


def _cohere(call: Call, texts: list[str], input_type: str) -> Json:
    size = call.body.get("dimensions")
    return _cohere_of_old(call, texts, input_type) | ({"output_dimension": size} if size else {})


EMBED_V3 = Family(_cohere_of_old, 96, COHERE_TYPES, frozenset({"truncate", "embedding_types"}), sized=False)

FAMILIES: tuple[tuple[str, Family], ...] = (
    ("amazon.titan-embed-image", Family(_titan_for_images)),
    ("amazon.titan-embed-text-v1", Family(_titan_of_old, sized=False)),
    ("amazon.titan-embed-g1", Family(_titan_of_old, sized=False)),
    ("amazon.titan-embed", Family(_titan, same=frozenset({"normalize"}))),
    ("amazon.nova", Family(_nova, input_types=NOVA_PURPOSES)),
    ("cohere.embed-english-v3", EMBED_V3),
    ("cohere.embed-multilingual-v3", EMBED_V3),
    ("cohere.embed", Family(_cohere, 96, COHERE_TYPES, frozenset({"truncate", "embedding_types", "max_tokens"}))),
)
"""By what a model's name begins with, the particular before the general."""

KNOWN = frozenset({"model", "input", "input_type", "encoding_format"})


def family_of(model: str) -> Family | None:
    name = base_name(model.lower())
    return next((family for start, family in FAMILIES if name.startswith(start)), None)


def encode(call: Call, target: Target) -> Encoded:
    """Raises `InvalidRequest` for tokens, and for a model whose body is unknown here."""
    family = family_of(target.model)
    if family is None:
        raise InvalidRequest("This is no embedding model of Bedrock's that is known here.", param="model")
    lost = Lost()
    known = KNOWN | family.same | ({"dimensions"} if family.sized else set())
    for name, value in call.body.items():
        if name not in known and value is not None:
            lost.add(name)
    body = family.body(call, texts_of(call, "bedrock"), input_type_of(call, family.input_types, lost))
    same = {name: call.body[name] for name in family.same if call.body.get(name) is not None}
    return Encoded(same | body, lost.names())


def decode(body: bytes, call: Call) -> Frame:
    """Any of the makers' replies. Raises `UpstreamError` for what holds no vectors."""
    answer = object_in(body, "a reply")
    message = answer.get("message")
    if message and "embedding" not in answer:
        raise UpstreamError("the model says that it made no embedding", upstream_status=200)
    family = family_of(call.model.partition("/")[2])
    kind = dtype_of(call, "embedding_types") if family and "embedding_types" in family.same else "float"
    asked = call.body.get("dimensions") if family and family.sized and kind == "float" else None
    return frame_of(_vectors(answer, kind), call, count_of(answer.get("inputTextTokenCount")), asked)


def _vectors(answer: Json, kind: str) -> Any:
    if "embedding" in answer:
        return [answer["embedding"]]
    found = answer.get("embeddings")
    if isinstance(found, dict):
        return found.get(kind)
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return [object_of(each).get("embedding") for each in found]
    return found


def limits(model: str) -> Limits:
    family = family_of(model)
    return Limits(family.inputs if family else 1)


ADAPTER = Adapter(path=invoke, encode=encode, decode=decode, most=most, split=splitting(limits), join=join)
