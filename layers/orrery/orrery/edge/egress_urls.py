"""URLs that callers name, taken apart once: what is called later is what was judged, and nobody parses it again.

Nothing here asks where a host lies: names and odd spellings of addresses are for the resolver, whose answer is judged.
"""

import re
from collections.abc import Container
from ipaddress import IPv6Address
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from orrery.core.errors import InvalidRequest

CODE = "invalid_url"
LONGEST_URL = 8_192
PORTS = {"https": 443, "http": 80}

_ODD = re.compile(r"[\x00-\x20\x7f\\]")
_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([0-9]{0,5}))?", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


class Place(NamedTuple):
    """What to ask for, and whom: `host` is a name or an address in lower case, `target` the path with the query."""

    scheme: str
    host: str
    port: int
    target: bytes


def place_of(url: str, http_hosts: Container[str] = ()) -> Place:
    """The place that `url` names; http only at `http_hosts`. Fragments fall away. Raises `InvalidRequest`."""
    if len(url) > LONGEST_URL or _ODD.search(url):
        raise _refused(f"a URL has at most {LONGEST_URL} characters and no spaces, control characters or backslashes")
    try:
        parts = urlsplit(url)
        if parts.scheme not in PORTS:
            raise _refused("only https URLs are read")
        if "@" in parts.netloc:
            raise _refused("URLs with a user name or password are not read")
        host, port = _host_and_port(parts.netloc)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        target = quote(path if path.startswith("/") else f"/{path}", safe=_VISIBLE).encode("ascii")
    except ValueError as err:
        raise _refused("it has no host name in ASCII (others as xn--…), or no proper port") from err
    if parts.scheme == "http" and host not in http_hosts:
        raise _refused("only https URLs are read")
    port = PORTS[parts.scheme] if port is None else port
    if port not in PORTS.values():
        raise _refused("only ports 443 and 80 are read")
    return Place(parts.scheme, host, port, target)


def _host_and_port(authority: str) -> tuple[str, int | None]:
    """Raises `ValueError` for anything but ASCII names and addresses. `urlsplit` forgives text behind a bracket."""
    match = _AUTHORITY.fullmatch(authority)
    if not match:
        raise ValueError("no host and port")
    port = int(match[3]) if match[3] else None
    if match[1]:
        return str(IPv6Address(match[1])), port
    name = match[2].lower().removesuffix(".")
    if not _NAME.fullmatch(name):
        raise ValueError("no host name")
    return name, port


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(f"This URL cannot be read: {why}.", code=CODE)
