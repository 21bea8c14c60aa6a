"""The request that a stored HTTP tool describes, with its placeholders filled.

`{{name}}` may stand in the path, the query, values of headers, and texts of the body. Nothing that is filled in can
change where the request goes, or be more than the piece that it stands in. Source: Orq's field trees (`POST /v2/tools`,
`http.blueprint`), read 2026-11-21.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import GatewayError, InvalidRequest
from orrery.tools.functions import refused
from orrery.wire.body import dumps
from orrery.wire.template import LONGEST_NAME, MISSING, find

METHODS = ("GET", "POST", "PUT", "DELETE")
LONGEST_URL = 8_192
MOST_BODY_BYTES = 1024 * 1024
OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect"}
)
"""Headers that say how a message travels: who sets them can smuggle another one into it."""

_PLACEHOLDER = re.compile(rf"\{{\{{[ \t]*+([\w.\-]{{1,{LONGEST_NAME}}}+)[ \t]*+\}}\}}")
_URL = re.compile(r"https://([a-z0-9.\-\[\]:_]+)([/?#].*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,128}", re.IGNORECASE | re.ASCII)  # RFC 9110 5.6.2
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]{0,8192}", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]|[^\x00-\x7f]")

type Values = Mapping[str, Any]


class Unfit(GatewayError):
    """The request cannot be made with these values; the model may try others."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A checked blueprint. `origin` is `https://host[:port]`; `hidden` are its own secret headers, by name."""

    method: str
    origin: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    hidden: frozenset[str] = frozenset()
    timeout_s: float = 60.0

    def secrets(self) -> Iterator[str]:
        """The values of its secret headers, with and without the scheme before a token ("Bearer …")."""
        for name in self.hidden:
            yield self.headers[name]
            yield self.headers[name].rpartition(" ")[2]

    def named(self) -> Iterator[str]:
        """The names in the URL: what is filled in there is seen by everyone on the way."""
        yield from _PLACEHOLDER.findall(f"{self.path} {self.query}")

    def request(self, values: Values) -> UpstreamRequest:
        """Raises `Unfit` where a value is missing in the URL, or breaks out of its place."""
        headers = {name: _header(name, text, values) for name, text in self.headers.items()}
        body = b"" if self.body is None or self.method == "GET" else dumps(_filled(self.body, values))
        if len(body) > MOST_BODY_BYTES:
            raise Unfit(f"The request's body has {len(body)} bytes; at most {MOST_BODY_BYTES} are sent.")
        return UpstreamRequest(self.method, self._url(values), headers, body)

    def _url(self, values: Values) -> str:
        segments = "/".join(_segment(each, values) for each in self.path.split("/"))
        query = _PLACEHOLDER.sub(lambda match: quote(_needed(match[1], values), safe=""), self.query)
        url = f"{self.origin}{segments}{f'?{query}' if query else ''}"
        if len(url) > LONGEST_URL:
            raise Unfit(f"The request's URL has more than {LONGEST_URL} characters.")
        return url


def read_blueprint(given: Any, timeout_s: Any = None) -> Blueprint:
    """Raises `InvalidRequest` for one that cannot be sent, whatever is filled in. `timeout_s` goes before its own."""
    if not isinstance(given, dict) or given.get("method") not in METHODS:
        raise refused(f"A stored HTTP tool needs a blueprint with a method: one of {', '.join(METHODS)}.")
    origin, path, query = _places(given.get("url"))
    headers, hidden = _headers(given.get("headers"))
    seconds: float = next(filter(_is_seconds, (timeout_s, given.get("timeout"))), 60.0)
    return Blueprint(given["method"], origin, path, query, headers, given.get("body"), hidden, seconds)


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 600


def _places(url: Any) -> tuple[str, str, str]:
    """Origin, path and query. What stands before the path is the tool's own: no placeholder may choose a host."""
    match = _URL.fullmatch(url) if isinstance(url, str) else None
    if match is None:
        raise refused("A stored HTTP tool's URL begins with https:// and a host, without a user name or placeholders.")
    path, _, query = (match[2] or "/").partition("#")[0].partition("?")
    if _UNSAFE.search(_PLACEHOLDER.sub("", path + query)):
        raise refused("A stored HTTP tool's URL has no spaces, backslashes, or characters beyond ASCII.")
    return f"https://{match[1]}", path or "/", query


def _headers(given: Any) -> tuple[dict[str, str], frozenset[str]]:
    headers: dict[str, str] = {"content-type": "application/json"}
    hidden: set[str] = set()
    for name, told in (given if isinstance(given, dict) else {}).items():
        secret = isinstance(told, dict) and told.get("encrypted") is True
        value = told.get("value", "") if isinstance(told, dict) else told
        key = name.lower()
        if not _HEADER_NAME.fullmatch(key) or key in OURS or key.startswith("proxy-") or not isinstance(value, str):
            raise refused(f"A stored HTTP tool cannot send the header '{name[:80]}'.")
        headers[key] = value
        if secret:
            hidden.add(key)
    return headers, frozenset(hidden)


def _segment(template: str, values: Values) -> str:
    """One step of the path: a value stays within it, and does not become a step upwards."""
    filled = _PLACEHOLDER.sub(lambda match: quote(_needed(match[1], values), safe=""), template)
    if filled != template and filled in (".", ".."):
        raise Unfit("A value may not be a step of a path.")
    return filled


def _needed(name: str, values: Values) -> str:
    found = find(name, values)
    if found is MISSING:
        raise Unfit(f"The tool's URL needs a value for '{name}'.")
    return _text(found)


def _header(name: str, template: str, values: Values) -> str:
    """Raises `Unfit` for a value that no header can carry; it is not quoted, as it may be a secret."""
    value = _PLACEHOLDER.sub(_filler(values), template).strip()
    if not _HEADER_VALUE.fullmatch(value):
        raise Unfit(
            f"The value of the header '{name}' has line breaks, other characters that are not sent, or too many."
        )
    return value


def _filled(template: Any, values: Values) -> Any:
    """The body with its values. A text that is nothing but a placeholder becomes the value itself: a number, say."""
    if isinstance(template, str):
        alone = _PLACEHOLDER.fullmatch(template)
        found = find(alone[1], values) if alone else MISSING
        return _PLACEHOLDER.sub(_filler(values), template) if found is MISSING else found
    if isinstance(template, dict):
        return {name: _filled(each, values) for name, each in template.items()}
    if isinstance(template, list):
        return [_filled(each, values) for each in template]
    return template


def _filler(values: Values) -> Callable[[re.Match[str]], str]:
    """What stands for nothing stays as it is."""

    def put(match: re.Match[str]) -> str:
        found = find(match[1], values)
        return match[0] if found is MISSING else _text(found)

    return put


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value).decode()


def forbid_secrets(blueprint: Blueprint, secrets: Set[str], tool: str) -> None:
    """Raises `InvalidRequest` where a secret variable would stand in the URL, which servers write down."""
    for name in blueprint.named():
        if name in secrets or name.partition(".")[0] in secrets:
            raise InvalidRequest(
                f"The tool '{tool}' puts the secret variable '{name}' into its URL.", param="variables"
            )
