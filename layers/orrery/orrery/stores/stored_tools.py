"""Stored tools: `core.keeping.StoredTools`, which requests read; `core.registries.ToolRegistry`, which manages them.

Encrypted headers are `***` in the document; what they hold lies sealed beside it, each bound to its organization, its
tool, its name and the host that it is for. Who manages tools may only seal: nothing is opened but by `find`. Opened
values are kept for five minutes, by the version that is drawn with each: another value has another one.
"""

import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace

import orjson

from orrery.core.agents import StoredDocument
from orrery.core.errors import Conflict, InvalidRequest, NotFound
from orrery.core.pages import Listed, Page
from orrery.core.registries import TOOL_KEY, Change, Vault
from orrery.core.types import Json
from orrery.stores.definition import TOOLS
from orrery.stores.document_rows import Head, Kind, raw_of
from orrery.stores.documents import Beside, Documents, alone
from orrery.stores.table import Table
from orrery.wire.tool_documents import HIDDEN, origin_of, param_of, secrets_of, with_secrets

OPEN_S = 300.0
REMEMBERED = 1_024
"""Opened values; the longest unused go first."""

type Sealed = Mapping[str, Mapping[str, str]]
"""By the header's name: `{"v": version, "c": ciphertext in base64}`."""


def _missing(tool: str) -> NotFound:
    return NotFound(f"Tool '{tool[:80]}' not found", code="tool_not_found")


def _taken(key: str) -> Conflict:
    return Conflict(f"There is a tool {key!r} already.", param="key", code="tool_exists")


KIND = Kind("TOOL", TOOLS, TOOL_KEY, _missing, _taken)


class ToolStore:
    """`clock` gives epoch seconds."""

    def __init__(self, table: Table, vault: Vault, *, clock: Callable[[], float] = time.time) -> None:
        self._documents = Documents(table, KIND, clock=clock)
        self._vault = vault
        self._clock = clock
        self._opened: dict[tuple[str, str, str], tuple[float, str]] = {}

    async def find(self, organization: str, tool: str) -> StoredDocument:
        """See `core.keeping.StoredTools.find`. A change counts at once."""
        head = await self._documents.head(organization, tool)
        document = head.document
        sealed = _sealed(head)
        values = {name: await self._open(head, name, sealed[name], document.body) for name in sealed}
        return replace(document, body=with_secrets(document.body, values))

    async def create(self, organization: str, key: str, body: Json) -> StoredDocument:
        """See `core.registries.ToolRegistry.create`."""
        body, sealed = await self._seal(organization, key, body, {}, "")
        return (await self._documents.create(organization, key, body, more={"sealed": sealed})).document

    async def read(self, organization: str, tool: str) -> StoredDocument:
        """See `core.registries.ToolRegistry.read`."""
        return (await self._documents.head(organization, tool)).document

    async def list(self, organization: str, page: Page) -> Listed[StoredDocument]:
        """See `core.registries.ToolRegistry.list`. A tool that was made this second may be missing."""
        found = await self._documents.page(organization, page)
        return Listed([head.document for head in found.data], found.more)

    async def change(self, organization: str, tool: str, change: Change) -> StoredDocument:
        """See `core.registries.ToolRegistry.change`."""

        async def work(head: Head) -> tuple[Head, Beside]:
            was = orjson.loads(head.raw)
            body, sealed = await self._seal(organization, tool, change(was), _sealed(head), origin_of(was))
            raw = raw_of(body)
            if raw == head.raw and sealed == _sealed(head):
                return head, alone
            return replace(head, raw=raw, more={"sealed": sealed}), alone

        return (await self._documents.change(organization, tool, work)).document

    async def remove(self, organization: str, tool: str) -> None:
        """See `core.registries.ToolRegistry.remove`."""
        await self._documents.remove(organization, tool)

    async def _seal(
        self, organization: str, key: str, body: Json, known: Sealed, origin: str
    ) -> tuple[Json, dict[str, Mapping[str, str]]]:
        """The document without its secrets, and those sealed. `known` are those of `origin` that it had."""
        sealed: dict[str, Mapping[str, str]] = {}
        now = origin_of(body)
        for name, value in secrets_of(body).items():
            if value == HIDDEN:
                if name not in known or now != origin:
                    raise _needs_value(param_of(body, name))
                sealed[name] = known[name]
                continue
            version = secrets.token_hex(8)
            context = context_of(organization, key, name, now, version)
            ciphertext = await self._vault.seal(value.encode(), context)
            sealed[name] = {"v": version, "c": b64encode(ciphertext).decode()}
        return with_secrets(body, dict.fromkeys(sealed, HIDDEN)), sealed

    async def _open(self, head: Head, name: str, sealed: Mapping[str, str], body: Json) -> str:
        place = head.organization, head.key, sealed["v"]
        opened_at, value = self._opened.pop(place, (0.0, ""))
        if not 0 <= self._clock() - opened_at < OPEN_S:
            opened_at = self._clock()
            context = context_of(head.organization, head.key, name, origin_of(body), sealed["v"])
            value = (await self._vault.open(b64decode(sealed["c"]), context)).decode()
        self._opened[place] = opened_at, value
        if len(self._opened) > REMEMBERED:
            del self._opened[next(iter(self._opened))]
        return value


def context_of(organization: str, key: str, header: str, origin: str, version: str) -> Mapping[str, str]:
    """What a sealed value is bound to. The names are those of own provider keys: roles may use no others."""
    return {"organization": organization, "provider": f"tool:{key}:{header}:{origin}", "version": version}


def _sealed(head: Head) -> Sealed:
    found: Sealed = head.more.get("sealed") or {}
    return found


def _needs_value(param: str) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid value for '{param}': '{HIDDEN}' keeps a value that is there, and only for the same host; "
        "give the value itself.",
        param=param,
    )
