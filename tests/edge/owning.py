"""The whole gateway with stored provider keys, and everything that a key could leak into."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orrery.core.dialect import UpstreamRequest
from orrery.core.types import Principal
from orrery.edge.account_routes import ROUTES
from orrery.edge.credentials import StoredCredentials
from orrery.edge.embedded.engine import Engine
from orrery.edge.families import READERS, family
from orrery.edge.vault import LocalVault
from orrery.edge.web import FastAPI, Request
from orrery.flow.gateway import Gateway
from orrery.stores.credentials import CredentialStore
from orrery.stores.definition import DEFINITION
from orrery.stores.ledger import DynamoLedger
from orrery.stores.table import Table
from tests.edge.asgi import Heard, request
from tests.fakes import FakeKeys, FakeReply, Room
from tests.flow.responding import Extras

_numbers = itertools.count()
SCOPED = frozenset({"providers"})
TENANTS = {
    "alice": Principal("alicealice", "org-alice", "main", "alice", SCOPED),
    "bob": Principal("bobbobbobb", "org-bob", "main", "bob", SCOPED),
    "app": Principal("appappapps", "org-alice", "main", "app"),
    "other-scope": Principal("scopescope", "org-alice", "main", "app", frozenset({"provider", "chat"})),
}


@dataclass
class Upstream:
    """Answers every request with `answer`, and keeps all that was asked."""

    answer: Any = None
    requests: list[UpstreamRequest] = field(default_factory=list)

    @asynccontextmanager
    async def send(self, request: UpstreamRequest, timeout_s: float) -> AsyncIterator[FakeReply]:
        self.requests.append(request)
        yield self.answer(request)

    def holding(self, word: str) -> list[str]:
        """The addresses of requests that have `word` in a header."""
        return [r.url for r in self.requests if word in str(dict(r.headers))]

    def open_text(self) -> str:
        """All of the requests but their headers."""
        bodies = [r.body if isinstance(r.body, bytes) else b"".join(map(bytes, r.body)) for r in self.requests]
        return "\n".join([*(r.url for r in self.requests), *(body.decode("latin-1") for body in bodies)])


@dataclass
class House:
    """The gateway's apps behind one table."""

    engine: Engine
    table: Table
    gateway: Gateway
    own: StoredCredentials
    pool: Upstream
    outside: Upstream
    logged: list[Any]
    apps: dict[str, Any] = field(default_factory=dict)

    async def __call__(
        self, method: str, path: str, body: Any = b"", token: str | None = "alice", **more: Any
    ) -> Heard:
        bare = path.removeprefix("/v1")
        name = next((name for name, readers in READERS.items() if bare in readers), "manage")
        return await request(self.app(name), body, method=method, path=f"/v1{bare}", token=token, **more)

    def app(self, name: str) -> Any:
        if name not in self.apps:
            self.apps[name] = managing(self.gateway) if name == "manage" else family(name, lambda: self.gateway)
        return self.apps[name]

    def dump(self) -> str:
        return str(self.engine.run("Scan", {"TableName": self.table.name}))


def managing(gateway: Gateway) -> FastAPI:
    """An app of `ROUTES` alone."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for method, path, endpoint in ROUTES:

        async def answer(request: Request, endpoint: Any = endpoint) -> Any:
            return await endpoint(request, gateway)

        app.add_route(f"/v1{path}", answer, methods=[method])
    return app


@asynccontextmanager
async def house(folder: Path, answer: Any, engine: Engine) -> AsyncIterator[House]:
    """A table of its own in `engine`, and a vault of its own in `folder`."""
    name = f"table{next(_numbers)}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    table = Table(engine.call, name)
    ledger = DynamoLedger(table)
    for who in ("org-alice", "org-bob"):
        await ledger.create_organization(who, who)
        await ledger.grant(who, 10**10, "first", "test")
    own = StoredCredentials(CredentialStore(table), LocalVault(folder / "credentials.key"))
    pool, outside = Upstream(answer), Upstream(answer)
    room = Room(keys=FakeKeys(TENANTS), own=own, extras=Extras(table))
    gateway = replace(room.gateway(), ledger=ledger, transport=pool, outside=outside)
    yield House(engine, table, gateway, own, pool, outside, room.logged)


def form(
    fields: dict[str, str], file: bytes = b"RIFF", name: str = "file"
) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
    """A multipart body and its header."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a.wav"\r\n\r\n'.encode()
    return b"".join([*parts, head, file, b"\r\n--b--\r\n"]), ((b"content-type", b"multipart/form-data; boundary=b"),)
