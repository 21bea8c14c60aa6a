"""Pictures on Amazon Bedrock, by `InvokeModel`: Amazon's models have one body, Stability's another.

Sources, read 2026-11-21: "Request and response structure for image generation" (docs.aws.amazon.com/nova) and the
examples for Titan Image Generator, "Stable Diffusion 3.5 Large", "Stable Image Ultra" and "Core" (docs.aws.amazon.com/
bedrock); github.com/vercel/ai, packages/amazon-bedrock/src/amazon-bedrock-image-model.ts (2026-08-22), for at most five
pictures, edits as variations with a text, and the answer of a request that was moderated.
"""

from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import quote

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation, Target, Usage
from orrery.providers.answer import text_of
from orrery.providers.bedrock.models import base_name
from orrery.providers.compatible.decode import object_in
from orrery.providers.errors import upstream_error
from orrery.providers.lost import Lost
from orrery.wire.image_answers import (
    answer_of,
    count_of,
    counted,
    events_of,
    in_parts,
    joined,
    picture,
    ratio_of,
    size_of,
    unread,
)
from orrery.wire.images import checked_files, file_of, images_of

AMAZON = ("amazon.nova-canvas", "amazon.titan-image")
STABILITY = ("stability.sd3", "stability.stable-image-core", "stability.stable-image-ultra")

MOST_AT_ONCE = {AMAZON: 5, STABILITY: 1}

QUALITIES = {"low": "standard", "medium": "standard", "standard": "standard"}
QUALITIES |= {"hd": "premium", "high": "premium", "xhigh": "premium", "max": "premium"}
"""Amazon's two, for those that OpenAI's clients know."""

RATIOS = ("16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")
OWN = ("negative_prompt", "seed")
ORDINARY = (1_024, 1_024)


def path(call: Call, target: Target) -> str:
    return f"/model/{quote(target.model, safe='')}/invoke"


def family_of(target: Target) -> tuple[str, ...]:
    """Whose body the model takes. Raises `InvalidRequest` for a model that draws nothing, or in a way unknown here."""
    name = base_name(target.model.lower())
    for family in (AMAZON, STABILITY):
        if name.startswith(family):
            return family
    raise InvalidRequest("This is no model of Bedrock's that draws, as far as is known here.", param="model")


def encode(call: Call, target: Target) -> Encoded:
    """The body for the model. Raises `InvalidRequest` for what its family cannot do."""
    call = checked_files(call)
    return _amazon(call) if family_of(target) is AMAZON else _stability(call)


def _amazon(call: Call) -> Encoded:
    lost = Lost()
    for name in unread(call, "size", "quality", *OWN):
        lost.add(name)
    config: Json = {"numberOfImages": count_of(call)}
    if size := size_of(call):
        config |= {"width": size[0], "height": size[1]}
    asked = call.body.get("quality")
    if asked in QUALITIES:
        config["quality"] = QUALITIES[asked]
    if call.body.get("seed") is not None:
        config["seed"] = call.body["seed"]
    words = {"text": call.body.get("prompt"), "negativeText": call.body.get("negative_prompt")}
    words = {name: value for name, value in words.items() if value}
    if call.operation is Operation.IMAGES:
        return Encoded(_task("TEXT_IMAGE", "textToImageParams", words, config), lost.names())
    if file_of(call, "mask") or file_of(call, "markup"):
        # Amazon's masks are black where something shall change, OpenAI's transparent: that takes decoding.
        raise InvalidRequest("Masks are not served on Bedrock: say in the prompt what shall change.", param="mask")
    given = {"images": [b64encode(file.data).decode() for file in images_of(call)], **words}
    return Encoded(_task("IMAGE_VARIATION", "imageVariationParams", given, config), lost.names())


def _task(kind: str, parameters: str, given: Json, config: Json) -> Json:
    return {"taskType": kind, parameters: given, "imageGenerationConfig": config}


def _stability(call: Call) -> Encoded:
    if call.operation is not Operation.IMAGES:
        raise InvalidRequest("Stability's models on Bedrock draw here from a text only.", param="model")
    lost = Lost()
    for name in unread(call, "size", "output_format", *OWN):
        lost.add(name)
    body: Json = {"prompt": call.body["prompt"]}
    body |= {name: call.body[name] for name in OWN if call.body.get(name) is not None}
    if size := size_of(call):
        if size != ORDINARY:
            lost.add("size")  # a ratio says nothing of pixels
        ratio = ratio_of(call, RATIOS)
        body |= {"aspect_ratio": ratio} if ratio else {}
    asked = call.body.get("output_format")
    if asked in ("png", "jpeg"):
        body["output_format"] = asked
    elif asked:
        lost.add("output_format")
    return Encoded(body, lost.names())


def decode(body: bytes, call: Call) -> Frame:
    """The pictures. Raises `UpstreamError` where none came: both families say that under status 200."""
    answer = object_in(body, "a reply")
    listed = answer.get("images")
    drawn = [picture(each) for each in listed if text_of(each)] if isinstance(listed, list) else []
    if not drawn and (reason := _reason(answer)):
        if reason == "Inference error":
            raise upstream_error(502, reason)
        raise upstream_error(400, f"the image was withheld: {reason}", code="moderation_blocked")
    return Frame(answer_of(drawn, call), counted(call, len(drawn), unit_of(call)))


def _reason(answer: Json) -> str:
    reasons = answer.get("finish_reasons")
    told = [text_of(reason) for reason in reasons] if isinstance(reasons, list) else []
    return next(filter(None, [*told, text_of(answer.get("error")), text_of(answer.get("status"))]), "")


def unit_of(call: Call) -> str:
    """By Amazon's own qualities; Stability's models have none."""
    width, height = size_of(call) or ORDINARY
    return f"image/{QUALITIES.get(str(call.body.get('quality')), 'standard')}/{width}x{height}"


def most(call: Call, target: Target) -> Usage:
    """As many pictures as are asked for."""
    family_of(target)
    return counted(call, count_of(call), unit_of(call))


def split(call: Call, target: Target) -> Sequence[Call]:
    return in_parts(MOST_AT_ONCE[family_of(target)])(call, target)


ADAPTER = Adapter(path=path, encode=encode, decode=decode, most=most, split=split, join=joined, as_events=events_of)
