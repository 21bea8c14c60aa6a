"""`POST /embeddings`: the posted bytes as a `Call`, and vectors as OpenAI writes them."""

import sys
from array import array as numbers
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from orrery.core.types import Call, Json, Operation
from orrery.wire.body import read_json
from orrery.wire.options import passed_on, read_options
from orrery.wire.posted import Posted
from orrery.wire.shapes import FILLED, STRING, Shape, array, checking, either, integer, one_of, record, rule

MOST_INPUTS = 2048
"""Inputs in one request, and tokens in a list of them. Source: OpenAI API document 2.3.0, read 2026-11-21."""

MEANINGS: Mapping[str, str] = {
    "query": "query",
    "search_query": "query",
    "retrieval_query": "query",
    "document": "document",
    "passage": "document",
    "search_document": "document",
    "retrieval_document": "document",
    "retrieval_passage": "document",
    "classification": "classification",
    "clustering": "clustering",
    "separation": "clustering",
    "similarity": "similarity",
    "semantic_similarity": "similarity",
    "text_matching": "similarity",
    "question_answering": "question",
    "fact_verification": "fact",
    "code_query": "code query",
    "code_retrieval_query": "code query",
    "code_passage": "code document",
}
"""What `input_type` may be, and what it means: the word of each provider for it, in lower case with underscores.

Sources, read 2026-11-21: `EmbedInputType` of cohere 7.3, voyageai 0.5, "Embeddings" (ai.google.dev), Jina's models as
Qdrant documents them, NVIDIA's NeMo Retriever reference (docs.nvidia.com), "Text Embedding" (docs.nomic.ai).
"""

_PLAIN = "'query', 'document', 'classification', 'clustering' or 'similarity'"


def _is_known(value: Any) -> str | None:
    return None if meaning_of(value) else f"{_PLAIN}, or a provider's own word for one of them"


_OPTIONAL: Mapping[str, Shape] = {
    "dimensions": integer(1),
    "encoding_format": one_of("float", "base64"),
    "user": STRING,
    "input_type": rule(_is_known, STRING),
}
_TOKENS = array(integer(0), at_least=1, at_most=MOST_INPUTS)
_LISTS: Mapping[type, Shape] = {
    str: array(FILLED, at_least=1, at_most=MOST_INPUTS),
    int: _TOKENS,
    list: array(array(integer(0), at_least=1), at_least=1, at_most=MOST_INPUTS),
}

# What the first of a list is, the others must be: that one decides, so that errors point at what differs from it.
_CHECKS = {
    kind: checking(record({"model": FILLED, "input": either(text=FILLED, array=shape)}, _OPTIONAL))
    for kind, shape in _LISTS.items()
}


def read_embeddings(posted: Posted) -> Call:
    """The call that an embeddings request makes. Raises `InvalidRequest` for the first offence."""
    body = read_json(posted.raw)
    given = body.get("input")
    first = given[0] if isinstance(given, list) and given else ""
    _CHECKS.get(type(first), _CHECKS[str])(body)
    return Call(
        operation=Operation.EMBEDDINGS,
        model=body["model"],
        body=passed_on(body),
        options=read_options(body),
        body_bytes=len(posted.raw),
        strict=posted.strict,
    )


def meaning_of(input_type: str) -> str:
    """What an `input_type` means, whoever's word it is; "" for none that is known."""
    return MEANINGS.get(input_type.lower().replace(".", "_").replace("-", "_"), "")


def inputs_of(call: Call) -> list[Any]:
    """What is to be embedded, one by one: texts, or lists of tokens."""
    given = call.body["input"]
    if isinstance(given, str) or isinstance(given[0], int):
        return [given]
    return list(given)


def as_base64(vector: Sequence[float]) -> str:
    """A vector as the base64 of its little-endian 32-bit floats: what OpenAI's SDKs ask for unless told otherwise."""
    return b64encode(_little(numbers("f", vector)).tobytes()).decode()


def from_base64(text: str) -> list[float]:
    """The vector that `as_base64` would write so. Raises `ValueError`."""
    packed = numbers("f")
    packed.frombytes(b64decode(text, validate=True))
    return _little(packed).tolist()


def _little(packed: "numbers[float]") -> "numbers[float]":
    if sys.byteorder == "big":
        packed.byteswap()
    return packed


def embeddings_answer(vectors: Sequence[Any], call: Call, prompt_tokens: int) -> Json:
    """OpenAI's list. A vector is a list of numbers, or base64 already; each becomes what the caller asked for."""
    wants_base64 = call.body.get("encoding_format") == "base64"
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _as_asked(vector, wants_base64)}
            for index, vector in enumerate(vectors)
        ],
        "model": call.model,
        "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens},
    }


def _as_asked(vector: Any, wants_base64: bool) -> Any:
    if isinstance(vector, str):
        return vector if wants_base64 else from_base64(vector)
    return as_base64(vector) if wants_base64 else vector
