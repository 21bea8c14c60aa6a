"""multipart/form-data, read and written without copying what is in it.

python-multipart takes the body apart; what it finds are views into the posted bytes. Nothing is written to a disk.
"""

import logging
import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from orrery.core.dialect import Form, Pieces
from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.types import Upload

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

# It warns of every malformed form, on standard error; the caller is told instead.
logging.getLogger("python_multipart").disabled = True
logging.getLogger("python_multipart.multipart").disabled = True

MOST_FILES = 17
"""Sixteen pictures to edit, and a mask."""
MOST_FIELDS = 64
LONGEST_FIELD = 1024 * 1024
"""Bytes of one text field: a prompt, or options as JSON."""

LONGEST_NAME = 100

_MEDIA_TYPE = re.compile(r"[a-z0-9][\w.+-]{0,62}/[a-z0-9][\w.+-]{0,62}", re.ASCII)
_SUFFIX = re.compile(r"\.([A-Za-z0-9]{1,5})\Z", re.ASCII)
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


class Part(NamedTuple):
    """One part of a form: a file where `is_file`, else a text field."""

    name: str
    is_file: bool
    suffix: str
    media_type: str
    data: memoryview


def is_form(content_type: str) -> bool:
    """Whether a `Content-Type` announces multipart/form-data."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def read_form(raw: bytes, content_type: str) -> Form:
    """The form's fields, and its files under names of our own.

    Raises `InvalidRequest` for what is no whole form, `TooLarge` for more than it may hold.
    """
    fields: list[tuple[str, str]] = []
    files: list[Upload] = []
    for part in _parts(raw, content_type):
        if part.is_file:
            name = f"{re.sub(r'[^a-z]', '', part.name.lower()) or 'file'}.{part.suffix or 'bin'}"
            files.append(Upload(part.name.removesuffix("[]"), name, part.media_type, part.data))
        else:
            fields.append((part.name, _text(part)))
    return Form(tuple(fields), tuple(files))


def _text(part: Part) -> str:
    if len(part.data) > LONGEST_FIELD:
        raise TooLarge(f"A form field may have {LONGEST_FIELD} bytes.", param=part.name)
    try:
        return bytes(part.data).decode()
    except UnicodeDecodeError as err:
        raise InvalidRequest("A form field is not UTF-8.", param=part.name) from err


def _parts(raw: bytes, content_type: str) -> Sequence[Part]:
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise InvalidRequest("The form's Content-Type names no boundary, or one that is none.")
    reading = _Reading(raw)
    try:
        parser = MultipartParser(boundary, reading.callbacks(), max_size=max(1, len(raw)))
        parser.write(raw)
        parser.finalize()
    except FormParserError as err:
        raise InvalidRequest("The request body is not the form that its Content-Type announces.") from err
    if not reading.is_whole:
        raise InvalidRequest("The form is not whole: its last boundary is missing.")
    return reading.parts


class _Reading:
    """What the parser has told so far. It is given the body in one piece, so that a part's data is one span of it."""

    def __init__(self, raw: bytes) -> None:
        self.parts: list[Part] = []
        self.is_whole = False
        self._view = memoryview(raw)
        self._counts = {True: 0, False: 0}
        self._name, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._start = self._stop = 0

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._over,
        }

    def _begin(self) -> None:
        self._headers = {}
        self._start = self._stop = 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name, self._value = data[start:end].lower(), b""

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value = data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name] = self._value

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._start, self._stop = (self._start if self._stop else start), end

    def _end(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name", b"").decode(errors="replace")
        if kind != b"form-data" or not 0 < len(name) <= LONGEST_NAME:
            raise InvalidRequest(f"A part of the form has no name, or one of more than {LONGEST_NAME} characters.")
        is_file = b"filename" in options
        self._counts[is_file] += 1
        if self._counts[is_file] > (MOST_FILES if is_file else MOST_FIELDS):
            raise TooLarge(f"A form may hold {MOST_FILES} files and {MOST_FIELDS} fields.")
        media_type = self._headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        suffix = _SUFFIX.search(options.get(b"filename", b"").decode("latin-1"))
        self.parts.append(
            Part(
                name,
                is_file,
                suffix[1].lower() if suffix else "",
                media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream",
                self._view[self._start : self._stop],
            )
        )

    def _over(self) -> None:
        self.is_whole = True


def write_form(form: Form) -> tuple[str, Pieces]:
    """The form as a `Content-Type` and a body in pieces: the files' own bytes, and what stands between them.

    Names and values are written as browsers write them (WHATWG, "multipart/form-data encoding algorithm", read
    2026-11-21): in names, line ends and quotation marks are percent-encoded.
    """
    boundary = f"orrery{secrets.token_hex(16)}"
    pieces: list[bytes | memoryview] = []
    for name, value in form.fields:
        pieces.append(
            f'--{boundary}\r\ncontent-disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'.encode()
        )
    for file in form.files:
        disposition = f'form-data; name="{_quoted(file.field_name)}"; filename="{_quoted(file.name)}"'
        head = f"--{boundary}\r\ncontent-disposition: {disposition}\r\ncontent-type: {file.media_type}\r\n\r\n"
        pieces += [head.encode(), file.data, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", tuple(pieces)


def _quoted(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
