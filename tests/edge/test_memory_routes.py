"""`/v2/memory-stores`: seen, corrected and forgotten by who may, without any model."""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from orrery.edge.embedded.engine import Engine
from orrery.edge.memory_routes import ROUTES
from orrery.stores.definition import DEFINITION
from orrery.stores.memory_stores import MemoryStoreStore
from orrery.stores.table import Table
from tests.edge.managing import NOW, TENANTS, THEN, Desk
from tests.fakes import FakeKeys, Room
from tests.stores.remembering import Embedder

_numbers = itertools.count()
NEW: dict[str, Any] = {"key": "people", "description": "d", "path": "p", "embedding_config": {"model": "openai/e"}}
LIST = "/v2/memory-stores"
STORE = f"{LIST}/people"
MEMORIES = f"{STORE}/memories"
ANN = f"{MEMORIES}/ann"
DOCUMENTS = f"{ANN}/documents"
PEOPLE = {"created_by_id": None, "updated_by_id": None, "created": THEN, "updated": THEN}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(Engine(tmp_path_factory.mktemp("state") / "journal")) as engine:
        yield engine


@pytest.fixture
async def at(engine: Engine) -> AsyncIterator[Desk]:
    name = f"memories{next(_numbers)}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    store = MemoryStoreStore(Table(engine.call, name), clock=lambda: NOW)
    extras = SimpleNamespace(memory_stores=store)
    yield Desk(Room(keys=FakeKeys(TENANTS), extras=extras).gateway(), ROUTES, store, engine, name)


async def filled(at: Desk, token: str = "alice") -> str:
    """A store with one entity and one document; its id."""
    assert (await at("POST", LIST, NEW, token)).status_code == 201
    assert (await at("POST", MEMORIES, {"entity_id": "ann"}, token)).status_code == 201
    heard = await at("POST", DOCUMENTS, {"text": " secret-sauce ", "metadata": {"n": "1"}}, token)
    assert heard.status_code == 201
    return str(heard.json()["_id"])


async def test_a_store_is_made_read_and_changed(at: Desk) -> None:
    heard = await at("POST", LIST, NEW)
    assert heard.status_code == 201
    assert heard.json() == {"_id": "people", "ttl": None, **NEW, **PEOPLE}
    assert (await at("GET", STORE)).json() == heard.json()
    assert (await at("GET", LIST)).json() == {"object": "list", "data": [heard.json()], "has_more": False}
    changed = await at("PATCH", STORE, {"ttl": 60})
    assert (changed.status_code, changed.json()) == (200, {**heard.json(), "ttl": 60})
    assert (await at("POST", LIST, NEW)).status_code == 409


async def test_an_entity_is_made_read_and_changed(at: Desk) -> None:
    await at("POST", LIST, NEW)
    heard = await at("POST", MEMORIES, {"entity_id": "ann"})
    assert heard.status_code == 201
    assert heard.json() == {
        "_id": "ann",
        "entity_id": "ann",
        "store_id": "people",
        "workspace_id": "org-alice",
        "documents_count": 0,
        "metadata": {},
        **PEOPLE,
    }
    assert (await at("GET", ANN)).json() == heard.json()
    assert (await at("PATCH", ANN, {"metadata": {"n": "1"}})).json() == {**heard.json(), "metadata": {"n": "1"}}
    assert (await at("POST", MEMORIES, {"entity_id": "ann"})).status_code == 409
    await at("POST", MEMORIES, {"entity_id": "bob"})
    page = (await at("GET", f"{MEMORIES}?limit=1")).json()
    assert ([each["_id"] for each in page["data"]], page["has_more"]) == (["ann"], True)
    page = (await at("GET", f"{MEMORIES}?starting_after=ann")).json()
    assert ([each["_id"] for each in page["data"]], page["has_more"]) == (["bob"], False)


