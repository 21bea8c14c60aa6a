"""Cohere's embeddings, `/v2/embed`: vectors by their kind, tokens as they are billed.

Source: `V2Client.embed`, `EmbedByTypeResponse` and `ApiMeta` of the cohere Python SDK 7.3.1, read 2026-11-21.
"""

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.types import Call, Json, Target
from orrery.providers.answer import object_of
from orrery.providers.cohere.usage import read_usage
from orrery.providers.compatible.decode import object_in
from orrery.providers.lost import Lost
from orrery.providers.vectors import Limits, dtype_of, frame_of, input_type_of, join, most, splitting, texts_of

INPUT_TYPES = {
    "query": "search_query",
    "document": "search_document",
    "classification": "classification",
    "clustering": "clustering",
}

UNSTATED = "search_document"
"""`input_type` is required there and unknown to OpenAI: what is embedded without one is mostly stored."""

SAME = frozenset({"truncate", "max_tokens", "priority"})
"""Parameters of its own that go on as they came."""

FLOATS = ("float", "base64")
"""The same numbers, written in two ways."""

KNOWN = SAME | {"model", "input", "input_type", "dimensions", "embedding_types", "encoding_format"}


def encode(call: Call, target: Target) -> Encoded:
    """Raises `InvalidRequest` for tokens, and for more than one of `embedding_types`."""
    lost = Lost()
    for name, value in call.body.items():
        if name not in KNOWN and value is not None:
            lost.add(name)
    body: Json = {
        "model": target.model,
        "texts": texts_of(call, "cohere"),
        "input_type": input_type_of(call, INPUT_TYPES, lost) or UNSTATED,
        "embedding_types": [kind_of(call)],
    }
    if call.body.get("dimensions"):
        body["output_dimension"] = call.body["dimensions"]
    body |= {name: call.body[name] for name in SAME if call.body.get(name) is not None}
    return Encoded(body, lost.names())


def kind_of(call: Call) -> str:
    """The one of `embedding_types` to ask for: base64 is float there, too."""
    kind = dtype_of(call, "embedding_types")
    return "base64" if kind == "float" and call.body.get("encoding_format") == "base64" else kind


def decode(body: bytes, call: Call) -> Frame:
    """Raises `UpstreamError` for what holds no vector of the kind that was asked for."""
    answer = object_in(body, "a reply")
    found, kind = object_of(answer.get("embeddings")), dtype_of(call, "embedding_types")
    is_float = kind in FLOATS
    vectors = next((found[name] for name in FLOATS if found.get(name)), None) if is_float else found.get(kind)
    usage = read_usage(answer.get("meta"))
    asked = call.body.get("dimensions") if is_float else None
    return frame_of(vectors, call, usage.prompt if usage else None, asked)


def limits(model: str) -> Limits:
    return Limits(96)


ADAPTER = Adapter(
    path=lambda call, target: "/v2/embed",
    encode=encode,
    decode=decode,
    most=most,
    split=splitting(limits),
    join=join,
)
