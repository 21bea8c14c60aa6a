"""`/v2/tools`: kept by who may, secret values shown to nobody."""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orrery.edge.embedded.engine import Engine
from orrery.edge.tool_routes import ROUTES
from orrery.edge.vault import LocalVault, NoVault
from orrery.stores.definition import DEFINITION
from orrery.stores.stored_tools import ToolStore
from orrery.stores.table import Table
from tests.edge.managing import NOW, TENANTS, THEN, Desk
from tests.fakes import FakeKeys, Room

_numbers = itertools.count()
HEADERS = {"Authorization": {"value": "secret-sauce", "encrypted": True}, "Accept": "text/plain"}
NEW: dict[str, Any] = {
    "key": "weather",
    "path": "Default",
    "description": "The weather.",
    "type": "http",
    "http": {"blueprint": {"url": "https://api.test/{{city}}", "method": "GET", "headers": HEADERS}},
}
LIST = "/v2/tools"
ONE = f"{LIST}/weather"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(Engine(tmp_path_factory.mktemp("state") / "journal")) as engine:
        yield engine


@pytest.fixture
async def at(engine: Engine, tmp_path: Path) -> AsyncIterator[Desk]:
    name = f"tools{next(_numbers)}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    store = ToolStore(Table(engine.call, name), LocalVault(tmp_path / "key"), clock=lambda: NOW)
    extras = SimpleNamespace(tool_registry=store)
    yield Desk(Room(keys=FakeKeys(TENANTS), extras=extras).gateway(), ROUTES, store, engine, name)


async def test_a_tool_is_made_read_and_used(at: Desk) -> None:
    heard = await at("POST", LIST, NEW)
    assert heard.status_code == 200
    hidden = {**HEADERS, "Authorization": {"value": "***", "encrypted": True}}
    blueprint = {**NEW["http"]["blueprint"], "headers": hidden}
    assert heard.json() == {
        "_id": "weather",
        "key": "weather",
        "created_by_id": None,
        "updated_by_id": None,
        "project_id": "org-alice",
        "workspace_id": "org-alice",
        "created": THEN,
        "updated": THEN,
        "status": "live",
        "path": "Default",
        "description": "The weather.",
        "type": "http",
        "http": {"blueprint": blueprint},
    }
    assert (await at("GET", ONE)).json() == heard.json()
    assert (await at("GET", LIST)).json() == {"object": "list", "data": [heard.json()], "has_more": False}
    assert "secret-sauce" not in at.dump()
    found = await at.store.find("org-alice", "weather")
    assert found.body["http"] == NEW["http"]


async def test_what_was_shown_can_be_sent_back(at: Desk) -> None:
    shown = (await at("POST", LIST, NEW)).json()
    heard = await at("PATCH", ONE, {"http": shown["http"], "description": "Rain.", "status": "draft"})
    assert (heard.status_code, heard.json()["description"], heard.json()["status"]) == (200, "Rain.", "draft")
    found = await at.store.find("org-alice", "weather")
    assert found.body["http"] == NEW["http"]
    shown["http"]["blueprint"]["url"] = "https://evil.test/"
    heard = await at("PATCH", ONE, {"http": shown["http"]})
    assert (heard.status_code, heard.json()["error"]["param"]) == (400, "http.blueprint.headers.Authorization")


async def test_deleted_is_not_found(at: Desk) -> None:
    await at("POST", LIST, NEW)
    heard = await at("DELETE", ONE)
    assert (heard.status_code, heard.json()) == (200, {"_id": "weather", "deleted": True})
    assert at.dump() == "[]"
    for method, path, body in on_one():
        heard = await at(method, path, body)
        assert (heard.status_code, heard.json()["error"]["code"]) == (404, "tool_not_found")


async def test_a_key_that_is_taken_is_409(at: Desk) -> None:
    await at("POST", LIST, NEW)
    heard = await at("POST", LIST, NEW)
    assert (heard.status_code, heard.json()["error"]["param"]) == (409, "key")


async def test_a_deployment_without_a_vault_keeps_no_secrets(at: Desk) -> None:
    store = ToolStore(Table(at.engine.call, at.table), NoVault())
    elsewhere = replace(at, gateway=replace(at.gateway, extras=SimpleNamespace(tool_registry=store)))
    assert (await elsewhere("POST", LIST, NEW)).status_code == 501
    assert at.dump() == "[]"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({**NEW, "type": "shell"}, "type"),
        ({**NEW, "key": "a.b"}, "key"),
        ({**NEW, "http": {"blueprint": {"url": "secret-sauce", "method": "GET"}}}, "http.blueprint.url"),
        (b"{", None),
    ],
)
async def test_what_is_wrong_is_refused_and_not_quoted(at: Desk, body: Any, param: str | None) -> None:
    heard = await at("POST", LIST, body)
    assert (heard.status_code, heard.json()["error"]["param"]) == (400, param)
    assert "secret-sauce" not in heard.text
    assert at.dump() == "[]"


def on_one() -> list[tuple[str, str, Any]]:
    bodies = {"PATCH": {"description": "mine"}}
    return [(method, path.replace("{id}", "weather"), bodies.get(method)) for method, path, _ in ROUTES if "{" in path]


def everything() -> list[tuple[str, str, Any]]:
    return [("GET", LIST, None), ("POST", LIST, NEW), *on_one()]


def test_every_route_is_asked() -> None:
    assert len(everything()) == len(ROUTES) == 5


@pytest.mark.parametrize(("method", "path", "body"), everything())
async def test_only_a_key_with_the_scope_may(at: Desk, method: str, path: str, body: Any) -> None:
    await at("POST", LIST, {**NEW, "key": "weather" if method != "POST" else "another"})
    before = at.dump()
    for token in ("app", "other-scope"):
        heard = await at(method, path, body, token)
        assert (heard.status_code, heard.json()["error"]["code"]) == (403, "insufficient_scope")
    assert (await at(method, path, body, None)).status_code == 401
    assert at.dump() == before


@pytest.mark.parametrize(("method", "path", "body"), on_one())
async def test_no_route_reaches_another_organizations_tool(at: Desk, method: str, path: str, body: Any) -> None:
    await at("POST", LIST, NEW)
    before = at.dump()
    heard = await at(method, path, body, "bob")
    missing = await at(method, path.replace("weather", "none"), body, "bob")
    assert heard.status_code == missing.status_code == 404
    assert heard.text.replace("weather", "none") == missing.text
    assert (await at("GET", LIST, token="bob")).json()["data"] == []
    assert at.dump() == before
