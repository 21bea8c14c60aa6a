"""`/v2/agents`: made, changed and pointed at by who may, and nobody else's business."""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from orrery.edge.agent_routes import ROUTES
from orrery.edge.embedded.engine import Engine
from orrery.stores.agents import AgentStore
from orrery.stores.claims import ClaimStore
from orrery.stores.definition import DEFINITION
from orrery.stores.table import Table
from tests.edge.managing import NOW, TENANTS, THEN, Desk
from tests.fakes import FakeKeys, Room

_numbers = itertools.count()
NEW: dict[str, Any] = {
    "key": "kind",
    "role": "Helper",
    "description": "Helps.",
    "instructions": "secret-sauce",
    "path": "Default/agents",
    "model": "openai/gpt-4o",
    "settings": {"max_iterations": 5, "tools": [{"type": "current_date"}, {"type": "http", "key": "weather"}]},
}
LIST = "/v2/agents"
ONE = f"{LIST}/kind"


class Digests:
    async def digest(self, organization: str, data: bytes) -> str:
        return f"{hash((organization, data)):x}".rjust(64, "0")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(Engine(tmp_path_factory.mktemp("state") / "journal")) as engine:
        yield engine


@pytest.fixture
async def at(engine: Engine) -> AsyncIterator[Desk]:
    name = f"agents{next(_numbers)}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    table = Table(engine.call, name)
    store = AgentStore(table, clock=lambda: NOW)
    extras = SimpleNamespace(agent_registry=store, claims=ClaimStore(table, None), digests=Digests())
    yield Desk(Room(keys=FakeKeys(TENANTS), extras=extras).gateway(), ROUTES, store, engine, name)


async def test_an_agent_is_made_and_read(at: Desk) -> None:
    heard = await at("POST", LIST, {**NEW, "display_name": "Kind", "fallback_models": ["groq/x", {"id": "xai/y"}]})
    assert heard.status_code == 201
    assert heard.json() == {
        "_id": "kind",
        "key": "kind",
        "display_name": "Kind",
        "project_id": "org-alice",
        "created_by_id": None,
        "updated_by_id": None,
        "created": THEN,
        "updated": THEN,
        "status": "live",
        "version": "1.0.0",
        "type": "internal",
        "source": "internal",
        "engine": "text",
        "variables": {},
        "memory_stores": [],
        "team_of_agents": [],
        "skills": [],
        "knowledge_bases": [],
        "role": "Helper",
        "description": "Helps.",
        "instructions": "secret-sauce",
        "path": "Default/agents",
        "model": {"id": "openai/gpt-4o", "integration_id": None, "fallback_models": ["groq/x", "xai/y"]},
        "settings": {
            "max_iterations": 5,
            "max_execution_time": 600,
            "max_cost": 0,
            "tool_approval_required": "respect_tool",
            "tools": [
                {
                    "action_type": "current_date",
                    "id": "current_date",
                    "key": "current_date",
                    "requires_approval": False,
                    "configuration": {},
                },
                {
                    "action_type": "http",
                    "id": "weather",
                    "key": "weather",
                    "requires_approval": False,
                    "configuration": {},
                },
            ],
        },
    }
    assert (await at("GET", ONE)).json() == heard.json()
    assert heard.headers["x-request-id"].startswith("req_")


async def test_a_change_is_a_version(at: Desk) -> None:
    await at("POST", LIST, NEW)
    asked = {"instructions": "other", "versionIncrement": "minor", "versionDescription": "kinder"}
    heard = await at("PATCH", ONE, asked)
    assert (heard.status_code, heard.json()["version"], heard.json()["instructions"]) == (200, "1.1.0", "other")
    assert heard.json()["settings"]["max_iterations"] == 5
    assert (await at("GET", ONE)).json() == heard.json()
    found = (await at("GET", f"{ONE}/versions")).json()
    assert (found["object"], found["has_more"]) == ("list", False)
    assert [(each["_id"], each["description"], each["agent"]["instructions"]) for each in found["data"]] == [
        ("1.1.0", "kinder", "other"),
        ("1.0.0", None, "secret-sauce"),
    ]
    assert (await at("GET", f"{ONE}/versions/1.0.0")).json() == found["data"][1]
    older = await at("GET", f"{ONE}/versions?limit=1&starting_after=1.1.0")
    assert older.json()["data"] == found["data"][1:]


