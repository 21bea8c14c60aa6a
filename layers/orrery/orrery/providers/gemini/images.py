"""Pictures that Gemini models draw: `generateContent` with an image for an answer, one picture a call.

Sources, read 2026-11-21: `ImageConfig`, `Modality` and the usage's details in the google-genai Python SDK 3.4 (which
has `generate_images`, Imagen's way, for Vertex AI only); github.com/vercel/ai, packages/google/src/
google-image-model.ts (2026-08-22): no masks, one picture a call.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import InvalidRequest, UpstreamError
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.errors import upstream_error
from orrery.providers.gemini.errors import fault
from orrery.providers.gemini.usage import Counts
from orrery.providers.lost import Lost
from orrery.wire.image_answers import (
    answer_of,
    count_of,
    counted,
    events_of,
    in_parts,
    joined,
    picture,
    plain_unit,
    ratio_of,
    size_of,
    unread,
)
from orrery.wire.images import checked_files, file_of, images_of

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9", "21:9")
SIZES = ((1_536, "1K"), (3_072, "2K"), (100_000, "4K"))
"""`imageSize` by the longer edge, halfway to the next; 1K is what a model draws unless told."""

ORDINARY = (1_024, 1_024)

OUTPUT_TOKENS = 4_096
"""An allowance for each picture, with what the model thinks on the way to it."""

PICTURE_INPUT = 2_600
"""An allowance for each picture that comes in."""

WITHHELD = frozenset(
    {"SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION"}
    | {"IMAGE_RECITATION"}
)
"""Why a candidate has no picture: the prompt, or what came of it, was against a policy."""


def encode(call: Call, target: Target) -> Encoded:
    """The body of `generateContent`. Raises `InvalidRequest` for a mask: without it the whole picture would change."""
    lost, call = Lost(), checked_files(call)
    for name in ("mask", "markup"):
        if file_of(call, name):
            raise InvalidRequest(f"Gemini takes no '{name}': say in the prompt what shall change.", param=name)
    pictures = [
        {"inlineData": {"mimeType": file.media_type, "data": b64encode(file.data).decode()}} for file in images_of(call)
    ]
    for name in unread(call, "size", "output_format"):
        lost.add(name)
    config: Json = {"responseModalities": ["IMAGE"]}
    if image := _image_config(call, lost):
        config["imageConfig"] = image
    parts = [{"text": call.body["prompt"]}, *pictures]
    return Encoded({"contents": [{"role": "user", "parts": parts}], "generationConfig": config}, lost.names())


def _image_config(call: Call, lost: Lost) -> Json:
    found: Json = {}
    if call.body.get("output_format", "png") not in (None, "png"):
        lost.add("output_format")  # the Gemini API has no `outputMimeType` (google-genai 3.4)
    size = size_of(call)
    if size is None:
        return found
    if size != ORDINARY:
        lost.add("size")  # ratios and classes of size say nothing of pixels
    if ratio := ratio_of(call, RATIOS):
        found["aspectRatio"] = ratio
    name = next(name for longest, name in SIZES if max(size) <= longest)
    if name != "1K":
        found["imageSize"] = name
    return found


def decode(body: bytes, call: Call) -> Frame:
    """The picture. Raises `UpstreamError` where there is none, with what the model said instead."""
    answer = object_in(body, "a reply")
    if err := fault(answer):
        raise err
    pictures, said = [], ""
    for candidate in _objects(answer.get("candidates")):
        for part in _objects(object_of(candidate.get("content")).get("parts")):
            inline = object_of(part.get("inlineData"))
            if not part.get("thought") and text_of(inline.get("mimeType")).startswith("image/"):
                pictures.append(picture(text_of(inline.get("data"))))
            elif not part.get("thought"):
                said += text_of(part.get("text"))
    if not pictures:
        raise _refusal(answer, said)
    usage = counted(call, len(pictures), plain_unit(call), usage_of(answer.get("usageMetadata")))
    return Frame(answer_of(pictures, call, usage), usage)


def _refusal(answer: Json, said: str) -> UpstreamError:
    blocked = text_of(object_of(answer.get("promptFeedback")).get("blockReason"))
    ends = [text_of(each.get("finishReason")) for each in _objects(answer.get("candidates"))]
    reason = blocked or next((end for end in ends if end and end != "STOP"), "")
    if blocked or reason in WITHHELD:
        return upstream_error(400, f"the image was withheld: {reason}", code="moderation_blocked")
    message = f"the model drew nothing ({reason or 'no reason given'}){': ' if said else ''}{said}"
    return upstream_error(502, message, code="no_image")


def usage_of(told: Any) -> Usage | None:
    """Tokens, with those of pictures apart."""
    counts = Counts()
    counts.add(told)
    usage = counts.usage()
    if usage is None:
        return None
    read, drawn = (_of_images(object_of(told).get(name)) for name in ("promptTokensDetails", "candidatesTokensDetails"))
    return replace(usage, image_input=min(read, usage.prompt), image_output=min(drawn, usage.completion))


def _of_images(details: Any) -> int:
    told = [each.get("tokenCount") for each in _objects(details) if each.get("modality") == "IMAGE"]
    return sum(count for count in told if type(count) is int and count > 0)


def _objects(listed: Any) -> Iterable[Json]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def most(call: Call, target: Target) -> Usage:
    """Tokens and pictures: the catalog prices a model by one of them."""
    number, seen = count_of(call), PICTURE_INPUT * (len(call.files) + len(call.links))
    text = -(-len(call.body["prompt"].encode()) // 2)
    tokens = Usage(
        prompt=(text + seen) * number,
        completion=OUTPUT_TOKENS * number,
        image_input=seen * number,
        image_output=OUTPUT_TOKENS * number,
    )
    return counted(call, number, plain_unit(call), tokens)


def adapter(path: Callable[[Call, Target], str]) -> Adapter:
    """Generations and edits are the same request: an edit has pictures in it."""

    def to_whole(call: Call, target: Target) -> str:
        return path(replace(call, stream=False), target)

    return Adapter(
        path=to_whole,
        encode=encode,
        decode=decode,
        most=most,
        split=in_parts(1),
        join=joined,
        as_events=events_of,
    )
