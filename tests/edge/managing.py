"""The routes of agents, stored tools and memory stores over one table, called as a client would call them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from orrery.core.types import Principal
from orrery.edge.admission import Endpoint
from orrery.edge.embedded.engine import Engine
from orrery.edge.web import FastAPI, Request
from orrery.flow.gateway import Gateway

SCOPED = frozenset({"agents"})
TENANTS = {
    "alice": Principal("alicealice", "org-alice", "main", "alice", SCOPED),
    "bob": Principal("bobbobbobb", "org-bob", "main", "bob", SCOPED),
    "app": Principal("appappapps", "org-alice", "main", "app"),
    "other-scope": Principal("scopescope", "org-alice", "main", "app", frozenset({"providers", "prompts", "agent"})),
}
NOW = 1_800_000_000.9
THEN = "2027-01-15T08:00:00.000Z"

type Routes = Sequence[tuple[str, str, Endpoint]]


@dataclass
class Desk:
    """`store` is what the routes manage."""

    gateway: Gateway
    routes: Routes
    store: Any
    engine: Engine
    table: str

    async def __call__(
        self, method: str, path: str, body: Any = None, token: str | None = "alice", **headers: str
    ) -> httpx.Response:
        if token:
            headers["authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(app=app_of(self.gateway, self.routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            content = {"json": body} if body is not None and not isinstance(body, bytes) else {"content": body}
            return await client.request(method, path, headers=headers, **content)

    def dump(self) -> str:
        return str(self.engine.run("Scan", {"TableName": self.table})["Items"])


def app_of(gateway: Gateway, routes: Routes) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for method, path, endpoint in routes:

        async def answer(request: Request, endpoint: Any = endpoint) -> Any:
            return await endpoint(request, gateway)

        app.add_route(path, answer, methods=[method])
    return app