@pytest.mark.parametrize(
    ("more", "version"),
    [
        ({}, "1.0.1"),
        ({"version_increment": "major"}, "2.0.0"),
        ({"versionIncrement": "patch", "version_increment": "major"}, "1.0.1"),
        ({"instructions": "secret-sauce", "versionIncrement": "major"}, "1.0.0"),
        ({"key": "kind"}, "1.0.1"),
    ],
)
async def test_which_number_rises(at: Desk, more: dict[str, Any], version: str) -> None:
    await at("POST", LIST, NEW)
    assert (await at("PATCH", ONE, {"instructions": "other", **more})).json()["version"] == version


async def test_an_environment_is_pointed_at_a_version(at: Desk) -> None:
    await at("POST", LIST, NEW)
    await at("PATCH", ONE, {"instructions": "other"})
    where = f"{ONE}/environments/production"
    assert (await at("GET", where)).status_code == 404
    heard = await at("PUT", where, {"version": "1.0.0"})
    assert (heard.status_code, heard.json()) == (200, {"name": "production", "version": "1.0.0"})
    assert (await at("GET", where)).json() == heard.json()
    assert (await at("GET", f"{ONE}/environments")).json()["data"] == [heard.json()]
    assert (await at.store.resolve("org-alice", "kind", "")).instructions == "secret-sauce"
    assert (await at("DELETE", where)).status_code == 204
    assert (await at.store.resolve("org-alice", "kind", "")).instructions == "other"
    assert (await at("DELETE", where)).status_code == 404
    refused = await at("PUT", where, {"version": "9.0.0"})
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        404,
        "version @9.0.0 not found for agent kind",
    )
    assert (await at("PUT", f"{ONE}/environments/latest", {"version": "1.0.0"})).status_code == 400
    assert (await at("PUT", where, {})).json()["error"]["param"] == "version"


async def test_agents_are_listed_by_pages_and_all_without_a_limit(at: Desk) -> None:
    for n in range(52):
        await at("POST", LIST, {**NEW, "key": f"k{n:02}"})
    found = (await at("GET", f"{LIST}?type=internal")).json()
    assert (found["object"], found["has_more"], len(found["data"])) == ("list", False, 52)
    assert found["data"][0] == (await at("GET", f"{LIST}/k51")).json()
    page = (await at("GET", f"{LIST}?limit=2&starting_after=k51")).json()
    assert ([each["key"] for each in page["data"]], page["has_more"]) == (["k50", "k49"], True)
    page = (await at("GET", f"{LIST}?limit=1&ending_before=k49")).json()
    assert ([each["key"] for each in page["data"]], page["has_more"]) == (["k50"], True)
    for query, param in [("limit=0", "limit"), ("limit=201", "limit"), ("type=a2a", "type"), ("limit=", "limit")]:
        heard = await at("GET", f"{LIST}?{query}")
        assert (heard.status_code, heard.json()["error"]["param"]) == (400, param)


async def test_deleted_is_not_found(at: Desk) -> None:
    await at("POST", LIST, NEW)
    heard = await at("DELETE", ONE)
    assert (heard.status_code, heard.content) == (204, b"")
    assert "content-type" not in heard.headers and heard.headers.get("content-length", "0") == "0"
    assert heard.headers["x-request-id"].startswith("req_")
    assert at.dump() == "[]"
    for method, path, body in on_one():
        heard = await at(method, path, body)
        assert (heard.status_code, heard.json()["error"]["code"]) == (404, "agent_not_found")


async def test_a_key_that_is_taken_is_409(at: Desk) -> None:
    await at("POST", LIST, NEW)
    heard = await at("POST", LIST, NEW)
    assert (heard.status_code, heard.json()["error"]["param"]) == (409, "key")


