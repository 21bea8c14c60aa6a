"""Imagen on Vertex AI: `predict`, several pictures a call. Gemini models draw there as at Google's own API (`images`).

Source: `GenerateImagesConfig` of the google-genai Python SDK 3.4 and what it sends to Vertex AI, read 2026-11-21. Edits
by Imagen are another model with another body, and not translated.
"""

from collections.abc import Callable, Sequence

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation, Target, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.errors import upstream_error
from orrery.providers.gemini import images
from orrery.providers.gemini.errors import fault
from orrery.providers.lost import Lost
from orrery.wire.image_answers import (
    answer_of,
    count_of,
    counted,
    events_of,
    joined,
    picture,
    plain_unit,
    ratio_of,
    size_of,
    unread,
)

RATIOS = ("1:1", "3:4", "4:3", "9:16", "16:9")
MEDIA_TYPES = {"png": "image/png", "jpeg": "image/jpeg"}
LARGEST_1K = 1_536
"""Pixels of the longer edge, halfway to 2K."""

OWN = {"seed": "seed", "negative_prompt": "negativePrompt", "guidance_scale": "guidanceScale"}


def is_imagen(target: Target) -> bool:
    """Whether the model is one that is asked by `predict`."""
    return target.model.startswith(("imagen-", "imagegeneration@"))


def encode(call: Call, target: Target) -> Encoded:
    """The body of `predict`. Raises `InvalidRequest` for an edit."""
    if call.operation is not Operation.IMAGES:
        raise InvalidRequest("Edits by Imagen are not served here; Gemini's image models edit.", param="model")
    lost = Lost()
    for name in unread(call, "size", "output_format", "output_compression", *OWN):
        lost.add(name)
    parameters: Json = {"sampleCount": count_of(call)}
    parameters |= {OWN[name]: call.body[name] for name in OWN if call.body.get(name) is not None}
    size = size_of(call)
    if size:
        if size != images.ORDINARY:
            lost.add("size")  # ratios and classes of size say nothing of pixels
        ratio = ratio_of(call, RATIOS)
        parameters |= {"aspectRatio": ratio} if ratio else {}
        parameters |= {"sampleImageSize": "2K"} if max(size) > LARGEST_1K else {}
    if output := _output(call, lost):
        parameters["outputOptions"] = output
    return Encoded({"instances": [{"prompt": call.body["prompt"]}], "parameters": parameters}, lost.names())


def _output(call: Call, lost: Lost) -> Json:
    asked, compression = call.body.get("output_format"), call.body.get("output_compression")
    if asked and asked not in MEDIA_TYPES:
        lost.add("output_format")
    found: Json = {"mimeType": MEDIA_TYPES[asked]} if asked in MEDIA_TYPES else {}
    if compression is not None and asked == "jpeg":
        found["compressionQuality"] = compression
    elif compression not in (None, 100):
        lost.add("output_compression")
    return found


def decode(body: bytes, call: Call) -> Frame:
    """The pictures that were not filtered. Raises `UpstreamError` when none is left."""
    answer = object_in(body, "a reply")
    if err := fault(answer):
        raise err
    listed = answer.get("predictions")
    rows = [object_of(row) for row in listed] if isinstance(listed, list) else []
    drawn = [picture(row["bytesBase64Encoded"]) for row in rows if text_of(row.get("bytesBase64Encoded"))]
    reason = next((text_of(row["raiFilteredReason"]) for row in rows if row.get("raiFilteredReason")), "")
    if not drawn and (reason or not rows):
        raise upstream_error(400, reason or "the images were withheld", code="moderation_blocked")
    usage = counted(call, len(drawn), plain_unit(call))
    return Frame(answer_of(drawn, call), usage)


def adapter(path: Callable[[Call, Target], str]) -> Adapter:
    """Pictures on Vertex AI, by either kind of model. `path` is that of `generateContent`."""
    gemini = images.adapter(path)
    assert gemini.split is not None
    one_by_one = gemini.split

    def to_either(call: Call, target: Target) -> str:
        there = gemini.path(call, target)
        return f"{there.rpartition(':')[0]}:predict" if is_imagen(target) else there

    def split(call: Call, target: Target) -> Sequence[Call]:
        return (call,) if is_imagen(target) else one_by_one(call, target)

    def most(call: Call, target: Target) -> Usage:
        if is_imagen(target):
            return counted(call, count_of(call), plain_unit(call))
        return images.most(call, target)

    return Adapter(
        path=to_either,
        encode=lambda call, target: (encode if is_imagen(target) else images.encode)(call, target),
        decode=lambda body, call: (decode if b'"predictions"' in body[:4_096] else images.decode)(body, call),
        most=most,
        split=split,
        join=joined,
        as_events=events_of,
    )
