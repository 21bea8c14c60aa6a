"""Two organizations behind one gateway: what belongs to one is, for the other, exactly like what is not there."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from orrery.edge.families import MOUNTS, family, manage
from tests.edge.running import Running, running

HELLO = {"model": "sandbox/echo", "messages": [{"role": "user", "content": "hello"}]}
SCOPES = ("activity", "agents", "prompts", "providers")
NEVER = "never-made"


@dataclass(frozen=True)
class Tenant:
    """An organization's client, and the ids of what it made."""

    http: httpx.Client
    ids: dict[str, str]


def orrery(server: Running, *words: str) -> Any:
    environment = {"PATH": os.environ["PATH"], "ORRERY_STATE": str(server.state)}
    ran = subprocess.run(
        [sys.executable, "-c", "from orrery.edge.cli import main; main()", *words, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tenant, Tenant]]:
    with running(tmp_path_factory.mktemp("two") / "state") as server:
        found = []
        for name in ("alice", "bob"):
            orrery(server, "init", "--organization", name)
            scopes = [word for scope in SCOPES for word in ("--scope", scope)]
            token = orrery(server, "keys", "create", "--organization", name, *scopes)["api_key"]
            http = httpx.Client(
                base_url=server.base_url.removesuffix("/v1"), headers={"Authorization": f"Bearer {token}"}, timeout=30
            )
            found.append(Tenant(http, made(http, name)))
        yield found[0], found[1]
        for tenant in found:
            tenant.http.close()


OTHER_MOUNTS = tuple(f"{mount}/" for mount in MOUNTS[1:])


def made(http: httpx.Client, name: str) -> dict[str, str]:
    """One of everything that has an id."""
    headers = {"x-orbitrage-run-id": f"run-of-{name}", "x-orbitrage-session-id": f"session-of-{name}"}
    body = {**HELLO, "identity": {"id": f"identity-of-{name}"}, "thread": {"id": f"thread-of-{name}"}}
    assert http.post("/v1/chat/completions", json=body, headers=headers).status_code == 200
    prompt = {"display_name": name, "key": f"prompt-of-{name}", "prompt": {"messages": HELLO["messages"]}}
    assert http.post("/v2/prompts", json=prompt).status_code == 200
    assert http.put("/v1/account/providers/openai", json={"api_key": f"sk-{name}-0123456789"}).status_code == 200
    video = http.post("/v1/videos", json={"model": "sandbox/film", "prompt": "planets"})
    assert video.status_code == 200, video.text
    return {
        **kept(http, name),
        "/v1/runs": f"run-of-{name}",
        "/v1/sessions": f"session-of-{name}",
        "/v2/identities": f"identity-of-{name}",
        "/v2/threads": f"thread-of-{name}",
        "/v2/prompts": f"prompt-of-{name}",
        "/v1/videos": video.json()["id"],
    }


