"""Mistral's OCR. Its parameters are those of `OCRRequest` in the mistralai Python SDK 3.7, read 2026-11-21."""

from orrery.providers.compatible.ocr import adapter_of

KNOWN = frozenset(
    {"model", "document", "pages", "include_image_base64", "image_limit", "image_min_size", "table_format"}
    | {"bbox_annotation_format", "document_annotation_format", "document_annotation_prompt"}
    | {"extract_header", "extract_footer", "include_blocks", "confidence_scores_granularity"}
)

ADAPTER = adapter_of(KNOWN)
