"""Embeddings of Google's Gemini API: `batchEmbedContents`, a request for each text in one body.

Sources, read 2026-11-21: `_EmbedContentConfig_to_mldev` and `_EmbedContentResponse_from_mldev` of the google-genai
Python SDK 3.4; "Embeddings" (ai.google.dev) for the task types. "At most 100 requests can be in one batch", 400:
github.com/weaviate/weaviate/pull/11277 (2026-05-12).
"""

from typing import Any
from urllib.parse import quote

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.types import Call, Json, Target
from orrery.providers.answer import object_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.gemini.errors import fault
from orrery.providers.lost import Lost
from orrery.providers.vectors import Limits, count_of, frame_of, input_type_of, join, most, splitting, texts_of

TASK_TYPES = {
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "similarity": "SEMANTIC_SIMILARITY",
    "question": "QUESTION_ANSWERING",
    "fact": "FACT_VERIFICATION",
    "code query": "CODE_RETRIEVAL_QUERY",
}

KNOWN = frozenset({"model", "input", "input_type", "dimensions", "encoding_format", "title"})


def task_types_of(model: str) -> dict[str, str]:
    """The task types of a model. From gemini-embedding-2 on, the task is told within the text, by who writes it.

    Source: "Get batch embeddings inferences" (docs.cloud.google.com), read 2026-11-21.
    """
    return TASK_TYPES if "embedding-0" in model or "gemini" not in model else {}


def encode(call: Call, target: Target) -> Encoded:
    """Raises `InvalidRequest` for tokens."""
    lost = lost_of(call, KNOWN)
    name = target.model.removeprefix("models/")
    settings: Json = {"model": f"models/{name}"}
    if task := input_type_of(call, task_types_of(name), lost):
        settings["taskType"] = task
    if call.body.get("title"):
        settings["title"] = call.body["title"]
    if call.body.get("dimensions"):
        settings["outputDimensionality"] = call.body["dimensions"]
    texts = texts_of(call, "google")
    return Encoded({"requests": [{**settings, "content": content_of(text)} for text in texts]}, lost.names())


def lost_of(call: Call, known: frozenset[str]) -> Lost:
    lost = Lost()
    for name, value in call.body.items():
        if name not in known and value is not None:
            lost.add(name)
    return lost


def content_of(text: str) -> Json:
    return {"parts": [{"text": text}]}


def decode(body: bytes, call: Call) -> Frame:
    """Raises `UpstreamError` for an error under status 200, and for what holds no vectors."""
    answer = object_in(body, "a reply")
    if error := fault(answer):
        raise error
    listed = answer.get("embeddings")
    vectors = [values_of(each) for each in listed] if isinstance(listed, list) else None
    return frame_of(vectors, call, prompt_tokens(answer), call.body.get("dimensions"))


def values_of(embedding: Any) -> Any:
    return object_of(embedding).get("values")


def prompt_tokens(answer: Json) -> int | None:
    """None where there is no count: the API has not always sent one."""
    return count_of(object_of(answer.get("usageMetadata")).get("promptTokenCount"))


def path(call: Call, target: Target) -> str:
    return f"/models/{quote(target.model.removeprefix('models/'), safe='')}:batchEmbedContents"


def limits(model: str) -> Limits:
    return Limits(100)


ADAPTER = Adapter(path=path, encode=encode, decode=decode, most=most, split=splitting(limits), join=join)
