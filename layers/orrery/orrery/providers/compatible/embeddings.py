"""Embeddings on OpenAI's wire, or near it: what of the body goes on, under which names, and how the answer is read."""

from typing import Any

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.types import Call, Json, Target
from orrery.providers.answer import object_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.compatible.embedding_facts import ANY, FACTS, Facts
from orrery.providers.compatible.row import Row
from orrery.providers.errors import stream_error
from orrery.providers.lost import Lost
from orrery.providers.vectors import (
    Limits,
    count_of,
    dtype_of,
    frame_of,
    in_order,
    input_type_of,
    join,
    most,
    splitting,
    texts_of,
)


def adapter(row: Row) -> Adapter:
    """The adapter of the provider that a row describes."""
    return adapter_of(row.name, FACTS.get(row.name, ANY))


def adapter_of(name: str, facts: Facts) -> Adapter:
    """The adapter of a provider called `name`, by its facts."""

    def limits(model: str) -> Limits:
        return next((found for word, found in facts.limits if word in model), Limits())

    return Adapter(
        path=lambda call, target: facts.path,
        encode=lambda call, target: encode(call, target, name, facts),
        decode=lambda body, call: decode(body, call, facts),
        most=most,
        split=splitting(limits),
        join=join,
    )


def encode(call: Call, target: Target, name: str, facts: Facts) -> Encoded:
    """The body under the provider's names. Raises `InvalidRequest` for tokens where it takes text only."""
    lost = Lost()
    given = call.body if facts.tokens else {**call.body, "input": _texts(call, name, facts)}
    body: Json = dict(facts.defaults)
    for field_name, value in given.items():
        if field_name in facts.drop and value is not None:
            lost.add(field_name)
        elif field_name not in facts.drop:
            body[facts.rename.get(field_name, field_name)] = value
    if call.body.get("encoding_format") not in facts.encodings or not _is_float(call, facts):
        body.pop("encoding_format", None)
    if facts.input_types is not None:
        word = input_type_of(call, facts.input_types, lost)
        body.pop("input_type", None)
        if word:
            body[facts.input_type] = word
    return Encoded({**body, "model": target.model}, lost.names())


def _texts(call: Call, name: str, facts: Facts) -> Any:
    texts = texts_of(call, name)
    return texts if "input" in facts.rename else call.body["input"]


def _is_float(call: Call, facts: Facts) -> bool:
    return dtype_of(call, facts.dtype) == "float"


def decode(body: bytes, call: Call, facts: Facts = ANY) -> Frame:
    """OpenAI's list, in the order of the inputs. Raises `UpstreamError` for anything else."""
    answer = object_in(body, "a reply")
    if answer.get("error"):
        raise stream_error(answer)
    vectors = answer["embeddings"] if "embeddings" in answer else in_order(answer.get("data"))
    asked = call.body.get("dimensions") if "dimensions" not in facts.drop and _is_float(call, facts) else None
    return frame_of(vectors, call, tokens_in(answer), asked)


def tokens_in(answer: Json) -> int | None:
    """The count of an embeddings reply: all of its tokens are input."""
    told = object_of(answer.get("usage"))
    tokens = count_of(told.get("prompt_tokens"))
    return tokens or count_of(told.get("total_tokens"))
