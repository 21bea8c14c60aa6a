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
"""Where parts of a message hold a URL, in an object called like the part; the first field that is filled counts."""

ITEM_FIELDS = {"input_image": ("image_url",), "input_file": ("file_url", "file_data"), "input_video": ("video_url",)}
"""Where parts of a response's items hold one."""

CODES = {"image_url": "invalid_image_url", "input_image": "invalid_image_url"}
"""For a URL that cannot be read: OpenAI's own (quoted in riverscuomo/cuomputer#95, 2025-05-05); else `CODE`."""

CODE = "invalid_file_url"

STAND_INS = {"messages": {"type": "text", "text": "(a file)"}, "input": {"type": "input_text", "text": "(a file)"}}

type Place = tuple[str, int, str, int]
"""The way to a part: the list of messages or items, which one, its list of parts, which one."""


class Spot(NamedTuple):
    """Where a URL stands: the part and its type, and the field in it."""

    place: Place
    kind: str
    field: str
    url: str

    @property
    def path(self) -> str:
        """OpenAI's way to point into a body."""
        holders, holder, parts, part = self.place
        within = f"{self.kind}." if holders == "messages" else ""
        return f"{holders}[{holder}].{parts}[{part}].{within}{self.field}"

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.url, self.path, CODES.get(self.kind, CODE))


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
    parts = {spot.place: _inlined(spot, call.body, exchange.fetched[spot.url]) for spot in spots}
    return replace(call, body=_with_parts(call.body, parts))


def _needs_bytes(adapter: Adapter, gateway: Gateway) -> Callable[[str, str], bool] | None:
    """What the adapter says, and what was uploaded here: no provider can read that."""
    uploads, asked = gateway.uploads, adapter.needs_bytes
    if uploads is None:
        return asked
    return lambda kind, url: uploads.has(url) or (asked is not None and asked(kind, url))


def _spots(body: Json, needs_bytes: Callable[[str, str], bool]) -> Iterator[Spot]:
    for place, part in _parts(body):
        kind = str(part.get("type"))
        holder, fields = (part, ITEM_FIELDS.get(kind, ())) if place[0] == "input" else _of_message(part, kind)
        filled = ((field, holder.get(field)) for field in fields)
        field, url = next(((field, url) for field, url in filled if url), ("", ""))
        if is_http(url) and needs_bytes(kind, url):
            yield Spot(place, kind, field, url)


def _of_message(part: Json, kind: str) -> tuple[Json, Sequence[str]]:
    return (part[kind], URL_FIELDS[kind]) if kind in URL_FIELDS else (part, ())


def _parts(body: Json) -> Iterator[tuple[Place, Json]]:
    """Every part of a chat's messages, or of a response's items and of what tools gave back."""
    holders, fields = ("messages", ("content",)) if body.get("messages") else ("input", ("content", "output"))
    listed = body.get(holders)
    for number, holder in enumerate(listed if isinstance(listed, list) else ()):
        for field in fields if isinstance(holder, dict) else ():
            parts = holder.get(field)
            for place, part in enumerate(parts if isinstance(parts, list) else ()):
                if isinstance(part, dict):
                    yield (holders, number, field, place), part


def _refuse_unread(call: Call, spots: Iterable[Spot], adapter: Adapter, exchange: Exchange) -> None:
    """Where the caller wants a refusal rather than a loss, it comes before anything is read."""
    if not call.strict or exchange.target is None:
        return
    body = _with_parts(call.body, {spot.place: STAND_INS[spot.place[0]] for spot in spots})
    dropped: Sequence[str] = ()
    with suppress(InvalidRequest):  # of a body without its media; the real one is judged when it is whole
        dropped = adapter.encode(replace(call, body=body), exchange.target).dropped
    refuse_dropped(call, dropped, exchange.target)


def _inlined(spot: Spot, body: Json, fetched: Fetched) -> Json:
    """The part, with the content where the URL was; a file keeps its name or gets the URL's."""
    holders, number, field, place = spot.place
    part = body[holders][number][field][place]
    if holders == "input":
        return _with_content(part, spot, fetched)
    held = part[spot.kind]
    name = held.get("filename") or file_name(spot.url)
    url = as_data_url(fetched.data, name, fetched.media_type, held.get("mimeType"))
    if spot.kind == "file":
        held = {key: value for key, value in held.items() if key != "uri"} | ({"filename": name} if name else {})
    return {**part, spot.kind: {**held, "file_data" if spot.kind == "file" else spot.field: url}}


def _with_content(part: Json, spot: Spot, fetched: Fetched) -> Json:
    """A part of an item: a picture is a data URL where the URL was, a file has a field of its own for that."""
    name = part.get("filename") or file_name(spot.url)
    url = as_data_url(fetched.data, name, fetched.media_type, None)
    if spot.kind != "input_file":
        return {**part, spot.field: url}
    rest = {key: value for key, value in part.items() if key != "file_url"}
    return rest | ({"filename": name} if name else {}) | {"file_data": url}


def _with_parts(body: Json, parts: Mapping[Place, Json]) -> Json:
    """The body with other content parts, by their places."""
    holders = next(iter(parts))[0]
    fields = {number: field for _, number, field, _ in parts}
    changed = [
        {**holder, fields[number]: _replaced(holder[fields[number]], (holders, number, fields[number]), parts)}
        if number in fields
        else holder
        for number, holder in enumerate(body[holders])
    ]
    return {**body, holders: changed}


def _replaced(given: Sequence[Json], where: tuple[str, int, str], parts: Mapping[Place, Json]) -> list[Json]:
    return [parts.get((*where, place), part) for place, part in enumerate(given)]
