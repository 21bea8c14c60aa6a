"""Stable Image and Stable Diffusion 3.5: one picture a call, in base64 within JSON. See the package for the sources.

Its edits take masks that are black and white, or a strength that OpenAI's clients do not know: they are not translated.
"""

from typing import Any

from orrery.core.dialect import Adapter, Encoded, Form, Frame
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Target, Usage
from orrery.providers.answer import text_of
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
    plain_unit,
    ratio_of,
    size_of,
    unread,
)

PLACES = {"stable-image-core": "core", "core": "core", "stable-image-ultra": "ultra", "ultra": "ultra"}
"""The last step of the path, by the model; `sd3…` is a family of its own, and names the model in the form."""

RATIOS = ("16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")
OWN = ("negative_prompt", "seed", "style_preset", "aspect_ratio", "cfg_scale")
SQUARE = (1_024, 1_024)


def place_of(model: str) -> str:
    """Raises `InvalidRequest` for a model of no family that is known."""
    place = "sd3" if model.startswith("sd3") else PLACES.get(model)
    if place is None:
        raise InvalidRequest("Stability AI's models are stable-image-core, stable-image-ultra and sd3….", param="model")
    return place


def path(call: Call, target: Target) -> str:
    return f"/v2beta/stable-image/generate/{place_of(target.model)}"


def encode(call: Call, target: Target) -> Encoded:
    lost, place = Lost(), place_of(target.model)
    for name in unread(call, "size", "output_format", *OWN):
        lost.add(name)
    fields: dict[str, Any] = {"prompt": call.body["prompt"]}
    fields |= {"model": target.model} if place == "sd3" else {}
    if size := size_of(call):
        if size != SQUARE:
            lost.add("size")  # a ratio says nothing of pixels
        ratio = ratio_of(call, RATIOS)
        fields |= {"aspect_ratio": ratio} if ratio else {}
    asked = call.body.get("output_format")
    if asked == "webp" and place == "sd3":
        lost.add("output_format")
    elif asked:
        fields["output_format"] = asked
    fields |= {name: call.body[name] for name in OWN if call.body.get(name) is not None}
    form = Form(tuple((name, str(value)) for name, value in fields.items()), ())
    return Encoded(form, lost.names(), {"accept": "application/json"})


def decode(body: bytes, call: Call) -> Frame:
    """The picture. Raises `UpstreamError` where it was blurred by the moderation, or there is none."""
    answer = object_in(body, "a reply")
    if answer.get("finish_reason") == "CONTENT_FILTERED":
        raise upstream_error(400, "the image was withheld by the provider's moderation", code="moderation_blocked")
    drawn = [picture(answer["image"])] if text_of(answer.get("image")) else []
    return Frame(answer_of(drawn, call), counted(call, len(drawn), plain_unit(call)))


def most(call: Call, target: Target) -> Usage:
    """As many pictures as are asked for."""
    place_of(target.model)
    return counted(call, count_of(call), plain_unit(call))


ADAPTER = Adapter(
    path=path, encode=encode, decode=decode, most=most, split=in_parts(1), join=joined, as_events=events_of
)
