"""Embeddings of Vertex AI: `predict` for several texts, `embedContent` for one, by what serves the model.

gemini-embedding-001 and the text-embedding models are on `predict`: 250 texts and 20,000 tokens in a request ("Quotas",
docs.cloud.google.com; tried live with gemini-embedding-001 in github.com/GoogleCloudPlatform/generative-ai/pull/3040,
2026-08-14). Newer ones are on `embedContent`, a text at a time: the SDK has a call for several, too, but how many that
takes is documented nowhere. Bodies: `_EmbedContentConfig_to_vertex` and `_EmbedContentResponse_from_vertex` of the
google-genai Python SDK 3.4. Read 2026-11-21.
"""

from urllib.parse import quote

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.types import Call, Json, Target
from orrery.providers.answer import object_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.gemini.embeddings import (
    KNOWN,
    content_of,
    lost_of,
    prompt_tokens,
    task_types_of,
    values_of,
)
from orrery.providers.gemini.errors import fault
from orrery.providers.lost import Lost
from orrery.providers.vectors import Limits, count_of, frame_of, input_type_of, join, most, splitting, texts_of

PREDICTED = Limits(250, 20_000)
ONE = Limits(1)

NAMES = {"dimensions": "outputDimensionality", "auto_truncate": "autoTruncate"}
"""What applies to all texts of a request, by the caller's name and theirs."""


def is_predicted(model: str) -> bool:
    """Whether a model is served by `predict`; a tuned one (`endpoints/…`) is."""
    return "gemini-embedding-0" in model or not ("gemini" in model or "maas" in model)


def limits(model: str) -> Limits:
    return PREDICTED if is_predicted(model) else ONE


def path(call: Call, target: Target) -> str:
    kind, _, name = target.model.rpartition("/")
    place = "/endpoints" if kind == "endpoints" else "/publishers/google/models"
    method = "predict" if is_predicted(target.model) else "embedContent"
    return f"{place}/{quote(name or target.model, safe='')}:{method}"


def encode(call: Call, target: Target) -> Encoded:
    """Raises `InvalidRequest` for tokens."""
    lost = lost_of(call, KNOWN | NAMES.keys())
    settings = {theirs: call.body[ours] for ours, theirs in NAMES.items() if call.body.get(ours) is not None}
    texts = texts_of(call, "vertex")
    make = _prediction if is_predicted(target.model) else _content
    return Encoded(make(call, target, texts, settings, lost), lost.names())


def _prediction(call: Call, target: Target, texts: list[str], settings: Json, lost: Lost) -> Json:
    each: Json = {}
    if task := input_type_of(call, task_types_of(target.model), lost):
        each["task_type"] = task
    if call.body.get("title"):
        each["title"] = call.body["title"]
    instances = [{"content": text, **each} for text in texts]
    return {"instances": instances, **({"parameters": settings} if settings else {})}


def _content(call: Call, target: Target, texts: list[str], settings: Json, lost: Lost) -> Json:
    if task := input_type_of(call, task_types_of(target.model), lost):
        settings["taskType"] = task
    if call.body.get("title"):
        settings["title"] = call.body["title"]
    return {"content": content_of(texts[0]), **({"embedContentConfig": settings} if settings else {})}


def decode(body: bytes, call: Call) -> Frame:
    """Either reply. Raises `UpstreamError` for an error under status 200, and for what holds no vectors."""
    answer = object_in(body, "a reply")
    if error := fault(answer):
        raise error
    asked = call.body.get("dimensions")
    if "embedding" in answer:
        return frame_of([values_of(answer["embedding"])], call, prompt_tokens(answer), asked)
    listed = answer.get("predictions")
    found = [object_of(object_of(each).get("embeddings")) for each in listed] if isinstance(listed, list) else []
    counts = [count_of(object_of(each.get("statistics")).get("token_count")) for each in found]
    known = [count for count in counts if count is not None]
    tokens = sum(known) if known and len(known) == len(counts) else None
    return frame_of([values_of(each) for each in found], call, tokens, asked)


ADAPTER = Adapter(path=path, encode=encode, decode=decode, most=most, split=splitting(limits), join=join)
