"""Where URLs of files stand in a response's input: some providers need what is behind them."""

from collections.abc import Iterator
from typing import Any

from orrery.core.types import Json, Link
from orrery.wire.media import is_http

FIELDS = ("image_url", "file_url")
PLACES = ("content", "output")
"""Fields of items that hold parts."""


def links_of(body: Json) -> tuple[Link, ...]:
    """The links of a call whose body this is, as `Adapter.needs_bytes` is asked about them."""
    items = body.get("input")
    return tuple(_links(items)) if isinstance(items, list) else ()


def _links(items: list[Any]) -> Iterator[Link]:
    for number, item in enumerate(items):
        for place in PLACES:
            parts = item.get(place)
            for index, part in enumerate(parts if isinstance(parts, list) else ()):
                for field in FIELDS:
                    if is_http(url := part.get(field)):
                        yield Link(("input", number, place, index, field), url)
