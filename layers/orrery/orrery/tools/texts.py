"""What comes from outside, as text for a model: read as far as it is wanted, decoded, cut, without secrets."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from orrery.core.ports import UpstreamReply
from orrery.wire.body import dumps
from orrery.wire.template import MASK

MOST_CHARS = 50_000
"""Characters of one result: some 12,000 tokens."""

SHORTEST_SECRET = 4
"""Shorter values are not looked for: masking each "1" would make nonsense of a text and hide nothing."""

_CODEC = re.compile(
    r"utf-?8|utf-16(?:le|be)?|us-ascii|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|tis-620"
    r"|shift_jis|euc-(?:jp|kr)|gbk|gb2312|gb18030|big5"
)
"""What the web is written in; some of Python's other codecs take a time that grows with the square of the text."""

# What is not printed: C0 but for tab and line feed, DEL, C1, what turns the direction of writing, lone surrogates.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_OPENING = re.compile(r"\{(?=[{%#])")
_SPACE = re.compile(r"\s+")


async def read(reply: UpstreamReply, most_bytes: int) -> tuple[bytes, bool]:
    """The body as far as `most_bytes`, and whether there was more. What is beyond is never received."""
    received = bytearray()
    async with aclosing(reply.chunks()) as chunks:  # type: ignore[type-var]  # it is a generator
        async for chunk in chunks:
            received += chunk
            if len(received) > most_bytes:
                return bytes(received[:most_bytes]), True
    return bytes(received), False


def decoded(data: bytes, charset: str = "") -> str:
    """Text of whatever bytes, in `charset` where that is a customary one, else UTF-8; what is broken is replaced."""
    name = charset.strip().strip("\"'").lower()
    codec = name if _CODEC.fullmatch(name) else "utf-8"
    try:
        return data.decode(codec, "replace").removeprefix("\ufeff")
    except LookupError:  # a number that no code page has
        return data.decode("utf-8", "replace")


def clean(text: str) -> str:
    """The same without what cannot be seen; lines end as they do on Unix."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n"))


def line(text: Any, most: int) -> str:
    """Words on one line, at most so many characters; "" for what is no text."""
    return _SPACE.sub(" ", clean(text[: most * 8])).strip()[:most] if isinstance(text, str) else ""


def cut(text: str, most: int = MOST_CHARS, *, more: bool = False) -> str:
    """At most so many characters, and a note where something is missing. `more`: something was missing already."""
    if len(text) > most:
        return f"{text[:most]}\n\n[Cut here: {len(text) - most} more characters were left out.]"
    return f"{text}\n\n[Cut here: the rest was not read.]" if more else text


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with `***` for each secret, also as it stands in URLs and in JSON. The longest go first."""
    forms = {form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield dumps(secret).decode()[1:-1]


def leaves(value: Any) -> Iterator[str]:
    """Every text in a JSON value, numbers as they are written."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def inert(text: str) -> str:
    """The text without the beginning of any placeholder or tag of an engine.

    What a model or a page wrote must not have the request's variables filled in on its way to the next model.
    """
    return _OPENING.sub("{ ", text)


def said(resource: Mapping[str, Any]) -> str:
    """All that a finished response says in words."""
    parts = (
        part
        for item in resource.get("output") or ()
        if isinstance(item, Mapping) and item.get("type") == "message"
        for part in item.get("content") or ()
        if isinstance(part, Mapping)
    )
    return "".join(str(part.get("text") or part.get("refusal") or "") for part in parts)
