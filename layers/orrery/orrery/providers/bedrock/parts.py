"""What users and tools say, part by part, as content blocks.

Sources, read 2026-11-21: `ContentBlock` and what it is made of in botocore 1.44.5's service model, with its formats and
the rules for the names of documents. Blobs are base64 in JSON. Content comes in the request, or lies in S3.
"""

import re
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.bedrock.caching import Caching
from orrery.providers.bedrock.models import Traits
from orrery.providers.lost import Lost
from orrery.wire.media import IMAGES, TEXTS, UNTOLD, data_url, is_http, kind_of

_OFFICE = "application/vnd.openxmlformats-officedocument."

FORMATS = {
    **{media_type: ("image", proper.removeprefix("image/")) for media_type, proper in IMAGES.items()},
    "application/pdf": ("document", "pdf"),
    "text/csv": ("document", "csv"),
    "application/msword": ("document", "doc"),
    f"{_OFFICE}wordprocessingml.document": ("document", "docx"),
    "application/vnd.ms-excel": ("document", "xls"),
    f"{_OFFICE}spreadsheetml.sheet": ("document", "xlsx"),
    "text/html": ("document", "html"),
    "text/markdown": ("document", "md"),
    "video/x-matroska": ("video", "mkv"),
    "video/quicktime": ("video", "mov"),
    "video/mp4": ("video", "mp4"),
    "video/webm": ("video", "webm"),
    "video/x-flv": ("video", "flv"),
    "video/mpeg": ("video", "mpeg"),
    "video/x-ms-wmv": ("video", "wmv"),
    "video/3gpp": ("video", "three_gp"),
    "audio/mpeg": ("audio", "mp3"),
    "audio/mp3": ("audio", "mp3"),
    "audio/wav": ("audio", "wav"),
    "audio/x-wav": ("audio", "wav"),
    "audio/flac": ("audio", "flac"),
    "audio/ogg": ("audio", "ogg"),
    "audio/aac": ("audio", "aac"),
    "audio/opus": ("audio", "opus"),
}
"""The kind of block and its format, by the media type; other texts are plain ones."""

BY_SUFFIX = {form: media_type for media_type, (_, form) in FORMATS.items()} | {"jpg": "image/jpeg", "3gp": "video/3gpp"}

S3 = re.compile(r"s3://[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9](?:/.*)?")
"""Source: `S3Uri` in botocore 1.44.5. The role that signs reads it: it should reach no bucket that is not for all."""

LONGEST_NAME = 200
_NOT_NAME = re.compile(r"[^A-Za-z0-9()\[\]-]+")


def needs_bytes(part_type: str, url: str) -> bool:
    """Whether the content of a part's URL must be put in its place: Converse reads nothing from the web."""
    return is_http(url)


def text_block(text: Any) -> list[Json]:
    """A text as a list of one block; of none when there is nothing to read in it, for blank text is a 400."""
    return [{"text": text}] if isinstance(text, str) and text.strip() else []


class Parts:
    """Content parts as blocks, over a whole request: the names of documents must differ."""

    def __init__(self, traits: Traits, lost: Lost) -> None:
        self.caching = Caching(traits, lost)
        self._traits = traits
        self._lost = lost
        self._names: set[str] = set()

    def of(self, content: Any, where: str, *, marked: bool = True) -> list[Json]:
        """The blocks of a string, of a list of parts, or of nothing; `where` is the JSON path for complaints.

        `marked` False: no cache points, where none may stand.
        """
        if not isinstance(content, list):
            return text_block(content)
        blocks: list[Json] = []
        for number, part in enumerate(content):
            found = self._blocks(part, f"{where}[{number}]")
            blocks += found
            if found and marked:
                self.caching.mark(blocks, part.get("cache_control"), "messages")
            if part.get("prompt_cache_breakpoint"):
                self._lost.add("prompt_cache_breakpoint")
        return blocks

    def _blocks(self, part: Json, where: str) -> list[Json]:
        kind = part.get("type")
        if kind == "text":
            return text_block(part["text"])
        if kind == "image_url":
            if part["image_url"].get("detail") not in (None, "auto"):
                self._lost.add("image_url.detail")
            return [self._image(part["image_url"]["url"], f"{where}.image_url.url")]
        if kind == "file":
            return [self._file(part["file"], f"{where}.file")]
        if kind == "input_audio" and self._traits.claude is None:
            held = part["input_audio"]
            return [{"audio": {"format": held["format"], "source": {"bytes": data_url(held["data"])[1]}}}]
        raise InvalidRequest(f"This model takes no content of type '{kind}'.", param=f"{where}.type")

    def _image(self, url: str, where: str) -> Json:
        media_type, data = data_url(url)
        if S3.fullmatch(url):
            media_type, data = kind_of("", _suffixed(url)), ""
        kind, form = FORMATS.get(media_type, ("", ""))
        if kind != "image":
            raise InvalidRequest(
                "Images must come as base64 data URLs of JPEG, PNG, GIF or WebP, or lie in S3 under such a name.",
                param=where,
            )
        return {"image": {"format": form, "source": _source(data, url)}}

    def _file(self, file: Json, where: str) -> Json:
        """A document, image, video or sound, by content or from S3."""
        if file.get("file_id"):
            # The account at Amazon is shared: an id could name another tenant's file.
            raise InvalidRequest("Files cannot be named by id here; send their content.", param=f"{where}.file_id")
        uri, name = file.get("uri") or "", file.get("filename") or ""
        told, data = data_url(file.get("file_data") or "")
        if not data and not S3.fullmatch(uri):
            raise InvalidRequest("Files must come with their content, or lie in S3.", param=where)
        known = [media_type for media_type in (file.get("mimeType"), told) if media_type not in UNTOLD]
        media_type = kind_of(name or uri, *known, _suffixed(name or uri), data=data)
        kind, form = FORMATS.get(media_type, ("document", "txt") if media_type.startswith(TEXTS) else ("", ""))
        if not kind or (kind == "audio" and self._traits.claude is not None):
            raise InvalidRequest(f"This model takes no files of type '{media_type[:80] or 'unknown'}'.", param=where)
        block: Json = {"format": form, "source": _source(data, uri)}
        return {kind: {**block, "name": self._name(name)} if kind == "document" else block}

    def _name(self, filename: str) -> str:
        """A document's name as it may be written, and different from the others."""
        stem = filename.rpartition(".")[0] or filename
        plain = _NOT_NAME.sub(" ", stem).strip()[: LONGEST_NAME - 8].strip() or "document"
        name, number = plain, 1
        while name in self._names:
            number += 1
            name = f"{plain} ({number})"
        self._names.add(name)
        return name


def _source(data: str, uri: str) -> Json:
    return {"bytes": data} if data else {"s3Location": {"uri": uri}}


def _suffixed(name: str) -> str | None:
    return BY_SUFFIX.get(name.rpartition(".")[2].lower())
