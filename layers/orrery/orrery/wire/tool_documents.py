"""Stored tools as they are posted: functions, JSON schemas, HTTP requests, code, MCP servers.

Sources: Orq's field tree of POST /v2/tools, and for `mcp` the models of its Python SDK (orq-ai/orq-python,
CreateToolOp; both read 2026-11-21). Headers that are marked `encrypted` are secrets: `HIDDEN` stands in their place
wherever a tool is stored or shown. A secret belongs to the host that it was given for.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.registries import TOOL_KEY
from orrery.core.types import Json
from orrery.wire.agent_documents import LARGEST_BYTES, keyed
from orrery.wire.body import dumps
from orrery.wire.shapes import (
    ANYTHING,
    BOOLEAN,
    FILLED,
    FUNCTION_NAME,
    OBJECT,
    STRING,
    Shape,
    array,
    checking,
    either,
    number,
    one_of,
    record,
    rule,
    string,
    variants,
)

HIDDEN = "***"
MOST_HEADERS = 64
LONGEST_VALUE = 4_000
"""Characters of a header's value: what KMS encrypts at once has 4,096 bytes."""

LONGEST_PATH, LONGEST_NAME, LONGEST_URL = 256, 255, 4_096
MOST_ARGUMENTS = 64
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")  # RFC 9110, 5.6.2: token
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")

TYPES: Mapping[str, str] = {
    "function": "function",
    "json_schema": "json_schema",
    "http": "http",
    "code": "code_tool",
    "mcp": "mcp",
}
"""Each type, and the field that says what it is."""


def _url(text: str) -> str | None:
    fits = text.startswith("https://") and len(text) <= LONGEST_URL and text.isprintable()
    return None if fits else f"https://… of at most {LONGEST_URL} characters"


def _headers(headers: dict[str, Any]) -> str | None:
    if len(headers) > MOST_HEADERS:
        return f"at most {MOST_HEADERS} headers"
    if any(_HEADER.fullmatch(name) is None for name in headers):
        return "names of headers"
    if len({name.lower() for name in headers}) < len(headers):
        return "each header once"
    for held in headers.values():
        text = held if type(held) is str else held.get("value") if type(held) is dict else None
        if type(text) is not str or not _is_value(text):
            return f"values that are at most {LONGEST_VALUE} printable ASCII characters, or {{value, encrypted}}"
        if type(held) is dict and type(held.get("encrypted", False)) is not bool:
            return "'encrypted' as a boolean"
    return None


def _is_value(text: str) -> bool:
    return len(text) <= LONGEST_VALUE and text.isascii() and text.isprintable()


def _names(arguments: dict[str, Any]) -> str | None:
    if len(arguments) > MOST_ARGUMENTS:
        return f"at most {MOST_ARGUMENTS} arguments"
    return None if all(map(_ARGUMENT.fullmatch, arguments)) else "names of letters, digits, _ and -"


_SCHEMA = record({"type": FILLED, "properties": OBJECT, "required": array(STRING)})
_PARAMETERS = record({"type": one_of("object"), "properties": OBJECT, "required": array(STRING)})
_HEADERS = rule(_headers, OBJECT)
_ARGUMENT_SHAPE = record(
    {"type": one_of("string", "number", "boolean"), "description": STRING},
    {"send_to_model": BOOLEAN, "default_value": ANYTHING},
)
_HTTP = record(
    {
        "blueprint": record(
            {"url": rule(_url, STRING), "method": one_of("GET", "POST", "PUT", "DELETE")},
            {"headers": _HEADERS, "body": OBJECT, "timeout": number(1, 600)},
        )
    },
    {"arguments": rule(_names, OBJECT)},
)
_KINDS: Mapping[str, Shape] = {
    "function": record({"name": FUNCTION_NAME}, {"description": STRING, "strict": BOOLEAN, "parameters": _PARAMETERS}),
    "json_schema": record({"name": FUNCTION_NAME, "description": STRING, "schema": _SCHEMA}, {"strict": BOOLEAN}),
    "http": _HTTP,
    "code": record({"language": one_of("python"), "code": FILLED}, {"parameters": _PARAMETERS}),
    "mcp": record({"server_url": rule(_url, STRING), "connection_type": one_of("http", "sse")}, {"headers": _HEADERS}),
}
_NEEDED: dict[str, Shape] = {"path": string(LONGEST_PATH), "description": STRING}
_FURTHER: dict[str, Shape] = {
    "display_name": string(LONGEST_NAME),
    "status": one_of("live", "draft", "pending", "published"),
}
_check = checking(
    variants("type", {kind: record({**_NEEDED, TYPES[kind]: shape}, _FURTHER) for kind, shape in _KINDS.items()})
)
_check_key = checking(record({"key": keyed(TOOL_KEY)}))
_check_argument = checking(either(object=_ARGUMENT_SHAPE))
_SHARED = frozenset({"type", *_NEEDED, *_FURTHER})


