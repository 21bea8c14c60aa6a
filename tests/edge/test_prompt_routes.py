"""`/v2/prompts`: kept, changed, published and taken back by who may, and nobody else's business."""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from orrery.core.types import Principal
from orrery.edge.embedded.engine import Engine
from orrery.edge.families import family
from orrery.edge.prompt_routes import ROUTES
from orrery.edge.web import FastAPI, Request
from orrery.flow.gateway import Gateway
from orrery.stores.definition import DEFINITION
from orrery.stores.prompts import PromptStore
from orrery.stores.table import Table
from tests.edge.asgi import request
from tests.fakes import FakeKeys, FakeTransport, Room, completion

_numbers = itertools.count()
SCOPED = frozenset({"prompts"})
TENANTS = {
    "alice": Principal("alicealice", "org-alice", "main", "alice", SCOPED),
    "bob": Principal("bobbobbobb", "org-bob", "main", "bob", SCOPED),
    "app": Principal("appappapps", "org-alice", "main", "app"),
    "other-scope": Principal("scopescope", "org-alice", "main", "app", frozenset({"providers", "prompt", "chat"})),
}
PROMPT: dict[str, Any] = {"messages": [{"role": "system", "content": "secret-sauce"}], "model": "openai/gpt-4o"}
NEWER: dict[str, Any] = {"messages": [{"role": "system", "content": "other"}], "temperature": 0.5}
NEW = {"key": "kind", "display_name": "Kind", "prompt": PROMPT}
LIST = "/v2/prompts"
ONE = f"{LIST}/kind"


