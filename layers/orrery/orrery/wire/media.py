"""Media inside content parts: data URLs, and what kind of file something is."""

import re

IMAGES = {
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/png": "image/png",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
}
"""Media types that every model with eyes takes, and a common misspelling."""

PDF = "application/pdf"
TEXTS = ("text/", "application/json", "application/xml")
BY_SUFFIX = {"pdf": PDF, "txt": "text/plain", "md": "text/plain", "csv": "text/plain", "json": "application/json"}

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*;base64,", re.IGNORECASE)
_HEADS = {"JVBERi0": PDF, "/9j/": "image/jpeg", "iVBORw0KGgo": "image/png", "R0lGOD": "image/gif"}


def is_http(url: object) -> bool:
    """Whether `url` is an http or https URL."""
    return isinstance(url, str) and url.lower().startswith(("https://", "http://"))


def data_url(url: str) -> tuple[str, str]:
    """Media type and base64 of a data URL; without the prefix of one, no type and everything as base64."""
    match = _DATA_URL.match(url)
    return ((match[1] or "").lower(), url[match.end() :]) if match else ("", url)


def sniffed(data: str) -> str:
    """The media type that base64 begins like; "" for one that is not recognised."""
    return next((media_type for head, media_type in _HEADS.items() if data.startswith(head)), "")


def kind_of(name: str, *told: str | None, data: str = "") -> str:
    """A file's media type in lower case: the first that was told, else by its name's suffix, else by its content."""
    suffix = name.rpartition(".")[2].lower()
    return next((t for t in (*told, BY_SUFFIX.get(suffix), sniffed(data)) if t), "").lower()
