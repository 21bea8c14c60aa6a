"""Pictures at Fireworks: a path for each model, and the picture's own bytes for an answer.

Source: "Generate an image with FLUX.1 [schnell] FP8" (docs.fireworks.ai/api-reference), read 2026-11-21. Models
that are asked again and again until they are done (FLUX.1 Kontext, which edits) are not served here.
"""

from base64 import b64encode
from typing import Any
from urllib.parse import quote

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Target, Usage
from orrery.providers.compatible.row import Row
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
from orrery.wire.pictures import picture_of

RATIOS = ("1:1", "21:9", "16:9", "3:2", "5:4", "4:5", "2:3", "9:16", "9:21", "4:3", "3:4")
"""Source: _ASPECT_RATIOS in fireworks-ai/FLUX.1-dev-fp8-flumina, flumina.py (huggingface.co), read 2026-11-21."""

OWN = ("seed", "guidance_scale", "num_inference_steps", "aspect_ratio")
ACCEPTS = {"png": "image/png", "jpeg": "image/jpeg"}
SQUARE = (1_024, 1_024)
ASYNCHRONOUS = "flux-kontext"


def path(call: Call, target: Target) -> str:
    return f"/workflows/{quote(target.model, safe='/')}/text_to_image"


def encode(call: Call, target: Target) -> Encoded:
    """Raises `InvalidRequest` for a model that does not answer at once."""
    if ASYNCHRONOUS in target.model:
        raise InvalidRequest("Fireworks' FLUX.1 Kontext is not served here: it does not answer at once.", param="model")
    lost = Lost()
    for name in unread(call, "size", "output_format", *OWN):
        lost.add(name)
    body: dict[str, Any] = {"prompt": call.body["prompt"]}
    if size := size_of(call):
        if size != SQUARE:
            lost.add("size")  # a ratio says nothing of pixels
        ratio = ratio_of(call, RATIOS)
        body |= {"aspect_ratio": ratio} if ratio else {}
    body |= {name: call.body[name] for name in OWN if call.body.get(name) is not None}
    asked = call.body.get("output_format") or "png"
    if asked not in ACCEPTS:
        lost.add("output_format")
    return Encoded(body, lost.names(), {"accept": ACCEPTS.get(asked, "image/png")})


def decode(body: bytes, call: Call) -> Frame:
    """The picture that the body is. Raises `UpstreamError` when it is none."""
    try:
        picture_of(body)
        drawn = [picture(b64encode(body).decode())]
    except ValueError:
        drawn = []
    return Frame(answer_of(drawn, call), counted(call, len(drawn), plain_unit(call)))


def most(call: Call, target: Target) -> Usage:
    """As many pictures as are asked for."""
    return counted(call, count_of(call), plain_unit(call))


def generations(row: Row) -> Adapter:
    return Adapter(
        path=path, encode=encode, decode=decode, most=most, split=in_parts(1), join=joined, as_events=events_of
    )
