"""Brings the content of URLs that a dialect cannot pass on into the call, before it is encoded."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from orrery.core.dialect import Adapter
from orrery.core.errors import InvalidRequest
from orrery.core.exchange import Exchange
from orrery.core.types import Call, Fetched, Json
from orrery.flow.gateway import Gateway
from orrery.flow.links import with_links
from orrery.flow.reading import MOST_URLS, Wanted, read_all, refuse_too_much
from orrery.flow.strict import refuse_dropped
from orrery.wire.media import as_data_url, file_name, is_http

URL_FIELDS = {"image_url": ("url",), "file": ("file_data", "uri")}
"""Where parts hold a URL; the first field that is filled counts."""

CODES = {"image_url": "invalid_image_url", "file": "invalid_file_url"}
"""For a URL that cannot be read. The first is OpenAI's own (quoted in riverscuomo/cuomputer#95, 2025-05-05)."""

STAND_IN = {"type": "text", "text": "(a file)"}


class Spot(NamedTuple):
    """Where a URL stands: the message, the part in its content, the part's type, the field in that."""

    message: int
    part: int
    kind: str
    field: str
    url: str

    @property
    def path(self) -> str:
        """OpenAI's way to point into a body."""
        return f"messages[{self.message}].content[{self.part}].{self.kind}.{self.field}"

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.url, self.path, CODES[self.kind])


async def with_bytes(call: Call, adapter: Adapter, exchange: Exchange, gateway: Gateway) -> Call:
    """The call, each URL that the adapter needs the bytes of replaced by a data URL; the caller's mapping stays whole.

    A URL is read once for a request, also across retries and fallbacks. Raises `InvalidRequest` when one cannot be
    read, `TooLarge` when they bring too much. Both end the request, even if a fallback could pass the URL on: it is
    the caller's to repair, and whether a request is sound must not depend on which target happens to serve it.
    """
    if call.links:
        return await with_links(call, adapter, exchange, gateway)
    needs_bytes = _needs_bytes(adapter, gateway)
    spots = list(_spots(call.body, needs_bytes)) if needs_bytes else []
    if not spots:
        return call
    first: dict[str, Spot] = {}
    for spot in spots:
        first.setdefault(spot.url, spot)
    if len(first) > MOST_URLS:
        beyond = list(first.values())[MOST_URLS]
        raise InvalidRequest(f"Of one request, at most {MOST_URLS} URLs are read.", param=beyond.path)
    if missing := [spot for url, spot in first.items() if url not in exchange.fetched]:
        _refuse_unread(call, spots, adapter, exchange)
        await read_all([spot.wanted for spot in missing], call, exchange, gateway)
    refuse_too_much([spot.wanted for spot in spots], exchange, gateway)
    parts = {(spot.message, spot.part): _inlined(spot, call.body, exchange.fetched[spot.url]) for spot in spots}
    return replace(call, body=_with_parts(call.body, parts))


def _needs_bytes(adapter: Adapter, gateway: Gateway) -> Callable[[str, str], bool] | None:
    """What the adapter says, and what was uploaded here: no provider can read that."""
    uploads, asked = gateway.uploads, adapter.needs_bytes
    if uploads is None:
        return asked
    return lambda kind, url: uploads.has(url) or (asked is not None and asked(kind, url))


def _spots(body: Json, needs_bytes: Callable[[str, str], bool]) -> Iterator[Spot]:
    for number, message in enumerate(body.get("messages") or ()):
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            kind = part.get("type")
            filled = ((field, part[kind].get(field)) for field in URL_FIELDS.get(kind, ()))
            field, url = next(((field, url) for field, url in filled if url), ("", ""))
            if is_http(url) and needs_bytes(kind, url):
                yield Spot(number, place, kind, field, url)


def _refuse_unread(call: Call, spots: Iterable[Spot], adapter: Adapter, exchange: Exchange) -> None:
    """Where the caller wants a refusal rather than a loss, it comes before anything is read."""
    if not call.strict or exchange.target is None:
        return
    body = _with_parts(call.body, {(spot.message, spot.part): STAND_IN for spot in spots})
    dropped: Sequence[str] = ()
    with suppress(InvalidRequest):  # of a body without its media; the real one is judged when it is whole
        dropped = adapter.encode(replace(call, body=body), exchange.target).dropped
    refuse_dropped(call, dropped, exchange.target)


def _inlined(spot: Spot, body: Json, fetched: Fetched) -> Json:
    """The part, with the content where the URL was; a file keeps its name or gets the URL's."""
    part = body["messages"][spot.message]["content"][spot.part]
    held = part[spot.kind]
    name = held.get("filename") or file_name(spot.url)
    url = as_data_url(fetched.data, name, fetched.media_type, held.get("mimeType"))
    if spot.kind == "file":
        held = {key: value for key, value in held.items() if key != "uri"} | ({"filename": name} if name else {})
    return {**part, spot.kind: {**held, "file_data" if spot.kind == "file" else spot.field: url}}


def _with_parts(body: Json, parts: Mapping[tuple[int, int], Json]) -> Json:
    """The body with other content parts, by message and place."""
    changed = {message for message, _ in parts}
    messages = [
        {**message, "content": [parts.get((number, place), part) for place, part in enumerate(message["content"])]}
        if number in changed
        else message
        for number, message in enumerate(body["messages"])
    ]
    return {**body, "messages": messages}
