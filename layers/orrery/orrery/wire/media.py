"""Media inside content parts: data URLs, and what kind of file something is."""

import re
from base64 import b64decode, b64encode
from urllib.parse import unquote, urlsplit

from orrery.core.types import Fetched

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

_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*;base64,", re.IGNORECASE)
_HEADS = {"JVBERi0": PDF, "/9j/": "image/jpeg", "iVBORw0KGgo": "image/png", "R0lGOD": "image/gif"}
_WEBP = re.compile(r"UklGR[\w+/]{6}XRUJQ", re.ASCII)  # RIFF, four bytes of length, WEBP

UNTOLD = frozenset(
    {"", "*/*", "application/octet-stream", "binary/octet-stream", "application/download", "application/force-download"}
    | {"application/x-download", "application/x-binary", "application/x-octet-stream", "application/unknown"}
)
"""Media types by which a server says that it knows none; `binary/octet-stream` is what S3 says unless told."""


def is_http(url: object) -> bool:
    """Whether `url` is an http or https URL."""
    return isinstance(url, str) and url.lower().startswith(("https://", "http://"))


def data_url(url: str) -> tuple[str, str]:
    """Media type and base64 of a data URL; without the prefix of one, no type and everything as base64."""
    match = _DATA_URL.match(url)
    return ((match[1] or "").lower(), url[match.end() :]) if match else ("", url)


def bytes_of(url: str) -> Fetched | None:
    """What a base64 data URL holds; None for anything else."""
    match = _DATA_URL.match(url)
    if not match:
        return None
    try:
        return Fetched((match[1] or "").lower(), b64decode(url[match.end() :], validate=True))
    except ValueError:
        return None


def sniffed(data: str) -> str:
    """The media type that base64 begins like; "" for one that is not recognised."""
    if _WEBP.match(data):
        return "image/webp"
    return next((media_type for head, media_type in _HEADS.items() if data.startswith(head)), "")


def kind_of(name: str, *told: str | None, data: str = "") -> str:
    """A file's media type in lower case: the first that was told, else by its name's suffix, else by its content."""
    suffix = name.rpartition(".")[2].lower()
    return next((t for t in (*told, BY_SUFFIX.get(suffix), sniffed(data)) if t), "").lower()


def file_name(url: str) -> str:
    """The last step of a URL's path, as people see it, at most 128 characters; "" where there is none."""
    name = unquote(urlsplit(url).path.rpartition("/")[2], errors="replace")
    return "".join(c for c in name if c.isprintable() and c not in '/\\"')[-128:]


def as_data_url(data: bytes, name: str, server_type: str, claimed_type: str | None) -> str:
    """`data` as a data URL. Its type: what it begins like, else what its server says, what the caller claims, or what
    the suffix of `name` suggests.

    The content speaks first: image hosts mislabel, and Anthropic answers 400 to a type that does not match the bytes
    (home-assistant/core#167208, BerriAI/litellm#24900, read 2026-11-21).
    """
    encoded = b64encode(data).decode()
    told = [t for t in (server_type, (claimed_type or "").lower()) if t not in UNTOLD and _TYPE.fullmatch(t)]
    media_type = sniffed(encoded[:64]) or kind_of(name, *told) or "application/octet-stream"
    return f"data:{IMAGES.get(media_type, media_type)};base64,{encoded}"