@dataclass
class Desk:
    """The routes over one table, called as a client would."""

    gateway: Gateway
    store: PromptStore
    engine: Engine
    table: str

    async def __call__(
        self, method: str, path: str, body: Any = None, token: str | None = "alice", **more: Any
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=app_of(self.gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            content = {"json": body} if body is not None and not isinstance(body, bytes) else {"content": body}
            return await client.request(method, path, headers=headers, **content, **more)

    def dump(self) -> str:
        return str(self.engine.run("Scan", {"TableName": self.table})["Items"])


def app_of(gateway: Gateway) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for method, path, endpoint in ROUTES:

        async def answer(request: Request, endpoint: Any = endpoint) -> Any:
            return await endpoint(request, gateway)

        app.add_route(path, answer, methods=[method])
    return app


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(Engine(tmp_path_factory.mktemp("state") / "journal")) as engine:
        yield engine


@pytest.fixture
async def at(tmp_path: Path, engine: Engine) -> AsyncIterator[Desk]:
    name = f"prompts{next(_numbers)}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    store = PromptStore(Table(engine.call, name), clock=lambda: 1_800_000_000.9)
    extras = SimpleNamespace(prompt_registry=store)
    yield Desk(Room(keys=FakeKeys(TENANTS), extras=extras).gateway(), store, engine, name)


async def test_a_prompt_is_made_and_read(at: Desk) -> None:
    heard = await at("POST", LIST, {**NEW, "description": "d", "metadata": {"language": "English"}, "path": "Default"})
    assert heard.status_code == 200
    assert heard.json() == {
        "_id": "kind",
        "id": "kind",
        "type": "prompt",
        "owner": "org-alice",
        "domain_id": "org-alice",
        "display_name": "Kind",
        "description": "d",
        "metadata": {"language": "English"},
        "path": "Default",
        "prompt": PROMPT,
        "version": 1,
        "published_version": 1,
        "newest_version": 1,
        "created": "2027-01-15T08:00:00.000Z",
        "updated": "2027-01-15T08:00:00.000Z",
    }
    assert (await at("GET", ONE)).json() == heard.json()
    assert heard.headers["x-request-id"].startswith("req_")


async def test_orqs_own_body_is_taken(at: Desk) -> None:
    body = {
        "display_name": "Support",
        "description": None,
        "metadata": {"use_cases": ["Agents"], "language": "English"},
        "prompt": PROMPT,
        "path": "Default",
    }
    made = (await at("POST", LIST, body)).json()
    assert made["_id"].startswith("prompt_")
    assert (await at("GET", f"{LIST}/{made['_id']}")).json() == made


async def test_a_change_is_published_unless_it_says_not(at: Desk) -> None:
    await at("POST", LIST, NEW)
    changed = (await at("PATCH", ONE, {"prompt": NEWER, "display_name": "Kinder"})).json()
    assert (changed["version"], changed["published_version"], changed["newest_version"]) == (2, 2, 2)
    assert (changed["prompt"], changed["display_name"]) == (NEWER, "Kinder")
    waiting = (await at("PATCH", ONE, {"prompt": {**NEWER, "seed": 1}, "publish": False})).json()
    assert (waiting["version"], waiting["published_version"], waiting["newest_version"]) == (3, 2, 3)
    assert (await at("GET", ONE)).json()["prompt"] == NEWER


async def test_a_draft_says_that_nothing_is_published(at: Desk) -> None:
    made = (await at("POST", LIST, {**NEW, "publish": False})).json()
    assert (made["published_version"], made["newest_version"], made["version"]) == (None, 1, 1)


async def test_publishing_an_older_version_takes_newer_ones_back(at: Desk) -> None:
    await at("POST", LIST, NEW)
    await at("PATCH", ONE, {"prompt": NEWER})
    back = await at("POST", f"{ONE}/versions/1/publish")
    assert (back.status_code, back.json()["version"], back.json()["published_version"]) == (200, 1, 1)
    assert back.json()["newest_version"] == 2
    assert (await at("GET", ONE)).json()["prompt"] == PROMPT


async def test_versions_are_shown(at: Desk) -> None:
    await at("POST", LIST, NEW)
    await at("PATCH", ONE, {"prompt": NEWER, "publish": False})
    found = (await at("GET", f"{ONE}/versions")).json()
    assert (found["object"], found["has_more"]) == ("list", False)
    assert [(each["version"], each["published"], each["prompt"]) for each in found["data"]] == [
        (2, False, NEWER),
        (1, True, PROMPT),
    ]
    assert (await at("GET", f"{ONE}/versions/1")).json() == found["data"][1]
    assert (await at("GET", f"{ONE}/versions?limit=1")).json() == {
        "object": "list",
        "data": found["data"][:1],
        "has_more": True,
    }
    older = (await at("GET", f"{ONE}/versions?starting_after={found['data'][0]['id']}")).json()
    assert older["data"] == found["data"][1:]


async def test_prompts_are_listed_by_pages(at: Desk) -> None:
    for n in range(3):
        await at("POST", LIST, {**NEW, "key": f"k{n}"})
    found = (await at("GET", LIST)).json()
    assert (found["object"], found["has_more"], [each["id"] for each in found["data"]]) == (
        "list",
        False,
        ["k2", "k1", "k0"],
    )
    assert found["data"][0] == (await at("GET", f"{LIST}/k2")).json()
    page = (await at("GET", f"{LIST}?limit=2")).json()
    assert ([each["id"] for each in page["data"]], page["has_more"]) == (["k2", "k1"], True)
    page = (await at("GET", f"{LIST}?limit=2&starting_after=k1")).json()
    assert ([each["id"] for each in page["data"]], page["has_more"]) == (["k0"], False)
    page = (await at("GET", f"{LIST}?limit=1&ending_before=k0")).json()
    assert ([each["id"] for each in page["data"]], page["has_more"]) == (["k1"], True)


async def test_fifty_come_without_a_limit_and_two_hundred_at_most(at: Desk) -> None:
    for n in range(52):
        await at("POST", LIST, {**NEW, "key": f"k{n:02}"})
    page = (await at("GET", LIST)).json()
    assert (len(page["data"]), page["has_more"]) == (50, True)
    assert len((await at("GET", f"{LIST}?limit=200")).json()["data"]) == 52


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=-1", "limit"),
        ("limit=%C2%B2", "limit"),
        ("limit=99999999999", "limit"),
        ("starting_after=nobody", "starting_after"),
        ("ending_before=a%23b", "ending_before"),
        ("starting_after=kind&ending_before=kind", "ending_before"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(at: Desk, query: str, param: str) -> None:
    await at("POST", LIST, NEW)
    heard = await at("GET", f"{LIST}?{query}")
    assert (heard.status_code, heard.json()["error"]["param"]) == (400, param)


async def test_deleted_is_not_found(at: Desk) -> None:
    await at("POST", LIST, NEW)
    assert (await at("DELETE", ONE)).json() == {"_id": "kind", "id": "kind", "type": "prompt.deleted", "deleted": True}
    assert at.dump() == "[]"
    for method, path, body in on_one():
        heard = await at(method, path, body)
        assert (heard.status_code, heard.json()["error"]["code"]) == (404, "prompt_not_found")


async def test_a_key_that_is_taken_is_409(at: Desk) -> None:
    await at("POST", LIST, NEW)
    heard = await at("POST", LIST, NEW)
    assert (heard.status_code, heard.json()["error"]["param"]) == (409, "key")


@pytest.mark.parametrize("number", ["0", "2", "x", "-1", "1.0", "%C2%B2", "999999999999", "latest"])
async def test_what_is_no_version_is_not_found(at: Desk, number: str) -> None:
    await at("POST", LIST, NEW)
    for method, path in [("GET", f"{ONE}/versions/{number}"), ("POST", f"{ONE}/versions/{number}/publish")]:
        heard = await at(method, path)
        assert (heard.status_code, heard.json()["error"]["code"]) == (404, "prompt_not_found")


@pytest.mark.parametrize(
    ("method", "path", "body", "param"),
    [
        ("POST", LIST, {**NEW, "prompt": {"messages": []}}, "prompt.messages"),
        ("POST", LIST, {**NEW, "prompt": {**PROMPT, "api_key": "secret-sauce"}}, "prompt.api_key"),
        ("POST", LIST, {**NEW, "display_name": "x" * 129}, "display_name"),
        ("POST", LIST, {**NEW, "promt": {}}, "promt"),
        ("PATCH", ONE, {"prompt": {**PROMPT, "temperature": 9}}, "prompt.temperature"),
        ("PATCH", ONE, {"key": "other"}, "key"),
        ("PATCH", ONE, {"publish": True}, "publish"),
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
    large = {"messages": [{"role": "user", "content": "x" * 320_000}]}
    assert (await at("POST", LIST, {**NEW, "prompt": large})).status_code == 413
    assert (await at("POST", LIST, {**NEW, "prompt": large, "description": "x" * 40_000})).status_code == 413
    largest = {"messages": [{"role": "user", "content": "x" * 300_000}]}
    assert (await at("POST", LIST, {**NEW, "prompt": largest})).status_code == 200


def on_one() -> list[tuple[str, str, Any]]:
    """A request to every route that has an id."""
    bodies = {"PATCH": {"display_name": "mine", "prompt": NEWER}}
    return [
        (method, path.replace("{id}", "kind").replace("{version}", "1"), bodies.get(method))
        for method, path, _ in ROUTES
        if "{id}" in path
    ]


def everything() -> list[tuple[str, str, Any]]:
    return [("GET", LIST, None), ("POST", LIST, NEW), *on_one()]


def test_every_route_is_asked() -> None:
    assert len(everything()) == len(ROUTES) == 8


@pytest.mark.parametrize(("method", "path", "body"), everything())
async def test_only_a_key_with_the_scope_may(at: Desk, method: str, path: str, body: Any) -> None:
    await at("POST", LIST, {**NEW, "key": "kind" if method != "POST" or path != LIST else "another"})
    before = at.dump()
    for token in ("app", "other-scope"):
        heard = await at(method, path, body, token)
        assert (heard.status_code, heard.json()["error"]["code"]) == (403, "insufficient_scope")
        assert "secret-sauce" not in heard.text
    assert (await at(method, path, body, None)).status_code == 401
    assert (await at(method, path, body, "nobody")).status_code == 401
    assert at.dump() == before


@pytest.mark.parametrize(("method", "path", "body"), on_one())
async def test_no_route_reaches_another_organizations_prompt(at: Desk, method: str, path: str, body: Any) -> None:
    await at("POST", LIST, NEW)
    before = at.dump()
    heard = await at(method, path, body, "bob")
    missing = await at(method, path.replace("kind", "none"), body, "bob")
    assert heard.status_code == missing.status_code == 404
    assert heard.text.replace("kind", "none") == missing.text
    assert "secret-sauce" not in heard.text
    assert at.dump() == before


async def test_another_organization_has_a_list_and_keys_of_its_own(at: Desk) -> None:
    await at("POST", LIST, NEW)
    assert (await at("GET", LIST, token="bob")).json()["data"] == []
    heard = await at("GET", f"{LIST}?starting_after=kind", token="bob")
    assert heard.text.replace("kind", "none") == (await at("GET", f"{LIST}?starting_after=none", token="bob")).text
    assert (await at("POST", LIST, {**NEW, "prompt": NEWER}, "bob")).json()["prompt"] == NEWER
    assert (await at("GET", ONE)).json()["prompt"] == PROMPT
    await at("DELETE", ONE, token="bob")
    assert (await at("GET", ONE)).status_code == 200


async def test_a_revoked_key_may_nothing(at: Desk) -> None:
    at.gateway.keys.fresh = False  # type: ignore[attr-defined]
    assert (await at("GET", LIST)).status_code == 200
    at.gateway.keys.revoked.add("alicealice")  # type: ignore[attr-defined]
    assert (await at("GET", LIST)).status_code == 401


async def test_a_deployment_without_a_table_for_them_says_so(at: Desk) -> None:
    elsewhere = replace(at, gateway=replace(at.gateway, extras=None))
    heard = await elsewhere("GET", LIST)
    assert (heard.status_code, heard.json()["error"]["code"]) == (501, "not_implemented")


async def test_what_is_made_here_is_what_requests_get(at: Desk) -> None:
    await at("POST", LIST, NEW)
    assert (await at.store.published("org-alice", "kind")).version == 1  # type: ignore[union-attr]
    await at("PATCH", ONE, {"prompt": NEWER})
    assert (await at.store.published("org-alice", "kind")).version == 2  # type: ignore[union-attr]
    await at("POST", f"{ONE}/versions/1/publish")
    assert (await at.store.published("org-alice", "kind")).version == 1  # type: ignore[union-attr]
    await at("DELETE", ONE)
    assert await at.store.published("org-alice", "kind") is None


@pytest.mark.parametrize("way", ["header", "body"])
async def test_a_chat_is_asked_with_what_is_published(at: Desk, way: str) -> None:
    await at("POST", LIST, {**NEW, "prompt": {**PROMPT, "messages": [{"role": "user", "content": "hi {{who}}"}]}})
    transport = FakeTransport(completion(), completion())
    extras = SimpleNamespace(prompts=at.store)
    app = family("chat", lambda: Room(keys=FakeKeys(TENANTS), extras=extras, transport=transport).gateway())
    own = {"role": "user", "content": "own"}
    body: dict[str, Any] = {"variables": {"who": "you"}}
    extra: tuple[tuple[bytes, bytes], ...] = ((b"x-orbitrage-prompt-id", b"kind"),)
    if way == "body":
        body |= {
            "model": "groq/llama-3.3-70b-versatile",
            "messages": [own],
            "orq": {"prompt": {"id": "kind", "version": "latest"}},
        }
        extra = ()
    heard = await request(app, body, token="app", extra=extra)
    assert (heard.status, heard.headers["x-orq-prompt"]) == (200, "kind@1")
    sent = transport.body()
    assert (sent["model"], sent["messages"]) == (
        "gpt-4o",
        [{"role": "user", "content": "hi you"}, *([own] if way == "body" else [])],
    )
    heard = await request(app, body, token="bob", extra=extra)
    if way == "header":
        assert (heard.status, heard.json()["error"]["code"]) == (404, "prompt_not_found")
    else:
        assert (heard.status, heard.headers["x-orq-prompt"]) == (200, "not_found")
        assert (transport.body()["model"], transport.body()["messages"]) == ("llama-3.3-70b-versatile", [own])
