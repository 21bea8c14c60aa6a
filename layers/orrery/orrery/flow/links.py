"""Brings the files behind `Call.links` into the call: as uploads, or as data URLs where the links stand."""

from dataclasses import replace
from typing import Any

from orrery.core.dialect import Adapter
from orrery.core.errors import InvalidRequest
from orrery.core.exchange import Exchange
from orrery.core.types import Call, Fetched, Link, Upload
from orrery.flow.gateway import Gateway
from orrery.flow.reading import MOST_URLS, Wanted, read_all, refuse_too_much
from orrery.wire.media import as_data_url, bytes_of, file_name, is_http

CODE = "invalid_file_url"


async def with_links(call: Call, adapter: Adapter, exchange: Exchange, gateway: Gateway) -> Call:
    """The call with every file in it that the adapter needs the bytes of; the caller's mapping stays whole.

    Raises `InvalidRequest` when a URL cannot be read, `TooLarge` when they bring too much.
    """
    needed = [link for link in call.links if is_http(link.url) and _is_needed(link, adapter, gateway)]
    urls = {link.url: link for link in reversed(needed)}
    if len(urls) > MOST_URLS:
        raise InvalidRequest(f"Of one request, at most {MOST_URLS} URLs are read.", param=needed[MOST_URLS].param)
    missing = [link for url, link in urls.items() if url not in exchange.fetched]
    if missing:
        await read_all([Wanted(link.url, link.param, CODE) for link in missing], call, exchange, gateway)
    refuse_too_much([Wanted(link.url, link.param, CODE) for link in needed], exchange, gateway)
    for link in call.links:
        fetched = exchange.fetched.get(link.url) if link in needed else None
        call = _uploaded(call, link, fetched) if link.upload else _inlined(call, link, fetched)
    return replace(call, links=())


def _is_needed(link: Link, adapter: Adapter, gateway: Gateway) -> bool:
    if link.upload or (gateway.uploads is not None and gateway.uploads.has(link.url)):
        return True
    return adapter.needs_bytes is not None and adapter.needs_bytes(str(link.path[-1]), link.url)


def _uploaded(call: Call, link: Link, fetched: Fetched | None) -> Call:
    """The file beside the form's own, and no URL any more."""
    name = file_name(link.url) if fetched else ""
    if fetched is None:
        fetched = bytes_of(link.url)
    if fetched is None:
        raise InvalidRequest("This is neither a web address nor a data URL.", param=link.param, code=CODE)
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    suffix = suffix if suffix.isascii() and suffix.isalnum() and len(suffix) <= 5 else ""
    media_type = fetched.media_type or "application/octet-stream"
    upload = Upload(link.upload, f"{link.upload}.{suffix or 'bin'}", media_type, fetched.data)
    return replace(call, body=_without(call.body, link.path), files=(*call.files, upload))


def _inlined(call: Call, link: Link, fetched: Fetched | None) -> Call:
    if fetched is None:
        return call
    url = as_data_url(fetched.data, file_name(link.url), fetched.media_type, None)
    return replace(call, body=_with(call.body, link.path, url))


def _with(holder: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy of `holder` in which another value stands at `path`; what lies beside it is shared."""
    if not path:
        return value
    copy = holder.copy()
    copy[path[0]] = _with(holder[path[0]], path[1:], value)
    return copy


def _without(holder: Any, path: tuple[str | int, ...]) -> Any:
    """A copy of `holder` without the field at `path`; what lies beside it is shared."""
    first, *rest = path
    if not rest:
        return {name: value for name, value in holder.items() if name != first}
    return _with(holder, (first,), _without(holder[first], tuple(rest)))
