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

from orrery.edge.families import family, manage
from tests.edge.running import Running, running

HELLO = {"model": "sandbox/echo", "messages": [{"role": "user", "content": "hello"}]}
SCOPES = ("activity", "prompts", "providers")
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
        "/v1/runs": f"run-of-{name}",
        "/v1/sessions": f"session-of-{name}",
        "/v2/identities": f"identity-of-{name}",
        "/v2/threads": f"thread-of-{name}",
        "/v2/prompts": f"prompt-of-{name}",
        "/v1/videos": video.json()["id"],
    }


def id_routes() -> list[tuple[str, str]]:
    """Every route of every function that takes an id of somebody's own, under its first mount."""
    found = set()
    for app in (
        manage(lambda: None),
        *(family(name, lambda: None) for name in ("images", "chat", "audio", "embeddings")),
    ):
        for route in app.routes:
            path, methods = route.path, route.methods
            if "{" in path and "{rest:path}" not in path and path.startswith(("/v1/", "/v2/prompts", "/v2/i", "/v2/t")):
                found |= {(method, path) for method in methods if method != "HEAD"}
    return sorted(found - {(method, "/v1/account/providers/{provider}") for method in ("GET", "PUT", "DELETE")})


ROUTES = id_routes()


def test_the_routes_with_ids_are_those_that_are_known_here() -> None:
    assert {re.sub(r"/\{.*", "", path) for _, path in ROUTES} == {
        "/v1/runs",
        "/v1/sessions",
        "/v1/videos",
        "/v2/identities",
        "/v2/prompts",
        "/v2/threads",
    }


def asked(tenant: Tenant, method: str, path: str, id: str) -> tuple[int, str]:
    """Status and body, without the ids in them."""
    where = re.sub(r"\{version\}", "1", re.sub(r"\{id(:path)?\}", id, path))
    body = {"display_name": "mine now"} if method == "PATCH" else None
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
    assert asked(alice, method, path, theirs) == asked(alice, method, path, missing)
    assert asked(alice, method, path, theirs)[0] == 404
    if method == "GET":
        assert asked(bob, method, path, theirs)[0] == 200


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
