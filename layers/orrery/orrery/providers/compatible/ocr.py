"""OCR as Mistral's wire has it, with Orq's names for the settings beside Mistral's own."""

from typing import Any

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of
from orrery.providers.compatible.decode import filled_in, object_in
from orrery.providers.compatible.row import Row
from orrery.providers.errors import stream_error
from orrery.providers.lost import Lost
from orrery.providers.vectors import count_of
from orrery.wire.ocr import pages_asked

MOST_PAGES = 1000
"""In one document. Source: "Are there any limits regarding the OCR API?" (docs.mistral.ai), read 2026-11-21."""

SETTINGS = {
    "include_image_base64": "include_image_base64",
    "max_images_to_include": "image_limit",
    "image_min_size": "image_min_size",
}
"""Orq's names in `ocr_settings`, and Mistral's for the same; the latter stand at the top, and win there."""

ANNOTATIONS = ("bbox_annotation_format", "document_annotation_format")
"""What has pages described beside being read, for a price of its own."""


def adapter(row: Row) -> Adapter:
    """Of a server whose parameters are not known: all go on."""
    return adapter_of(None)


def adapter_of(known: frozenset[str] | None) -> Adapter:
    """The adapter of a provider that refuses what is not among `known` (None: nothing is refused)."""
    return Adapter(
        path=lambda call, target: "/ocr",
        encode=lambda call, target: encode(call, target, known),
        decode=decode,
        most=most,
    )


def encode(call: Call, target: Target, known: frozenset[str] | None) -> Encoded:
    lost = Lost()
    body: Json = {}
    for name, value in (object_of(call.body.get("ocr_settings"))).items():
        if value is None:
            continue
        if name in SETTINGS:
            body[SETTINGS[name]] = value
        else:
            lost.add(f"ocr_settings.{name}")
    for name, value in call.body.items():
        if name == "ocr_settings" or value is None:
            continue
        if known is None or name in known:
            body[name] = value
        else:
            lost.add(name)
    return Encoded({**body, "model": target.model}, lost.names())


def unit_of(call: Call) -> str:
    return "page/annotated" if any(call.body.get(name) for name in ANNOTATIONS) else "page"


def most(call: Call, target: Target) -> Usage:
    """As many pages as were asked for, or as a document may have."""
    asked = pages_asked(call)
    return Usage(units={unit_of(call): MOST_PAGES if asked is None else min(asked, MOST_PAGES)})


def decode(body: bytes, call: Call) -> Frame:
    """The reply as it came, with Orq's `usage` beside Mistral's `usage_info`, and what Orq's pages always have.

    Raises `UpstreamError` for an error under status 200, and for what are no pages.
    """
    answer = object_in(body, "a reply")
    if answer.get("error"):
        raise stream_error(answer)
    pages = answer.get("pages")
    if not isinstance(pages, list) or not all(_is_page(page) for page in pages):
        raise UpstreamError("the provider's reply has no pages", upstream_status=200)
    if len({page["index"] for page in pages}) != len(pages):
        raise UpstreamError("the provider sent a page twice", upstream_status=200)
    for page in pages:
        page["images"] = page.get("images") or []
        filled_in(page, "dimensions")
    filled_in(answer, "model", call.model)
    told = count_of(object_of(answer.get("usage_info")).get("pages_processed"))
    count = len(pages) if told is None else told
    answer["usage"] = {"type": "pages", "pages_processed": count}
    return Frame(answer, Usage(units={unit_of(call): count}, ours=told is None))


def _is_page(page: Any) -> bool:
    held = object_of(page)
    images = held.get("images")
    return (
        type(held.get("index")) is int
        and isinstance(held.get("markdown"), str)
        and (images is None or (isinstance(images, list) and all(isinstance(image, dict) for image in images)))
    )
