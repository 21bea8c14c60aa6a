"""What a request says of an MCP server, read: where it is, what it is sent, which of its tools may be used, and how.

Sources: OpenAI's API document 2.3.0 (`MCPTool`, `MCPToolFilter`); Orq's field trees and SDK (`mcp`, `orq:mcp`, stored
tools of type `mcp`); read 2026-11-21.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.wire.template import fill

LONGEST_LABEL = 64
MOST_HEADERS = 32
MOST_HEADER_CHARS = 32 * 1024
SHORTEST_SECRET = 6
"""Characters; what is shorter would be found in every other word."""

# What the protocol, or whoever sends, sets. Source: RFC 9110; MCP 2026-07-28, transports (its Mcp- headers).
OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "accept"}
    | {"accept-encoding", "content-type", "content-encoding", "last-event-id", "user-agent"}
)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_LABEL = re.compile(r"[^\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Filter:
    """Some of a server's tools. None: whichever."""

    names: frozenset[str] | None = None
    read_only: bool | None = None

    def matches(self, name: str, read_only: bool) -> bool:
        return (self.names is None or name in self.names) and (self.read_only is None or read_only is self.read_only)


@dataclass(frozen=True, slots=True)
class Approvals:
    """Which calls wait for a word: those that `always` names, and those that `never` does not, where `rest` says so."""

    rest: bool
    always: Filter | None = None
    never: Filter | None = None

    def wanted(self, name: str, read_only: bool) -> bool:
        if self.always is not None and self.always.matches(name, read_only):
            return True
        if self.never is not None and self.never.matches(name, read_only):
            return False
        return self.rest


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server as this request may use it. `headers` and `url` are for the server alone; `secrets` are in them."""

    label: str
    url: str = field(repr=False)
    approvals: Approvals
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    description: str = field(default="", repr=False)
    allowed: Filter = Filter()

    def scrubbed(self, text: str) -> str:
        """`text` without what only the server may know, should it have said that back."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def read_server(spec: Json, stored: Json | None, variables: Mapping[str, Any]) -> McpServer:
    """`stored` is the body of the stored tool that `spec` names. What `spec` says itself comes first.

    Raises `InvalidRequest`.
    """
    kept = _kept(stored)
    for name in ("connector_id", "tunnel_id"):
        if spec.get(name) is not None:
            raise _wrong(f"'{name}' is not supported: give the server's 'server_url'.", code="unsupported_parameter")
    url = _url(kept.get("server_url") if stored is not None else spec.get("server_url"))
    label = _label(spec, stored, url)
    headers, secrets = _headers({**_mapping(kept, "headers"), **_mapping(spec, "headers")}, variables)
    if (token := _text(spec, "authorization")) is not None:
        token = _filled({"authorization": token}, variables)["authorization"]
        _check_value("authorization", token)
        headers["authorization"] = f"Bearer {token}"
        secrets.append(token)
    description = _text(spec, "server_description") or _text(stored or {}, "description") or ""
    return McpServer(
        label=label,
        url=url,
        approvals=_approvals(spec),
        headers=headers,
        secrets=tuple(sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True)),
        description=description[:500],
        allowed=_allowed(spec, kept),
    )


def _kept(stored: Json | None) -> Json:
    """What a stored tool says of its server. Raises `InvalidRequest` for one of another type, or another transport."""
    if stored is None:
        return {}
    if stored.get("type") != "mcp":
        raise _wrong("The stored tool is not of type 'mcp'.")
    inner = stored.get("mcp")
    kept: Json = inner if isinstance(inner, dict) else stored
    if kept.get("connection_type", "http") != "http":
        raise _wrong("Only MCP servers of connection type 'http' (streamable HTTP) are supported.")
    return kept


def _url(url: object) -> str:
    if not isinstance(url, str) or not url:
        raise _wrong("An MCP tool needs a 'server_url', or the 'key' of a stored tool.")
    try:
        parts = urlsplit(url)
        fine = parts.scheme == "https" and parts.hostname and not parts.fragment and parts.port != 0
    except ValueError:
        fine = False
    if not fine or parts.username is not None or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise _wrong("'server_url' must be an https URL without user name and fragment.")
    return url


def _label(spec: Json, stored: Json | None, url: str) -> str:
    told = _text(spec, "server_label") or _text(stored or {}, "key") or _text(spec, "key") or urlsplit(url).hostname
    label = str(told)
    if len(label) > LONGEST_LABEL and "server_label" not in spec:
        label = label[:LONGEST_LABEL]
    if len(label) > LONGEST_LABEL or not _LABEL.fullmatch(label):
        raise _wrong(f"'server_label' must be 1 to {LONGEST_LABEL} characters, none of them a control character.")
    return label


