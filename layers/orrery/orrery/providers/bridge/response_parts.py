"""What stands in the content of items, part by part, as a chat's messages have it."""

from collections.abc import Callable, Mapping
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.wire.media import BY_SUFFIX, data_url

MARKS = ("cache_control", "prompt_cache_breakpoint")

_SUFFIXES = {media_type: suffix for suffix, media_type in reversed(BY_SUFFIX.items())}

TEXTS = frozenset({"input_text", "output_text", "text", "summary_text"})
SHOWN = TEXTS | {"input_image", "input_file"}
SAID = SHOWN | {"input_audio"}
"""Kinds of parts: in messages of the system, in tools' results, in a user's messages."""


def contents(content: Any, where: str, kinds: frozenset[str]) -> str | list[Json]:
    """A chat's content for an item's. Raises `InvalidRequest` for a part that no chat has in that place."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    refuse_others(content, where, kinds)
    return [{**_AS_CHAT[part["type"]](part, f"{where}[{n}]"), **marks_of(part)} for n, part in enumerate(content)]


def refuse_others(content: Any, where: str, kinds: frozenset[str]) -> None:
    """Raises `InvalidRequest` for a part of another kind."""
    for number, part in enumerate(content if isinstance(content, list) else ()):
        if part.get("type") not in kinds:
            raise InvalidRequest(
                f"This model is served as a chat, which takes no content of type '{part.get('type')}' here.",
                param=f"{where}[{number}].type",
            )


def marks_of(part: Json) -> Json:
    """Where a prompt's cached part ends, if it does there."""
    return {name: part[name] for name in MARKS if part.get(name)}


def text_part(part: Json, where: str = "") -> Json:
    return {"type": "text", "text": part.get("text") or ""}


def _image(part: Json, where: str) -> Json:
    url = part.get("image_url")
    if not url:
        raise InvalidRequest(
            "This model is served as a chat, which takes images by URL or content, not by id.",
            param=f"{where}.image_url",
        )
    return {"type": "image_url", "image_url": {"url": url, **_given(part, "detail")}}


def _file(part: Json, where: str) -> Json:
    """A file by content, id or URL. The content of a URL has no name any more, and some providers insist on one."""
    url, held = part.get("file_url"), _given(part, "file_data", "file_id", "filename")
    if url and "file_data" not in held:
        media_type, _ = data_url(url)
        held |= {"file_data": url} if media_type else {"uri": url}
        if media_type in _SUFFIXES:
            held.setdefault("filename", f"file.{_SUFFIXES[media_type]}")
    return {"type": "file", "file": held}


def _audio(part: Json, where: str) -> Json:
    return {"type": "input_audio", **_given(part, "input_audio")}


def _given(part: Json, *names: str) -> Json:
    return {name: part[name] for name in names if part.get(name) is not None}


_AS_CHAT: Mapping[str, Callable[[Json, str], Json]] = {
    **dict.fromkeys(TEXTS, text_part),
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}