def kept(http: httpx.Client, name: str) -> dict[str, str]:
    """Responses, and what they are made with."""

    def post(where: str, **body: Any) -> Any:
        answer = http.post(where, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    response = post("/v1/responses", model="sandbox/echo", input=f"secret of {name}", background=True)
    conversation = post("/v1/conversations", items=[{"role": "user", "content": f"secret of {name}"}])
    (item,) = http.get(f"/v1/conversations/{conversation['id']}/items").json()["data"]
    settings: dict[str, Any] = {"tools": []}
    agent = {"role": "r", "description": "d", "instructions": "i", "path": "p", "model": "sandbox/echo"}
    post("/v2/agents", key=f"agent.of.{name}", settings=settings, **agent)
    function = {"name": "f", "parameters": {"type": "object", "properties": {}, "required": []}}
    tool = post("/v2/tools", key=f"tool-of-{name}", description="d", path="p", type="function", function=function)
    store = {"description": "d", "path": "p", "embedding_config": {"model": "sandbox/embed"}}
    post("/v2/memory-stores", key=f"store.of.{name}", **store)
    memories = f"/v2/memory-stores/store.of.{name}/memories"
    post(memories, entity_id=f"entity-of-{name}")
    document = post(f"{memories}/entity-of-{name}/documents", text=f"secret of {name}")
    assert http.put(f"/v2/agents/agent.of.{name}/environments/live", json={"version": "1.0.0"}).status_code == 200
    return {
        "/v1/responses": response["id"],
        "/v1/conversations": conversation["id"],
        "/v2/agents": f"agent.of.{name}",
        "/v2/tools": tool.get("_id") or tool["id"],
        "/v2/memory-stores": f"store.of.{name}",
        "{item}": item["id"],
        "{entity}": f"entity-of-{name}",
        "{document}": document.get("_id") or document["id"],
        "{name}": "live",
    }


def id_routes() -> list[tuple[str, str]]:
    """Every route of every function that takes an id of somebody's own, under its first mount."""
    found = set()
    for app in (
        manage(lambda: None),
        *(family(name, lambda: None) for name in ("images", "chat", "audio", "embeddings", "responses")),
    ):
        for route in app.routes:
            path, methods = route.path, route.methods
            if "{" in path and "{rest:path}" not in path and not path.startswith(OTHER_MOUNTS):
                found |= {(method, path) for method in methods if method != "HEAD"}
    return sorted(found - {(method, "/v1/account/providers/{provider}") for method in ("GET", "PUT", "DELETE")})


ROUTES = id_routes()


def test_the_routes_with_ids_are_those_that_are_known_here() -> None:
    assert {re.sub(r"/\{.*", "", path) for _, path in ROUTES} == {
        "/v1/conversations",
        "/v1/responses",
        "/v2/agents",
        "/v2/memory-stores",
        "/v2/tools",
        "/v1/runs",
        "/v1/sessions",
        "/v1/videos",
        "/v2/identities",
        "/v2/prompts",
        "/v2/threads",
    }


BODIES: dict[str, Any] = {
    "PATCH /v2/prompts": {"display_name": "mine now"},
    "PATCH /v2/agents": {"role": "mine now"},
    "PATCH /v2/tools": {"description": "mine now"},
    "PATCH /v2/memory-stores": {"description": "mine now"},
    "PATCH /v2/memory-stores/{key}/memories/{entity}": {"metadata": {"a": "b"}},
    "PATCH /v2/memory-stores/{key}/memories/{entity}/documents/{document}": {"text": "mine now"},
    "POST /v2/memory-stores/{key}/memories": {"entity_id": "e1"},
    "POST /v2/memory-stores/{key}/memories/{entity}/documents": {"text": "mine now"},
    "PUT /v2/agents": {"version": "1.0.0"},
    "POST /v2/agents": {"message": {"role": "user", "parts": [{"kind": "text", "text": "hello"}]}},
    "POST /v1/conversations": {"metadata": {"mine": "now"}},
    "POST /v1/conversations/{id}/items": {"items": [{"role": "user", "content": "mine now"}]},
}
"""What is posted: by the whole path, else by its beginning."""


def asked(tenant: Tenant, owner: Tenant, method: str, path: str, id: str) -> tuple[int, str]:
    """Status and body, without the ids in them. What else the path names is its owner's."""
    where = re.sub(r"\{(id|key)(:path)?\}", id, path).replace("{version}", "1.0.0" if "agents" in path else "1")
    for part, theirs in owner.ids.items():
        where = where.replace(part, theirs) if part.startswith("{") else where
    body = BODIES.get(f"{method} {path}", BODIES.get(f"{method} {re.sub(r'/{.*', '', path)}"))
    answer = tenant.http.request(method, where, json=body)
    return answer.status_code, answer.text.replace(id, "<id>")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_what_is_somebody_elses_is_like_what_is_not_there(tenants: Any, method: str, path: str) -> None:
    alice, bob = tenants
    base = re.sub(r"/\{.*", "", path)
    theirs = bob.ids[base]
    missing = (
        theirs.replace("bob", "eve") if "bob" in theirs else theirs[:-4] + ("AAAA" if theirs[-4:] != "AAAA" else "BBBB")
    )
    assert asked(alice, bob, method, path, theirs) == asked(alice, bob, method, path, missing)
    assert asked(alice, bob, method, path, theirs)[0] == 404
    if method == "GET":
        assert asked(bob, bob, method, path, theirs)[0] == 200


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/sessions", "/v2/identities", "/v2/threads", "/v2/prompts"])
def test_lists_hold_ones_own_and_take_no_cursor_of_others(tenants: Any, path: str) -> None:
    alice, bob = tenants
    for tenant, other in ((alice, bob), (bob, alice)):
        listed = tenant.http.get(path).json()["data"]
        assert [each["id"] for each in listed] == [tenant.ids[path]]
        for cursor in ("starting_after", "ending_before"):
            foreign = tenant.http.get(path, params={cursor: other.ids[path]})
            nobody = tenant.http.get(path, params={cursor: NEVER})
            assert (foreign.status_code, foreign.json()) == (nobody.status_code, nobody.json())


def test_a_prompt_of_others_is_no_prompt(tenants: Any) -> None:
    alice, bob = tenants
    theirs = bob.ids["/v2/prompts"]
    by_header = alice.http.post("/v1/chat/completions", json=HELLO, headers={"x-orbitrage-prompt-id": theirs})
    assert (by_header.status_code, by_header.json()["error"]["code"]) == (404, "prompt_not_found")
    by_body = {**HELLO, "orq": {"prompt": {"id": theirs, "version": "latest"}}}
    assert alice.http.post("/v1/chat/completions", json=by_body).headers["x-orq-prompt"] == "not_found"


def test_the_same_labels_keys_and_questions_of_two_are_two(tenants: Any) -> None:
    body = {**HELLO, "thread": {"id": "shared"}, "identity": {"id": "shared"}, "cache": {"type": "exact_match"}}
    headers = {"x-orbitrage-run-id": "shared", "x-orbitrage-session-id": "shared", "Idempotency-Key": "shared"}
    answers = [tenant.http.post("/v1/chat/completions", json=body, headers=headers) for tenant in tenants]
    assert [(a.status_code, a.headers["x-orq-cache"], a.headers.get("idempotent-replayed")) for a in answers] == [
        (200, "MISS", None)
    ] * 2
    assert answers[0].json()["id"] != answers[1].json()["id"]
    for tenant in tenants:
        for path in ("/v1/runs", "/v1/sessions", "/v2/threads", "/v2/identities"):
            assert tenant.http.get(f"{path}/shared").json()["requests"] == 1


@pytest.mark.parametrize("name", ["previous", "conversation", "item", "agent", "tool"])
def test_a_request_for_a_response_can_name_nothing_of_others(tenants: Any, name: str) -> None:
    alice, bob = tenants

    def body(whose: dict[str, str]) -> dict[str, Any]:
        plain = {"model": "sandbox/echo", "input": "hello"}
        return {
            "previous": {**plain, "previous_response_id": whose["/v1/responses"]},
            "conversation": {**plain, "conversation": whose["/v1/conversations"]},
            "item": {**plain, "input": [{"type": "item_reference", "id": whose["{item}"]}]},
            "agent": {**plain, "model": f"agent/{whose['/v2/agents']}"},
            "tool": {**plain, "tools": [{"type": "orq:function", "tool_id": whose["/v2/tools"]}]},
        }[name]

    nobodys = {place: id.replace("bob", "eve") if "bob" in id else id[:-4] + "AAAA" for place, id in bob.ids.items()}
    theirs, missing = (alice.http.post("/v1/responses", json=body(ids)) for ids in (bob.ids, nobodys))
    told = [
        answer.text.replace(id, "<id>")
        for answer, ids in ((theirs, bob.ids), (missing, nobodys))
        for id in [max((id for id in ids.values() if id in answer.text), key=len, default="-")]
    ]
    assert (theirs.status_code, told[0]) == (missing.status_code, told[1])
    assert theirs.status_code == 404


def test_memories_of_the_same_names_are_two(tenants: Any) -> None:
    for tenant, name in zip(tenants, ("alice", "bob"), strict=True):
        store = {"description": "d", "path": "p", "embedding_config": {"model": "sandbox/embed"}, "key": "shared"}
        assert tenant.http.post("/v2/memory-stores", json=store).status_code == 201
        memories = "/v2/memory-stores/shared/memories"
        assert tenant.http.post(memories, json={"entity_id": "shared"}).status_code == 201
        text = {"text": f"secret of {name}"}
        assert tenant.http.post(f"{memories}/shared/documents", json=text).status_code == 201
    for tenant, name in zip(tenants, ("alice", "bob"), strict=True):
        found = tenant.http.get("/v2/memory-stores/shared/memories/shared/documents").json()["data"]
        assert [document["text"] for document in found] == [f"secret of {name}"]