async def test_what_is_posted_twice_under_one_idempotency_key_is_made_once(at: Desk) -> None:
    first = await at("POST", LIST, NEW, **{"idempotency-key": "once"})
    again = await at("POST", LIST, NEW, **{"idempotency-key": "once"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


@pytest.mark.parametrize(
    ("method", "path", "body", "param"),
    [
        ("POST", LIST, {**NEW, "model": {"id": "openai/gpt-4o", "parameters": {"seed": 1}}}, "model.parameters.seed"),
        ("POST", LIST, {**NEW, "instruction": "x"}, "instruction"),
        ("PATCH", ONE, {"key": "other"}, "key"),
        ("PATCH", ONE, {"model": None}, "model"),
        ("PATCH", ONE, b"{", None),
        ("PATCH", ONE, b"[]", None),
    ],
)
async def test_what_is_wrong_is_refused_and_not_quoted(
    at: Desk, method: str, path: str, body: Any, param: str | None
) -> None:
    heard = await at(method, path, body)
    assert (heard.status_code, heard.json()["error"]["param"]) == (400, param)
    assert "secret-sauce" not in heard.text
    assert at.dump() == "[]"


async def test_what_is_too_large_is_413(at: Desk) -> None:
    assert (await at("POST", LIST, {**NEW, "instructions": "x" * 310_000})).status_code == 413
    assert (await at("POST", LIST, {**NEW, "instructions": "x" * 400_000})).status_code == 413
    assert (await at("POST", LIST, {**NEW, "instructions": "x" * 300_000})).status_code == 201
    assert (await at("PATCH", ONE, {"description": "x" * 10_000})).status_code == 413


def on_one() -> list[tuple[str, str, Any]]:
    """A request to every route that has a key."""
    bodies = {"PATCH": {"instructions": "mine"}, "PUT": {"version": "1.0.0"}}
    places = {"{key}": "kind", "{version}": "1.0.0", "{name}": "staging"}
    found = []
    for method, path, _ in ROUTES:
        if "{key}" in path:
            for name, value in places.items():
                path = path.replace(name, value)
            found.append((method, path, bodies.get(method)))
    return found


def everything() -> list[tuple[str, str, Any]]:
    return [("GET", LIST, None), ("POST", LIST, NEW), *on_one()]


def test_every_route_is_asked() -> None:
    assert len(everything()) == len(ROUTES) == 11


@pytest.mark.parametrize(("method", "path", "body"), everything())
async def test_only_a_key_with_the_scope_may(at: Desk, method: str, path: str, body: Any) -> None:
    await at("POST", LIST, {**NEW, "key": "kind" if method != "POST" else "another"})
    before = at.dump()
    for token in ("app", "other-scope"):
        heard = await at(method, path, body, token)
        assert (heard.status_code, heard.json()["error"]["code"]) == (403, "insufficient_scope")
        assert "secret-sauce" not in heard.text
    assert (await at(method, path, body, None)).status_code == 401
    assert (await at(method, path, body, "nobody")).status_code == 401
    assert at.dump() == before


@pytest.mark.parametrize(("method", "path", "body"), on_one())
async def test_no_route_reaches_another_organizations_agent(at: Desk, method: str, path: str, body: Any) -> None:
    await at("POST", LIST, NEW)
    await at("PUT", f"{ONE}/environments/staging", {"version": "1.0.0"})
    before = at.dump()
    heard = await at(method, path, body, "bob")
    missing = await at(method, path.replace("kind", "none"), body, "bob")
    assert heard.status_code == missing.status_code == 404
    assert heard.text.replace("kind", "none") == missing.text
    assert at.dump() == before


async def test_another_organization_has_a_list_and_keys_of_its_own(at: Desk) -> None:
    await at("POST", LIST, NEW)
    assert (await at("GET", LIST, token="bob")).json()["data"] == []
    heard = await at("GET", f"{LIST}?starting_after=kind", token="bob")
    assert heard.text == (await at("GET", f"{LIST}?starting_after=none", token="bob")).text
    assert (await at("POST", LIST, {**NEW, "role": "theirs"}, "bob")).json()["role"] == "theirs"
    assert (await at("GET", ONE)).json()["role"] == "Helper"
    await at("DELETE", ONE, token="bob")
    assert (await at("GET", ONE)).status_code == 200


async def test_a_deployment_without_a_table_says_so(at: Desk) -> None:
    elsewhere = replace(at, gateway=replace(at.gateway, extras=None))
    heard = await elsewhere("GET", LIST)
    assert (heard.status_code, heard.json()["error"]["code"]) == (501, "not_implemented")