async def test_a_document_is_made_read_and_changed(at: Desk) -> None:
    document = await filled(at)
    shown = {
        "_id": document,
        "memory_id": "ann",
        "store_id": "people",
        "workspace_id": "org-alice",
        "text": "secret-sauce",
        "metadata": {"n": "1"},
        **PEOPLE,
    }
    assert (await at("GET", f"{DOCUMENTS}/{document}")).json() == shown
    assert (await at("GET", DOCUMENTS)).json() == {"object": "list", "data": [shown], "has_more": False}
    assert (await at("GET", ANN)).json()["documents_count"] == 1
    changed = await at("PATCH", f"{DOCUMENTS}/{document}", {"text": "other"})
    assert (changed.status_code, changed.json()) == (200, {**shown, "text": "other"})
    found = await at.store.search("org-alice", "people", "ann", "other", top_k=1, embed=Embedder())
    assert [each.text for each in found] == ["other"]


async def test_deleted_is_not_found(at: Desk) -> None:
    document = await filled(at)
    for path in (f"{DOCUMENTS}/{document}", ANN, STORE):
        heard = await at("DELETE", path)
        assert (heard.status_code, heard.content) == (204, b"")
        for method in ("GET", "DELETE"):
            assert (await at(method, path)).status_code == 404
    assert at.dump() == "[]"


@pytest.mark.parametrize(
    ("method", "path", "body", "param"),
    [
        ("POST", LIST, {**NEW, "ttl": "long"}, "ttl"),
        ("PATCH", STORE, {"embedding_config": {"model": "x"}}, "embedding_config"),
        ("POST", MEMORIES, {"entity_id": "secret sauce"}, "entity_id"),
        ("PATCH", ANN, {}, "metadata"),
        ("POST", DOCUMENTS, {"text": ""}, "text"),
        ("POST", DOCUMENTS, b"{", None),
        ("GET", f"{DOCUMENTS}?starting_after=x", None, "starting_after"),
        ("GET", f"{MEMORIES}?ending_before=a%23", None, "ending_before"),
    ],
)
async def test_what_is_wrong_is_refused(at: Desk, method: str, path: str, body: Any, param: str | None) -> None:
    await filled(at)
    before = at.dump()
    heard = await at(method, path, body)
    assert (heard.status_code, heard.json()["error"]["param"]) == (400, param)
    assert at.dump() == before


BODIES: dict[tuple[str, str], Any] = {
    ("POST", "memory-stores"): {**NEW, "key": "another"},
    ("PATCH", "{key}"): {"description": "mine"},
    ("POST", "memories"): {"entity_id": "bob"},
    ("PATCH", "{entity}"): {"metadata": {}},
    ("POST", "documents"): {"text": "mine"},
    ("PATCH", "{document}"): {"text": "mine"},
}


def everything(document: str) -> list[tuple[str, str, Any]]:
    return [
        (
            method,
            path.replace("{key}", "people").replace("{entity}", "ann").replace("{document}", document),
            BODIES.get((method, path.rpartition("/")[2])),
        )
        for method, path, _ in ROUTES
    ]


def test_every_change_has_a_body() -> None:
    asked = everything("x")
    assert len(asked) == 15
    assert all((body is not None) == (method in ("POST", "PATCH")) for method, _, body in asked)


async def test_only_a_key_with_the_scope_may(at: Desk) -> None:
    document = await filled(at)
    before = at.dump()
    for method, path, body in everything(document):
        for token in ("app", "other-scope"):
            heard = await at(method, path, body, token)
            assert (heard.status_code, heard.json()["error"]["code"]) == (403, "insufficient_scope")
        assert (await at(method, path, body, None)).status_code == 401
    assert at.dump() == before


async def test_no_route_reaches_another_organizations_memory(at: Desk) -> None:
    document = await filled(at)
    before = at.dump()
    for method, path, body in everything(document)[2:]:
        heard = await at(method, path, body, "bob")
        missing = await at(method, path.replace("people", "none"), body, "bob")
        assert heard.status_code == missing.status_code == 404
        assert heard.text.replace("people", "none") == missing.text
    assert (await at("GET", LIST, token="bob")).json()["data"] == []
    assert at.dump() == before
    await filled(at, "bob")
    for method in ("GET", "PATCH", "DELETE"):
        heard = await at(method, f"{DOCUMENTS}/{document}", {"text": "x"} if method == "PATCH" else None, "bob")
        assert heard.status_code == 404
    assert (await at("GET", f"{DOCUMENTS}/{document}")).json()["text"] == "secret-sauce"
