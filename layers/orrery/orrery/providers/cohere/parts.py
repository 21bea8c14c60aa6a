"""What users, tools and instructions say, part by part. Source: `Content` of the cohere Python SDK 7.3.1."""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.lost import Lost
from orrery.wire.media import IMAGES, data_url, is_http, kind_of


def text_part(text: str) -> Json:
    return {"type": "text", "text": text}


def content_of(content: Any, where: str, lost: Lost, *, images: bool = False) -> str | list[Json]:
    """A string as it is, and a list of parts as Cohere's. Raises `InvalidRequest` for what it cannot read."""
    if not isinstance(content, list):
        return content or ""
    return [_part(part, f"{where}[{number}]", lost, images) for number, part in enumerate(content)]


def _part(part: Json, where: str, lost: Lost, images: bool) -> Json:
    for name in ("cache_control", "prompt_cache_breakpoint"):
        if part.get(name):
            lost.add(name)
    kind = part.get("type")
    if kind == "text":
        return text_part(part["text"])
    if images and kind == "image_url":
        return _image(part["image_url"]["url"], part["image_url"].get("detail"), f"{where}.image_url.url", lost)
    if images and kind == "file":
        return _image(_file_url(part["file"], f"{where}.file"), None, f"{where}.file", lost)
    raise InvalidRequest(f"Cohere's models take no content of type '{kind}' here.", param=f"{where}.type")


def _image(url: str, detail: str | None, where: str, lost: Lost) -> Json:
    """Web and data URLs go on as they are ("Image Inputs", docs.cohere.com, read 2026-11-21)."""
    if not is_http(url) and data_url(url)[0] not in IMAGES:
        raise InvalidRequest(
            "Cohere's models take images as http(s) URLs, or as base64 data URLs of JPEG, PNG, GIF or WebP.",
            param=where,
        )
    if detail == "original":
        lost.add("image_url.detail")
        detail = "high"
    return {"type": "image_url", "image_url": {"url": url, **({"detail": detail} if detail else {})}}


def _file_url(file: Json, where: str) -> str:
    """An image that was sent as a file, as a URL; the models read no other files."""
    media_type, data = data_url(file.get("file_data") or "")
    uri = file.get("uri") or ""
    kind = kind_of(file.get("filename") or uri.partition("?")[0], file.get("mimeType"), media_type, data=data)
    if kind not in IMAGES and not kind.startswith("image/"):
        raise InvalidRequest("Cohere's models take no files but images.", param=where)
    return f"data:{kind};base64,{data}" if data else uri
