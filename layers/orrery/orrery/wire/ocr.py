"""`POST /ocr`: the posted bytes as a `Call`.

The body is Orq's, or Mistral's own: where Orq has `ocr_settings`, Mistral has names at the top. Sources: Orq's
published field trees; `OCRRequest` of the mistralai Python SDK 3.7; read 2026-11-21.
"""

import re
from collections.abc import Mapping
from typing import Any

from orrery.core.types import Call, Json, Link, Operation
from orrery.wire.body import read_json
from orrery.wire.options import passed_on, read_options
from orrery.wire.posted import Posted
from orrery.wire.shapes import (
    BOOLEAN,
    FILLED,
    OBJECT,
    STRING,
    Shape,
    array,
    checking,
    either,
    integer,
    record,
    rule,
    variants,
)

_RANGES = re.compile(r"\s*\d{1,6}(?:-\d{1,6})?\s*(?:,\s*\d{1,6}(?:-\d{1,6})?\s*)*", re.ASCII)

# A file's id (Mistral's third kind of document) is left out: those files are the operator's, whoever asks for them.
_DOCUMENT = variants(
    "type",
    {
        "document_url": record({"document_url": FILLED}, {"document_name": STRING}),
        "image_url": record({"image_url": either(text=FILLED, object=record({"url": FILLED}, {"detail": STRING}))}),
    },
)


def _is_ranges(value: Any) -> str | None:
    return None if _RANGES.fullmatch(value) else "page numbers from 0 and ranges of them, as '0,2-4'"


_OPTIONAL: Mapping[str, Shape] = {
    "pages": either(text=rule(_is_ranges, STRING), array=array(integer(0))),
    "ocr_settings": record(
        {},
        {
            "include_image_base64": BOOLEAN,
            "max_images_to_include": integer(0),
            "image_min_size": integer(0),
        },
    ),
    "include_image_base64": BOOLEAN,
    "image_limit": integer(0),
    "image_min_size": integer(0),
    "bbox_annotation_format": OBJECT,
    "document_annotation_format": OBJECT,
    "document_annotation_prompt": STRING,
}

_check = checking(record({"model": FILLED, "document": _DOCUMENT}, _OPTIONAL))


def read_ocr(posted: Posted) -> Call:
    """The call that an OCR request makes. Raises `InvalidRequest` for the first offence."""
    body = read_json(posted.raw)
    _check(body)
    return Call(
        operation=Operation.OCR,
        model=body["model"],
        body=passed_on(body),
        options=read_options(body),
        body_bytes=len(posted.raw),
        strict=posted.strict,
        links=_links(body["document"]),
    )


def pages_asked(call: Call) -> int | None:
    """How many pages shall be read, at most; None: all there are."""
    if call.body["document"]["type"] == "image_url":
        return 1
    pages = call.body.get("pages")
    if not pages:
        return None
    return len(pages) if isinstance(pages, list) else sum(map(_span, pages.split(",")))


def _span(pages: str) -> int:
    """How many pages `2-4` names, or `7`."""
    first, _, last = pages.partition("-")
    return max(1, int(last or first) - int(first) + 1)


def _links(document: Json) -> tuple[Link, ...]:
    """The document's address, unless it holds the content."""
    kind: str = document["type"]
    held = document[kind]
    path = ("document", kind) if isinstance(held, str) else ("document", kind, "url")
    url = held if isinstance(held, str) else held["url"]
    return () if url.lower().startswith("data:") else (Link(path, url),)
