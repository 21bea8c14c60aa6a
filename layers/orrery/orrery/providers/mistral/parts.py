"""What users, tools and instructions say, part by part, as content chunks.

Sources, read 2026-11-21: `ContentChunk` of the mistralai Python SDK 3.7; "Vision", "Document QnA" and "Audio"
(docs.mistral.ai): images and documents by web or data URL, sound as base64.
"""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.lost import Lost
from orrery.wire.media import IMAGES, data_url, is_http, kind_of

DETAILS = ("low", "auto", "high")


def content_of(content: Any, where: str, lost: Lost) -> str | list[Json]:
    """A string as it is, and a list of parts as chunks. Raises `InvalidRequest` for what cannot be read.

    Which kinds a model takes from whom (some take sound, few take images from tools) it says itself.
    """
    if not isinstance(content, list):
        return content or ""
    return [_chunk(part, f"{where}[{number}]", lost) for number, part in enumerate(content)]


def _chunk(part: Json, where: str, lost: Lost) -> Json:
    for name in ("cache_control", "prompt_cache_breakpoint"):
        if part.get(name):
            lost.add(name)
    kind = part.get("type")
    if kind == "text":
        return {"type": "text", "text": part["text"]}
    if kind == "image_url":
        return _image(part["image_url"], f"{where}.image_url.url", lost)
    if kind == "input_audio":
        return {"type": "input_audio", "input_audio": part["input_audio"]["data"]}
    if kind == "file":
        return _file(part["file"], f"{where}.file", lost)
    raise InvalidRequest(f"Mistral's models take no content of type '{kind}'.", param=f"{where}.type")


def _image(image: Json, where: str, lost: Lost) -> Json:
    url, detail = image["url"], image.get("detail")
    if not is_http(url) and data_url(url)[0] not in IMAGES:
        raise InvalidRequest(
            "Mistral's models take images as http(s) URLs, or as base64 data URLs of JPEG, PNG, GIF or WebP.",
            param=where,
        )
    if detail is not None and detail not in DETAILS:
        lost.add("image_url.detail")
        detail = "high"
    return {"type": "image_url", "image_url": {"url": url, **({"detail": detail} if detail else {})}}


def _file(file: Json, where: str, lost: Lost) -> Json:
    """A document by URL or content; an image that was sent as a file is an image."""
    if file.get("file_id"):
        # The account at Mistral is shared: an id could name another tenant's file.
        raise InvalidRequest("Files cannot be named by id here; send their content.", param=f"{where}.file_id")
    name, uri = file.get("filename") or "", file.get("uri") or ""
    media_type, data = data_url(file.get("file_data") or "")
    kind = kind_of(name or uri.partition("?")[0], file.get("mimeType"), media_type, data=data)
    url = f"data:{kind};base64,{data}" if data and kind else uri
    if not is_http(url) and not url.startswith("data:"):
        raise InvalidRequest("A file needs its content and its type, or an http(s) URL.", param=where)
    if kind in IMAGES:
        return _image({"url": url}, where, lost)
    return {"type": "document_url", "document_url": url, **({"document_name": name} if name else {})}
