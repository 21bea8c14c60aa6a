"""`POST /images/generations|edits|variations`: the posted bytes as a `Call`.

Source: OpenAI's API document 2.3.0 and the openai Python SDK 3.52, which knows newer qualities; read 2026-11-21.
Output as SVG or GIF is not taken: another model, or several frames, would be charged for.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Link, Operation, Upload
from orrery.wire.body import read_json
from orrery.wire.options import passed_on, read_options
from orrery.wire.pictures import checked
from orrery.wire.posted import Posted, read_body
from orrery.wire.shapes import BOOLEAN, FILLED, STRING, Shape, array, checking, integer, one_of, record, rule

OWN = frozenset({"prompt"})
"""Fields of these endpoints that are the gateway's elsewhere."""

MOST_IMAGES = 16
FILES = ("image", "mask", "markup")
"""The form fields that hold pictures."""

_SIZE = re.compile(r"[1-9]\d{0,4}x[1-9]\d{0,4}")


def is_size(value: str) -> str | None:
    """What is wrong with a size, if anything."""
    return None if value == "auto" or _SIZE.fullmatch(value) else "'auto' or a width and a height, like '1024x1024'"


_ANY: Mapping[str, Shape] = {
    "n": integer(1, 10),
    "size": rule(is_size, STRING),
    "response_format": one_of("url", "b64_json"),
    "user": STRING,
}
_DRAWING: Mapping[str, Shape] = {
    **_ANY,
    "background": one_of("transparent", "opaque", "auto"),
    "moderation": one_of("low", "auto"),
    "output_compression": integer(0, 100),
    "output_format": one_of("png", "jpeg", "webp"),
    "partial_images": integer(0, 3),
    "quality": one_of("auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"),
    "stream": BOOLEAN,
}
_GENERATION: Mapping[str, Shape] = {**_DRAWING, "style": one_of("vivid", "natural")}
_REFERENCE = record({}, {"image_url": FILLED, "file_id": FILLED})
_EDIT: Mapping[str, Shape] = {
    **_DRAWING,
    "input_fidelity": one_of("high", "low"),
    "images": array(_REFERENCE, at_least=1, at_most=MOST_IMAGES),
    "mask": _REFERENCE,
}
_FORM: Mapping[str, Shape] = {**_EDIT, "prompt": STRING, "size": STRING}
"""How the fields of a form are read; what they may hold is judged afterwards."""

_PROMPTED = {"model": FILLED, "prompt": FILLED}
_check_generation = checking(record(_PROMPTED, _GENERATION))
_check_edit = checking(record(_PROMPTED, _EDIT))
_check_variation = checking(record({"model": FILLED}, _ANY))


def read_generation(posted: Posted) -> Call:
    """The call that a request for pictures makes. Raises `InvalidRequest` for the first offence."""
    body = read_json(posted.raw)
    _check_generation(body)
    return _call(Operation.IMAGES, body, posted)


def read_edit(posted: Posted) -> Call:
    """The call that an edit makes: its pictures are files of a form, or URLs in JSON (`images`, `mask`).

    Raises `InvalidRequest` for the first offence, `TooLarge` for too large a picture.
    """
    body, files = read_body(posted, _FORM)
    _check_edit(body)
    links = tuple(_links(body))
    body = {name: value for name, value in body.items() if name not in ("images", "mask") or links}
    call = _call(Operation.IMAGE_EDITS, body, posted, _checked(files))
    given = len(images_of(call)) + sum(link.upload == "image" for link in links)
    if not given:
        raise InvalidRequest("Missing required parameter: 'image'.", param="image")
    if given > MOST_IMAGES:
        raise InvalidRequest(f"At most {MOST_IMAGES} images can be edited at once; {given} came.", param="image")
    return replace(call, links=links)


def read_variation(posted: Posted) -> Call:
    """The call that a request for variations makes: a form with one picture. Raises as `read_edit` does."""
    body, files = read_body(posted, _FORM)
    _check_variation(body)
    call = _call(Operation.IMAGE_VARIATIONS, body, posted, _checked(files))
    if len(call.files) != 1 or not images_of(call):
        raise InvalidRequest("Variations are made of exactly one file, in the form field 'image'.", param="image")
    return replace(call, stream=False)  # nothing defines their events


def images_of(call: Call) -> tuple[Upload, ...]:
    """The pictures to edit."""
    return tuple(file for file in call.files if file.field_name == "image")


def file_of(call: Call, name: str) -> Upload | None:
    """The picture of the field `name`, if there is one."""
    return next((file for file in call.files if file.field_name == name), None)


def checked_files(call: Call) -> Call:
    """The call whose pictures are known to be some: those that were read from URLs are seen here first."""
    return replace(call, files=_checked(call.files))


def _checked(files: tuple[Upload, ...]) -> tuple[Upload, ...]:
    for file in files:
        if file.field_name not in FILES:
            raise InvalidRequest(f"This endpoint takes no file '{file.field_name}'.", param=file.field_name)
    return tuple(checked(file, file.field_name) for file in files)


def _links(body: Json) -> list[Link]:
    """The pictures that JSON names. Raises `InvalidRequest` for one that only OpenAI's own store of files knows."""
    images = body.get("images") or ()
    named: list[tuple[tuple[str | int, ...], Any, str]] = [
        (("images", number), image, "image") for number, image in enumerate(images)
    ]
    if body.get("mask"):
        named.append((("mask",), body["mask"], "mask"))
    links = []
    for path, reference, upload in named:
        if reference.get("file_id"):
            param = Link((*path, "file_id"), "").param
            raise InvalidRequest(
                f"'{param}' names a stored file, and this gateway keeps none: send 'image_url' instead.", param=param
            )
        link = Link((*path, "image_url"), reference.get("image_url") or "", upload)
        if not link.url:
            raise InvalidRequest(f"Missing required parameter: '{link.param}'.", param=link.param)
        links.append(link)
    return links


def _call(operation: Operation, body: Json, posted: Posted, files: tuple[Upload, ...] = ()) -> Call:
    return Call(
        operation=operation,
        model=body["model"],
        body=passed_on(body, OWN),
        stream=bool(body.get("stream")),
        options=read_options(body, own=OWN),
        body_bytes=len(posted.raw),
        strict=posted.strict,
        files=files,
    )
