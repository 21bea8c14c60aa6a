"""What users and tools say, part by part, as content blocks."""

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.lost import Lost
from orrery.wire.media import IMAGES, PDF, TEXTS, data_url, is_http, kind_of


def text_block(text: Any) -> list[Json]:
    """A text as a list of one block; of none when there is nothing to read in it, for blank text is a 400."""
    return [{"type": "text", "text": text}] if isinstance(text, str) and text.strip() else []


def blocks_of(content: Any, where: str, lost: Lost) -> list[Json]:
    """The blocks of a string, of a list of parts, or of nothing; `where` is the JSON path for complaints."""
    if not isinstance(content, list):
        return text_block(content)
    blocks: list[Json] = []
    for number, part in enumerate(content):
        found = _blocks(part, f"{where}[{number}]", lost)
        if found and part.get("cache_control"):
            found[-1]["cache_control"] = part["cache_control"]
        if part.get("prompt_cache_breakpoint"):
            lost.add("prompt_cache_breakpoint")
        blocks += found
    return blocks


def _blocks(part: Json, where: str, lost: Lost) -> list[Json]:
    kind = part.get("type")
    if kind == "text":
        return text_block(part["text"])
    if kind == "image_url":
        if part["image_url"].get("detail") not in (None, "auto"):
            lost.add("image_url.detail")
        return [_image(part["image_url"]["url"], f"{where}.image_url.url")]
    if kind == "file":
        return [_file(part["file"], f"{where}.file", lost)]
    raise InvalidRequest(f"Anthropic's models take no content of type '{kind}'.", param=f"{where}.type")


def _image(url: str, where: str) -> Json:
    if is_http(url):
        return {"type": "image", "source": {"type": "url", "url": url}}
    media_type, data = data_url(url)
    if media_type not in IMAGES:
        raise InvalidRequest(
            "Anthropic's models take images as http(s) URLs, or as base64 data URLs of JPEG, PNG, GIF or WebP.",
            param=where,
        )
    return {"type": "image", "source": {"type": "base64", "media_type": IMAGES[media_type], "data": data}}


def _file(file: Json, where: str, lost: Lost) -> Json:
    """A document: a PDF by content or URL, a text by content; an image that was sent as a file is an image."""
    if file.get("file_id"):
        # The account at Anthropic is shared: an id could name another tenant's file.
        raise InvalidRequest("Files cannot be named by id here; send their content.", param=f"{where}.file_id")
    name = file.get("filename") or ""
    data_url_type, data = data_url(file.get("file_data") or "")
    media_type = kind_of(name or file.get("uri") or "", file.get("mimeType"), data_url_type, data=data)
    if media_type in IMAGES:
        url = file["uri"] if not data else f"data:{media_type};base64,{data}"
        return _image(url or "", where)
    title = {"title": name} if name else {}
    return {"type": "document", "source": _source(media_type, data, file.get("uri"), where), **title}


def _source(media_type: str, data: str, uri: Any, where: str) -> Json:
    if not data:
        if is_http(uri) and media_type in (PDF, ""):
            return {"type": "url", "url": uri}
        raise InvalidRequest("Anthropic's models take a PDF by http(s) URL, other files by content.", param=where)
    if media_type == PDF:
        return {"type": "base64", "media_type": PDF, "data": data}
    if media_type.startswith(TEXTS):
        try:
            text = b64decode(data, validate=True).decode()
        except (NotBase64, UnicodeDecodeError) as err:
            raise InvalidRequest("The file is not base64 of UTF-8 text.", param=f"{where}.file_data") from err
        return {"type": "text", "media_type": "text/plain", "data": text}
    shown = media_type[:80] or "unknown"
    raise InvalidRequest(f"Anthropic's models take PDF, text and images as files, not '{shown}'.", param=where)