def read_tool(body: Mapping[str, Any]) -> tuple[str, Json]:
    """A tool to be made: its key and its document. Raises `InvalidRequest` with the first offence, `TooLarge`."""
    _check_key(body)
    document = {name: value for name, value in body.items() if name != "key" and value is not None}
    _judge(document)
    return body["key"], document


def read_tool_change(key: str, body: Mapping[str, Any]) -> Callable[[Json], Json]:
    """What makes of the document of the tool `key` the one that is to be. What belongs to its type is replaced whole.

    Raises `InvalidRequest`; so does what it gives.
    """
    if body.get("key") not in (None, key):
        raise InvalidRequest("Invalid value for 'key': a tool's key cannot be changed.", param="key")
    changed = {name: value for name, value in body.items() if name != "key"}

    def apply(document: Json) -> Json:
        if changed.get("type") not in (None, document["type"]):
            raise InvalidRequest("Invalid value for 'type': a tool's type cannot be changed.", param="type")
        after = {**document, **changed, "type": document["type"]}
        after = {name: value for name, value in after.items() if value is not None}
        _judge(after)
        return after

    return apply


def secrets_of(document: Json) -> dict[str, str]:
    """The values of encrypted headers, by name."""
    found = _headers_of(document)
    return {name: held["value"] for name, held in found.items() if type(held) is dict and held.get("encrypted")}


def with_secrets(document: Json, values: Mapping[str, str]) -> Json:
    """The document with these values in its encrypted headers. The given one stays as it is."""
    if not values:
        return document
    headers = {
        name: {**held, "value": values[name]} if name in values else held
        for name, held in _headers_of(document).items()
    }
    field = TYPES[document["type"]]
    if document["type"] == "mcp":
        return {**document, field: {**document[field], "headers": headers}}
    blueprint = {**document[field]["blueprint"], "headers": headers}
    return {**document, field: {**document[field], "blueprint": blueprint}}


def origin_of(document: Json) -> str:
    """Scheme and host of where a tool's request goes, as they are written; "" for tools that make none."""
    kind = document["type"]
    if kind not in ("http", "mcp"):
        return ""
    url: str = document["mcp"]["server_url"] if kind == "mcp" else document["http"]["blueprint"]["url"]
    return "/".join(url.split("/", 3)[:3])


def param_of(document: Json, header: str) -> str:
    """The path of a header's value in the document."""
    place = "mcp.headers" if document["type"] == "mcp" else "http.blueprint.headers"
    return f"{place}.{header}"


def _headers_of(document: Json) -> Json:
    holder = document["mcp"] if document["type"] == "mcp" else (document.get("http") or {}).get("blueprint") or {}
    return holder.get("headers") or {}


def _judge(document: Json) -> None:
    _check(document)
    field = TYPES[document["type"]]
    for name in document:
        if name not in _SHARED and name != field:
            raise InvalidRequest(f"Unknown parameter: '{name[:40]}'.", param=name[:40])
    if document["type"] == "http":
        for name, argument in (document["http"].get("arguments") or {}).items():
            _judge_argument(f"http.arguments.{name}", argument)
    if document["type"] == "mcp" and document["mcp"]["connection_type"] != "http":
        raise InvalidRequest(
            "Unsupported parameter: 'mcp.connection_type': only 'http' (streamable HTTP) is there.",
            param="mcp.connection_type",
            code="unsupported_parameter",
        )
    if secrets_of(document) and "{{" in origin_of(document):
        raise InvalidRequest(
            "A tool whose host is a placeholder cannot have encrypted headers: they could be sent anywhere.",
            param=param_of(document, next(iter(secrets_of(document)))),
        )
    size = len(dumps(document))
    if size > LARGEST_BYTES:
        raise TooLarge(f"The tool has {size} bytes; at most {LARGEST_BYTES} are kept.")


def _judge_argument(path: str, argument: Any) -> None:
    try:
        _check_argument(argument)
    except InvalidRequest as err:
        inner = f"{path}.{err.param}" if err.param else path
        raise InvalidRequest(err.message.replace(f"'{err.param}'", f"'{inner}'"), param=inner) from None
    value = argument.get("default_value")
    kinds = {"string": (str,), "number": (int, float), "boolean": (bool,)}[argument["type"]]
    if value is not None and type(value) not in kinds:
        raise InvalidRequest(
            f"Invalid type for '{path}.default_value': expected a {argument['type']}.", param=f"{path}.default_value"
        )
