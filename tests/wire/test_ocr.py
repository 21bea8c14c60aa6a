"""What of an OCR request is refused, how many pages it asks for, and where its document is."""

from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Link, Operation
from orrery.wire.ocr import pages_asked, read_ocr
from orrery.wire.posted import Posted

PDF = {"type": "document_url", "document_url": "https://example.com/a.pdf"}
PICTURE = {"type": "image_url", "image_url": "https://example.com/a.png"}


def read(**body: Any) -> Call:
    return read_ocr(Posted(orjson.dumps({"model": "mistral/mistral-ocr-2512", "document": PDF} | body)))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": ""}, "model"),
        ({"document": None}, "document"),
        ({"document": "https://example.com/a.pdf"}, "document"),
        ({"document": {}}, "document.type"),
        ({"document": {"type": "document_url"}}, "document.document_url"),
        ({"document": {"type": "document_url", "document_url": ""}}, "document.document_url"),
        ({"document": PDF | {"document_name": 1}}, "document.document_name"),
        ({"document": {"type": "image_url", "image_url": {"detail": "high"}}}, "document.image_url.url"),
        ({"document": {"type": "image_url", "image_url": 1}}, "document.image_url"),
        ({"document": {"type": "file", "file_id": "f1"}}, "document.type"),
        ({"pages": [0, -1]}, "pages[1]"),
        ({"pages": [True]}, "pages[0]"),
        ({"pages": 3}, "pages"),
        ({"pages": "1-"}, "pages"),
        ({"pages": "all"}, "pages"),
        ({"pages": ""}, "pages"),
        ({"ocr_settings": []}, "ocr_settings"),
        ({"ocr_settings": {"image_min_size": -1}}, "ocr_settings.image_min_size"),
        ({"ocr_settings": {"max_images_to_include": "3"}}, "ocr_settings.max_images_to_include"),
        ({"ocr_settings": {"include_image_base64": 1}}, "ocr_settings.include_image_base64"),
        ({"include_image_base64": "yes"}, "include_image_base64"),
        ({"image_limit": -1}, "image_limit"),
        ({"image_min_size": 1.5}, "image_min_size"),
        ({"bbox_annotation_format": "json"}, "bbox_annotation_format"),
        ({"document_annotation_format": []}, "document_annotation_format"),
        ({"document_annotation_prompt": 1}, "document_annotation_prompt"),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(body: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**body)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({}, None),
        ({"pages": None}, None),
        ({"pages": []}, None),
        ({"pages": [0, 5]}, 2),
        ({"pages": "7"}, 1),
        ({"pages": "0-4"}, 5),
        ({"pages": "0, 2-4,9"}, 5),
        ({"pages": "4-2"}, 1),
        ({"document": PICTURE}, 1),
        ({"document": PICTURE, "pages": [0, 1]}, 1),
    ],
)
def test_it_is_known_how_many_pages_are_asked_for(body: Any, count: int | None) -> None:
    assert pages_asked(read(**body)) == count


@pytest.mark.parametrize(
    ("document", "links"),
    [
        (PDF, (Link(("document", "document_url"), "https://example.com/a.pdf"),)),
        (PICTURE, (Link(("document", "image_url"), "https://example.com/a.png"),)),
        (
            {"type": "image_url", "image_url": {"url": "s3://bucket/a.png"}},
            (Link(("document", "image_url", "url"), "s3://bucket/a.png"),),
        ),
        ({"type": "document_url", "document_url": "data:application/pdf;base64,JVBERi0="}, ()),
    ],
)
def test_the_documents_address_is_a_link_and_its_content_is_none(document: Any, links: Any) -> None:
    assert read(document=document).links == links


def test_the_gateways_own_fields_go_no_further() -> None:
    call = read(retry={"count": 2}, table_format="html")
    assert call.operation is Operation.OCR and call.options.retry.count == 2
    assert set(call.body) == {"model", "document", "table_format"}