def _headers(told: Mapping[str, Any], variables: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Names in lower case with their filled values, and those values that are secrets.

    A stored tool's values may be objects: `{"value", "encrypted"}`.
    """
    if len(told) > MOST_HEADERS:
        raise _wrong(f"At most {MOST_HEADERS} headers.")
    texts: dict[str, str] = {}
    hidden: set[str] = set()
    for name, value in told.items():
        lower = name.lower()
        if not _HEADER.fullmatch(name) or lower in OURS or lower.startswith(("mcp-", "proxy-", "sec-")):
            raise _wrong("A header of 'headers' has no name that can be sent.")
        text, encrypted = (value.get("value"), value.get("encrypted")) if isinstance(value, dict) else (value, False)
        if not isinstance(text, str):
            raise _wrong("The values of 'headers' must be strings.")
        texts[lower] = text
        hidden |= {lower} if encrypted else set()
    filled = _filled(texts, variables)
    secrets: list[str] = []
    for name, value in filled.items():
        _check_value(name, value)
        if name in hidden or value != texts[name] or re.search(r"auth|key|token|secret|cookie|password", name):
            secrets += [value, value.partition(" ")[2]]
    return filled, secrets


def _filled(texts: Mapping[str, str], variables: Mapping[str, Any]) -> dict[str, str]:
    try:
        values = fill(list(texts.values()), variables, most_chars=MOST_HEADER_CHARS)
    except InvalidRequest as err:
        raise _wrong(f"The headers have more than {MOST_HEADER_CHARS} characters.") from err
    return dict(zip(texts, values, strict=True))


def _check_value(name: str, value: str) -> None:
    """The message does not quote the value: it may be a secret."""
    if not _VALUE.fullmatch(value) or value != value.strip():
        raise _wrong(f"The value of the header '{name}' cannot be sent.")


def _allowed(spec: Json, kept: Json) -> Filter:
    told = spec.get("allowed_tools")
    told = kept.get("allowed_tools") if told is None else told
    chosen = Filter() if told is None else _filter(told, "allowed_tools")
    one = _text(kept, "tool_name")  # a stored tool may stand for one tool of its server
    if one is None:
        return chosen
    return Filter(frozenset({one}) if chosen.names is None else chosen.names & {one}, chosen.read_only)


def _filter(told: Any, name: str) -> Filter:
    if isinstance(told, list):
        told = {"tool_names": told}
    if not isinstance(told, dict):
        raise _wrong(f"'{name}' must be a list of names, or an object with 'tool_names' and 'read_only'.")
    names, read_only = told.get("tool_names"), told.get("read_only")
    if names is not None and not (isinstance(names, list) and all(isinstance(one, str) for one in names)):
        raise _wrong(f"'{name}.tool_names' must be a list of strings.")
    if read_only is not None and not isinstance(read_only, bool):
        raise _wrong(f"'{name}.read_only' must be true or false.")
    return Filter(None if names is None else frozenset(names), read_only)


def _approvals(spec: Json) -> Approvals:
    """OpenAI's form (it has a `server_label`) asks unless told otherwise; Orq's, which knows no approvals, does not.

    An agent's own word (`requires_approval`) comes before both.
    """
    if isinstance(spec.get("requires_approval"), bool):
        return Approvals(spec["requires_approval"])
    told = spec.get("require_approval")
    if told is None:
        return Approvals("server_label" in spec)
    if told in ("always", "never"):
        return Approvals(told == "always")
    if not isinstance(told, dict) or told.keys() - {"always", "never"}:
        raise _wrong("'require_approval' must be 'always', 'never', or an object with filters under these names.")
    always, never = (_some(told.get(name), f"require_approval.{name}") for name in ("always", "never"))
    return Approvals(rest=True, always=always, never=never)


def _some(told: Any, name: str) -> Filter | None:
    """None for a filter that says nothing: it would match every tool, and must not lift the asking for all of them."""
    read = None if told is None else _filter(told, name)
    return None if read == Filter() else read


def _mapping(spec: Json, name: str) -> Json:
    told = spec.get(name)
    if told is None:
        return {}
    if not isinstance(told, dict):
        raise _wrong(f"'{name}' must be an object.")
    return told


def _text(spec: Json, name: str) -> str | None:
    told = spec.get(name)
    if told is not None and not isinstance(told, str):
        raise _wrong(f"'{name}' must be a string.")
    return told or None


def _wrong(message: str, code: str | None = None) -> InvalidRequest:
    return InvalidRequest(message, param="tools", code=code)
