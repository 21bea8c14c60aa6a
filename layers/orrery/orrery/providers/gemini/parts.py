"""What users and tools say, part by part, as parts of a content.

Sources, read 2026-11-21: "Image understanding", "Audio understanding", "Video understanding" and "File input methods"
(ai.google.dev); "Image understanding" (docs.cloud.google.com). Newer models read web addresses themselves, older ones
do not, and a `fileData` needs a media type that an address does not tell: so web content is fetched here and goes
inline. YouTube, the Files API and Cloud Storage are Google's own and go on by their address.
"""

import re
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.lost import Lost
from orrery.wire.media import data_url, is_http, kind_of

IMAGES = {
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/png": "image/png",
    "image/webp": "image/webp",
    "image/heic": "image/heic",
    "image/heif": "image/heif",
}
AUDIO = {"wav": "audio/wav", "mp3": "audio/mp3"}
_AS_TEXT = ("application/json", "application/xml")
"""Texts that the API does not list by this type; it reads them as plain ones."""

_KINDS = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mpeg": "video/mpeg",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
"""By a name's suffix, where nobody said the type."""

_GOOGLES = re.compile(
    r"gs://[a-z0-9]"
    r"|https://generativelanguage\.googleapis\.com/(?:v1|v1beta|v1alpha)/files/[a-z0-9-]+\Z"
    r"|https://(?:(?:www\.|m\.)?youtube\.com/(?:watch\?|shorts/|live/)|youtu\.be/)"
)


def is_googles(url: object) -> bool:
    """Whether Google itself reads this address, on every model."""
    return isinstance(url, str) and _GOOGLES.match(url) is not None


def needs_bytes(part_type: str, url: str) -> bool:
    """Whether the content of a part's URL must be put in its place."""
    return is_http(url) and not is_googles(url)


def text_part(text: Any) -> list[Json]:
    """A text as a list of one part; of none when it is empty, for an empty part is a 400."""
    return [{"text": text}] if isinstance(text, str) and text else []


def parts_of(content: Any, where: str, lost: Lost) -> list[Json]:
    """The parts of a string, of a list of parts, or of nothing; `where` is the JSON path for complaints."""
    if not isinstance(content, list):
        return text_part(content)
    parts: list[Json] = []
    for number, part in enumerate(content):
        for name in ("cache_control", "prompt_cache_breakpoint"):
            if part.get(name):
                lost.add(name)
        parts += _parts(part, f"{where}[{number}]", lost)
    return parts


def _parts(part: Json, where: str, lost: Lost) -> list[Json]:
    kind = part.get("type")
    if kind == "text":
        return text_part(part["text"])
    if kind == "image_url":
        if part["image_url"].get("detail") not in (None, "auto"):
            lost.add("image_url.detail")
        return [_image(part["image_url"]["url"], f"{where}.image_url.url")]
    if kind == "input_audio":
        return [_inline(AUDIO[part["input_audio"]["format"]], data_url(part["input_audio"]["data"])[1])]
    if kind == "file":
        return [_file(part["file"], f"{where}.file")]
    raise InvalidRequest(f"Gemini models take no content of type '{kind}'.", param=f"{where}.type")


def _inline(media_type: str, data: str) -> Json:
    return {"inlineData": {"mimeType": media_type, "data": data}}


def _image(url: str, where: str) -> Json:
    """An image; a data URL of a video, a sound or a PDF is taken, too, for many clients have no other part for it."""
    if is_googles(url):
        return _by_address(url, None)
    media_type, data = data_url(url)
    if media_type in IMAGES:
        return _inline(IMAGES[media_type], data)
    if not media_type or media_type.startswith("image/"):
        raise InvalidRequest(
            "Gemini models take images as base64 data URLs of JPEG, PNG, WebP, HEIC or HEIF.", param=where
        )
    return _inline(media_type, data)


def _file(file: Json, where: str) -> Json:
    """A document, sound or video: by its content, or by an address of Google's."""
    if file.get("file_id"):
        # The account at Google is shared: an id could name another tenant's file.
        raise InvalidRequest("Files cannot be named by id here; send their content.", param=f"{where}.file_id")
    name, uri = file.get("filename") or "", file.get("uri")
    if is_googles(uri) and not file.get("file_data"):
        return _by_address(str(uri), file.get("mimeType"))
    told, data = data_url(file.get("file_data") or "")
    media_type = kind_of(name, file.get("mimeType"), told, _suffixed(name), data=data)
    if not data:
        raise InvalidRequest("Gemini models take files by their content, or from Google's storage.", param=where)
    if not media_type:
        raise InvalidRequest("What kind of file it is cannot be told; set 'mimeType'.", param=f"{where}.mimeType")
    return _inline("text/plain" if media_type in _AS_TEXT else IMAGES.get(media_type, media_type), data)


def _by_address(uri: str, told: str | None) -> Json:
    media_type = told or _suffixed(uri) or ("" if "/files/" in uri else "video/mp4" if uri[:3] != "gs:" else "")
    return {"fileData": {"fileUri": uri, **({"mimeType": media_type} if media_type else {})}}


def _suffixed(name: str) -> str:
    return _KINDS.get(name.rpartition(".")[2].lower(), "")
