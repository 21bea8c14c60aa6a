"""`orq:http`: a request that an organization has described once, sent when a model asks for it.

The model is told the arguments with `send_to_model`; the others come from the request's variables, or their defaults.
Secrets (of the tool's headers, of the variables) go to the tool's host and are `***` in whatever comes back.
Sources: Orq's field trees and SDK (`POST /v2/tools`), read 2026-11-21.
"""

import re
from asyncio import timeout
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orrery.core.agents import StoredDocument
from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import GatewayError
from orrery.core.tools import Opened, Outcome, Setting
from orrery.core.types import Json
from orrery.tools.blueprints import Blueprint, forbid_secrets, read_blueprint
from orrery.tools.functions import Tool, failed, function, refused
from orrery.tools.outfit import Outfit
from orrery.tools.texts import clean, cut, decoded, leaves, line, read, without

MOST_BYTES = 1024 * 1024
LONGEST_ID = 128
TYPES = ("string", "number", "boolean")

_TEXT = re.compile(r"(?:text/.*|application/(?:.*\+)?(?:json|xml|yaml|x-ndjson|javascript|graphql).*|)", re.DOTALL)
_CHARSET = re.compile(r"charset=([\w\"'-]{2,20})")


async def opened(spec: Json, setting: Setting, outfit: Outfit) -> Opened:
    """Raises `NotFound` for a tool that is none of the organization's, `InvalidRequest` for one that cannot be sent."""
    document = await stored(spec, setting, outfit)
    if document.body.get("type") != "http":
        raise refused(f"The tool '{document.key}' is of type '{document.body.get('type')}', not 'http'.")
    return Opened(tools=(http_tool(document, spec, setting, outfit),))


async def stored(spec: Json, setting: Setting, outfit: Outfit) -> StoredDocument:
    """The stored tool that an entry names."""
    name = spec.get("tool_id") or spec.get("id") or spec.get("key")
    if not isinstance(name, str) or len(name) > LONGEST_ID:
        raise refused(f"A tool of type '{spec.get('type')}' needs a 'tool_id': the id or key of a stored tool.")
    return await outfit.stored.find(setting.organization, name)


def http_tool(document: StoredDocument, spec: Json, setting: Setting, outfit: Outfit) -> Tool:
    given = document.body.get("http")
    given = given if isinstance(given, dict) else {}
    blueprint = read_blueprint(given.get("blueprint"), spec.get("timeout"))
    arguments = _arguments(given.get("arguments"))
    forbid_secrets(blueprint, setting.secrets, document.key)
    told = {name: argument for name, argument in arguments.items() if argument.told}
    properties = {name: {"type": each.type, "description": each.description} for name, each in told.items()}
    required = [name for name, each in told.items() if each.default is None]
    description = str(document.body.get("description") or document.key)
    send = _Send(blueprint, arguments, outfit)
    return Tool("orq:http", function(document.key, description, properties, required), send.run)


def secret_values(setting: Setting) -> Iterator[str]:
    """What of the variables must not come back."""
    for name in setting.secrets:
        yield from leaves(setting.variables.get(name))


@dataclass(frozen=True, slots=True)
class Argument:
    """`told`: the model gives it. `default` None: it has none."""

    type: str
    description: str
    told: bool
    default: Any = None


def _arguments(given: Any) -> dict[str, Argument]:
    found = {}
    for name, told in (given if isinstance(given, dict) else {}).items():
        if not isinstance(told, dict) or told.get("type") not in TYPES:
            raise refused(f"The argument '{name[:80]}' of a stored HTTP tool has a type: one of {', '.join(TYPES)}.")
        is_told = told.get("send_to_model") is not False
        found[name] = Argument(told["type"], str(told.get("description", "")), is_told, told.get("default_value"))
    return found


@dataclass(frozen=True, slots=True, repr=False)
class _Send:
    blueprint: Blueprint
    arguments: Mapping[str, Argument]
    outfit: Outfit

    async def run(self, arguments: Json, setting: Setting) -> Outcome:
        wait_s = min(self.blueprint.timeout_s, setting.timeout_s)
        secrets = {*self.blueprint.secrets(), *secret_values(setting)}
        try:
            request = self.blueprint.request(self._values(arguments, setting))
            async with timeout(wait_s):
                told = await self._told(request, wait_s, secrets)
        except GatewayError as err:
            return failed(without(err.message, secrets))
        except TimeoutError:
            return failed(f"there was no whole answer within {wait_s:g} s.")
        except ValueError:  # of a header or URL that the transport refuses: it would be quoted
            return failed("the request cannot be sent.")
        return told

    def _values(self, arguments: Json, setting: Setting) -> Json:
        """The model gives what it is told of, and nothing else; a variable goes before a default."""
        values = dict(setting.variables)
        for name, argument in self.arguments.items():
            default = "" if argument.default is None else argument.default
            if argument.told:
                values[name] = _fitting(arguments.get(name), argument.type, values.get(name, default))
            else:
                values.setdefault(name, default)
        return values

    async def _told(self, request: UpstreamRequest, wait_s: float, secrets: set[str]) -> Outcome:
        async with self.outfit.outside.send(request, wait_s) as reply:
            data, more = await read(reply, MOST_BYTES)
            status, media_type = reply.status, str(reply.headers.get("content-type", ""))
        shown = cut(without(_words(data, media_type), secrets), more=more)
        note = " Redirects are not followed." if 300 <= status < 400 else ""
        return Outcome(f"HTTP status {status}.{note}\n\n{shown}".rstrip(), failed=not 200 <= status < 300)


def _fitting(value: Any, kind: str, other: Any) -> Any:
    """What a model gave, where it is of the argument's type: no list or object gets into a request."""
    if isinstance(value, bool):
        return value if kind == "boolean" else other
    if isinstance(value, int | float):
        return {"number": value, "string": str(value)}.get(kind, other)
    return value if isinstance(value, str) and kind == "string" else other


def _words(data: bytes, media_type: str) -> str:
    if not data:
        return ""
    if b"\0" in data[:4_096] or not _TEXT.fullmatch(media_type.strip().lower()):
        return f"({len(data)} bytes of {line(media_type, 80) or 'an unknown type'}, which are not shown)"
    charset = _CHARSET.search(media_type.lower())
    return clean(decoded(data, charset[1] if charset else ""))
